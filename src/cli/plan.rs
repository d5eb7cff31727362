//! `cyanotype plan`: what a change means, before anything is done.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::client::understood;
use super::output::{Colour, Failure, Reply, Shown};
use super::project::{self, Diagnosed, Missing, Offline};
use super::view::Status;
use super::{Shell, since, wire};
use crate::config::{Need, Scope, text_file};
use crate::daemon::gather::{self, Seen};
use crate::daemon::ports::Ports;
use crate::daemon::settings::Settings;
use crate::daemon::{nulls, standing, watch};
use crate::diagnostic::Diagnostic;
use crate::model::manifest::Manifest;
use crate::plan::change::compare;
use crate::plan::input::{Evolution, NullableDefaults};
use crate::plan::{self, Cause, Plan, PlanInput, report};
use crate::schema::pair::Given;
use crate::schema::{self, AvroSchema, Level};

/// Show what a change means: impacted statements with the reason for each, SQL, start points.
///
/// With --subject, --old and --new it works on files alone; with --since it plans what the files say otherwise than a
/// revision of their git repository; without them it asks the registry and the daemon what has changed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the project [default: `project` of the configuration].
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Schema before the change.
    #[arg(long, value_name = "FILE", requires_all = ["new", "subject"])]
    pub old: Option<PathBuf>,
    /// Schema after the change.
    #[arg(long, value_name = "FILE", requires_all = ["old", "subject"])]
    pub new: Option<PathBuf>,
    /// Subject whose schema changes, such as `shop.shop.orders-value`.
    #[arg(long, value_name = "SUBJECT", requires_all = ["old", "new"])]
    pub subject: Option<String>,
    /// Plan the statements that the files change since a revision: a branch, a tag, a commit, `HEAD~1`.
    #[arg(long, value_name = "REV", conflicts_with_all = ["old", "new", "subject"], value_parser = revision)]
    pub since: Option<String>,
    /// Ask no system: what the revision holds stands for what is deployed.
    #[arg(long, requires = "since")]
    pub offline: bool,
    /// Write the plan to a file for `apply` as well.
    #[arg(long, value_name = "FILE")]
    pub rollout_plan_out: Option<PathBuf>,
    /// Leave the SQL diff out.
    #[arg(long)]
    pub no_diff: bool,
    /// Exit with 1 when there is something to do.
    #[arg(long)]
    pub exit_code: bool,
}

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    let outcome = match (&args.since, &args.subject, &args.old, &args.new) {
        (Some(since), ..) if args.offline => since::offline(args.project.as_ref(), shell, since).await?,
        (Some(since), ..) => since::live(args.project.as_ref(), shell, since).await?,
        (None, Some(subject), Some(old), Some(new)) => offline(&args, shell, subject, old, new).await?,
        _ => live(&args, shell).await?,
    };
    let plan = match outcome {
        Outcome::Plan(plan) => *plan,
        Outcome::Nothing(nothing) => return Ok(Reply::yes(nothing)),
        Outcome::Blocked(diagnosed) => return Ok(Reply::no(diagnosed).help("there is no plan until this is mended")),
    };
    if let Some(path) = &args.rollout_plan_out {
        let text =
            serde_json::to_string_pretty(&plan).map_err(|e| Failure::new("the plan cannot be written").because(&e))?;
        std::fs::write(path, text).map_err(|e| {
            Failure::new(format!("the plan cannot be written to {}", path.display()))
                .because(&e)
                .help("name a file in a folder that exists and that this user may write to")
        })?;
    }
    let something = !plan.is_empty();
    let shown = Planned { plan, diff: !args.no_diff };
    Ok(if args.exit_code && something { Reply::no(shown) } else { Reply::yes(shown) })
}

fn revision(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("name a revision: a branch, a tag, a commit, HEAD~1".to_owned());
    }
    Ok(text.to_owned())
}

/// What planning came to.
pub(super) enum Outcome {
    /// A plan.
    Plan(Box<Plan>),
    /// There is nothing to do, and why.
    Nothing(Nothing),
    /// Nothing may be done before this is mended.
    Blocked(Diagnosed),
}

/// That there is nothing to do.
#[derive(Debug, Serialize)]
pub(super) struct Nothing {
    /// Why, one line.
    nothing: String,
    /// What a person should look at all the same.
    warnings: Vec<Diagnostic>,
}

impl Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.nothing)?;
        self.warnings.iter().try_for_each(|d| write!(f, "\n{}: {}", d.code, d.message))
    }
}

