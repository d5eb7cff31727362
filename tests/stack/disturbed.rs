//! Something else happens in each phase of a rollout: a newer version, another change, a hand on a statement or a job, a
//! service that is restarted. Each has its defined outcome.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use reqwest::Method;

use crate::held;
use crate::steps;
use crate::story::answer::Rollout;
use crate::story::case::Change;
use crate::story::failure::{During as _, Failure, Look, Outcome, ensure, until};
use crate::story::generated::Generated;
use crate::story::http;
use crate::story::narrator::{Narrator, Silent};
use crate::story::proof::{self, When};
use crate::story::run::Run;
use crate::story::tale;

/// How long one command may take.
const COMMAND: Duration = Duration::from_secs(60);
/// How long a rollout may take from one state to the next.
const STEP: Duration = Duration::from_secs(240);
/// How long blue stays warm: long enough for a version to come meanwhile.
const SOAK_SECONDS: u64 = 15;

type Story = Run<Generated>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_in_the_middle_of_a_rollout_has_its_defined_outcome() -> Outcome {
    steps::tell("disturbed", Generated::draw(steps::SMALL, 2)?, async |run, narrator| told(run, narrator).await).await
}

async fn told(run: &mut Story, narrator: &mut dyn Narrator) -> Outcome {
    run.configure(SOAK_SECONDS)?;
    run.binary.environment.push(("CYANOTYPE_LATE_CALL_MS".to_owned(), "1000".to_owned()));
    tale::begin(run, narrator).await?;
    tale::deploy(run, narrator).await?;
    let before = tale::baseline(run).await?;
    let mut versions = Versions { change: run.case().change.clone(), made: 0 };
    let waiting = before_the_promotion(run, &mut versions, narrator).await?;
    another_change(run, &waiting, narrator).await?;
    a_job_by_hand(run, &waiting, narrator).await?;
    let serving = services(run, &mut versions, narrator).await?;
    after_the_promotion(run, &mut versions, &serving, narrator).await?;
    proof::others_were_left_alone(run, &before, narrator).await?;
    proof::while_paused(run, async || proof::facts_are_true(run, When::Before, narrator).await).await
}

/// Makes one version of the subject after the other.
struct Versions {
    change: Change,
    made: usize,
}

impl Versions {
    /// One more column, and so one more version.
    async fn next(&mut self, run: &mut Story) -> Outcome<String> {
        self.made += 1;
        let change = self.change.another(self.made);
        steps::new_version(run, &change).await?;
        Ok(change.column)
    }
}

/// A newer version takes the place of a rollout that does not serve yet, in whatever phase that is. The one that is left
/// awaits approval.
async fn before_the_promotion(
    run: &mut Story,
    versions: &mut Versions,
    narrator: &mut dyn Narrator,
) -> Outcome<Rollout> {
    let mut known = tale::ids(run).await?;
    held::leads_until(run, "stop:before:staging:effect_done=start-job").await?;
    versions.next(run).await?;
    let mut open = steps::new_rollout(run, &known).await?;
    known.insert(open.id.clone());
    for (phase, next) in [
        ("staging", Some("stop:before:catching_up:caught_up")),
        ("catching_up", Some("stop:before:validating:validated")),
        ("validating", None),
    ] {
        narrator.stage(&format!("A newer version while a rollout is {phase}"));
        held::stands_still(run).await?;
        let column = versions.next(run).await?;
        held::goes_on(run)?;
        superseded(run, &open, narrator).await?;
        if let Some(next) = next {
            held::leads_until(run, next).await?;
        }
        open = newer(run, &mut known, &column).await?;
    }
    narrator.stage("A newer version while a rollout awaits approval");
    let waiting = run.daemon()?.reach(&open.id, &["awaiting_approval"], STEP, narrator).await?;
    let column = versions.next(run).await?;
    superseded(run, &waiting, narrator).await?;
    let last = newer(run, &mut known, &column).await?;
    run.daemon()?.reach(&last.id, &["awaiting_approval"], STEP, narrator).await
}

