//! NULLs are counted in real Avro bytes, and what stands on the count falls with it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot, watch as channel};

use super::{World, envelope, ports, silence, unasked};
use crate::daemon::handle::{Decision, DecisionRequest, Refusal, RefusalCause, Reply, Request};
use crate::daemon::ports::Ports;
use crate::daemon::settings::Settings;
use crate::daemon::turn::Daemon;
use crate::daemon::watch::{self, Sighting};
use crate::model::record::{NewRecord, Offsets, RawRecord, SchemaHeaders, TopicSpec};
use crate::model::verdict::{Evidence, Outcome};
use crate::plan::input::{Carry, NullCount, NullableDefaults};
use crate::plan::{Plan, Policy, project};
use crate::port::{Clock, PortError, PortResult, RecordStream, RegisteredSchema, Registry, Topics};
use crate::rollout::event::Body;
use crate::rollout::{Entry, Event, State, Terms, Todo, todo};
use crate::schema::Level;
use crate::telemetry::Metrics;

pub(super) const TOPIC: &str = "p.a";
const NOTE: &str = r#",{"name":"note","type":["string","null"],"default":"none"}"#;
const FLAT: &str = r#"{"type":"record","name":"Row","fields":[{"name":"id","type":"long"},
    {"name":"plain","type":["null","string"],"default":null},{"name":"note","type":["string","null"],"default":"none"}]}"#;

/// One change topic with one partition, its registry, and a clock that stands still.
#[derive(Default)]
pub(super) struct Source {
    /// By id, which is the version as well.
    pub(super) schemas: BTreeMap<u32, String>,
    pub(super) records: Mutex<Vec<RawRecord>>,
    /// Ids by GUID.
    pub(super) guids: BTreeMap<String, u32>,
    /// The subject of the values; that of the topic's name unless told.
    pub(super) subject: Option<&'static str>,
    /// How many more schemas are not answered for, and how many reads.
    pub(super) silent: AtomicU32,
    pub(super) deaf: AtomicU32,
    pub(super) now_ms: AtomicI64,
}

#[async_trait]
impl Registry for Source {
    async fn register(&self, _: &str, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn subjects(&self) -> PortResult<Vec<String>> {
        unasked()
    }
    async fn schema_by_guid(&self, guid: &str) -> PortResult<RegisteredSchema> {
        let missing = || PortError::Missing { system: "registry", what: format!("schema {guid}") };
        self.schema_by_id(*self.guids.get(guid).ok_or_else(missing)?).await
    }
    async fn versions_of(&self, id: u32) -> PortResult<Vec<(String, i32)>> {
        let numbered = (1..).zip(self.schemas.keys()).filter(|(_, known)| **known == id);
        Ok(numbered.map(|(n, _)| (self.subject().to_owned(), n)).collect())
    }
    async fn versions(&self, subject: &str) -> PortResult<Vec<i32>> {
        Ok(if subject == self.subject() {
            (1..).zip(self.schemas.keys()).map(|(n, _)| n).collect()
        } else {
            Vec::new()
        })
    }
    async fn schema(&self, _: &str, version: i32) -> PortResult<RegisteredSchema> {
        self.schema_by_id(u32::try_from(version).unwrap()).await
    }
    async fn schema_by_id(&self, id: u32) -> PortResult<RegisteredSchema> {
        if self.silent.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
            return Err(silence());
        }
        let missing = || PortError::Missing { system: "registry", what: format!("schema {id}") };
        let text = self.schemas.get(&id).cloned().ok_or_else(missing)?;
        let (subject, kind, references) = (String::new(), "AVRO".to_owned(), Vec::new());
        Ok(RegisteredSchema { subject, version: 0, id, kind, text, references, metadata: BTreeMap::new() })
    }
    async fn level(&self, _: &str) -> PortResult<String> {
        unasked()
    }
    async fn set_level(&self, _: &str, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn delete_subject(&self, _: &str) -> PortResult<()> {
        unasked()
    }
}

struct Batch(Option<Vec<RawRecord>>);

#[async_trait]
impl RecordStream for Batch {
    async fn next_batch(&mut self) -> PortResult<Option<Vec<RawRecord>>> {
        Ok(self.0.take())
    }
}

#[async_trait]
impl Topics for Source {
    async fn write(&self, _: &str, _: &[NewRecord]) -> PortResult<()> {
        unasked()
    }
    async fn describe(&self, topic: &str) -> PortResult<Option<TopicSpec>> {
        Ok(Some(TopicSpec { name: topic.to_owned(), partitions: 1, config: BTreeMap::new() }))
    }
    async fn create(&self, _: &TopicSpec) -> PortResult<()> {
        unasked()
    }
    async fn delete(&self, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn beginnings(&self, _: &str) -> PortResult<Offsets> {
        Ok(Offsets::from([(0, 0)]))
    }
    async fn visible_ends(&self, _: &str) -> PortResult<Offsets> {
        Ok(Offsets::from([(0, i64::try_from(self.records.lock().unwrap().len()).unwrap())]))
    }
    async fn committed(&self, _: &str, _: &str) -> PortResult<Option<Offsets>> {
        unasked()
    }
    async fn readers(&self, _: &str) -> PortResult<Vec<String>> {
        unasked()
    }
    async fn delete_group(&self, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn read(&self, _: &str, from: &Offsets, to: &Offsets) -> PortResult<Box<dyn RecordStream>> {
        if self.deaf.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
            return Err(silence());
        }
        let at = |offsets: &Offsets| offsets.get(&0).copied().unwrap_or(0);
        let all = self.records.lock().unwrap();
        let wanted = all.iter().filter(|r| (at(from)..at(to)).contains(&r.offset)).cloned().collect();
        Ok(Box::new(Batch(Some(wanted))))
    }
}

#[async_trait]
impl Clock for Source {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }
    async fn sleep_ms(&self, _: u64) {
        tokio::task::yield_now().await;
    }
}

impl Source {
    /// Version 1 without `note`, version 2 with it.
    pub(super) fn new() -> Self {
        Self { schemas: BTreeMap::from([(1, envelope("")), (2, envelope(NOTE))]), ..Self::default() }
    }

