//! Plans of small projects whose SQL is written in unusual ways.

use std::collections::BTreeMap;

use cyanotype::model::effect::Effect;
use cyanotype::plan::document::TablePlan;
use cyanotype::plan::input::{Carry, Evolution, NullableDefaults};
use cyanotype::plan::{Cause, Plan, PlanInput, Policy, plan, project};
use cyanotype::schema::{self, AvroSchema, Level};

const TIER: &str = r#"{"name":"tier","type":{"type":"string","connect.default":"basic"},"default":"basic"}"#;

/// Debezium's envelope around a row with `id`, `x` and `more`.
pub(super) fn envelope(more: &str) -> AvroSchema {
    let more = if more.is_empty() { String::new() } else { format!(",{more}") };
    let text = format!(
        r#"{{"type":"record","name":"Envelope","namespace":"p.a","fields":[
          {{"name":"before","type":["null",{{"type":"record","name":"Value","fields":[
             {{"name":"id","type":"long"}},{{"name":"x","type":"string"}}{more}]}}],"default":null}},
          {{"name":"after","type":["null","Value"],"default":null}},
          {{"name":"op","type":"string"}}]}}"#
    );
    schema::parse(&text, &[]).unwrap()
}

fn reader(name: &str, topic: &str) -> String {
    format!(
        "CREATE TABLE {name} (id BIGINT, x STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'kafka', \
         'topic' = '{topic}', 'scan.startup.mode' = 'earliest-offset', 'format' = 'debezium-avro-confluent');"
    )
}

fn sink(name: &str) -> String {
    format!(
        "CREATE TABLE {name} (id BIGINT, x STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', \
         'topic' = 't.{name}', 'key.format' = 'avro-confluent', 'value.format' = 'avro-confluent');"
    )
}

/// Tables `a` and `b` from sources, `s` written by `insert`, and `more` files.
pub(super) fn project(insert: &str, more: &[(&str, &str)]) -> project::Project {
    let own = [
        ("pipelines/ddl.a.sql", reader("a", "p.a")),
        ("pipelines/ddl.b.sql", reader("b", "p.b")),
        ("pipelines/ddl.s.sql", sink("s")),
        ("pipelines/dml.s.sql", insert.to_owned()),
    ];
    let own = own.into_iter().map(|(path, text)| (path.to_owned(), text));
    let files: Vec<_> = own.chain(more.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))).collect();
    project::read(&files, &BTreeMap::new())
}

/// The plan for `field` in the source of `a`.
fn planned(project: project::Project, field: &str) -> Plan {
    assert!(!project::broken(&project.diagnostics), "{:#?}", project.diagnostics);
    let planned = plan(&input(project, &envelope(""), &envelope(field)));
    planned.plan.unwrap_or_else(|| panic!("no plan: {:#?}", planned.diagnostics))
}

/// The change of the source of `a` from one schema to another.
fn input(project: project::Project, from: &AvroSchema, to: &AvroSchema) -> PlanInput {
    let evolution = Evolution {
        subject: "p.a-value".to_owned(),
        topics: ["p.a".to_owned()].into(),
        from_version: 1,
        to_version: 2,
        assessment: schema::assess(Level::FullTransitive, false, to, &[(1, from.clone())]),
        changes: schema::diff(from, to),
        added: schema::added_columns(from, to),
    };
    PlanInput {
        env: "dev".to_owned(),
        manifest: project.manifest,
        cause: Cause::Evolution(Box::new(evolution)),
        policy: Policy {
            carry: Carry::Facts,
            partitions: 1,
            delete_blue_topics: true,
            nullable_defaults: NullableDefaults::Never,
        },
        vars: BTreeMap::new(),
        settings: BTreeMap::new(),
        topics: BTreeMap::new(),
        subjects: BTreeMap::new(),
    }
}

fn table<'p>(plan: &'p Plan, name: &str) -> &'p TablePlan {
    plan.tables.iter().find(|t| t.table == name).unwrap()
}

fn dml(plan: &Plan) -> &str {
    table(plan, "s").dml_after.as_deref().unwrap()
}

/// Whether the job of `s` has a consumer group of its own for `a`.
fn group_of_a(plan: &Plan) -> bool {
    let job = plan.work.staging.iter().find_map(|e| match e {
        Effect::StartJob { job } if job.table == "s_v2" => Some(job),
        _ => None,
    });
    job.unwrap().reads.iter().find(|r| r.table == "a_v2").unwrap().group.is_some()
}

