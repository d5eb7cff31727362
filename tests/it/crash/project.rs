//! The project that the scenes play with, and what the sources hold.
//!
//! `a` and `o` read change topics; `s` selects from `a`, `d` from `o`, the fact `f` joins both and a connector copies it into
//! the warehouse. `a` gains columns; `d` is shared by blue and green.

use std::collections::BTreeMap;

use cyanotype::daemon::settings::Settings;
use cyanotype::model::job::JobText;
use cyanotype::plan::input::{Carry, NullableDefaults};
use cyanotype::plan::{Policy, adopt, project};
use cyanotype::port::ProjectFile;
use cyanotype::rollout::Terms;

use crate::world::State;
use crate::world::avro::{Body, Cell, Field, Row, envelope};
use crate::world::connect::Connector;
use crate::world::kafka::Slot;

/// The subject that evolves.
pub const SUBJECT: &str = "p.a-value";
/// How long a rollout soaks, milliseconds.
pub const SOAK_MS: i64 = 15_000;
/// When the scenes begin, milliseconds since 1970.
const BEGIN_MS: i64 = 1_700_000_000_000;

const READER: &str = "'connector' = 'kafka', 'scan.startup.mode' = 'earliest-offset', \
    'format' = 'debezium-avro-confluent', 'properties.group.id' = 'by-hand'";
const WRITTEN: &str = "'connector' = 'upsert-kafka', 'key.format' = 'avro-confluent', \
    'value.format' = 'avro-confluent', 'properties.group.id' = 'by-hand'";

/// The project's files.
pub fn files() -> Vec<ProjectFile> {
    let table = |name: &str, columns: &str, options: &str| {
        format!(
            "CREATE TABLE {name} (id BIGINT NOT NULL, {columns}, PRIMARY KEY (id) NOT ENFORCED) WITH ({options});\n"
        )
    };
    let reader = |topic: &str| format!("{READER}, 'topic' = '{topic}'");
    let written = |topic: &str| format!("{WRITTEN}, 'topic' = '{topic}'");
    let exactly_once = format!("{}, 'sink.delivery-guarantee' = 'exactly-once'", written("t.f"));
    let connector = r#"{"name": "sink-f", "config": {"topics": "t.f", "insert.mode": "upsert",
        "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector", "delete.enabled": "true",
        "primary.key.mode": "record_key", "collection.name.format": "wh.f", "consumer.override.isolation.level": "read_committed"}}"#;
    let texts = [
        ("connectors/sink-f.json", connector.to_owned()),
        ("pipelines/ddl.a.sql", table("a", "name STRING, d_id BIGINT", &reader("p.a"))),
        ("pipelines/ddl.d.sql", table("d", "label STRING", &written("t.d"))),
        ("pipelines/ddl.f.sql", table("f", "name STRING, label STRING", &exactly_once)),
        ("pipelines/ddl.o.sql", table("o", "label STRING", &reader("p.o"))),
        ("pipelines/ddl.s.sql", table("s", "name STRING, d_id BIGINT", &written("t.s"))),
        ("pipelines/dml.d.sql", "INSERT INTO d SELECT o.id, o.label FROM o;\n".to_owned()),
        (
            "pipelines/dml.f.sql",
            "INSERT INTO f SELECT s.id, s.name, d.label FROM s JOIN d ON d.id = s.d_id;\n".to_owned(),
        ),
        ("pipelines/dml.s.sql", "INSERT INTO s SELECT a.id, a.name, a.d_id FROM a;\n".to_owned()),
    ];
    texts.into_iter().map(|(path, text)| ProjectFile { path: path.to_owned(), text }).collect()
}

/// The files, read as a manifest.
pub fn read(files: &[ProjectFile]) -> project::Project {
    let texts: Vec<_> = files.iter().map(|f| (f.path.clone(), f.text.clone())).collect();
    project::read(&texts, &BTreeMap::new())
}

/// The daemon's settings.
pub fn settings() -> Settings {
    let nullable_defaults = NullableDefaults::Never;
    let policy = Policy { carry: Carry::Facts, partitions: 2, delete_blue_topics: true, nullable_defaults };
    Settings {
        env: "dev".to_owned(),
        prefix: "c-".to_owned(),
        url: "http://daemon".to_owned(),
        level: None,
        policy,
        terms: Terms { ask_before_staging: false, soak_ms: SOAK_MS, catch_up_ms: 30_000, prefix: None },
        approval_ms: 3_600_000,
        validation_ms: 60_000,
        poll_ms: 10_000,
        job_settings: BTreeMap::new(),
        vars: BTreeMap::new(),
        public_vars: BTreeMap::new(),
        subjects: std::sync::Arc::default(),
    }
}