    fn subject(&self) -> &'static str {
        self.subject.unwrap_or("p.a-value")
    }

    fn put(&self, value: Option<Vec<u8>>) {
        self.put_with(value, None);
    }

    pub(super) fn put_with(&self, value: Option<Vec<u8>>, schema_headers: Option<Box<SchemaHeaders>>) {
        let mut all = self.records.lock().unwrap();
        let offset = i64::try_from(all.len()).unwrap();
        all.push(RawRecord { partition: 0, offset, timestamp_ms: None, key: None, value, schema_headers });
    }

    /// A change of one row: `after` is what it leaves, field by field.
    pub(super) fn change(&self, id: u32, op: &str, after: Option<Vec<(&str, Value)>>) {
        let row = |fields: Vec<(&str, Value)>| {
            let fields = fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
            Value::Union(1, Box::new(Value::Record(fields)))
        };
        let null = || Value::Union(0, Box::new(Value::Null));
        let before = if op == "u" || op == "d" { Some(row(self.old_row(id))) } else { None };
        let fields = vec![
            ("before".to_owned(), before.unwrap_or_else(null)),
            ("after".to_owned(), after.map_or_else(null, row)),
            ("op".to_owned(), Value::from(op)),
        ];
        self.put(Some(self.wire(id, Value::Record(fields))));
    }

    /// What a row was before: a NULL there is no record's row.
    fn old_row(&self, id: u32) -> Vec<(&'static str, Value)> {
        let mut row = vec![("id", Value::Long(1))];
        if self.schemas[&id].contains("note") {
            row.push(("note", no_note()));
        }
        row
    }

    pub(super) fn wire(&self, id: u32, value: Value) -> Vec<u8> {
        let schema = apache_avro::Schema::parse_str(&self.schemas[&id]).unwrap();
        let datum = GenericDatumWriter::builder(&schema).build().unwrap().write_value_to_vec(value).unwrap();
        [&[0_u8][..], &id.to_be_bytes(), &datum].concat()
    }

