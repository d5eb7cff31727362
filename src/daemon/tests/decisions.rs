//! Decisions: what an approval stands on, and deliveries that come again.

use serde::Deserialize;
use tokio::sync::oneshot;

use super::*;
use crate::daemon::handle::{Decision, DecisionRequest, Refusal, RefusalCause, Reply, Request};
use crate::plan::Plan;

const READER: &str = "CREATE TABLE a (id BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'kafka', \
     'scan.startup.mode' = 'earliest-offset', 'topic' = 'p.a', 'format' = 'debezium-avro-confluent');";
const TABLE: &str = "CREATE TABLE s (id BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', \
     'topic' = 't.s', 'key.format' = 'avro-confluent', 'value.format' = 'avro-confluent', 'properties.group.id' = 'g');";
const INSERT: &str = "INSERT INTO s SELECT id FROM a;";
const CONNECTOR: &str = r#"{"name": "sink-s", "config": {"topics": "t.s", "tasks.max": "1",
     "collection.name.format": "s", "consumer.override.isolation.level": "read_committed"}}"#;

fn files() -> Vec<(String, String)> {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    vec![
        file("pipelines/a.sql", READER),
        file("pipelines/ddl.s.sql", TABLE),
        file("pipelines/dml.s.sql", INSERT),
        file("connectors/sink-s.json", CONNECTOR),
    ]
}

/// A world in which `a`, `s` and its connector are deployed and the subject of `p.a` gains a column.
fn deployed() -> World {
    let read = project::read(&files(), &BTreeMap::new());
    assert!(!project::broken(&read.diagnostics), "{:?}", read.diagnostics);
    let running = read.manifest.connectors["sink-s"].config.clone();
    let held = [
        Body::Snapshot { manifest: Box::new(read.manifest), rest: None },
        Body::Watched { subject: "p.a-value".to_owned(), version: 1 },
    ];
    let spec = TopicSpec { name: "t.s".to_owned(), partitions: 2, config: BTreeMap::new() };
    World {
        subjects: BTreeMap::from([("p.a-value".to_owned(), vec![envelope(""), envelope(&field("x"))])]),
        held: held.into_iter().map(|body| Entry { at_ms: 0, body }).collect(),
        connector: Mutex::new(Some(running)),
        specs: Mutex::new(BTreeMap::from([("t.s".to_owned(), spec)])),
        files: Mutex::new(files().into_iter().map(|(path, text)| ProjectFile { path, text }).collect()),
        ..World::default()
    }
}

/// A daemon with one proposed rollout, which waits for a yes to stage.
async fn proposed(world: &Arc<World>) -> Daemon {
    let mut daemon = daemon(world).await;
    daemon.decide_on(Sighting { subject: "p.a-value".to_owned(), version: 2, at_ms: 0 }).await.unwrap();
    assert_eq!(daemon.ledger.open().len(), 1, "{:?}", world.journal.lock().unwrap());
    daemon
}

/// As [`proposed`], from what the world's journal holds: a daemon that was started again.
async fn restarted(world: &Arc<World>) -> Daemon {
    let journal: Vec<Entry> = world.held.iter().chain(world.journal.lock().unwrap().iter()).cloned().collect();
    let again = World { held: journal, ..deployed() };
    daemon(&Arc::new(again)).await
}

fn request(daemon: &Daemon, decision: Decision, content: &str) -> DecisionRequest {
    let rollout = daemon.ledger.rollouts.values().next().unwrap();
    DecisionRequest {
        rollout: rollout.id.clone(),
        decision,
        evidence: rollout.plan_digest.clone(),
        by: "Ada".to_owned(),
        via: "webhook ci".to_owned(),
        comment: None,
        delivery: "msg-1".to_owned(),
        content: Some(content.to_owned()),
    }
}

async fn decide(daemon: &mut Daemon, decision: DecisionRequest) -> Result<Reply, Refusal> {
    let (reply, answer) = oneshot::channel();
    daemon.answer(Request::Decide { decision, reply }).await.unwrap();
    answer.await.unwrap()
}

/// What an approval is answered with when the world has changed since the proposal.
async fn approved_after(change: impl FnOnce(&World)) -> Result<Reply, Refusal> {
    let world = Arc::new(deployed());
    let mut daemon = proposed(&world).await;
    change(&world);
    let approval = request(&daemon, Decision::Approve, "c");
    decide(&mut daemon, approval).await
}

fn moved(answer: Result<Reply, Refusal>) -> String {
    let refusal = answer.unwrap_err();
    assert_eq!(refusal.cause, RefusalCause::AssumptionsMoved, "{refusal}");
    refusal.message
}

#[tokio::test]
async fn an_approval_stands_while_nothing_moves() {
    let reply = approved_after(|_| {}).await.unwrap();
    assert_eq!(reply.state, "staging");
}

#[tokio::test]
async fn a_topic_that_got_other_settings_voids_an_approval() {
    let text = moved(
        approved_after(|world| {
            let config = BTreeMap::from([("cleanup.policy".to_owned(), "compact".to_owned())]);
            let spec = TopicSpec { name: "t.s".to_owned(), partitions: 2, config };
            world.specs.lock().unwrap().insert("t.s".to_owned(), spec);
        })
        .await,
    );
    assert!(text.contains("topic t.s has another cleanup.policy"), "{text}");
    assert!(moved(approved_after(|world| world.specs.lock().unwrap().clear()).await).contains("does not exist"));
}

