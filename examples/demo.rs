//! The story of an evolution, shown on the real stack: `./x demo [--exit] [--drawn]`.
//!
//! Exit codes: 0 when everything came true, 1 when something did not, 2 when it could not begin.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use story::case::Project;
use story::failure::{During as _, Failure, Outcome, ensure};
use story::generated::{self, Generated};
use story::narrator::Narrator;
use story::run::Run;
use story::shop::{self, Shop};
use story::tale;

#[path = "../tests/stack/story/mod.rs"]
mod story;

const HELP: &str = "usage: ./x demo [--exit] [--drawn]

Shows a column travel from PostgreSQL to the warehouse: proposal, green beside blue, verdict, approval, promotion, retirement.
Then a statement is changed on a branch, and two more rollouts are taken back: a third before the promotion, a fourth after it.
  --exit    end after the story and stop what was started; exit code 0 only if everything came true
  --drawn   on a project that is drawn for this run (CYANOTYPE_SEED draws it again) in place of the shop";

/// What the arguments ask for.
struct Wishes {
    exit: bool,
    drawn: bool,
}

fn wishes() -> Result<Option<Wishes>, String> {
    let mut wishes = Wishes { exit: false, drawn: false };
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--exit" => wishes.exit = true,
            "--drawn" => wishes.drawn = true,
            "-h" | "--help" => return Ok(None),
            other => return Err(format!("no such argument: {other}\n{HELP}")),
        }
    }
    Ok(Some(wishes))
}

#[tokio::main]
async fn main() -> ExitCode {
    let wishes = match wishes() {
        Ok(Some(wishes)) => wishes,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(text) => {
            eprintln!("error: {text}");
            return ExitCode::from(2);
        }
    };
    let mut teller = Teller { began: Instant::now() };
    let (program, folder) = match places() {
        Ok(places) => places,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    teller.stage("./x stack up");
    let was_up = stack("status").is_ok_and(|ready| ready);
    if !was_up && !stack("up").is_ok_and(|up| up) {
        eprintln!("error: the stack did not come up; `./x stack up` says why");
        let _ = stack("down");
        return ExitCode::from(2);
    }
    let told = tell(&wishes, &program, &folder, &mut teller).await;
    if !was_up {
        teller.stage("./x stack down");
        let _ = stack("down");
    }
    match told {
        Ok(()) => {
            teller.stage("The end: everything came true");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("\nNot everything came true:\n{error}");
            ExitCode::FAILURE
        }
    }
}

async fn tell(wishes: &Wishes, program: &Path, folder: &Path, teller: &mut Teller) -> Outcome {
    let exit = wishes.exit;
    if wishes.drawn {
        let project = Generated::draw(generated::seed()?, 5)?;
        teller.text(&project.describe());
        return tale::whole(project, program, folder, teller, async |run, _| stay(run, exit).await).await;
    }
    let story = async |run: &mut Run<Shop>, teller: &mut dyn Narrator| shop::tell(run, teller).await;
    tale::told(Shop::new("demo", 7)?, program, folder, teller, story, async |run, _| stay(run, exit).await).await
}

/// Says where to look, and waits for Ctrl-C.
async fn stay<P: Project>(run: &mut Run<P>, exit: bool) {
    if exit {
        return;
    }
    let (world, config) = (&run.world, run.place.config());
    println!(
        "
Everything came true, and all of it runs on, rows changing. Where to look:
  Cyanotype     http://127.0.0.1:{port}/   (metrics: /metrics, API: /api/v1/rollouts)
  Flink         {}
  Prometheus    {}
  Connect       {}/connectors?expand=status
  registry      {}/subjects
  PostgreSQL    psql {}
  command line  {} status --config {}
  logs          {}
Ctrl-C ends it and removes everything that was made.",
        world.flink,
        world.prometheus,
        world.connect,
        world.registry,
        world.postgres(),
        run.binary.program.display(),
        config.display(),
        run.place.root.display(),
        port = world.daemon_port,
    );
    let _ = std::io::stdout().flush();
    let _ = tokio::signal::ctrl_c().await;
    println!();
}

/// The binary that was built beside this example, and the folder for what the story writes.
fn places() -> Outcome<(PathBuf, PathBuf)> {
    let own = std::env::current_exe().during("looking for the built binary")?;
    let built =
        own.parent().and_then(Path::parent).ok_or_else(|| Failure::new("the demo is not in a target folder"))?;
    let program = built.join("cyanotype");
    ensure(program.exists(), || format!("{} is missing: `cargo build` makes it", program.display()))?;
    Ok((program, built.parent().unwrap_or(built).join("tmp")))
}

/// Runs `./x stack COMMAND`; true when its answer is yes.
fn stack(command: &str) -> std::io::Result<bool> {
    let mut x = Command::new("./x");
    x.current_dir(env!("CARGO_MANIFEST_DIR")).args(["stack", command]);
    if command == "status" {
        x.stdout(std::process::Stdio::null());
    }
    Ok(x.status()?.success())
}

/// Tells everything, with the time since the beginning.
struct Teller {
    began: Instant,
}

impl Narrator for Teller {
    fn stage(&mut self, title: &str) {
        let seconds = self.began.elapsed().as_secs();
        println!("\n[{:2}:{:02}] {title}", seconds / 60, seconds % 60);
    }

    fn say(&mut self, line: &str) {
        println!("        {line}");
    }

    fn text(&mut self, text: &str) {
        println!();
        for line in text.lines() {
            println!("        | {line}");
        }
    }

    fn step(&mut self, line: &str) {
        println!("        . {line}");
    }
}
