//! Green that is not as it should be: each is caught by name, cannot be approved, is kept for a look, and is removed by an abort.

use std::time::Duration;

use serde_json::{Value, json};

use crate::steps;
use crate::story::approver;
use crate::story::case::{Project, Table};
use crate::story::failure::{During as _, Outcome, ensure};
use crate::story::generated::Generated;
use crate::story::narrator::{Narrator, Silent};
use crate::story::proof;
use crate::story::run::Run;
use crate::story::shop::Shop;
use crate::story::tale;

/// How long one command may take.
const COMMAND: Duration = Duration::from_secs(60);
/// How long green may take to come up and be judged, or to go.
const GREEN: Duration = Duration::from_secs(240);

/// Nothing is promoted here.
const SOAK_SECONDS: u64 = 10;

/// What is done to the job of the fact, and how it must come out.
struct Fault {
    what: &'static str,
    spoil: fn(&mut Value, &str),
    /// Words that the reason must hold.
    named: &'static str,
    /// Whether there is a verdict, or green never came so far.
    judged: bool,
}

const FAULTS: [Fault; 3] = [
    Fault { what: "a wrong filter", spoil: wrong_filter, named: "missing", judged: true },
    Fault { what: "a key in two partitions", spoil: two_partitions, named: "duplicate", judged: true },
    Fault { what: "a job that stalls", spoil: stalled, named: "completes no checkpoint", judged: false },
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

/// It reads, and completes no checkpoint: nobody can know how far it is.
fn stalled(job: &mut Value, _key: &str) {
    job["settings"]["execution.checkpointing.interval"] = json!("1h");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn green_that_is_not_as_it_should_be_is_never_approved() -> Outcome {
    steps::tell("unproven", Generated::draw(steps::SMALL, 2)?, async |run, narrator| told(run, narrator).await).await
}

async fn told(run: &mut Run<Generated>, narrator: &mut dyn Narrator) -> Outcome {
    run.configure(SOAK_SECONDS)?;
    steps::amend(run, "catch_up_deadline_seconds = 600", "catch_up_deadline_seconds = 60")?;
    tale::begin(run, narrator).await?;
    tale::deploy(run, narrator).await?;
    let before = tale::baseline(run).await?;
    let change = run.case().change.clone();
    let known = tale::ids(run).await?;
    tale::add_column(run, &change).await?;
    let own = steps::new_rollout(run, &known).await?;
    steps::give_up(run, &own.id, narrator).await?;
    for fault in &FAULTS {
        narrator.stage(fault.what);
        spoiled(run, fault, narrator).await.during(fault.what)?;
    }
    steps::blue_never_noticed(run, &before).await?;
    proof::while_paused(run, async || proof::facts_are_true(run, proof::When::Before, narrator).await).await
}

/// Applies the plan with the fault in it, and sees it caught.
async fn spoiled(run: &mut Run<Generated>, fault: &Fault, narrator: &mut dyn Narrator) -> Outcome {
    let fact = run.case().cascade.last().during("the fact")?.clone();
    let mut plan = planned(run, &[]).await?;
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
    caught(run, &plan, &fact, fault, narrator).await
}

/// The changed statement writes each event twice, into a topic that only ever grows: told after the shop's story.
pub async fn events_twice(run: &mut Run<Shop>, narrator: &mut dyn Narrator) -> Outcome {
    narrator.stage("A join that writes each event twice");
    let path = "pipelines/facts/shop/fct_order_events/sql-scripts/dml.fct_order_events.sql";
    let text = std::fs::read_to_string(run.place.project().join(path)).during(path)?;
    let from = "FROM outbox_events";
    ensure(text.matches(from).count() == 1, || format!("{path} must hold `{from}` once:\n{text}"))?;
    let twice = text.replace(from, &format!("{from} CROSS JOIN UNNEST(ARRAY[1, 2]) AS fan (n)"));
    run.place.write(path, &twice)?;
    let plan = planned(run, &["--since", "HEAD"]).await?;
    let fact = Table::replaced("fct_order_events");
    let fault = Fault { what: "each event twice", spoil: |_, _| {}, named: "duplicate", judged: true };
    caught(run, &plan, &fact, &fault, narrator).await?;
    run.place.write(path, &text)
}

/// The plan, as the command line gives it.
async fn planned<P: Project>(run: &Run<P>, more: &[&str]) -> Outcome<Value> {
    let arguments = [&["plan", "--output", "json"], more].concat();
    let said = run.binary.run(&arguments, COMMAND, &mut Silent).await?;
    ensure(said.code == Some(0), || format!("`plan` ended with {:?}:\n{}", said.code, said.all()))?;
    serde_json::from_str(&said.out).during("the plan")
}

/// Applies the plan, whose rollout must end as unproven, with `named` in its reason.
async fn caught<P: Project>(
    run: &mut Run<P>,
    plan: &Value,
    fact: &Table,
    fault: &Fault,
    narrator: &mut dyn Narrator,
) -> Outcome {
    let path = run.place.root.join("spoiled.json");
    std::fs::write(&path, plan.to_string()).during("the spoiled plan")?;
    let said = run.binary.run(&["apply", &path.to_string_lossy(), "--output", "json"], COMMAND, &mut Silent).await?;
    ensure(said.code == Some(0), || format!("`apply` ended with {:?}:\n{}", said.code, said.all()))?;
    let taken: Value = serde_json::from_str(&said.out).during("the answer of apply")?;
    let id = taken["rollout"].as_str().during("the rollout's id")?.to_owned();

    let rollout = run.daemon()?.reach(&id, &["unproven", "awaiting_approval"], GREEN, narrator).await?;
    ensure(rollout.state == "unproven", || format!("it must be unproven: {}", rollout.why()))?;
    let why = rollout.why();
    ensure(why.contains(fault.named), || format!("it must say {}: {why}", fault.named))?;
    narrator.say(why.lines().next().unwrap_or_default());
    ensure(rollout.evidence.is_some() == fault.judged, || format!("was it judged? {why}"))?;
    if let Some(evidence) = &rollout.evidence {
        let verdict = evidence.tables.iter().find(|one| one.table == fact.logical).during("the fact's verdict")?;
        narrator.say(verdict.samples.first().during("a sample that names a key")?);
    }

    // Neither the evidence that failed nor any other digest is approved.
    let url = format!("{}/api/v1/rollouts/{id}/approve", run.daemon()?.url);
    let digest = rollout.evidence_digest.clone().unwrap_or_else(|| format!("sha256:{}", "0".repeat(64)));
    let reply = run.approver.send(&url, &approver::approval(&id, &digest)).await?;
    steps::is_refused(&reply, 409, "wrong_state", &["unproven"])?;
    let live = run.flink.live(&run.case().job_prefix).await?;
    ensure(live.iter().any(|job| job.writes(&fact.green)), || "green must be kept for a look".to_owned())?;
    steps::give_up(run, &id, narrator).await?;
    let live = run.flink.live(&run.case().job_prefix).await?;
    ensure(!live.iter().any(|job| job.writes(&fact.green)), || "green's job is left".to_owned())?;
    let topics = run.kafka.topics().await?;
    let left = topics.contains(&run.case().topic(&fact.green));
    ensure(!left, || "green's topic is left".to_owned())
}