/// Waits until the rollout has been ended by a newer version.
async fn superseded(run: &mut Story, rollout: &Rollout, narrator: &mut dyn Narrator) -> Outcome {
    let daemon = run.daemon()?;
    let ended = until("the rollout to be ended by the newer version", STEP, async || {
        let rollout = daemon.rollout(&rollout.id).await?;
        let over = ["superseded", "aborted"].contains(&rollout.state.as_str());
        Ok(if over { Look::There(rollout) } else { Look::NotYet(rollout.why()) })
    })
    .await?;
    let why = ended.why();
    ensure(why.contains("superseded by"), || format!("it must say what superseded it: {why}"))?;
    narrator.say(why.lines().next().unwrap_or_default());
    Ok(())
}

/// The rollout that takes its place, with the new column in it.
async fn newer(run: &mut Story, known: &mut BTreeSet<String>, column: &str) -> Outcome<Rollout> {
    let rollout = steps::new_rollout(run, known).await?;
    known.insert(rollout.id.clone());
    ensure(rollout.title.contains(column), || format!("`{}` must name {column}", rollout.title))?;
    Ok(rollout)
}

/// One rollout at a time: a plan for the same tables is refused while this one is open, and so is an approval of it while a
/// file says something else than what green was made from.
async fn another_change(run: &mut Story, waiting: &Rollout, narrator: &mut dyn Narrator) -> Outcome {
    narrator.stage("Another change of the same tables, and a hand on a statement");
    let fact = run.case().cascade.last().during("the fact")?.clone();
    let path = format!("pipelines/facts/{}/{blue}/sql-scripts/dml.{blue}.sql", run.case().name, blue = fact.blue);
    let text = std::fs::read_to_string(run.place.project().join(&path)).during(&path)?;
    let filtered = format!("{}\nWHERE a.id > 0;\n", text.trim_end().trim_end_matches(';'));
    run.place.write(&path, &filtered)?;
    let planned = run.binary.run(&["plan", "--since", "HEAD", "--output", "json"], COMMAND, &mut Silent).await?;
    ensure(planned.code == Some(0), || format!("`plan` ended with {:?}:\n{}", planned.code, planned.all()))?;
    let plan = run.place.root.join("change.json");
    std::fs::write(&plan, &planned.out).during("the plan")?;
    let said = run.binary.run(&["apply", &plan.to_string_lossy()], COMMAND, &mut Silent).await?;
    ensure(said.code == Some(1) && said.all().contains(&waiting.id), || {
        format!("`apply` must be refused and name {}; it ended with {:?}:\n{}", waiting.id, said.code, said.all())
    })?;
    narrator.say(said.err.lines().next().unwrap_or_default());

    steps::moved(&run.approve(waiting).await?, &[&fact.logical], narrator)?;
    run.place.write(&path, &text)
}

/// Green's job is cancelled by hand: nobody can approve it, validating again says which job has ended, and abort removes
/// what is left.
async fn a_job_by_hand(run: &mut Story, waiting: &Rollout, narrator: &mut dyn Narrator) -> Outcome {
    narrator.stage("A job that somebody cancels");
    let green = run.case().cascade.last().during("the fact")?.green.clone();
    let live = run.flink.live(&run.case().job_prefix).await?;
    let job = live.iter().find(|job| job.writes(&green)).during("green's job of the fact")?.clone();
    let url = format!("{}/jobs/{}?mode=cancel", run.world.flink, job.id);
    http::call(&run.http, Method::PATCH, &url, None).await?.accept(&[]).during("cancelling a job")?;
    // Flink shows a job as it was up to three seconds ago (`web.refresh-interval`), to everybody.
    let url = format!("{}/jobs/{}", run.world.flink, job.id);
    until("Flink to show that the job has ended", COMMAND, async || {
        let state = http::get(&run.http, &url).await?["state"].to_string();
        Ok(if state.contains("CANCELED") { Look::There(()) } else { Look::NotYet(state) })
    })
    .await?;
    steps::moved(&run.approve(waiting).await?, &[&job.name], narrator)?;

    let said = run.binary.run(&["validate", &waiting.id, "--by", "Ada"], COMMAND, &mut Silent).await?;
    ensure(said.code == Some(0), || format!("`validate` ended with {:?}:\n{}", said.code, said.all()))?;
    let rollout = run.daemon()?.reach(&waiting.id, &["unproven"], STEP, narrator).await?;
    let why = rollout.why();
    ensure(why.contains(&job.name) && why.contains("CANCELED"), || format!("it must name {}: {why}", job.name))?;
    narrator.say(why.lines().next().unwrap_or_default());
    steps::give_up(run, &waiting.id, narrator).await
}