/// From a folder of SQL and two schema files: as if the folder were deployed.
async fn offline(args: &Args, shell: &Shell, subject: &str, old: &Path, new: &Path) -> Result<Outcome, Failure> {
    let Offline { dir, vars, settings, .. } = project::offline(shell, args.project.as_ref())?;
    let read = project::read(&dir, &vars, Missing::Kept).await?;
    let (before, after) = (schema_file(old)?, schema_file(new)?);
    let assessment = schema::assess(Level::FullTransitive, subject.ends_with("-key"), &after, &[(1, before.clone())]);
    let evolution = Evolution {
        subject: subject.to_owned(),
        topics: [gather::topic_of(subject).unwrap_or(subject).to_owned()].into(),
        from_version: 1,
        to_version: 2,
        changes: schema::diff(&before, &after),
        added: schema::added_columns(&before, &after),
        assessment,
    };
    if let Some(blocked) = unread(&read, &evolution) {
        return Ok(blocked);
    }
    let policy = crate::config::Policy::default();
    let input = PlanInput {
        env: shell.env.clone().unwrap_or_else(|| "offline".to_owned()),
        manifest: read.project.manifest,
        cause: Cause::Evolution(Box::new(evolution)),
        policy: wire::plan_policy(&policy),
        vars,
        settings,
        topics: BTreeMap::new(),
        subjects: BTreeMap::from([(subject.to_owned(), 2)]),
    };
    Ok(outcome(of_one_subject(plan::plan(&input), (old, &before), (new, &after)), read.texts))
}

/// When the two schemas do not even describe the same record, a wrong file is more likely than a change at the source.
fn of_one_subject(mut planned: plan::Planned, old: (&Path, &AvroSchema), new: (&Path, &AvroSchema)) -> plan::Planned {
    let named = |schema: &AvroSchema| schema.record(schema.root()).map(|(name, _)| name.full());
    let (before, after) = (named(old.1), named(new.1));
    if before != after {
        let record = |name: Option<String>| name.map_or("no record".to_owned(), |name| format!("the record {name}"));
        let (old, new) = (old.0.display(), new.0.display());
        let help = format!(
            "is one of the files wrong? {old} holds {} and {new} {}; two versions of a subject have one record",
            record(before),
            record(after)
        );
        planned.diagnostics.iter_mut().filter(|d| d.code == "C201").for_each(|d| d.help = Some(help.clone()));
    }
    planned
}

/// A file that could not be read blocks the plan: nobody knows what it touches.
fn unread(read: &project::Read, _evolution: &Evolution) -> Option<Outcome> {
    let found = &read.project.diagnostics;
    plan::project::broken(found)
        .then(|| Outcome::Blocked(Diagnosed::new(found.clone(), read.texts.clone(), "nothing wrong")))
}

/// A schema of this size is a mistake.
const SCHEMA_LIMIT: u64 = 32 << 20;

fn schema_file(path: &Path) -> Result<AvroSchema, Failure> {
    const HELP: &str = "give the schema as the registry holds it, or the registry's whole answer, as JSON";
    let named = path.display();
    let text = text_file::read(path, SCHEMA_LIMIT)
        .map_err(|e| Failure::new(format!("{named} cannot be read")).because(&e).help(HELP))?;
    Given::new(text).avro().map_err(|e| Failure::new(format!("{named} is not an Avro schema")).because(&e).help(HELP))
}