#[tokio::test]
async fn a_connector_that_somebody_changed_voids_an_approval_and_its_values_are_not_shown() {
    let text = moved(
        approved_after(|world| {
            let mut connector = world.connector.lock().unwrap();
            connector.as_mut().unwrap().insert("tasks.max".to_owned(), "hunter2".to_owned());
        })
        .await,
    );
    assert!(text.contains("connector sink-s was changed: tasks.max"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_statement_that_was_edited_voids_an_approval_and_a_merged_branch_does_not() {
    let edit = |world: &World, text: &str| {
        for file in world.files.lock().unwrap().iter_mut().filter(|f| f.path.ends_with("dml.s.sql")) {
            file.text = text.to_owned();
        }
    };
    let text = moved(approved_after(|world| edit(world, "INSERT INTO s SELECT id + 1 FROM a;")).await);
    assert!(text.contains("the statement of `s` was changed"), "{text}");

    let world = Arc::new(deployed());
    let mut daemon = proposed(&world).await;
    let approval = request(&daemon, Decision::Approve, "c");
    let plan: Plan = Plan::deserialize(&*daemon.ledger.rollouts[&approval.rollout].plan).unwrap();
    for table in &plan.tables {
        let statements =
            [(Some(&table.ddl_file), Some(&table.ddl_after)), (table.dml_file.as_ref(), table.dml_after.as_ref())];
        for file in world.files.lock().unwrap().iter_mut() {
            let green = statements.iter().find(|(path, _)| *path == Some(&file.path)).and_then(|(_, text)| *text);
            file.text = green.unwrap_or(&file.text).clone();
        }
    }
    assert_eq!(decide(&mut daemon, approval).await.unwrap().state, "staging");
}

#[tokio::test]
async fn green_that_does_not_run_is_not_approved() {
    let world = Arc::new(deployed());
    let daemon = proposed(&world).await;
    let mut rollout = daemon.ledger.rollouts.values().next().unwrap().clone();
    let job = RunningJob {
        table: "s_v2".to_owned(),
        name: "s_v2.job".to_owned(),
        id: "1".to_owned(),
        reads: Vec::new(),
        topic: "t.s_v2".to_owned(),
        exactly_once: false,
    };
    rollout.jobs.insert("s_v2".to_owned(), job);
    let spec = TopicSpec { name: "t.s_v2".to_owned(), partitions: 1, config: BTreeMap::new() };
    world.specs.lock().unwrap().insert(spec.name.clone(), spec);
    for (state, cause) in [
        (Some("RUNNING"), None),
        (Some("RESTARTING"), Some(RefusalCause::Unchecked)),
        (Some("CANCELED"), Some(RefusalCause::AssumptionsMoved)),
        (None, Some(RefusalCause::AssumptionsMoved)),
    ] {
        *world.job_state.lock().unwrap() = Some(state);
        let answer = daemon.green_stands(&rollout).await;
        assert_eq!(answer.as_ref().err().map(|refusal| refusal.cause), cause, "{state:?}");
        assert!(answer.err().is_none_or(|refusal| refusal.message.contains("s_v2.job")));
    }
}

#[tokio::test]
async fn what_cannot_be_looked_at_is_not_approved_and_may_be_sent_again() {
    let world = Arc::new(deployed());
    let mut daemon = proposed(&world).await;
    world.deaf.store(true, Ordering::SeqCst);
    let approval = request(&daemon, Decision::Approve, "c");
    let refusal = decide(&mut daemon, approval.clone()).await.unwrap_err();
    assert_eq!(refusal.cause, RefusalCause::Unchecked, "{refusal}");
    world.deaf.store(false, Ordering::SeqCst);
    assert_eq!(decide(&mut daemon, approval).await.unwrap().state, "staging");
}

#[tokio::test]
async fn a_delivery_that_comes_again_after_a_restart_has_its_first_answer_and_no_effect() {
    for decision in [Decision::Approve, Decision::Reject] {
        let world = Arc::new(deployed());
        let mut first = proposed(&world).await;
        let sent = request(&first, decision, "content");
        let answer = decide(&mut first, sent.clone()).await.unwrap();

        let mut again = restarted(&world).await;
        let before = again.ledger.clone();
        assert_eq!(decide(&mut again, sent.clone()).await.unwrap(), answer);
        let other = DecisionRequest { content: Some("other".to_owned()), ..sent };
        assert_eq!(decide(&mut again, other).await.unwrap_err().cause, RefusalCause::ReplayMismatch);
        assert_eq!(again.ledger, before);
    }
}

#[tokio::test]
async fn a_plan_that_was_made_without_a_look_is_not_applied() {
    let world = Arc::new(deployed());
    let daemon_with_plan = proposed(&world).await;
    let mut document = (*daemon_with_plan.ledger.rollouts.values().next().unwrap().plan).clone();
    document["assumptions"].as_object_mut().unwrap().remove("standing");
    let mut fresh = daemon(&Arc::new(deployed())).await;
    let (reply, answer) = oneshot::channel();
    fresh.answer(Request::Apply { plan: document, reply }).await.unwrap();
    let refusal = answer.await.unwrap().unwrap_err();
    assert_eq!(refusal.cause, RefusalCause::Invalid, "{refusal}");
    assert!(refusal.message.contains("without a look"), "{refusal}");
}