#[test]
fn a_default_is_put_in_as_it_is() {
    for (default, literal) in [("{}", "'{}'"), ("it's", "'it''s'"), ("${KEY}", "'$' || '{KEY}'")] {
        let field =
            format!(r#"{{"name":"m","type":{{"type":"string","connect.default":"{default}"}},"default":"{default}"}}"#);
        let plan = planned(project("INSERT INTO s SELECT id, x FROM a;", &[]), &field);
        assert_eq!(dml(&plan), format!("INSERT INTO s_v2 SELECT id, x, COALESCE(m, {literal}) AS m FROM a_v2;"));
    }
}

#[test]
fn a_row_without_a_match_does_not_get_the_default() {
    let plan = planned(project("INSERT INTO s SELECT b.id, a.x FROM b LEFT JOIN a ON a.id = b.id;", &[]), TIER);
    assert!(!dml(&plan).contains("COALESCE"), "{}", dml(&plan));
    assert!(table(&plan, "s").not_carried["tier"].contains("without a match"));
}

#[test]
fn what_select_star_fills_has_the_new_column() {
    let plan = planned(project("INSERT INTO s SELECT * FROM a;", &[]), TIER);
    assert_eq!(dml(&plan), "INSERT INTO s_v2 SELECT * FROM a_v2;");
    assert!(table(&plan, "s").ddl_after.contains("x STRING, tier STRING"), "{}", table(&plan, "s").ddl_after);
    assert_eq!(plan.warnings.iter().map(|w| w.code.as_str()).collect::<Vec<_>>(), ["C206"]);
}

#[test]
fn progress_on_a_table_that_is_read_twice_is_unknown() {
    let view = [("pipelines/v.sql", "CREATE VIEW v AS SELECT id, x FROM a;")];
    let twice = [
        "INSERT INTO s SELECT l.id, r.x FROM a l JOIN a r ON l.id = r.id;",
        "INSERT INTO s SELECT l.id, r.x FROM v l JOIN v r ON l.id = r.id;",
        "INSERT INTO s SELECT l.id, r.x FROM v l JOIN a r ON l.id = r.id;",
        "INSERT INTO s WITH c AS (SELECT id, x FROM a) SELECT l.id, r.x FROM c l JOIN c r ON l.id = r.id;",
        "INSERT INTO s WITH c AS (SELECT id, x FROM a), d AS (SELECT * FROM c) SELECT c.id, d.x FROM c JOIN d ON c.id = d.id;",
    ];
    for insert in twice {
        assert!(!group_of_a(&planned(project(insert, &view), TIER)), "{insert}");
    }
    let once = [
        "INSERT INTO s SELECT id, x FROM v;",
        "INSERT INTO s WITH c AS (SELECT id, x FROM a) SELECT id, x FROM c;",
        "INSERT INTO s WITH c AS (SELECT id, x FROM a), d AS (SELECT * FROM c) SELECT id, x FROM d;",
    ];
    for insert in once {
        assert!(group_of_a(&planned(project(insert, &view), TIER)), "{insert}");
    }
}

#[test]
fn a_connector_of_a_source_topic_stays() {
    let connector =
        r#"{"name": "raw", "config": {"topics": "p.a", "consumer.override.isolation.level": "read_committed"}}"#;
    let plan = planned(project("INSERT INTO s SELECT id, x FROM a;", &[("connectors/raw.json", connector)]), TIER);
    assert!(!plan.work.promoting.iter().any(|e| matches!(e, Effect::MoveConnector { .. })), "{:#?}", plan.connectors);
}

#[test]
fn a_connector_that_cannot_go_over_exactly_is_pointed_out_and_moved_all_the_same() {
    let jdbc = r#"{"name": "out", "config": {"topics": "t.s", "consumer.override.isolation.level": "read_committed",
        "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector", "collection.name.format": "w.s",
        "insert.mode": "upsert", "primary.key.mode": "record_key", "delete.enabled": "true"}}"#;
    for (connector, remark) in [
        (jdbc.to_owned(), None),
        (jdbc.replace("\"delete.enabled\": \"true\"", "\"delete.enabled\": \"false\""), Some("delete.enabled = true")),
        (jdbc.replace("\"upsert\"", "\"insert\""), Some("it adds rows")),
    ] {
        let read = project("INSERT INTO s SELECT id, x FROM a;", &[("connectors/out.json", &connector)]);
        let remarks: Vec<_> = read.diagnostics.iter().map(|d| (d.code.to_string(), d.message.clone())).collect();
        let plan = planned(read, TIER);
        assert!(plan.work.promoting.iter().any(|e| matches!(e, Effect::MoveConnector { .. })), "{:#?}", plan.work);
        let warnings: Vec<_> = plan.warnings.iter().map(|w| (w.code.to_string(), w.message.clone())).collect();
        assert_eq!(remarks, warnings, "said when the files are checked and again when it is to be moved");
        match remark {
            Some(why) => {
                assert!(matches!(&warnings[..], [(code, text)] if code == "C116" && text.contains(why)), "{warnings:?}")
            }
            None => assert_eq!(warnings, []),
        }
    }
}