/// From what is deployed and what the registry has now; else from what the files add to what is deployed.
async fn live(args: &Args, shell: &Shell) -> Result<Outcome, Failure> {
    let config = shell.config(Need::Everything)?;
    let dir = project::folder(args.project.as_ref(), &config);
    let ports = wire::ports(&config, &dir)?;
    let settings = wire::settings(&config.env)?;
    let client = shell.client(Scope::Read)?;
    let manifest: Manifest = understood(&client.get(&["manifest"]).await?, "the manifest")?;
    let status: Status = understood(&client.get(&["status"]).await?, "the status")?;
    let asked = |e: crate::port::PortError| Failure::new("what planning looks at cannot be gathered").because(&e);
    let latest = gather::versions(ports.registry.as_ref(), &settings.subjects, &gather::input_topics(&manifest))
        .await
        .map_err(asked)?;
    for (subject, version) in &latest {
        let written_for = manifest.subjects.get(subject).or_else(|| status.first_seen.get(subject));
        let deployed = written_for.copied().unwrap_or(*version);
        let baseline = status.baselines.get(subject).copied();
        if *version <= deployed {
            continue;
        }
        match gather::assess(&ports, &settings, subject, baseline, (deployed, *version)).await.map_err(asked)? {
            Seen::Refused(reasons) => {
                let problems = plan::evolve::refused(subject, *version, &reasons);
                return Ok(Outcome::Blocked(Diagnosed::new(problems, BTreeMap::new(), "")));
            }
            Seen::Evolved(evolution) => {
                let counts = settings.policy.nullable_defaults == NullableDefaults::WhenUnseen
                    && !nulls::uncertain(&evolution).is_empty();
                let ends = match counts {
                    true => nulls::ends(ports.topics.as_ref(), &manifest, &evolution).await.map_err(asked)?,
                    false => BTreeMap::new(),
                };
                let mut input = gather::input(&ports, None, &settings, manifest.clone(), Cause::Evolution(evolution))
                    .await
                    .map_err(asked)?;
                for (topic, end) in ends {
                    shell.say(&format!("counts the NULLs in {topic}"));
                    let from = (ports.registry.as_ref(), ports.topics.as_ref());
                    let audit = watch::read_once(from, &topic, &end, |_| {}).await.map_err(asked)?;
                    nulls::put(&mut input, &audit, &BTreeMap::from([(topic, end)]));
                }
                return settled(&ports, &settings, outcome(plan::plan(&input), BTreeMap::new())).await;
            }
        }
    }
    let read = project::read(&dir, &config.env.variables(), Missing::Reported).await?;
    if plan::project::broken(&read.project.diagnostics) {
        return Ok(Outcome::Blocked(Diagnosed::new(read.project.diagnostics, read.texts, "")));
    }
    let behind = compare::behind(&manifest, &read.project.manifest);
    let behind = (!behind.is_empty()).then(|| compare::files_are_behind(&behind, &manifest).message);
    let cause = Cause::Deploy { project: read.project.manifest };
    let input = gather::input(&ports, None, &settings, manifest, cause).await.map_err(asked)?;
    match outcome(plan::plan(&input), read.texts) {
        Outcome::Plan(plan) if plan.is_empty() => {
            let behind = behind.map(|behind| format!("; the {behind}")).unwrap_or_default();
            Ok(Outcome::Nothing(Nothing { nothing: format!("nothing to do{behind}"), warnings: plan.warnings }))
        }
        other => settled(&ports, &settings, other).await,
    }
}

/// The plan, standing on what there is now.
pub(super) async fn settled(ports: &Ports, settings: &Settings, outcome: Outcome) -> Result<Outcome, Failure> {
    let Outcome::Plan(plan) = outcome else { return Ok(outcome) };
    let plan = standing::settle(ports, settings, *plan).await;
    let plan = plan.map_err(|e| Failure::new("what the plan stands on cannot be looked at").because(&e))?;
    Ok(Outcome::Plan(Box::new(plan)))
}

/// The outcome of planning over the texts of the files.
pub(super) fn outcome(planned: plan::Planned, texts: BTreeMap<String, String>) -> Outcome {
    match planned.plan {
        Some(plan) => Outcome::Plan(Box::new(plan)),
        None if !plan::project::broken(&planned.diagnostics) => {
            let nothing = "the change reaches no statement".to_owned();
            Outcome::Nothing(Nothing { nothing, warnings: planned.diagnostics })
        }
        None => Outcome::Blocked(Diagnosed::new(planned.diagnostics, texts, "")),
    }
}

/// A plan as an answer: the tree and the SQL diff, or the plan itself.
pub(super) struct Planned {
    plan: Plan,
    diff: bool,
}

impl Planned {
    /// The plan without its SQL.
    pub(super) fn new(plan: Plan) -> Self {
        Self { plan, diff: false }
    }
}

impl Shown for Planned {
    fn text(&self, _colour: Colour) -> String {
        let mut text = self.plan.to_string();
        if self.diff {
            text.push('\n');
            text.push_str(&report::sql_diff(&self.plan));
        }
        text
    }

    fn json(&self) -> Value {
        serde_json::to_value(&self.plan).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_record_makes_the_file_the_suspect() {
        let schema = |name: &str| {
            schema::parse(&format!(r#"{{"type": "record", "name": "{name}", "fields": []}}"#), &[]).unwrap()
        };
        let help = |new: &str| {
            let diagnostics = vec![Diagnostic::error("C201", "x").help("undo")];
            let planned = plan::Planned { plan: None, diagnostics };
            let (old, new) = (schema("a.Old"), schema(new));
            let said = of_one_subject(planned, (Path::new("o"), &old), (Path::new("n"), &new));
            said.diagnostics[0].help.clone().unwrap()
        };
        assert_eq!(help("a.Old"), "undo");
        assert!(
            help("b.New").starts_with("is one of the files wrong? o holds the record a.Old and n the record b.New")
        );
    }

    #[test]
    fn a_revision_has_a_name() {
        assert_eq!(revision("HEAD~1"), Ok("HEAD~1".to_owned()));
        assert!(revision("").is_err() && revision(" ").is_err());
    }
}
