//! Green that is not as it should be: each is caught by name, cannot be approved, is kept for a look, and is removed by an abort.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::brief::Brief;
use crate::story::answer::Rollout;
use crate::story::approver;
use crate::story::case::Changes as _;
use crate::story::failure::{During as _, Failure, Look, Outcome, ensure, until};
use crate::story::generated::Generated;
use crate::story::narrator::{Narrator, Silent};
use crate::story::proof;
use crate::story::run::Run;
use crate::story::tale;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cyanotype");
const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");
/// How long one command may take.
const COMMAND: Duration = Duration::from_secs(60);
/// How long green may take to come up and be judged, or to go.
const GREEN: Duration = Duration::from_secs(240);

/// What is done to the job of the fact, and how it must come out.
struct Fault {
    what: &'static str,
    spoil: fn(&mut Value, &str),
    /// Words that the rollout or its evidence must hold.
    named: &'static [&'static str],
}

const FAULTS: [Fault; 2] = [
    Fault { what: "a wrong filter", spoil: wrong_filter, named: &["only blue has", "missing"] },
    Fault { what: "a key in two partitions", spoil: two_partitions, named: &["duplicate"] },
];

fn wrong_filter(job: &mut Value, key: &str) {
    let insert = job["insert"].as_str().unwrap_or_default().trim_end().trim_end_matches(';').to_owned();
    if let Some((head, select)) = insert.split_once("SELECT") {
        job["insert"] = json!(format!("{head}SELECT * FROM (SELECT {select}) AS t WHERE MOD(t.{key}, 2) = 0"));
    }
}