/// Sources with rows, a project, and nothing deployed.
pub fn nothing_deployed() -> State {
    let mut state = State { base_ms: BEGIN_MS, now_ms: BEGIN_MS, files: files(), ..State::default() };
    for topic in ["p.a", "p.o"] {
        state.add_topic(topic, 2, &[("retention.ms", "-1")]);
    }
    let o =
        state.schemas.register("p.o-value", &envelope(&[Field("id", "long", false), Field("label", "string", true)]));
    for (id, label) in [(7, "seven"), (8, "eight")] {
        let row = Row::from([cell("id", Cell::Long(id)), cell("label", text(label))]);
        change(&mut state, "p.o", id, o, None, Some(row));
    }
    let a = state.schemas.register(SUBJECT, &envelope(&columns_of_a(&[])));
    for (id, name, d_id) in [(1, "one", 7), (2, "two", 8), (3, "three", 7), (4, "four", 8)] {
        change(&mut state, "p.a", id, a, None, Some(row_of_a(id, name, d_id, &[])));
    }
    change(&mut state, "p.a", 4, a, Some(row_of_a(4, "four", 8, &[])), None);
    state
}

/// The project as somebody else has started it: topics, jobs, a connector, and no daemon that knows of them.
pub fn by_hand() -> State {
    let mut state = nothing_deployed();
    let project = read(&files()).manifest;
    for topic in ["t.s", "t.d", "t.f"] {
        state.add_topic(topic, 2, &[("cleanup.policy", "compact")]);
        state.theirs.insert(topic.to_owned());
    }
    for table in ["s", "d", "f"] {
        start_by_hand(&mut state, table);
    }
    for (name, connector) in project.connectors {
        state.theirs.insert(name.clone());
        state.connectors.insert(name, Connector { config: connector.config, stopped: false });
    }
    come_to_rest(&mut state);
    state
}

/// Somebody starts the statement that writes `table`, in the files' words.
pub fn start_by_hand(state: &mut State, table: &str) {
    let project = read(&files()).manifest;
    let job = adopt::expected(&project).unwrap().remove(table).unwrap();
    let text = |table: &str| project.tables[table].ddl.clone();
    let ddl = job.reads.iter().map(|read| text(&read.table)).chain([text(table)]).collect();
    let name = format!("insert-into_default_catalog.default_database.{table}");
    state.start(&JobText { name: name.clone(), settings: BTreeMap::new(), ddl, insert: job.insert }).unwrap();
    state.theirs.extend([name, "by-hand".to_owned()]);
}

/// Lets everything go its way to the warehouse.
pub fn come_to_rest(state: &mut State) {
    for _ in 0..8 {
        state.now_ms += 1_000;
        state.worked_ms = None;
        state.catch_up_with_time();
    }
    state.base_ms = state.now_ms;
}

/// `a` gains the last of `added`, which is a version, and a row that has it.
pub fn evolve(state: &mut State, added: &[&str]) {
    let id = state.schemas.register(SUBJECT, &envelope(&columns_of_a(added)));
    let key = 10 + i64::try_from(added.len()).unwrap();
    change(state, "p.a", key, id, None, Some(row_of_a(key, "new", 7, added)));
}

/// `a` gets a column that must have a value: no version may do that.
pub fn break_schema(state: &mut State) {
    let mut columns = columns_of_a(&[]);
    columns.push(Field("must", "string", false));
    state.schemas.register(SUBJECT, &envelope(&columns));
}

/// Columns of `a`, with those that were added.
fn columns_of_a<'a>(added: &[&'a str]) -> Vec<Field<'a>> {
    let first = [Field("id", "long", false), Field("name", "string", true), Field("d_id", "long", true)];
    first.into_iter().chain(added.iter().map(|name| Field(name, "string", true))).collect()
}

fn row_of_a(id: i64, name: &str, d_id: i64, added: &[&str]) -> Row {
    let first = [cell("id", Cell::Long(id)), cell("name", text(name)), cell("d_id", Cell::Long(d_id))];
    first.into_iter().chain(added.iter().map(|name| cell(name, text("filled")))).collect()
}

fn cell(name: &str, cell: Cell) -> (String, Cell) {
    (name.to_owned(), cell)
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn change(state: &mut State, topic: &str, key: i64, schema: u32, before: Option<Row>, after: Option<Row>) {
    let slot = Slot::Record(None, Some((schema, Body::Change { before, after })));
    state.topics.get_mut(topic).unwrap().push(key, slot);
}