    async fn counted(self: &Arc<Self>) -> PortResult<(BTreeMap<String, NullCount>, u64, bool)> {
        let ends = self.visible_ends(TOPIC).await?;
        let audit = watch::read_once((self.as_ref(), self.as_ref()), TOPIC, &ends, |_| {}).await?;
        let facts = audit.nulls(TOPIC, &ends).unwrap();
        Ok((facts.columns, facts.unread, facts.to_the_end))
    }
}

fn note(text: &str) -> Value {
    Value::Union(0, Box::new(Value::from(text)))
}

fn no_note() -> Value {
    Value::Union(1, Box::new(Value::Null))
}

fn row(note: Value) -> Option<Vec<(&'static str, Value)>> {
    Some(vec![("id", Value::Long(1)), ("note", note)])
}

fn all_ports(source: &Arc<Source>, world: &Arc<World>) -> Ports {
    Ports {
        registry: Arc::clone(source) as Arc<dyn Registry>,
        topics: Arc::clone(source) as Arc<dyn Topics>,
        clock: Arc::clone(source) as Arc<dyn Clock>,
        ..ports(world)
    }
}

#[tokio::test]
async fn what_a_record_leaves_behind_is_counted_and_nothing_else() {
    let source = Arc::new(Source::new());
    source.change(1, "r", Some(vec![("id", Value::Long(1))]));
    source.change(2, "c", row(note("x")));
    source.change(2, "u", row(note("none")));
    source.change(2, "r", row(no_note()));
    source.change(2, "d", None);
    source.put(None);
    let count = |records, nulls| BTreeMap::from([("note".to_owned(), NullCount { records, nulls })]);
    assert_eq!(source.counted().await.unwrap(), (count(3, 1), 0, true));
    // What is no record of the registry's is no row; what is one and cannot be read may hold anything.
    source.put(Some(b"{\"note\": null}".to_vec()));
    source.put(Some([&[0_u8][..], &2_u32.to_be_bytes(), &[0]].concat()));
    source.put(Some([&[0_u8][..], &99_u32.to_be_bytes(), &[2, 2]].concat()));
    source.change(2, "u", row(no_note()));
    assert_eq!(source.counted().await.unwrap(), (count(4, 2), 2, true));
}

#[tokio::test]
async fn a_record_without_an_envelope_is_the_row() {
    let schemas = BTreeMap::from([(7, FLAT.to_owned())]);
    let source = Arc::new(Source { schemas, ..Source::default() });
    for value in [note("x"), no_note()] {
        let fields = [("id", Value::Long(1)), ("plain", Value::Union(0, Box::new(Value::Null))), ("note", value)];
        let record = Value::Record(fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect());
        source.put(Some(source.wire(7, record)));
    }
    // A NULL where the default is NULL is not counted: nothing is ever put in its place.
    let count = BTreeMap::from([("note".to_owned(), NullCount { records: 2, nulls: 1 })]);
    assert_eq!(source.counted().await.unwrap(), (count, 0, true));
}

#[tokio::test]
async fn a_registry_that_is_silent_is_no_reason_to_count_a_record_as_read() {
    let source = Arc::new(Source { silent: AtomicU32::new(1), ..Source::new() });
    source.change(2, "c", row(no_note()));
    assert!(source.counted().await.is_err());
    assert_eq!(source.counted().await.unwrap().0["note"], NullCount { records: 1, nulls: 1 });
}

/// What is deployed: `a` reads the topic, `s` is written from it.
pub(super) fn held() -> Vec<Entry> {
    let reader = "CREATE TABLE a (id BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'kafka', \
                  'scan.startup.mode' = 'earliest-offset', 'topic' = 'p.a', 'format' = 'debezium-avro-confluent');";
    let sink = "CREATE TABLE s (id BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', \
                'topic' = 't.s', 'key.format' = 'avro-confluent', 'value.format' = 'avro-confluent');";
    let files = [("a", reader), ("s", sink), ("i", "INSERT INTO s SELECT id FROM a;")];
    let files: Vec<_> = files.map(|(name, text)| (format!("pipelines/{name}.sql"), text.to_owned())).into();
    let read = project::read(&files, &BTreeMap::new());
    assert_eq!(read.diagnostics, []);
    let first = [
        Body::Snapshot { manifest: Box::new(read.manifest), rest: None },
        Body::Watched { subject: "p.a-value".to_owned(), version: 1 },
    ];
    first.into_iter().map(|body| Entry { at_ms: 0, body }).collect()
}