/// Kafka's round-robin partitioner, as Flink's connector carries it, does not look at the key.
fn two_partitions(job: &mut Value, _key: &str) {
    let Some(ddl) = job["ddl"].as_array_mut().and_then(|all| all.last_mut()) else { return };
    let text = ddl.as_str().unwrap_or_default();
    let round_robin = "'properties.partitioner.class' = 'org.apache.flink.kafka.shaded.org.apache.kafka.clients.producer.RoundRobinPartitioner', 'topic'";
    *ddl = json!(text.replacen("'topic'", round_robin, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn green_that_is_not_as_it_should_be_is_never_approved() -> Outcome {
    let narrator = &mut Brief::new("unproven");
    let mut run = Run::open(Generated::draw(70_001, 2)?, Path::new(PROGRAM), Path::new(FOLDER)).await?;
    let told = told(&mut run, narrator).await.map_err(|error| {
        let words = run.daemon.as_ref().map_or(String::new(), |daemon| daemon.last_words());
        Failure::new(format!("{error}\n--- the daemon's log ends with\n{words}"))
    });
    let closed = run.close().await;
    told.and(closed)
}

async fn told(run: &mut Run<Generated>, narrator: &mut Brief) -> Outcome {
    tale::begin(run, narrator).await?;
    tale::deploy(run, narrator).await?;
    let before = tale::baseline(run).await?;
    let change = run.case().change.clone();
    let sql = format!("ALTER TABLE {} ADD COLUMN {} {}", change.table, change.column, change.definition);
    run.database.run(&sql).await?;
    run.traffic()?.fill(&change).await?;
    let daemon = run.daemon()?;
    let own = until("the daemon's own proposal", Duration::from_secs(60), async || {
        let found = daemon.rollouts().await?.into_iter().find(|rollout| rollout.kind == "evolution");
        Ok(found.map_or_else(|| Look::NotYet("there is none".to_owned()), Look::There))
    })
    .await?;
    give_up(run, &own.id, narrator).await?;
    for fault in &FAULTS {
        narrator.stage(fault.what);
        spoiled(run, fault, narrator).await.during(fault.what)?;
    }
    let now = tale::baseline(run).await?;
    for (table, (job, restarts)) in &before {
        let found = now.get(table).map(|(job, restarts)| (&job.id, restarts));
        ensure(found == Some((&job.id, restarts)), || format!("the job of {table} is another one or was restarted"))?;
    }
    proof::while_paused(run, async || proof::facts_are_true(run, proof::When::Before, narrator).await).await
}

/// Applies the plan with the fault in it, and sees it caught.
async fn spoiled(run: &mut Run<Generated>, fault: &Fault, narrator: &mut Brief) -> Outcome {
    let fact = run.case().cascade.last().during("the fact")?.clone();
    let planned = run.binary.run(&["plan", "--output", "json"], COMMAND, &mut Silent).await?;
    ensure(planned.code == Some(0), || format!("`plan` ended with {:?}:\n{}", planned.code, planned.all()))?;
    let mut plan: Value = serde_json::from_str(&planned.out).during("the plan")?;
    let contracts = plan["work"]["contracts"].as_array().during("the contracts")?;
    let contract = contracts.iter().find(|c| c["table"] == fact.logical.as_str()).during("the fact's contract")?;
    let key = contract["key"][0].as_str().during("the fact's key")?.to_owned();
    let before = plan.clone();
    for effect in plan["work"]["staging"].as_array_mut().during("what is staged")? {
        if effect["job"]["table"] == fact.green.as_str() {
            (fault.spoil)(&mut effect["job"], &key);
        }
    }
    ensure(plan != before, || "the plan was not spoiled".to_owned())?;
    let path = run.place.root.join("spoiled.json");
    std::fs::write(&path, plan.to_string()).during("the spoiled plan")?;
    let said = run.binary.run(&["apply", &path.to_string_lossy(), "--output", "json"], COMMAND, &mut Silent).await?;
    ensure(said.code == Some(0), || format!("`apply` ended with {:?}:\n{}", said.code, said.all()))?;
    let taken: Value = serde_json::from_str(&said.out).during("the answer of apply")?;
    let id = taken["rollout"].as_str().during("the rollout's id")?.to_owned();

    let daemon = run.daemon()?;
    let rollout = until("the rollout to be judged", GREEN, async || {
        let rollout = daemon.rollout(&id).await?;
        let judged = ["unproven", "awaiting_approval", "aborted", "stuck"].contains(&rollout.state.as_str());
        Ok(if judged { Look::There(rollout) } else { Look::NotYet(rollout.why()) })
    })
    .await?;
    ensure(rollout.state == "unproven", || format!("it must be unproven: {}", rollout.why()))?;
    let why = rollout.why();
    ensure(fault.named.iter().any(|words| why.contains(words)), || format!("it must say {:?}: {why}", fault.named))?;
    narrator.say(why.lines().next().unwrap_or_default());
    if let Some(sample) = sample(&rollout, &fact.logical) {
        narrator.say(&sample);
    }

    // Neither the evidence that failed nor any other digest is approved.
    let url = format!("{}/api/v1/rollouts/{id}/approve", run.daemon()?.url);
    let digest = rollout.evidence_digest.clone().unwrap_or_else(|| format!("sha256:{}", "0".repeat(64)));
    let reply = run.approver.send(&url, &approver::approval(&id, &digest)).await?;
    ensure(reply.status.as_u16() == 409, || format!("it must not be approved: {} {}", reply.status, reply.text))?;
    let live = run.flink.live(&run.case().job_prefix).await?;
    ensure(live.iter().any(|job| job.writes(&fact.green)), || "green must be kept for a look".to_owned())?;
    give_up(run, &id, narrator).await?;
    let live = run.flink.live(&run.case().job_prefix).await?;
    ensure(!live.iter().any(|job| job.writes(&fact.green)), || "green's job is left".to_owned())?;
    let topics = run.kafka.topics().await?;
    let left = topics.contains(&run.case().topic(&fact.green));
    ensure(!left, || "green's topic is left".to_owned())
}

/// A finding on the table, with its key.
fn sample(rollout: &Rollout, table: &str) -> Option<String> {
    let verdict = rollout.evidence.as_ref()?.tables.iter().find(|verdict| verdict.table == table)?;
    verdict.samples.first().cloned()
}

async fn give_up(run: &mut Run<Generated>, id: &str, narrator: &mut Brief) -> Outcome {
    let said = run.binary.run(&["abort", id, "--by", "Ada"], COMMAND, &mut Silent).await?;
    ensure(said.code == Some(0), || format!("`abort` ended with {:?}:\n{}", said.code, said.all()))?;
    let daemon = run.daemon()?;
    until("green to be removed", GREEN, async || {
        let rollout = daemon.rollout(id).await?;
        Ok(if rollout.state == "aborted" { Look::There(()) } else { Look::NotYet(rollout.why()) })
    })
    .await?;
    narrator.say(&format!("{id} is aborted: green is gone"));
    Ok(())
}