#[test]
fn a_connector_s_name_belongs_to_one_file() {
    let file = |path: &str| {
        let text =
            r#"{"name": "c", "config": {"topics": "t.s", "consumer.override.isolation.level": "read_committed"}}"#;
        (path.to_owned(), text.to_owned())
    };
    let read = project::read(&[file("connectors/a.json"), file("connectors/b.json")], &BTreeMap::new());
    let found = read.diagnostics.iter().find(|d| d.code == "C117").unwrap();
    assert!(found.message.contains("`c`") && found.message.contains("connectors/a.json"), "{found:?}");
    assert!(project::broken(&read.diagnostics));
}

#[test]
fn a_written_topic_belongs_to_one_table() {
    let again = reader("r", "t.s");
    let read = project("INSERT INTO s SELECT id, x FROM a;", &[("pipelines/ddl.r.sql", &again)]);
    assert_eq!(read.diagnostics.iter().map(|d| d.code.as_str()).collect::<Vec<_>>(), ["C115"]);
}

/// Nothing is planned, and what the reader table leaves out is named.
#[test]
fn a_field_inside_a_column_is_not_carried_and_that_is_said() {
    let column = |more: &str| {
        format!(
            r#"{{"name":"addr","type":{{"type":"record","name":"Addr","fields":[{{"name":"street","type":"string"}}{more}]}}}}"#
        )
    };
    let city = r#",{"name":"city","type":["null","string"],"default":null}"#;
    let (from, to) = (envelope(&column("")), envelope(&column(city)));
    for (columns, said) in [
        (
            "id BIGINT, addr ROW<street STRING>",
            vec!["p.a-value version 2: `addr.city` is not carried, as `a` declares `addr` without it"],
        ),
        ("id BIGINT, addr ROW<street STRING, city STRING>", vec![]),
        ("id BIGINT, x STRING", vec![]),
    ] {
        let reader = reader("a", "p.a").replace("id BIGINT, x STRING", columns);
        let files = [
            ("pipelines/ddl.a.sql".to_owned(), reader),
            ("pipelines/ddl.s.sql".to_owned(), sink("s")),
            ("pipelines/dml.s.sql".to_owned(), "INSERT INTO s SELECT id, CAST(id AS STRING) FROM a;".to_owned()),
        ];
        let project = project::read(&files, &BTreeMap::new());
        assert!(!project::broken(&project.diagnostics), "{:#?}", project.diagnostics);
        let planned = plan(&input(project, &from, &to));
        assert!(planned.plan.is_none());
        let told: Vec<&str> = planned.diagnostics.iter().map(|d| d.message.as_str()).collect();
        assert_eq!(told, said, "{columns}");
    }
}

#[test]
fn a_subject_of_two_topics_changes_the_readers_of_both() {
    let of_b = [("pipelines/ddl.u.sql", &*sink("u")), ("pipelines/dml.u.sql", "INSERT INTO u SELECT id, x FROM b;")];
    let project = || project("INSERT INTO s SELECT id, x FROM a;", &of_b);
    let of = |topics: &[&str]| {
        let mut input = input(project(), &envelope(""), &envelope(TIER));
        let Cause::Evolution(evolution) = &mut input.cause else { panic!("an evolution") };
        evolution.topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        plan(&input)
    };
    let both = of(&["p.a", "p.b", "p.unread"]).plan.unwrap();
    for name in ["a", "b", "s", "u"] {
        assert_eq!(table(&both, name).added, ["tier"], "{name}");
    }
    let one = of(&["p.a"]).plan.unwrap();
    assert!(one.tables.iter().all(|t| t.table != "b" || t.added.is_empty()));
    let nobody = of(&["p.unread", "p.other"]);
    let [refused] = nobody.diagnostics.as_slice() else { panic!("{:?}", nobody.diagnostics) };
    assert_eq!(refused.code, "C203");
    assert!(refused.message.contains("the topic p.other or p.unread of subject p.a-value"), "{}", refused.message);
}
