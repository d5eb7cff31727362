//! The adapters of the registry, Flink and Connect against the real services.
//!
//! Rules: names of its own with a random ending; what a test makes it removes, also when it fails.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says no by a panic")]

mod sources;

use std::collections::BTreeMap;
use std::env;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::{Duration, Instant};

use cyanotype::adapter::connect::ConnectClient;
use cyanotype::adapter::flink_gateway::FlinkEngine;
use cyanotype::adapter::registry::RegistryClient;
use cyanotype::adapter::rest::Endpoint;
use cyanotype::model::job::{JobHealth, JobRef, JobText};
use cyanotype::model::record::Offsets;
use cyanotype::port::{Connectors, Engine, PortError, Registry};
use futures::FutureExt;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(90);

fn port(name: &str, default: u16) -> u16 {
    env::var(format!("CYANOTYPE_PORT_{name}")).ok().map_or(default, |p| p.parse().expect("a port is a number"))
}

fn registry_url() -> String {
    format!("http://127.0.0.1:{}/apis/ccompat/v7", port("REGISTRY", 18081))
}

fn registry() -> RegistryClient {
    RegistryClient::new(&Endpoint::new(registry_url())).unwrap()
}

fn flink() -> FlinkEngine {
    let gateway = format!("http://127.0.0.1:{}/", port("SQL_GATEWAY", 18084));
    let rest = format!("http://127.0.0.1:{}", port("FLINK", 18088));
    FlinkEngine::new(&Endpoint::new(gateway), &Endpoint::new(rest)).unwrap()
}

fn connect() -> ConnectClient {
    ConnectClient::new(&Endpoint::new(format!("http://127.0.0.1:{}", port("CONNECT", 18083)))).unwrap()
}

fn kafka() -> AdminClient<DefaultClientContext> {
    let broker = format!("127.0.0.1:{}", port("KAFKA", 19092));
    ClientConfig::new().set("bootstrap.servers", broker).create().unwrap()
}

/// `adr-` and eight random digits.
fn name(what: &str) -> String {
    format!("adr-{what}-{:08x}", rand::random::<u32>())
}

/// Asks until the answer will do.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what} did not come in {} s", PATIENCE.as_secs());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What a test makes, by name.
#[derive(Default)]
struct Made<'a> {
    subjects: &'a [&'a str],
    jobs: &'a [&'a str],
    connectors: &'a [&'a str],
    topics: &'a [&'a str],
}

