//! `cyanotype serve`: the daemon.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::output::{Failure, Reply};
use super::{Shell, project, wire};
use crate::config::{Api, Need, Reads, Scope};
use crate::daemon::handle::{Handle, View};
use crate::daemon::stand_by::lead_and_stand_by;
use crate::telemetry::Metrics;
use crate::telemetry::logs::{self, LogFormat};
use crate::web::{self, AuthSettings, ReadAccess};

/// Requests that may wait for the loop.
const QUEUE: usize = 64;

/// Run the daemon: watch, plan, stage, prove, ask, promote, retire.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the project [default: `project` of the configuration].
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Address to listen on [default: `api.listen` of the configuration].
    #[arg(long, value_name = "IP:PORT")]
    pub listen: Option<SocketAddr>,
    /// Form of the log, on stderr. CYANOTYPE_LOG filters it.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    let config = shell.config(Need::Everything)?;
    let filter = std::env::var("CYANOTYPE_LOG").ok();
    logs::start(args.log_format, filter.as_deref())
        .map_err(|e| Failure::new("the log cannot be set up").because(&e))?;
    let ports = wire::ports(&config, &project::folder(args.project.as_ref(), &config))?;
    let settings = Arc::new(wire::settings(&config.env)?);
    let metrics = Arc::new(Metrics::new().map_err(|e| Failure::new("the metrics cannot be set up").because(&e))?);
    let address = args.listen.unwrap_or(config.env.api.listen);
    let listener = TcpListener::bind(address).await.map_err(|e| {
        Failure::new(format!("{address} cannot be listened on"))
            .because(&e)
            .help("another daemon may run there: end it, or choose another address with --listen or api.listen")
    })?;
    let first = View { env: config.env.name.clone(), started_ms: ports.clock.now_ms(), ..View::default() };
    let (handle, inbox, show) = Handle::new(QUEUE, first);
    let app = web::router(handle, auth(&config.env.api, address)?, Arc::clone(&metrics));
    tracing::info!(env = config.env.name, %address, "listening; waiting to lead");
    let journal = Arc::clone(&ports.journal);
    let serving = async move { axum::serve(listener, app).await };
    let leading = lead_and_stand_by(ports, settings, metrics, inbox, show);
    tokio::select! {
        ended = serving => match ended {
            Ok(()) => Ok(Reply::yes("stopped".to_owned())),
            Err(e) => Err(Failure::new("the API cannot be served").because(&e)),
        },
        stopped = leading => Err(Failure::new("the daemon stopped").because(&stopped).help(stopped.help())),
        () = asked_to_end() => {
            tracing::info!("asked to end: rollouts go on with the next start");
            journal.leave().await;
            Ok(Reply::yes("stopped".to_owned()))
        }
    }
}

fn auth(api: &Api, listen: SocketAddr) -> Result<AuthSettings, Failure> {
    let wrong = |e: web::AuthError| Failure::new("the API's tokens cannot be used").because(&e);
    let reads = match api.reads_on(listen) {
        Reads::Open => ReadAccess::Open,
        Reads::Token => ReadAccess::Token,
    };
    let mut auth = AuthSettings::default().reads(reads);
    for token in &api.tokens {
        let scopes = token.scopes.iter().map(|scope| match scope {
            Scope::Read => web::Scope::Read,
            Scope::Apply => web::Scope::Apply,
            Scope::Approve => web::Scope::Approve,
            Scope::Abort => web::Scope::Abort,
        });
        auth = auth.token(&token.name, token.secret.reveal(), scopes.collect::<Vec<_>>()).map_err(wrong)?;
    }
    for secret in &api.signing_secrets {
        auth = auth.webhook_secret(&secret.name, secret.secret.reveal()).map_err(wrong)?;
    }
    Ok(auth)
}

/// Ends when the process is asked to: Ctrl-C or SIGTERM.
async fn asked_to_end() {
    let mut term = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(term) => term,
        Err(_) => return std::future::pending().await,
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
    }
}
