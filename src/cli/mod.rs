//! The command line: one file for each subcommand, one printer, one place for exit codes.
//!
//! Rules: a command returns a [`Reply`] or a [`Failure`] and prints nothing but progress, on stderr; what a command needs
//! from the outside comes through its [`Shell`].

mod abort;
mod adopt;
mod apply;
mod approve;
mod audit;
mod baseline;
mod check;
mod client;
mod compat;
mod deploy;
mod doctor;
mod lineage;
mod manual;
pub mod output;
mod parse;
mod plan;
mod project;
mod reject;
pub mod render;
mod rollback;
mod serve;
mod show;
mod since;
mod status;
mod undeploy;
mod validate;
pub mod verdict;
mod view;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, DEFAULT_FILE, Need, Scope};
use client::Client;
pub use output::{Answer, Colour, Failure, Format, Reply};

/// Keeps Flink SQL pipelines on Kafka in step with the schemas that feed them.
#[derive(Debug, Parser)]
#[command(name = "cyanotype", version, max_term_width = 100, after_help = manual::EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    shell: Shell,
    #[command(subcommand)]
    command: Command,
}

/// The heading of options that every command takes.
const EVERYWHERE: &str = "Options of every command";

/// What every command may need.
#[derive(Clone, Debug, clap::Args)]
pub struct Shell {
    /// Configuration file.
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE", env = "CYANOTYPE_CONFIG", hide_env_values = true, default_value = DEFAULT_FILE)]
    pub config: PathBuf,
    /// Environment to use: a section [env.NAME] of the configuration.
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "NAME", env = "CYANOTYPE_ENV", hide_env_values = true)]
    pub env: Option<String>,
    /// How the answer is printed.
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FORMAT", default_value = "text")]
    pub output: Format,
}

impl Shell {
    /// The configuration with its chosen environment.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn config(&self, need: Need) -> Result<Config, Failure> {
        if !self.config.exists() {
            return Err(self
                .no_configuration()
                .help("name one with --config or CYANOTYPE_CONFIG; docs/guide.md says what is in it"));
        }
        // A variable that is set but empty is the same as none.
        let env = self.env.as_deref().filter(|name| !name.is_empty());
        Config::load(&self.config, env, need).map_err(|error| {
            let mut failure = Failure::new("the configuration cannot be used").because(&error);
            failure.lines = failure.lines.iter().flat_map(|line| line.lines().map(str::to_owned)).collect();
            failure.help("cyanotype.toml at the root of the repository is a commented example; docs/guide.md says more")
        })
    }

    /// There is no file where the configuration should be.
    pub(crate) fn no_configuration(&self) -> Failure {
        Failure::new(format!("there is no configuration {}", self.config.display()))
    }

    /// The way to the daemon, with a token for `scope` if there is one.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub(crate) fn client(&self, scope: Scope) -> Result<Client, Failure> {
        Client::new(&self.config(Need::Client)?.env, scope)
    }

    /// One line of progress.
    pub fn say(&self, line: &str) {
        use std::io::Write;
        // Nobody is left to be told when stderr is closed.
        let _ = writeln!(std::io::stderr(), "{}", output::plain(line));
    }
}

/// In the order in which they are needed; help and `docs/cli.md` have it from here.
#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Args),
    Parse(parse::Args),
    Lineage(lineage::Args),
    Compat(compat::Args),
    Plan(plan::Args),
    Doctor(doctor::Args),
    Audit(audit::Args),
    Serve(serve::Args),
    Deploy(deploy::Args),
    Adopt(adopt::Args),
    Status(status::Args),
    Show(show::Args),
    Apply(apply::Args),
    Validate(validate::Args),
    Approve(approve::Args),
    Reject(reject::Args),
    /// Give a rollout up; one that has been promoted is rolled back.
    Abort(abort::Args),
    /// Make blue serve again after a promotion, through the soak; the destinations end equal to blue.
    Rollback(abort::Args),
    Baseline(baseline::Args),
    Undeploy(undeploy::Args),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let Cli { shell, command } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return output::not_parsed(&error, Format::asked(std::env::args_os())),
    };
    let result = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(command, &shell)),
        Err(error) => Err(Failure::new("the program cannot start its threads").because(&error)),
    };
    output::finish(&result, shell.output)
}

async fn run(command: Command, shell: &Shell) -> Result<Reply, Failure> {
    match command {
        Command::Check(args) => check::run(args, shell).await,
        Command::Parse(args) => parse::run(&args),
        Command::Lineage(args) => lineage::run(args, shell).await,
        Command::Compat(args) => compat::run(&args),
        Command::Plan(args) => plan::run(args, shell).await,
        Command::Doctor(args) => doctor::run(args, shell).await,
        Command::Audit(args) => audit::run(args, shell).await,
        Command::Serve(args) => serve::run(args, shell).await,
        Command::Deploy(args) => deploy::run(args, shell).await,
        Command::Adopt(args) => adopt::run(args, shell).await,
        Command::Status(args) => status::run(args, shell).await,
        Command::Show(args) => show::run(args, shell).await,
        Command::Apply(args) => apply::run(args, shell).await,
        Command::Validate(args) => validate::run(args, shell).await,
        Command::Approve(args) => approve::run(args, shell).await,
        Command::Reject(args) => reject::run(args, shell).await,
        Command::Abort(args) => abort::run(args, shell).await,
        Command::Rollback(args) => rollback::run(args, shell).await,
        Command::Baseline(args) => baseline::run(args, shell).await,
        Command::Undeploy(args) => undeploy::run(args, shell).await,
    }
}