/// A daemon that goes on from `held`; its journal is the world's.
pub(super) async fn daemon(source: &Arc<Source>, held: Vec<Entry>) -> (Daemon, Arc<World>) {
    let world = Arc::new(World { held, ..World::default() });
    let nullable_defaults = NullableDefaults::WhenUnseen;
    let settings = Settings {
        env: "dev".to_owned(),
        prefix: String::new(),
        url: String::new(),
        level: Some(Level::FullTransitive),
        policy: Policy { carry: Carry::Facts, partitions: 1, delete_blue_topics: true, nullable_defaults },
        terms: Terms { ask_before_staging: true, soak_ms: 1, catch_up_ms: 1, prefix: None },
        approval_ms: 1,
        validation_ms: 1,
        poll_ms: 1_000,
        job_settings: BTreeMap::new(),
        vars: BTreeMap::new(),
        public_vars: BTreeMap::new(),
        subjects: Arc::default(),
    };
    let (_, inbox) = mpsc::channel(1);
    let (show, _) = channel::channel(Arc::default());
    let (ports, metrics) = (all_ports(source, &world), Arc::new(Metrics::new().unwrap()));
    (Daemon::lead(ports, Arc::new(settings), metrics, inbox, show).await.unwrap(), world)
}

/// Lets the watchers read what there is.
pub(super) async fn read_all(daemon: &Daemon, source: &Source) {
    daemon.watch_inputs();
    let ends = source.visible_ends(TOPIC).await.unwrap();
    for _ in 0..100 {
        if daemon.audit.nulls(TOPIC, &ends).is_some_and(|facts| facts.to_the_end) {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the topic was not read");
}

fn sighting() -> Sighting {
    Sighting { subject: "p.a-value".to_owned(), version: 2, at_ms: 0 }
}

/// The plan of the one rollout that is in the journal.
fn proposed(world: &World) -> Plan {
    let journal = world.journal.lock().unwrap();
    let plans = journal.iter().filter_map(|entry| match &entry.body {
        Body::Rollout { what: Event::Proposed(new), .. } => Some((new.plan.clone(), new.work.clone())),
        _ => None,
    });
    let [(mut plan, work)] = plans.collect::<Vec<_>>().try_into().unwrap();
    plan["work"] = serde_json::to_value(work).unwrap();
    serde_json::from_value(plan).unwrap()
}

fn statement(plan: &Plan) -> &str {
    plan.tables.iter().find_map(|t| t.dml_after.as_deref()).unwrap()
}

#[tokio::test]
async fn a_proposal_waits_for_the_count_and_names_it() {
    let source = Arc::new(Source::new());
    let (mut daemon, world) = daemon(&source, held()).await;
    source.change(1, "r", Some(vec![("id", Value::Long(1))]));
    assert_eq!(
        daemon.decide_on(sighting()).await.unwrap().map(|later| later.sighting),
        Some(sighting()),
        "nothing was read"
    );
    read_all(&daemon, &source).await;
    assert_eq!(
        daemon.decide_on(sighting()).await.unwrap().map(|later| later.sighting),
        Some(sighting()),
        "no record of version 2 was seen"
    );
    source.change(2, "u", row(note("x")));
    read_all(&daemon, &source).await;
    assert_eq!(daemon.decide_on(sighting()).await.unwrap(), None);
    let plan = proposed(&world);
    assert_eq!(statement(&plan), "INSERT INTO s_v2 SELECT id, COALESCE(note, 'none') AS note FROM a_v2;");
    let [assumed] = &plan.assumptions.no_nulls[..] else { panic!("{:?}", plan.assumptions) };
    assert_eq!(
        (assumed.topic.as_str(), assumed.subject.as_str(), &assumed.columns[..]),
        (TOPIC, "p.a-value", &["note".to_owned()][..])
    );
    assert_eq!(assumed.read, Offsets::from([(0, 2)]));
}

#[tokio::test]
async fn a_count_that_does_not_come_is_not_waited_for_for_ever() {
    let source = Arc::new(Source { deaf: AtomicU32::new(u32::MAX), ..Source::new() });
    source.change(2, "c", row(note("x")));
    let (mut daemon, world) = daemon(&source, held()).await;
    daemon.watch_inputs();
    assert_eq!(daemon.decide_on(sighting()).await.unwrap().map(|later| later.sighting), Some(sighting()));
    source.now_ms.store(60_000, Ordering::SeqCst);
    assert_eq!(daemon.decide_on(sighting()).await.unwrap(), None);
    let plan = proposed(&world);
    assert_eq!(statement(&plan), "INSERT INTO s_v2 SELECT id, note FROM a_v2;");
    let codes: Vec<&str> = plan.warnings.iter().map(|w| w.code.as_str()).collect();
    assert_eq!((codes, plan.assumptions.no_nulls), (vec!["C206"], Vec::new()));
}

#[tokio::test]
async fn versions_between_the_deployed_and_the_newest_say_which_default_came_first() {
    let required = |default| envelope(&format!(r#",{{"name":"note","type":"string","default":"{default}"}}"#));
    let schemas = BTreeMap::from([(1, envelope("")), (2, required("none")), (3, required("open"))]);
    let source = Arc::new(Source { schemas, ..Source::default() });
    let (mut daemon, world) = daemon(&source, held()).await;
    let newest = Sighting { version: 3, ..sighting() };
    assert_eq!(daemon.decide_on(newest).await.unwrap(), None, "what is NOT NULL is not counted");
    let plan = proposed(&world);
    assert_eq!(statement(&plan), "INSERT INTO s_v2 SELECT id, COALESCE(note, 'none') AS note FROM a_v2;");
    let [remark] = &plan.warnings[..] else { panic!("{:?}", plan.warnings) };
    assert!(remark.code == "C212" && remark.message.contains("'none' in version 2 and has 'open' now"), "{remark:?}");
}

async fn asked(
    daemon: &mut Daemon,
    make: impl FnOnce(crate::daemon::handle::Answer) -> Request,
) -> Result<Reply, Refusal> {
    let (reply, answer) = oneshot::channel();
    daemon.answer(make(reply)).await.unwrap();
    answer.await.unwrap()
}

/// A daemon that has proposed version 2 on the count of one record.
async fn with_proposal(source: &Arc<Source>) -> (Daemon, Arc<World>) {
    source.change(2, "c", row(note("x")));
    let (mut daemon, world) = daemon(source, held()).await;
    read_all(&daemon, source).await;
    assert_eq!(daemon.decide_on(sighting()).await.unwrap(), None);
    (daemon, world)
}

#[tokio::test]
async fn a_plan_is_void_once_a_null_was_seen() {
    let source = Arc::new(Source::new());
    let (_, world) = with_proposal(&source).await;
    let plan = serde_json::to_value(proposed(&world)).unwrap();
    let apply = async |daemon: &mut Daemon| asked(daemon, |reply| Request::Apply { plan: plan.clone(), reply }).await;
    let (mut fresh, _) = daemon(&source, held()).await;
    let refused = apply(&mut fresh).await.unwrap_err();
    assert!(refused.message.contains("not counted to the end yet"), "{refused}");
    read_all(&fresh, &source).await;
    assert_eq!(apply(&mut fresh).await.unwrap().message, "proposed");

    source.change(2, "c", row(no_note()));
    let (mut late, _) = daemon(&source, held()).await;
    read_all(&late, &source).await;
    let refused = apply(&mut late).await.unwrap_err();
    assert_eq!(refused.cause, RefusalCause::AssumptionsMoved);
    assert!(refused.message.contains("1 of 2 do now"), "{refused}");
}

/// Brings the one rollout before its approval; the evidence holds the input up to `cut`.
async fn before_approval(daemon: &mut Daemon, cut: &Offsets) -> (String, String) {
    loop {
        let rollout = daemon.ledger.open()[0].clone();
        let id = rollout.id.clone();
        let what = match todo(&rollout) {
            Todo::Wait(_) if rollout.state == State::Proposed => Event::StagingAllowed { by: "me".to_owned() },
            Todo::Run { effect, .. } if !rollout.intended.contains_key(&effect.key()) => {
                Event::EffectIntended { key: effect.key(), attempt: 1 }
            }
            Todo::Run { effect, .. } => Event::EffectDone { key: effect.key(), job: None, note: None },
            Todo::CatchUp => Event::CaughtUp,
            Todo::Validate => Event::Validated { evidence: Box::new(evidence(&id, &rollout.plan_digest, cut)) },
            _ => return (id, rollout.evidence_digest().unwrap()),
        };
        daemon.append(Body::Rollout { id, what }).await.unwrap();
    }
}

fn evidence(rollout: &str, plan: &str, cut: &Offsets) -> Evidence {
    Evidence {
        rollout: rollout.to_owned(),
        plan: plan.to_owned(),
        outcome: Outcome::Pass,
        reason: "equal".to_owned(),
        tables: Vec::new(),
        cut: BTreeMap::from([(TOPIC.to_owned(), cut.clone())]),
        read: BTreeMap::new(),
        schema_ids: BTreeMap::new(),
        arrived: 1,
        started_ms: 0,
        ended_ms: 1,
        expires_ms: i64::MAX,
    }
}

async fn approve(daemon: &mut Daemon, rollout: &str, evidence: &str) -> Result<Reply, Refusal> {
    let decision = DecisionRequest {
        rollout: rollout.to_owned(),
        decision: Decision::Approve,
        evidence: evidence.to_owned(),
        by: "Ada".to_owned(),
        via: "token ops".to_owned(),
        comment: None,
        delivery: "d".to_owned(),
        content: None,
    };
    asked(daemon, |reply| Request::Decide { decision, reply }).await
}

#[tokio::test]
async fn a_topic_that_is_made_anew_is_counted_from_its_beginning() {
    let source = Arc::new(Source::new());
    let (daemon, _) = daemon(&source, held()).await;
    source.change(2, "u", row(note("x")));
    source.change(2, "u", row(note("y")));
    read_all(&daemon, &source).await;
    source.records.lock().unwrap().clear();
    source.change(2, "u", row(no_note()));
    let counted = async || {
        for _ in 0..1_000 {
            let facts = daemon.audit.nulls(TOPIC, &Offsets::from([(0, 1)])).unwrap_or_default();
            let count = facts.columns.get("note").copied().unwrap_or_default();
            if facts.to_the_end && count.records == 1 {
                return count;
            }
            tokio::task::yield_now().await;
        }
        panic!("what was counted in the old topic is still there");
    };
    assert_eq!(counted().await, NullCount { records: 1, nulls: 1 });
}

#[tokio::test]
async fn an_approval_is_void_once_a_null_was_seen_also_after_a_restart() {
    let source = Arc::new(Source::new());
    let (mut first, world) = with_proposal(&source).await;
    source.change(2, "u", row(note("y")));
    let (id, digest) = before_approval(&mut first, &Offsets::from([(0, 2)])).await;
    let refused = approve(&mut first, &id, &digest).await.unwrap_err();
    assert!(
        refused.message.contains("not counted to the end yet"),
        "the evidence holds a record that was not: {refused}"
    );
    let journal: Vec<Entry> = held().into_iter().chain(world.journal.lock().unwrap().clone()).collect();

    let (mut restarted, _) = daemon(&source, journal.clone()).await;
    assert!(approve(&mut restarted, &id, &digest).await.is_err(), "nothing is counted after a restart");
    read_all(&restarted, &source).await;
    assert_eq!(approve(&mut restarted, &id, &digest).await.unwrap().state, "promoting");

    source.change(2, "u", row(no_note()));
    let (mut late, _) = daemon(&source, journal).await;
    read_all(&late, &source).await;
    let refused = approve(&mut late, &id, &digest).await.unwrap_err();
    assert_eq!(refused.cause, RefusalCause::AssumptionsMoved);
    assert!(refused.message.contains("column note"), "{refused}");
    assert_eq!(late.ledger.rollouts[&id].state, State::AwaitingApproval);
}
