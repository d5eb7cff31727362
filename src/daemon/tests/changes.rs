//! Changed statements: a plan is taken from any checkout, and a yes stands while the files say what is known.

use tokio::sync::oneshot;

use super::*;
use crate::daemon::handle::{Decision, DecisionRequest, Refusal, RefusalCause, Reply, Request};
use crate::daemon::standing;
use crate::plan::input::StatementChange;
use crate::plan::{self, Plan};
use crate::rollout::Kind;

/// A file with a reader of `p.a` and a table `s` that `select` fills.
fn project_of(select: &str) -> ProjectFile {
    let key = "PRIMARY KEY (id) NOT ENFORCED";
    let text = format!(
        "CREATE TABLE a (id BIGINT, x STRING, {key}) WITH ('connector' = 'kafka', 'scan.startup.mode' = 'earliest-offset', \
         'topic' = 'p.a', 'format' = 'debezium-avro-confluent');\n\
         CREATE TABLE s (id BIGINT, x STRING, {key}) WITH ('connector' = 'upsert-kafka', 'topic' = 't.s', \
         'key.format' = 'avro-confluent', 'value.format' = 'avro-confluent');\nINSERT INTO s {select};"
    );
    ProjectFile { path: "pipelines/all.sql".to_owned(), text }
}

fn read(file: &ProjectFile) -> crate::model::manifest::Manifest {
    standing::read(std::slice::from_ref(file), &BTreeMap::new())
}

/// The plan of a change from `old` to `new`, made in a folder that holds `new`.
async fn planned(old: &ProjectFile, new: &ProjectFile) -> Plan {
    let change = StatementChange {
        since: "main".to_owned(),
        base: read(old),
        project: read(new),
        texts: BTreeMap::new(),
        commit: None,
    };
    let plan = plan::plan(&plan::PlanInput {
        env: "dev".to_owned(),
        manifest: read(old),
        cause: plan::Cause::Change(Box::new(change)),
        policy: settings().policy,
        vars: BTreeMap::new(),
        settings: BTreeMap::new(),
        topics: BTreeMap::new(),
        subjects: BTreeMap::new(),
    });
    let world = Arc::new(World { files: Mutex::new(vec![new.clone()]), ..World::default() });
    standing::settle(&ports(&world), &settings(), plan.plan.unwrap()).await.unwrap()
}

async fn apply(daemon: &mut Daemon, plan: &Plan) -> Result<Reply, Refusal> {
    let (reply, answer) = oneshot::channel();
    daemon.answer(Request::Apply { plan: serde_json::to_value(plan).unwrap(), reply }).await.unwrap();
    answer.await.unwrap()
}

async fn allow(daemon: &mut Daemon) -> Result<Reply, Refusal> {
    let rollout = daemon.ledger.open()[0].clone();
    let decision = DecisionRequest {
        rollout: rollout.id,
        decision: Decision::Approve,
        evidence: rollout.plan_digest,
        by: "Ada".to_owned(),
        via: "token ops".to_owned(),
        comment: None,
        delivery: "d".to_owned(),
        content: None,
    };
    let (reply, answer) = oneshot::channel();
    daemon.answer(Request::Decide { decision, reply }).await.unwrap();
    answer.await.unwrap()
}

#[tokio::test]
async fn a_change_is_taken_from_any_checkout_and_a_yes_stands_while_the_files_say_what_is_known() {
    let (old, new) = (project_of("SELECT id, x FROM a"), project_of("SELECT id, UPPER(x) FROM a"));
    let plan = planned(&old, &new).await;
    let other = project_of("SELECT id, LOWER(x) FROM a");
    // What the daemon's own checkout says when the plan comes, what it says later, and whether a yes is taken then.
    for (at_first, later, stands) in [
        (vec![old.clone()], vec![old.clone()], true),
        (vec![old.clone()], vec![new.clone()], true),
        (vec![new.clone()], vec![project_of("select id, upper(x) -- loud\nFROM a")], true),
        (Vec::new(), vec![new.clone()], true),
        (vec![other.clone()], vec![other.clone()], true),
        (vec![old.clone()], vec![other.clone()], false),
        (vec![new.clone()], Vec::new(), false),
    ] {
        let held = vec![Entry { at_ms: 0, body: Body::Snapshot { manifest: Box::new(read(&old)), rest: None } }];
        let world = Arc::new(World { held, files: Mutex::new(at_first.clone()), ..World::default() });
        let mut daemon = daemon(&world).await;
        let reply = apply(&mut daemon, &plan).await.unwrap();
        assert!(reply.rollout.starts_with("change-1-"), "{reply:?}");
        assert_eq!(daemon.ledger.open()[0].kind, Kind::Change);
        assert_eq!(daemon.ledger.open()[0].plan_digest, plan.digest());
        // The same plan again is the same rollout.
        assert_eq!(apply(&mut daemon, &plan).await.unwrap().rollout, reply.rollout);
        world.files.lock().unwrap().clone_from(&later);
        match allow(&mut daemon).await {
            Ok(reply) => assert!(stands && reply.state == "staging", "{reply:?} {later:?}"),
            Err(refusal) => {
                assert!(!stands, "{refusal:?} {later:?}");
                assert_eq!(refusal.cause, RefusalCause::AssumptionsMoved);
                assert!(refusal.message.contains("the statement of `s` was changed"), "{refusal:?}");
            }
        }
    }
}
