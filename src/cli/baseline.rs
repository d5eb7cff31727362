//! `cyanotype baseline`: accepts a subject's history as it is, so that one bad version does not block it for ever.

use serde_json::{Value, json};

use super::Shell;
use super::output::{Colour, Failure, Reply, Shown};
use crate::config::Scope;

/// Accept the history of a subject before a version as it is.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Subject and the first version that counts, such as `shop.shop.customers-value@7`.
    #[arg(value_name = "SUBJECT@VERSION")]
    from: String,
    /// Why earlier versions need not be compatible; the journal keeps it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who says so; the journal keeps it beside the token's name.
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true)]
    by: Option<String>,
}

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    let split = args.from.rsplit_once('@').and_then(|(subject, version)| Some((subject, version.parse::<i32>().ok()?)));
    let Some((subject, version)) = split.filter(|(subject, version)| !subject.is_empty() && *version > 0) else {
        return Err(Failure::new(format!("{} does not name a subject and a version", args.from))
            .help("write it as SUBJECT@VERSION, such as shop.shop.customers-value@7"));
    };
    let by = args.by.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let by = by.ok_or_else(|| Failure::new("nobody is named for it").help("say who it is with --by NAME"))?;
    let body = json!({ "subject": subject, "version": version, "reason": args.reason, "by": by });
    let said = shell.client(Scope::Approve)?.post(&["baselines"], &body).await?;
    Ok(Reply::yes(Taken(said)))
}

struct Taken(Value);

impl Shown for Taken {
    fn text(&self, _colour: Colour) -> String {
        self.0["message"].as_str().unwrap_or_default().to_owned()
    }

    fn json(&self) -> Value {
        self.0.clone()
    }
}