/// Runs a test and removes what it made, whatever came of it.
async fn tidy(made: Made<'_>, test: impl Future<Output = ()>) {
    let outcome = AssertUnwindSafe(test).catch_unwind().await;
    for subject in made.subjects {
        registry().delete_subject(subject).await.unwrap();
    }
    for name in made.jobs {
        for job in flink().find(name).await.unwrap() {
            flink().cancel(&job.id).await.unwrap();
        }
    }
    for name in made.connectors {
        connect().delete(name).await.unwrap();
    }
    if !made.topics.is_empty() {
        // One answer for each topic; the tests that never made theirs are told that it is unknown.
        kafka().delete_topics(made.topics, &AdminOptions::new()).await.unwrap();
    }
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

// ---- registry ----

async fn register(subject: &str, body: Value) -> u16 {
    let subject = subject.replace(' ', "%20").replace('/', "%2F");
    let url = format!("{}/subjects/{subject}/versions", registry_url());
    let sent = reqwest::Client::new().post(url).json(&body).send().await;
    sent.unwrap().status().as_u16()
}

fn record(fields: &str) -> Value {
    json!({ "schema": format!(r#"{{"type":"record","name":"r","fields":[{fields}]}}"#) })
}

const A: &str = r#"{"name":"a","type":"int"}"#;
const B: &str = r#"{"name":"b","type":["null","int"],"default":null}"#;

#[tokio::test]
async fn a_subject_lives_and_goes() {
    let registry = registry();
    let subject = name("subject/of a-value");
    tidy(Made { subjects: &[&subject], ..Made::default() }, async {
        let global = registry.level(&subject).await.unwrap();
        assert!(!global.is_empty());
        assert_eq!(registry.versions(&subject).await.unwrap(), Vec::<i32>::new());
        let unknown = registry.schema(&subject, 1).await;
        assert!(matches!(unknown, Err(PortError::Missing { .. })), "{unknown:?}");
        registry.delete_subject(&subject).await.expect("there is nothing to delete");

        assert_eq!(register(&subject, record(A)).await, 200);
        assert_eq!(register(&subject, record(&format!("{A},{B}"))).await, 200);
        assert_eq!(registry.versions(&subject).await.unwrap(), [1, 2]);
        assert!(registry.subjects().await.unwrap().contains(&subject));
        let second = registry.schema(&subject, 2).await.unwrap();
        assert_eq!((second.subject.as_str(), second.version, second.kind.as_str()), (subject.as_str(), 2, "AVRO"));
        assert!(second.text.contains("\"b\""), "{}", second.text);
        for _ in 0..2 {
            let by_id = registry.schema_by_id(second.id).await.unwrap();
            assert_eq!((by_id.subject.as_str(), by_id.version, by_id.id), ("", 0, second.id));
            assert_eq!(by_id.text, second.text);
        }
        let third = registry.schema(&subject, 3).await;
        assert!(matches!(third, Err(PortError::Missing { .. })), "{third:?}");

        registry.delete_subject(&subject).await.unwrap();
        assert_eq!(registry.versions(&subject).await.unwrap(), Vec::<i32>::new());
        registry.delete_subject(&subject).await.expect("it is gone already");
    })
    .await;
}

#[tokio::test]
async fn the_newest_versions_are_told_whatever_the_registry_can_do() {
    let registry = registry();
    let (one, two, none) = (name("newest-value"), name("newest-key"), name("newest-none"));
    tidy(Made { subjects: &[&one, &two], ..Made::default() }, async {
        let wanted = [&one, &two, &none].map(String::clone).into();
        assert_eq!(registry.latest(&wanted).await.unwrap(), BTreeMap::new());
        assert_eq!(register(&one, record(A)).await, 200);
        assert_eq!(register(&two, record(A)).await, 200);
        for _ in 0..2 {
            let both = BTreeMap::from([(one.clone(), 1), (two.clone(), 1)]);
            assert_eq!(registry.latest(&wanted).await.unwrap(), both);
        }
        assert_eq!(register(&one, record(&format!("{A},{B}"))).await, 200);
        assert_eq!(registry.latest(&wanted).await.unwrap()[&one], 2);
        registry.delete_subject(&two).await.unwrap();
        assert_eq!(registry.latest(&wanted).await.unwrap(), BTreeMap::from([(one.clone(), 2)]));
        let mode = registry.mode(&one).await.unwrap();
        assert!(mode.is_none_or(|mode| mode == "READWRITE"), "schemas were just registered");
    })
    .await;
}

#[tokio::test]
async fn a_schema_can_be_known_under_another_subject_as_well() {
    let registry = registry();
    let (subject, other) = (name("own-value"), name("other-value"));
    tidy(Made { subjects: &[&subject, &other], ..Made::default() }, async {
        assert_eq!(register(&subject, record(A)).await, 200);
        let own = registry.schema(&subject, 1).await.unwrap();
        for _ in 0..2 {
            registry.register(&other, &own.text).await.expect("once more changes nothing");
        }
        assert_eq!(registry.versions(&other).await.unwrap(), [1]);
        assert_eq!(registry.schema(&other, 1).await.unwrap().id, own.id, "one text has one id");
        let refused = registry.register(&other, "no schema").await;
        assert!(matches!(refused, Err(PortError::Refused { .. })), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn a_level_holds_from_the_first_version_on() {
    let registry = registry();
    let subject = name("level-value");
    tidy(Made { subjects: &[&subject], ..Made::default() }, async {
        let global = registry.level(&subject).await.unwrap();
        assert_eq!(registry.checks(&subject).await.unwrap().level.as_ref(), Some(&global));
        registry.set_level(&subject, "FULL_TRANSITIVE").await.unwrap();
        assert_eq!(registry.checks(&subject).await.unwrap().level.as_deref(), Some("FULL_TRANSITIVE"));
        assert_eq!(registry.level(&subject).await.unwrap(), "FULL_TRANSITIVE");
        assert_eq!(registry.versions(&subject).await.unwrap(), Vec::<i32>::new());

        assert_eq!(register(&subject, record(A)).await, 200);
        assert_eq!(registry.level(&subject).await.unwrap(), "FULL_TRANSITIVE");
        let refused = register(&subject, record(r#"{"name":"c","type":"string"}"#)).await;
        assert_eq!(refused, 409, "the level is there but does not hold");
        registry.set_level(&subject, "NONE").await.unwrap();
        assert_eq!(registry.level(&subject).await.unwrap(), "NONE");
        assert_eq!(register(&subject, record(r#"{"name":"c","type":"string"}"#)).await, 200);
        let odd = registry.set_level(&subject, "SIDEWAYS").await;
        assert!(matches!(odd, Err(PortError::Refused { .. })), "{odd:?}");

        registry.delete_subject(&subject).await.unwrap();
        assert_eq!(registry.level(&subject).await.unwrap(), global, "a level outlived its subject");

        // The same without a version ever.
        registry.set_level(&subject, "FORWARD").await.unwrap();
        registry.delete_subject(&subject).await.unwrap();
        assert_eq!(registry.level(&subject).await.unwrap(), global, "a level outlived its subject");
    })
    .await;
}

#[tokio::test]
async fn references_are_resolved_to_their_texts() {
    let registry = registry();
    let (inner, middle, outer) = (name("inner"), name("middle"), name("outer"));
    tidy(Made { subjects: &[&outer, &middle, &inner], ..Made::default() }, async {
    let text = |name: &str, of: &str| {
        format!(r#"{{"type":"record","name":"{name}","namespace":"n","fields":[{{"name":"f","type":"{of}"}}]}}"#)
    };
    assert_eq!(register(&inner, json!({ "schema": text("I", "int") })).await, 200);
    let refs = json!([{ "name": "n.I", "subject": inner, "version": 1 }]);
    assert_eq!(register(&middle, json!({ "schema": text("M", "n.I"), "references": refs })).await, 200);
    let refs = json!([{ "name": "n.M", "subject": middle, "version": 1 }, { "name": "n.I", "subject": inner, "version": 1 }]);
    let both = r#"{"type":"record","name":"O","namespace":"n","fields":[{"name":"m","type":"n.M"},{"name":"i","type":"n.I"}]}"#;
    assert_eq!(register(&outer, json!({ "schema": both, "references": refs })).await, 200);
    let schema = registry.schema(&outer, 1).await.unwrap();
    let by_id = registry.schema_by_id(schema.id).await.unwrap();
    let names: Vec<&str> = schema.references.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["n.I", "n.M"], "each after those that it needs");
    assert!(schema.references.iter().all(|(n, text)| text.contains(n.trim_start_matches("n."))));
    assert_eq!(by_id.references, schema.references);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_path_is_no_empty_registry() {
    let url = format!("http://127.0.0.1:{}/apis/nowhere", port("REGISTRY", 18081));
    let registry = RegistryClient::new(&Endpoint::new(url)).unwrap();
    assert!(registry.subjects().await.is_err());
    assert!(registry.versions("x").await.is_err());
    assert!(registry.level("x").await.is_err());
}

// ---- Flink ----

const SOURCE: &str =
    "-- the source\nCREATE TABLE a (id INT, n STRING) WITH ('connector'='datagen','rows-per-second'='5');";
const SINK: &str = "CREATE TABLE b (id INT, n STRING) WITH ('connector'='blackhole') -- the sink";

fn job(name: &str, insert: &str) -> JobText {
    let settings = [("table.local-time-zone", "UTC"), ("execution.checkpointing.interval", "1s")];
    JobText {
        name: name.to_owned(),
        settings: settings.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        ddl: vec![SOURCE.into(), SINK.into()],
        insert: insert.to_owned(),
    }
}

async fn healthy(flink: &FlinkEngine, id: &str, fits: impl Fn(&JobHealth) -> bool) -> JobHealth {
    until("health", async || Some(flink.health(id).await.unwrap()).filter(|h| fits(h))).await
}

#[tokio::test]
async fn a_job_runs_and_is_cancelled() {
    let flink = flink();
    let name = name("job 'quoted'");
    tidy(Made { jobs: &[&name], ..Made::default() }, async {
        assert_eq!(flink.find(&name).await.unwrap(), []);
        let text = job(&name, "-- copies\n/* all; */ INSERT INTO b\nSELECT id, n FROM a -- that; is it\n;\n-- end");
        let started = flink.start(&text).await.unwrap();
        assert_eq!(started.name, name);
        let found = flink.find(&name).await.unwrap();
        assert_eq!(found.iter().map(|j| j.id.as_str()).collect::<Vec<_>>(), [started.id.as_str()]);
        assert!(flink.jobs().await.unwrap().iter().any(|j| j.id == started.id));

        let health = healthy(&flink, &started.id, |h| h.state == "RUNNING" && h.checkpoints >= 2).await;
        assert_eq!((health.exceptions, health.last_exception.as_deref()), (0, None));
        assert_eq!(health.checkpoints_since_exception, health.checkpoints);
        assert!(health.started_ms > 1_700_000_000_000);

        flink.cancel(&started.id).await.unwrap();
        let ended = flink.find(&name).await.unwrap();
        assert!(ended.iter().all(JobRef::ended) && ended.len() == 1, "{ended:?}");
        flink.cancel(&started.id).await.expect("it has ended already");
        assert_eq!(healthy(&flink, &started.id, |h| h.state != "RUNNING").await.state, "CANCELED");
    })
    .await;
}

#[tokio::test]
async fn an_unknown_job_is_missing_and_needs_no_cancel() {
    let flink = flink();
    for id in ["0123456789abcdef0123456789abcdef", "../config", ""] {
        let health = flink.health(id).await;
        assert!(matches!(health, Err(PortError::Missing { .. })), "{id}: {health:?}");
        flink.cancel(id).await.unwrap();
    }
}

#[tokio::test]
async fn an_explanation_starts_nothing() {
    let flink = flink();
    let name = name("explained");
    tidy(Made { jobs: &[&name], ..Made::default() }, async {
        let text = flink.explain(&job(&name, "/* c */ INSERT INTO b SELECT id, n FROM a; -- end")).await.unwrap();
        assert!(
            text.contains("== Optimized Execution Plan ==")
                && text.contains("Sink(table=[default_catalog.default_database.b]"),
            "{text}"
        );
        assert_eq!(flink.find(&name).await.unwrap(), []);
    })
    .await;
}

async fn refusal(text: &JobText) -> String {
    match flink().explain(text).await {
        Err(PortError::Refused { system, what, reason }) => {
            assert_eq!(system, "SQL gateway");
            assert!(!reason.contains('\n') && reason.chars().count() <= 300, "{reason}");
            format!("{what}: {reason}")
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn refusals_are_in_flinks_words() {
    let name = name("refused");
    tidy(Made { jobs: &[&name], ..Made::default() }, async {
        assert_eq!(
            refusal(&job(&name, "INSERT INTO b\nSELECT nope, n FROM a")).await,
            "`INSERT INTO b`: From line 2, column 8 to line 2, column 11: Column 'nope' not found in any table"
        );
        let text = refusal(&job(&name, "INSERT INTO b SELECT id, FROM a")).await;
        assert!(
            text.contains("Encountered \"FROM\" at line 1, column 26") || text.contains("Incorrect syntax near"),
            "{text}"
        );
        assert!(!text.contains("ABS"), "{text}");
        let text = refusal(&job(&name, "INSERT INTO b SELECT id FROM a")).await;
        assert!(text.contains("Cause: Different number of columns. Query schema: [id: INT]"), "{text}");
        let mut twice = job(&name, "INSERT INTO b SELECT id, n FROM a");
        twice.ddl.push(SINK.into());
        let text = refusal(&twice).await;
        assert!(text.starts_with("`CREATE TABLE b`: Could not execute CreateTable in path"), "{text}");
        assert!(
            text.ends_with("Table (or view) default_database.b already exists in Catalog default_catalog."),
            "{text}"
        );
        let text = refusal(&job(&name, "INSERT INTO b SELECT id, n FROM a; DROP TABLE a")).await;
        assert!(text.contains("only single statement supported"), "{text}");
        let mut odd = job(&name, "INSERT INTO b SELECT id, n FROM a");
        odd.settings.insert("parallelism.default".into(), "banana".into());
        let text = refusal(&odd).await;
        assert!(text.contains("Could not parse value 'banana' for key 'parallelism.default'"), "{text}");
        let started = flink().start(&job(&name, "INSERT INTO b SELECT id, nope FROM a")).await;
        assert!(matches!(started, Err(PortError::Refused { .. })), "{started:?}");
        assert_eq!(flink().find(&name).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_failed_job_says_why() {
    let flink = flink();
    let name = name("failing");
    tidy(Made { jobs: &[&name], ..Made::default() }, async {
        let topic = format!("{name}-topic");
        let broker = format!("127.0.0.1:{}", port("KAFKA", 19092));
        let mut text = job(&name, "INSERT INTO b SELECT id, 'x' FROM k");
        text.ddl.push(format!(
        "CREATE TABLE k (id INT) WITH ('connector'='kafka','topic'='{topic}','properties.bootstrap.servers'='{broker}',\
         'properties.group.id'='{name}','scan.startup.mode'='earliest-offset','format'='raw')"
    ));
        for (key, value) in [("type", "fixed-delay"), ("fixed-delay.attempts", "1"), ("fixed-delay.delay", "100 ms")] {
            text.settings.insert(format!("restart-strategy.{key}"), value.into());
        }
        let started = flink.start(&text).await.unwrap();
        let health = healthy(&flink, &started.id, |h| h.state == "FAILED" && h.last_exception.is_some()).await;
        assert!(health.exceptions >= 1);
        assert_eq!(health.checkpoints_since_exception, 0);
        let why = health.last_exception.unwrap();
        assert!(why.starts_with(&format!("Failed to get metadata for topics [{topic}]")), "{why}");
        flink.cancel(&started.id).await.expect("it has ended already");
    })
    .await;
}

#[tokio::test]
async fn a_job_that_keeps_failing_has_no_checkpoint_since() {
    let flink = flink();
    let name = name("looping");
    tidy(Made { jobs: &[&name], ..Made::default() }, async {
        let mut text = job(&name, "INSERT INTO b SELECT CAST(n AS INT), n FROM a");
        for (key, value) in [("type", "fixed-delay"), ("fixed-delay.attempts", "1000"), ("fixed-delay.delay", "200 ms")]
        {
            text.settings.insert(format!("restart-strategy.{key}"), value.into());
        }
        let started = flink.start(&text).await.unwrap();
        let health = healthy(&flink, &started.id, |h| h.exceptions >= 2).await;
        assert!(["RUNNING", "RESTARTING", "FAILING", "CREATED"].contains(&health.state.as_str()), "{health:?}");
        assert!(health.checkpoints_since_exception <= health.checkpoints, "{health:?}");
        assert!(health.last_exception.is_some_and(|e| e.contains("For input string")), "no cause");
    })
    .await;
}

// ---- Connect ----

async fn topics(names: &[&str], partitions: i32) {
    let topics: Vec<_> = names.iter().map(|n| NewTopic::new(n, partitions, TopicReplication::Fixed(1))).collect();
    for made in kafka().create_topics(&topics, &AdminOptions::new()).await.unwrap() {
        made.unwrap();
    }
}

fn sink(topics: &str, table: &str) -> BTreeMap<String, String> {
    let database = format!("jdbc:postgresql://127.0.0.1:{}/postgres", port("POSTGRES", 15432));
    [
        ("connector.class", "io.debezium.connector.jdbc.JdbcSinkConnector"),
        ("tasks.max", "1"),
        ("connection.url", &database),
        ("connection.username", "postgres"),
        ("connection.password", "postgres"),
        ("topics", topics),
        ("collection.name.format", table),
        ("insert.mode", "upsert"),
        ("delete.enabled", "true"),
        ("primary.key.mode", "record_key"),
        ("consumer.override.auto.offset.reset", "earliest"),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .into()
}

async fn runs(connect: &ConnectClient, name: &str) {
    until("a running task", async || {
        let status = connect.status(name).await.unwrap()?;
        assert_eq!(status.failure, None);
        (status.tasks == ["RUNNING"]).then_some(())
    })
    .await;
}

/// The worker places a connector anew when its settings change: for a moment it is on no worker.
async fn is_stopped(connect: &ConnectClient, name: &str) {
    until("a stopped connector", async || {
        let status = connect.status(name).await.unwrap()?;
        assert_eq!(status.tasks, Vec::<String>::new());
        (status.state == "STOPPED").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_sink_is_moved_to_another_topic() {
    let connect = connect();
    let sink_name = name("sink");
    let (blue, green) = (name("blue"), name("green"));
    tidy(Made { connectors: &[&sink_name], topics: &[&blue, &green], ..Made::default() }, async {
        topics(&[&blue, &green], 2).await;

        connect.configure(&sink_name, &sink(&blue, "adr_none")).await.unwrap();
        runs(&connect, &sink_name).await;
        let config = connect.config(&sink_name).await.unwrap().unwrap();
        assert_eq!(config["topics"], blue);

        let one: BTreeMap<i32, Option<i64>> = [(0, Some(3)), (1, Some(0))].into();
        let early = connect.set_offsets(&sink_name, &green, &one).await;
        assert!(early.as_ref().is_err_and(|e| e.to_string().contains("STOPPED")), "{early:?}");

        connect.stop(&sink_name).await.unwrap();
        let status = connect.status(&sink_name).await.unwrap().unwrap();
        assert_eq!((status.state.as_str(), status.tasks.len()), ("STOPPED", 0));
        connect.stop(&sink_name).await.expect("it is stopped already");

        connect.set_offsets(&sink_name, &green, &one).await.unwrap();
        connect.set_offsets(&sink_name, &green, &one).await.expect("they are set already");
        let now = connect.offsets(&sink_name).await.unwrap();
        assert_eq!(now.get(&green), Some(&Offsets::from([(0, 3), (1, 0)])));
        connect.set_offsets(&sink_name, &green, &[(0, None)].into()).await.unwrap();
        connect.set_offsets(&sink_name, &blue, &[(0, None), (1, None)].into()).await.unwrap();
        let now = connect.offsets(&sink_name).await.unwrap();
        assert_eq!(now, BTreeMap::from([(green.clone(), Offsets::from([(1, 0)]))]));
        let unknown = connect.set_offsets(&sink_name, &name("none"), &one).await;
        assert!(matches!(unknown, Err(PortError::Refused { .. })), "{unknown:?}");

        connect.configure(&sink_name, &sink(&green, "adr_none")).await.unwrap();
        is_stopped(&connect, &sink_name).await;
        connect.resume(&sink_name).await.unwrap();
        runs(&connect, &sink_name).await;
        assert_eq!(connect.config(&sink_name).await.unwrap().unwrap()["topics"], green);
        connect.restart(&sink_name).await.unwrap();

        connect.delete(&sink_name).await.unwrap();
        assert_eq!(connect.config(&sink_name).await.unwrap(), None);
        assert_eq!(connect.status(&sink_name).await.unwrap(), None);
        connect.delete(&sink_name).await.expect("it is gone already");
    })
    .await;
}

#[tokio::test]
async fn a_failed_task_is_seen_and_a_bad_setting_refused() {
    let connect = connect();
    let name = name("broken");
    tidy(Made { connectors: &[&name], ..Made::default() }, async {
        connect.configure(&name, &sink("bad name!", "adr_none")).await.unwrap();
        let status = until("a failed task", async || {
            connect.status(&name).await.unwrap().filter(|s| s.tasks.iter().any(|t| t == "FAILED"))
        })
        .await;
        let mut both = sink("a", "adr_none");
        both.insert("topics.regex".into(), "a.*".into());
        let refused = connect.configure(&name, &both).await;
        let failure = status.failure.unwrap();
        assert!(failure.contains("Exception") && !failure.contains('\n'), "{failure}");
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("mutually exclusive") && refused.contains(&name), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn a_connector_that_is_not_there() {
    let connect = connect();
    let name = name("none of such?");
    assert_eq!(connect.config(&name).await.unwrap(), None);
    assert_eq!(connect.status(&name).await.unwrap(), None);
    for outcome in [
        connect.stop(&name).await,
        connect.resume(&name).await,
        connect.restart(&name).await,
        connect.offsets(&name).await.map(drop),
        connect.set_offsets(&name, "t", &[(0, Some(1))].into()).await,
    ] {
        assert!(matches!(outcome, Err(PortError::Missing { .. })), "{outcome:?}");
    }
    connect.delete(&name).await.unwrap();
    let slash = connect.config("a/b").await;
    assert!(matches!(slash, Err(PortError::Refused { .. })), "{slash:?}");
}