/// Flink's gateway, the registry and Connect go away in the middle and come back: the rollout is carried on. While it is
/// promoted a newer version comes, which waits. The rollout is left in its soak.
async fn services(run: &mut Story, versions: &mut Versions, narrator: &mut dyn Narrator) -> Outcome<Rollout> {
    let known = tale::ids(run).await?;
    held::leads_until(run, "stop:after:staging:effect_intended=start-job").await?;
    versions.next(run).await?;
    let open = steps::new_rollout(run, &known).await?;
    held::stands_still(run).await?;
    goes_away(run, "flink-sql-gateway", "sql_gateway", narrator).await?;

    held::leads_until(run, "stop:before:catching_up:caught_up").await?;
    held::stands_still(run).await?;
    goes_away(run, "registry", "registry", narrator).await?;
    let open = run.daemon()?.reach(&open.id, &["awaiting_approval"], STEP, narrator).await?;

    held::leads_until(run, "stop:after:promoting:effect_intended=move-connector").await?;
    let reply = run.approve(&open).await?;
    ensure(reply.status.is_success(), || format!("the approval must be taken: {} {}", reply.status, reply.text))?;
    held::stands_still(run).await?;
    let column = versions.next(run).await?;
    goes_away(run, "connect", "connect", narrator).await?;
    waits(run, &open, &column, narrator).await?;
    run.daemon()?.reach(&open.id, &["soaking"], STEP, narrator).await
}

/// The service is stopped, the daemon goes on and counts that it has no answer, and the service comes back. A task of
/// Connect that failed meanwhile, because its converter looked at the registry just then, is restarted.
async fn goes_away(run: &mut Story, part: &str, system: &str, narrator: &mut dyn Narrator) -> Outcome {
    narrator.stage(&format!("{part} is restarted in the middle"));
    stack(&["down", part]).await?;
    let missed = misses(run, part, system).await;
    stack(&["up"]).await?;
    missed?;
    narrator.say("the daemon noticed; it is back");
    for name in restart_failed(run).await? {
        narrator.say(&format!("restarted the failed task of {name}"));
    }
    Ok(())
}

/// Restarts every task that has failed, as who looks after the worker does: Connect never does so by itself. After `Ok` none
/// is failed; the names of the connectors whose tasks were.
async fn restart_failed(run: &Story) -> Outcome<BTreeSet<String>> {
    let url = format!("{}/connectors", run.world.connect);
    let mut restarted = BTreeSet::new();
    until("every task of Connect to be well", COMMAND, async || {
        let all = http::get(&run.http, &format!("{url}?expand=status")).await?;
        let is_failed = |task: &serde_json::Value| task["state"] == "FAILED";
        let failed =
            |one: &serde_json::Value| one["status"]["tasks"].as_array().is_some_and(|t| t.iter().any(is_failed));
        let all = all.as_object().during("the connectors")?;
        let ill: Vec<&String> = all.iter().filter(|(_, one)| failed(one)).map(|(name, _)| name).collect();
        for name in &ill {
            let restart = format!("{url}/{name}/restart?includeTasks=true&onlyFailed=true");
            // A worker that balances its tasks answers 409: asked again with the next look.
            http::call(&run.http, Method::POST, &restart, None).await?.accept(&[409])?;
            restarted.insert((*name).clone());
        }
        Ok(if ill.is_empty() { Look::There(()) } else { Look::NotYet(format!("failed: {ill:?}")) })
    })
    .await?;
    Ok(restarted)
}

/// The daemon goes on, and counts that the service does not answer.
async fn misses(run: &mut Story, part: &str, system: &str) -> Outcome {
    held::goes_on(run)?;
    let daemon = run.daemon()?;
    until(&format!("the daemon to miss {part}"), COMMAND, async || {
        let metrics = daemon.get("/metrics").await?.text;
        let line = format!("cyanotype_port_errors_total{{system=\"{system}\"}} ");
        let count = metrics.lines().find_map(|l| l.strip_prefix(&line)).unwrap_or("0").to_owned();
        Ok(if count == "0" { Look::NotYet(format!("no failed call of {system}")) } else { Look::There(()) })
    })
    .await
}

/// The newer version waits for the end of the rollout, and `status` says so.
async fn waits(run: &mut Story, open: &Rollout, column: &str, narrator: &mut dyn Narrator) -> Outcome {
    let daemon = run.daemon()?;
    let waits = until("the newer version to wait for its turn", STEP, async || {
        let queued = daemon.json("/api/v1/status").await?["queued"].clone();
        let on = queued[0]["waiting_on"].as_str().unwrap_or_default().to_owned();
        Ok(if on.contains(&open.id) { Look::There(on) } else { Look::NotYet(queued.to_string()) })
    })
    .await?;
    narrator.say(&format!("the version with {column} waits for {waits}"));
    Ok(())
}

/// Newer versions while green serves: they wait, in the soak and while blue is retired, and lead to one rollout afterwards.
async fn after_the_promotion(
    run: &mut Story,
    versions: &mut Versions,
    soaking: &Rollout,
    narrator: &mut dyn Narrator,
) -> Outcome {
    narrator.stage("Newer versions while a rollout soaks and is retired");
    let mut known = tale::ids(run).await?;
    held::leads_until(run, "stop:before:retiring:effect_done=cancel-job").await?;
    let column = versions.next(run).await?;
    waits(run, soaking, &column, narrator).await?;
    a_paused_connector(run, soaking, narrator).await?;
    held::stands_still(run).await?;
    let last = versions.next(run).await?;
    held::goes_on(run)?;
    run.daemon()?.reach(&soaking.id, &["done"], STEP, narrator).await?;
    let next = newer(run, &mut known, &last).await?;
    ensure(next.title.contains(&column), || format!("`{}` must name {column} too", next.title))?;
    narrator.say(&next.title);
    let rollout = run.daemon()?.reach(&next.id, &["awaiting_approval"], STEP, narrator).await?;
    let reply = run.approve(&rollout).await?;
    ensure(reply.status.is_success(), || format!("the approval must be taken: {} {}", reply.status, reply.text))?;
    run.daemon()?.reach(&rollout.id, &["done"], STEP, narrator).await?;
    let more = run.daemon()?.rollouts().await?.into_iter().find(|rollout| !known.contains(&rollout.id));
    ensure(more.is_none(), || format!("one rollout takes them all: {:?}", more.map(|rollout| rollout.title)))
}

/// Blue is not retired while the connector that serves from green is paused.
async fn a_paused_connector(run: &mut Story, soaking: &Rollout, narrator: &mut dyn Narrator) -> Outcome {
    let connector = run.case().facts.first().during("a fact")?.connector.clone();
    let place = format!("{}/connectors/{connector}", run.world.connect);
    http::call(&run.http, Method::PUT, &format!("{place}/pause"), None).await?.accept(&[]).during("pausing")?;
    let daemon = run.daemon()?;
    let waits = until("the soak to wait for the connector", STEP, async || {
        let rollout = daemon.rollout(&soaking.id).await?;
        if rollout.state != "soaking" {
            return Ok(Look::There(Err(Failure::new(rollout.why()))));
        }
        let on = rollout.waits_for().to_owned();
        Ok(if on.contains(&connector) { Look::There(Ok(on)) } else { Look::NotYet(on) })
    })
    .await??;
    narrator.say(&format!("paused: it waits for {waits}"));
    http::call(&run.http, Method::PUT, &format!("{place}/resume"), None).await?.accept(&[]).during("resuming")
}

/// `./x stack` with these arguments.
async fn stack(arguments: &[&str]) -> Outcome {
    let mut x = Command::new("./x");
    x.current_dir(env!("CARGO_MANIFEST_DIR")).arg("stack").args(arguments).stdin(Stdio::null());
    // The traffic goes on meanwhile.
    let done = tokio::task::spawn_blocking(move || x.output()).await.during("./x stack")?.during("./x stack")?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    ensure(done.status.success(), || format!("`./x stack {}` ended with {}:\n{said}", arguments.join(" "), done.status))
}
