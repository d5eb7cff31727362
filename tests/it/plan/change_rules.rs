//! What a change of statements may not do by itself, and how what it does is proven: small projects, one rule each.

use std::collections::BTreeMap;

use cyanotype::diagnostic::Diagnostic;
use cyanotype::model::parity::{ChangeRule, ColumnClass, RowRule};
use cyanotype::plan::document::TablePlan;
use cyanotype::plan::input::{Carry, NullableDefaults, StatementChange};
use cyanotype::plan::{Cause, Plan, PlanInput, Planned, Policy, plan, project};

/// Files as path and text.
type Files = Vec<(&'static str, String)>;

fn reader(name: &str, columns: &str) -> String {
    format!(
        "CREATE TABLE {name} ({columns}, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'kafka', \
         'topic' = 'p.{name}', 'properties.group.id' = 'g.{name}', 'scan.startup.mode' = 'earliest-offset', \
         'format' = 'debezium-avro-confluent');"
    )
}

fn sink(name: &str, columns: &str) -> String {
    format!(
        "CREATE TABLE {name} ({columns}, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', \
         'topic' = 't.{name}', 'key.format' = 'avro-confluent', 'value.format' = 'avro-confluent');"
    )
}

const CONNECTOR: &str = r#"{"name": "out", "config": {"topics": "t.f", "insert.mode": "upsert",
    "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector", "delete.enabled": "true",
    "primary.key.mode": "record_key", "collection.name.format": "f", "consumer.override.isolation.level": "read_committed"}}"#;

/// Readers `a` and `b`, a table `s` of `a`, and a fact `f` of `s` and `b` with a connector.
fn files() -> Files {
    vec![
        ("pipelines/ddl.a.sql", reader("a", "id BIGINT, x STRING, n INT, bid BIGINT, ts TIMESTAMP(3)")),
        ("pipelines/ddl.b.sql", reader("b", "id BIGINT, y STRING")),
        ("pipelines/ddl.s.sql", sink("s", "id BIGINT, x STRING, n INT, bid BIGINT")),
        ("pipelines/dml.s.sql", "INSERT INTO s SELECT id, x, n, bid FROM a;".to_owned()),
        ("pipelines/ddl.f.sql", sink("f", "id BIGINT, x STRING, n INT, y STRING")),
        ("pipelines/dml.f.sql", "INSERT INTO f SELECT s.id, s.x, s.n, b.y FROM s JOIN b ON s.bid = b.id;".to_owned()),
        ("connectors/out.json", CONNECTOR.to_owned()),
    ]
}

/// The files with `from` replaced by `to` in the file `path`.
fn with(files: &Files, edits: &[(&str, &str, &str)]) -> Files {
    let mut files = files.clone();
    for (path, from, to) in edits {
        let file = files.iter_mut().find(|(name, _)| name.ends_with(path)).unwrap_or_else(|| panic!("no {path}"));
        assert_eq!(file.1.matches(from).count(), 1, "{from:?} in {path}: {}", file.1);
        file.1 = file.1.replace(from, to);
    }
    files
}

fn change(before: &Files, after: &Files) -> Planned {
    let read = |files: &Files| {
        let files: Vec<project::File> = files.iter().map(|(path, text)| ((*path).to_owned(), text.clone())).collect();
        let read = project::read(&files, &BTreeMap::new());
        assert!(!project::broken(&read.diagnostics), "{:#?}", read.diagnostics);
        read.manifest
    };
    plan(&PlanInput {
        env: "dev".to_owned(),
        manifest: read(before),
        cause: Cause::Change(Box::new(StatementChange {
            since: "HEAD".to_owned(),
            base: read(before),
            project: read(after),
            texts: after.iter().map(|(path, text)| ((*path).to_owned(), text.clone())).collect(),
            commit: None,
        })),
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
    })
}

fn edited(edits: &[(&str, &str, &str)]) -> Planned {
    change(&files(), &with(&files(), edits))
}

#[track_caller]
fn planned(planned: Planned) -> Plan {
    planned.plan.unwrap_or_else(|| panic!("no plan: {:#?}", planned.diagnostics))
}

/// The only error, and the text that it points at.
#[track_caller]
fn refused(planned: Planned, code: &str, after: &Files) -> (Diagnostic, String) {
    assert!(planned.plan.is_none(), "{:#?}", planned.plan);
    let errors: Vec<&Diagnostic> =
        planned.diagnostics.iter().filter(|d| d.severity == cyanotype::diagnostic::Severity::Error).collect();
    let [only] = errors.as_slice() else { panic!("{errors:#?}") };
    assert_eq!(only.code, code, "{only:#?}");
    assert!(only.help.is_some(), "{only:#?}");
    let text = only.file.as_ref().and_then(|path| after.iter().find(|(name, _)| name == path)).map(|(_, text)| text);
    let place = only.labels.first().zip(text).map(|(label, text)| label.span.of(text).to_owned());
    ((*only).clone(), place.unwrap_or_default())
}

#[track_caller]
fn refused_edit(edits: &[(&str, &str, &str)], code: &str) -> (Diagnostic, String) {
    let after = with(&files(), edits);
    refused(change(&files(), &after), code, &after)
}

fn table<'p>(plan: &'p Plan, name: &str) -> &'p TablePlan {
    plan.tables.iter().find(|t| t.table == name).unwrap_or_else(|| panic!("no {name} in {plan}"))
}

/// Columns of a table with the rule of each that is changed.
fn changed<'p>(plan: &'p Plan, name: &str) -> Vec<(&'p str, ChangeRule)> {
    let rule = |class: &ColumnClass| match class {
        ColumnClass::Changed { rule } => Some(rule.clone()),
        _ => None,
    };
    table(plan, name).columns.iter().filter_map(|(name, class)| Some((name.as_str(), rule(class)?))).collect()
}

fn rows<'p>(plan: &'p Plan, name: &str) -> &'p str {
    match &table(plan, name).rows {
        RowRule::Same => "same",
        RowRule::Changed { why } => why,
    }
}

fn codes(plan: &Plan) -> Vec<&str> {
    plan.warnings.iter().map(|d| d.code.as_str()).collect()
}

const NEW: ChangeRule = ChangeRule::NewColumn { default: serde_json::Value::Null, nullable: true };

#[test]
fn a_column_added_to_a_reader_table_makes_it_and_its_cascade_green() {
    let plan = planned(edited(&[("ddl.a.sql", "ts TIMESTAMP(3)", "ts TIMESTAMP(3), z STRING")]));
    assert_eq!(plan.tables.iter().map(|t| t.physical.as_str()).collect::<Vec<_>>(), ["a_v2", "s_v2", "f_v2"]);
    assert_eq!(changed(&plan, "a"), [("z", NEW)]);
    assert_eq!(changed(&plan, "f"), []);
    let reader = table(&plan, "a");
    assert!(reader.ddl_after.contains("'topic' = 'p.a'") && reader.ddl_after.contains("'g.a_v2'"), "{reader:#?}");
    assert_eq!(table(&plan, "s").dml_after.as_deref(), Some("INSERT INTO s_v2 SELECT id, x, n, bid FROM a_v2;"));
}

#[test]
fn another_watermark_changes_rows_only_where_time_decides_about_them() {
    let watermark = ("ddl.a.sql", "ts TIMESTAMP(3)", "ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND");
    let before = with(&files(), &[watermark]);
    let slower = |files: &Files| with(files, &[("ddl.a.sql", "'5' SECOND", "'9' SECOND")]);
    let plan = planned(change(&before, &slower(&before)));
    assert_eq!(plan.changes, ["a: another watermark"]);
    assert_eq!((rows(&plan, "a"), rows(&plan, "s"), rows(&plan, "f")), ("same", "same", "same"));
    let windowed = "INSERT INTO s SELECT MAX(id), MAX(x), MAX(n), MAX(bid) FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), \
                    INTERVAL '1' HOUR)) GROUP BY window_start, window_end;";
    let before = with(&before, &[("dml.s.sql", "INSERT INTO s SELECT id, x, n, bid FROM a;", windowed)]);
    let plan = planned(change(&before, &slower(&before)));
    assert_eq!(rows(&plan, "s"), "the watermark of a, and tumbling window");
    assert_eq!(rows(&plan, "f"), "s.bid decides about rows");
}

#[test]
fn a_watermark_that_goes_changes_rows_where_time_decided_about_them() {
    let join = "INSERT INTO s SELECT l.id, l.x, r.n, l.bid FROM a AS l JOIN a AS r ON l.id = r.id AND l.ts = r.ts;";
    let before = with(
        &files(),
        &[
            ("ddl.a.sql", "PRIMARY KEY (id) NOT ENFORCED", "WATERMARK FOR ts AS ts"),
            ("ddl.a.sql", "debezium-avro-confluent", "avro-confluent"),
            ("dml.s.sql", "INSERT INTO s SELECT id, x, n, bid FROM a;", join),
        ],
    );
    let plan = planned(change(&before, &with(&before, &[("ddl.a.sql", ", WATERMARK FOR ts AS ts", "")])));
    // Behind the change it is a join like any other.
    assert_eq!(rows(&plan, "s"), "the watermark of a, and interval join");
}

#[test]
fn options_that_say_what_is_read_or_written_are_not_changed_by_a_plan() {
    for (path, from, to, place) in [
        ("ddl.a.sql", "'p.a'", "'p.other'", "'p.other'"),
        ("ddl.a.sql", "'debezium-avro-confluent'", "'avro-confluent'", "'avro-confluent'"),
        ("ddl.s.sql", "'t.s'", "'t.other'", "'t.other'"),
        ("ddl.s.sql", "'value.format' = 'avro-confluent'", "'value.format' = 'json'", "'json'"),
    ] {
        let (_, pointed) = refused_edit(&[(path, from, to)], "C303");
        assert_eq!(pointed, place);
    }
    let plan = planned(edited(&[("ddl.s.sql", "'t.s'", "'t.s', 'sink.parallelism' = '2'")]));
    assert_eq!(plan.changes, ["s: said in other words"]);
    assert!(table(&plan, "s").ddl_after.contains("'topic' = 't.s_v2', 'sink.parallelism' = '2'"));
}

#[test]
fn a_reader_table_that_starts_late_can_be_made_to_start_at_the_earliest_record() {
    let late = with(&files(), &[("ddl.a.sql", "'earliest-offset'", "'latest-offset'")]);
    let plan = planned(change(&late, &files()));
    assert_eq!((rows(&plan, "a"), rows(&plan, "s")), ("scan.startup.mode", "those of a are"));
    refused(change(&files(), &late), "C303", &late);
}

#[test]
fn a_hint_does_not_get_round_where_a_reader_begins_and_what_it_reads() {
    for (option, code) in [
        ("'scan.startup.mode'='latest-offset'", "C210"),
        ("'properties.auto.offset.reset' = 'latest'", "C210"),
        ("'scan.bounded.mode' = 'latest-offset'", "C303"),
        ("'topic' = 'p.b'", "C303"),
        ("'properties.group.id' = 'mine'", "C303"),
    ] {
        let hinted = format!("FROM a /*+ OPTIONS({option}) */;");
        let (diagnostic, pointed) = refused_edit(&[("dml.s.sql", "FROM a;", &hinted)], code);
        assert_eq!((diagnostic.file.as_deref(), pointed.as_str()), (Some("pipelines/dml.s.sql"), option));
        // Deployed with it, it stands in the way of what is planned behind, and taking it out is the way out.
        let late = with(&files(), &[("dml.s.sql", "FROM a;", &hinted)]);
        let after = with(&late, &[("ddl.a.sql", "x STRING", "x STRING, z STRING")]);
        refused(change(&late, &after), code, &after);
        planned(change(&late, &files()));
    }
    for hint in
        ["OPTIONS('scan.startup.mode'='earliest-offset')", "OPTIONS('scan.parallelism'='2')", "STATE_TTL('a'='1d')"]
    {
        let hinted = format!("FROM a /*+ {hint} */;");
        planned(edited(&[("dml.s.sql", "FROM a;", &hinted)]));
    }
}

#[test]
fn insert_overwrite_is_not_read_as_other_words() {
    let files: Vec<project::File> = with(&files(), &[("dml.s.sql", "INSERT INTO", "INSERT OVERWRITE")])
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text))
        .collect();
    let found = project::read(&files, &BTreeMap::new()).diagnostics;
    let overwrite: Vec<_> = found.iter().filter(|d| d.code == "C106").collect();
    let [only] = overwrite.as_slice() else { panic!("{found:#?}") };
    assert_eq!(only.message, "INSERT OVERWRITE cannot run as a stream, and is not deployed by Cyanotype");
    assert_eq!(only.file.as_deref(), Some("pipelines/dml.s.sql"));
    assert!(project::broken(&found));
}

#[test]
fn a_hint_in_a_view_that_does_not_change_counts_for_what_reads_it() {
    let option = "'scan.startup.mode' = 'latest-offset'";
    let text = format!("CREATE VIEW w AS SELECT 1 AS n1;\nCREATE VIEW v AS SELECT * FROM b /*+ OPTIONS({option}) */;");
    let view = ("pipelines/v.sql", text);
    let before: Files = with(&files(), &[("dml.f.sql", "JOIN b ON", "JOIN v AS b ON")]);
    let before: Files = before.into_iter().chain([view]).collect();
    let after = with(&before, &[("dml.f.sql", "s.n, b.y", "s.n + 1, b.y")]);
    let (diagnostic, pointed) = refused(change(&before, &after), "C210", &after);
    assert_eq!((diagnostic.file.as_deref(), pointed.as_str()), (Some("pipelines/v.sql"), option));
    // Behind another table it is nobody's concern.
    planned(change(
        &before,
        &with(
            &before,
            &[("ddl.f.sql", "'t.f'", "'t.f', 'sink.parallelism' = '2'"), ("dml.f.sql", "JOIN v AS b ON", "JOIN b ON")],
        ),
    ));
}

#[test]
fn a_column_that_is_given_up_but_used_behind_is_pointed_at() {
    let edits = [("ddl.s.sql", "x STRING, ", ""), ("dml.s.sql", "id, x, n", "id, n")];
    let (diagnostic, pointed) = refused_edit(&edits, "C305");
    assert_eq!((diagnostic.file.as_deref(), pointed.as_str()), (Some("pipelines/dml.f.sql"), "s.x"));
    assert_eq!(diagnostic.message, "`f` uses column `x`, which `s` no longer has");
    // Through a view that hands on whatever there is.
    let view = ("pipelines/v.sql", "CREATE VIEW v AS SELECT * FROM s;".to_owned());
    let before: Files = with(&files(), &[("dml.f.sql", "FROM s JOIN b ON s.bid", "FROM v AS s JOIN b ON s.bid")]);
    let before: Files = before.into_iter().chain([view]).collect();
    let after = with(&before, &edits);
    let (diagnostic, pointed) = refused(change(&before, &after), "C305", &after);
    assert_eq!((diagnostic.file.as_deref(), pointed.as_str()), (Some("pipelines/dml.f.sql"), "s.x"));
}

#[test]
fn a_column_that_is_given_up_everywhere_is_planned_and_left_out_of_the_comparison() {
    let edits = [
        ("ddl.s.sql", "x STRING, ", ""),
        ("dml.s.sql", "id, x, n", "id, n"),
        ("ddl.f.sql", "x STRING, ", ""),
        ("dml.f.sql", "s.id, s.x, ", "s.id, "),
    ];
    let plan = planned(edited(&edits));
    assert_eq!(changed(&plan, "f"), [("x", ChangeRule::Removed)]);
    assert_eq!(table(&plan, "f").removed, ["x"]);
    assert_eq!(codes(&plan), ["C309"], "the destination keeps it");
    let required = with(&files(), &[("ddl.f.sql", "x STRING", "x STRING NOT NULL")]);
    let edits =
        edits.map(|(path, from, to)| (path, if path == "ddl.f.sql" { "x STRING NOT NULL, " } else { from }, to));
    let after = with(&required, &edits);
    refused(change(&required, &after), "C308", &after);
}

#[test]
fn select_star_that_no_longer_fits_its_table_is_pointed_at() {
    let before =
        with(&files(), &[("dml.f.sql", "SELECT s.id, s.x, s.n, b.y FROM s JOIN b ON s.bid = b.id", "SELECT * FROM s")]);
    let edits = [("ddl.s.sql", "bid BIGINT", "bid BIGINT, z STRING"), ("dml.s.sql", "bid FROM", "bid, x AS z FROM")];
    let after = with(&before, &edits);
    let (diagnostic, pointed) = refused(change(&before, &after), "C306", &after);
    assert_eq!((diagnostic.file.as_deref(), pointed.as_str()), (Some("pipelines/dml.f.sql"), "*"));
    // It may be what fits now.
    let room = ("ddl.f.sql", "y STRING", "bid BIGINT, z STRING");
    let plan = planned(change(&before, &with(&after, &[room])));
    assert!(changed(&plan, "f").contains(&("z", ChangeRule::Computed { nullable: true })), "{plan}");
}

#[test]
fn a_type_may_grow_and_not_shrink() {
    let plan = planned(edited(&[
        ("ddl.a.sql", "n INT", "n BIGINT"),
        ("ddl.s.sql", "n INT", "n BIGINT"),
        ("ddl.f.sql", "n INT", "n BIGINT"),
    ]));
    let wider = [("n", ChangeRule::Wider)];
    assert_eq!(
        (changed(&plan, "a"), changed(&plan, "s"), changed(&plan, "f")),
        (wider.to_vec(), wider.to_vec(), wider.to_vec())
    );
    assert_eq!(codes(&plan), ["C316"], "the destination has to hold it");
    let (diagnostic, pointed) =
        refused_edit(&[("ddl.a.sql", "n INT", "n BIGINT"), ("ddl.s.sql", "n INT", "n BIGINT")], "C307");
    assert_eq!((diagnostic.file.as_deref(), pointed.as_str()), (Some("pipelines/dml.f.sql"), "s.n"));
    let (_, pointed) = refused_edit(&[("ddl.s.sql", "n INT", "n SMALLINT")], "C307");
    assert_eq!(pointed, "n SMALLINT");
}

#[test]
fn another_primary_key_is_another_table() {
    let (_, pointed) = refused_edit(&[("ddl.s.sql", "PRIMARY KEY (id)", "PRIMARY KEY (id, bid)")], "C304");
    assert_eq!(pointed, "PRIMARY KEY (id, bid) NOT ENFORCED");
}

#[test]
fn a_new_column_that_a_connector_writes_is_nullable() {
    let edits = |ty: &'static str| -> [(&'static str, &'static str, &'static str); 2] {
        [("ddl.f.sql", "y STRING", ty), ("dml.f.sql", "b.y FROM", "b.y, UPPER(b.y) AS z FROM")]
    };
    let (_, pointed) = refused_edit(&edits("y STRING, z STRING NOT NULL"), "C308");
    assert_eq!(pointed, "z STRING NOT NULL");
    let plan = planned(edited(&edits("y STRING, z STRING")));
    assert_eq!(changed(&plan, "f"), [("z", ChangeRule::Computed { nullable: true })]);
    assert!(
        plan.unproven.contains(&"f: z are new, there is nothing to hold them against".to_owned()),
        "{:?}",
        plan.unproven
    );
}

#[test]
fn a_table_that_becomes_something_else_is_refused() {
    let without_insert: Files = files().into_iter().filter(|(path, _)| !path.ends_with("dml.s.sql")).collect();
    refused(change(&files(), &without_insert), "C314", &without_insert);
}

#[test]
fn a_new_reader_table_or_view_comes_along_where_a_changed_statement_needs_it() {
    let new = [
        ("pipelines/ddl.c.sql", reader("c", "id BIGINT, w STRING")),
        ("pipelines/w.sql", "CREATE VIEW w AS SELECT id, UPPER(w) AS w FROM c;".to_owned()),
    ];
    let join = "FROM s JOIN b ON s.bid = b.id LEFT JOIN w ON s.id = w.id;";
    let after = with(
        &files(),
        &[
            ("ddl.f.sql", "y STRING", "y STRING, w STRING"),
            ("dml.f.sql", "b.y FROM s JOIN b ON s.bid = b.id;", &format!("b.y, w.w {join}")),
        ],
    );
    let after: Files = after.into_iter().chain(new).collect();
    let plan = planned(change(&files(), &after));
    assert_eq!(plan.tables.iter().map(|t| t.physical.as_str()).collect::<Vec<_>>(), ["c", "w", "f_v2"]);
    assert_eq!((table(&plan, "c").from, table(&plan, "f").from.is_some()), (None, true));
    assert_eq!(table(&plan, "f").shared, ["b", "s"]);
    // An outer join behind the others keeps every row of a table with a key.
    assert_eq!(rows(&plan, "f"), "same");
    assert_eq!(changed(&plan, "f"), [("w", ChangeRule::Computed { nullable: true })]);
    let job = plan.work.staging.iter().find_map(|e| match e {
        cyanotype::model::effect::Effect::StartJob { job } => Some(job.clone()),
        _ => None,
    });
    assert!(job.unwrap().reads.iter().any(|r| r.topic == "p.c"));
}

#[test]
fn a_new_table_with_a_statement_of_its_own_is_deployed_first_or_after() {
    let new = [
        ("pipelines/ddl.t.sql", sink("t", "id BIGINT, y STRING")),
        ("pipelines/dml.t.sql", "INSERT INTO t SELECT id, y FROM b;".to_owned()),
    ];
    let beside: Files =
        with(&files(), &[("dml.s.sql", "id, x,", "id, UPPER(x) AS x,")]).into_iter().chain(new).collect();
    let plan = planned(change(&files(), &beside));
    assert_eq!(codes(&plan), ["C311"]);
    assert!(plan.tables.iter().all(|t| t.table != "t"));
    let needed = with(&beside, &[("dml.f.sql", "JOIN b", "JOIN t AS b")]);
    let (diagnostic, _) = refused(change(&files(), &needed), "C311", &needed);
    assert_eq!(diagnostic.message, "`f` reads `t`, which is not deployed yet");
}

#[test]
fn rows_that_go_away_stay_only_where_the_destination_does_not_follow_its_topic() {
    let fewer = ("dml.s.sql", "FROM a", "FROM a WHERE n > 0");
    assert_eq!(codes(&planned(change(&files(), &with(&files(), &[fewer])))), Vec::<&str>::new());
    let keeps = with(&files(), &[("out.json", "\"delete.enabled\": \"true\"", "\"delete.enabled\": \"false\"")]);
    let plan = planned(change(&keeps, &with(&keeps, &[fewer])));
    assert_eq!(codes(&plan), ["C116", "C315"]);
}

#[test]
fn what_is_gone_or_otherwise_in_connectors_and_tables_is_said_and_not_planned() {
    let change_of =
        |after: Files| planned(change(&files(), &with(&after, &[("dml.s.sql", "id, x,", "id, UPPER(x) AS x,")])));
    let settings = with(&files(), &[("out.json", "\"f\"", "\"g\"")]);
    let plan = change_of(settings);
    assert_eq!(codes(&plan), ["C312"]);
    assert!(plan.warnings[0].message.contains("`collection.name.format`"), "{:?}", plan.warnings);
    let gone: Files =
        files().into_iter().filter(|(path, _)| !path.contains("f.sql") && !path.ends_with(".json")).collect();
    assert_eq!(codes(&change_of(gone)), ["C310", "C312"]);
    let more = CONNECTOR.replace("\"out\"", "\"more\"");
    let new: Files = files().into_iter().chain([("connectors/more.json", more)]).collect();
    assert_eq!(codes(&change_of(new)), ["C312"]);
}

#[test]
fn a_value_is_comparable_by_key_only_where_the_key_names_its_rows() {
    let filter = ("dml.s.sql", "FROM a;", "FROM a WHERE n > 0;");
    let by_fact = |dml: &str| {
        let before = with(
            &files(),
            &[("dml.f.sql", "INSERT INTO f SELECT s.id, s.x, s.n, b.y FROM s JOIN b ON s.bid = b.id;", dml)],
        );
        let plan = planned(change(&before, &with(&before, &[filter])));
        assert_eq!(rows(&plan, "f"), "those of s are");
        changed(&plan, "f")
            .into_iter()
            .map(|(name, rule)| {
                assert_eq!(rule, ChangeRule::Recomputed);
                name.to_owned()
            })
            .collect::<Vec<_>>()
    };
    for (dml, recomputed) in [
        ("INSERT INTO f SELECT s.id, s.x, s.n, b.y FROM s JOIN b ON s.bid = b.id;", &[][..]),
        ("INSERT INTO f SELECT s.id, UPPER(s.x), s.n + 1, 'k' FROM s JOIN b ON s.bid = b.id;", &[]),
        // An outer join whose other side loses rows.
        ("INSERT INTO f SELECT b.id, s.x, s.n, b.y FROM b LEFT JOIN s ON s.id = b.id;", &["n", "x"]),
        // Another key of the result: which line wins is a matter of the other lines.
        ("INSERT INTO f SELECT s.bid, s.x, s.n, b.y FROM s JOIN b ON s.bid = b.id;", &["n", "x"]),
        // An aggregate, of nothing visible in one case.
        ("INSERT INTO f SELECT bid, MAX(x), MAX(n), 'k' FROM s GROUP BY bid;", &["n", "x", "y"]),
        ("INSERT INTO f SELECT id, x, CAST(COUNT(*) AS INT), x FROM s GROUP BY id, x;", &["n"]),
        ("INSERT INTO f SELECT id, x || CAST(COUNT(*) AS STRING), n, x FROM s GROUP BY id, x, n;", &["x"]),
        // Two branches: the key does not say from which a row is.
        ("INSERT INTO f SELECT id, x, n, 'k' FROM s UNION ALL SELECT id, y, 0, y FROM b;", &["n", "x", "y"]),
        // Twice the same table: its columns are of one row or of the other.
        ("INSERT INTO f SELECT l.id, r.x, l.n, 'k' FROM s AS l JOIN s AS r ON l.bid = r.bid;", &["n", "x"]),
        (
            "INSERT INTO f SELECT l.id, b.y, l.n, 'k' FROM s AS l JOIN s AS r ON l.n = r.id JOIN b ON r.n = b.id;",
            &["n", "x"],
        ),
        ("INSERT INTO f SELECT s.id, (SELECT MAX(y) FROM b), s.n, s.x FROM s;", &["x"]),
        (
            "INSERT INTO f SELECT b.id, CAST(EXISTS (SELECT 1 FROM s WHERE s.bid = b.id) AS STRING), 1, y FROM b;",
            &["n", "x"],
        ),
    ] {
        assert_eq!(by_fact(dml), recomputed, "{dml}");
    }
}

#[test]
fn a_recomputed_column_that_decides_about_rows_changes_them() {
    let before = with(&files(), &[("dml.f.sql", "s.bid = b.id;", "s.bid = b.id WHERE s.n > 0;")]);
    let plan = planned(change(&before, &with(&before, &[("dml.s.sql", "id, x, n,", "id, x, n + 1 AS n,")])));
    assert_eq!(rows(&plan, "s"), "same");
    assert_eq!(rows(&plan, "f"), "s.n decides about rows");
    assert_eq!(changed(&plan, "f"), [("n", ChangeRule::Recomputed)]);
    let keyed = planned(edited(&[("dml.s.sql", "SELECT id,", "SELECT id + 1 AS id,")]));
    assert_eq!(rows(&keyed, "s"), "the key id is recomputed");
}

#[test]
fn what_a_table_computes_of_its_columns_follows_them() {
    let before = with(
        &files(),
        &[
            ("ddl.s.sql", "n INT, bid BIGINT", "n INT, bid BIGINT, twice AS n * 2"),
            ("dml.f.sql", "s.n, b.y", "s.twice, b.y"),
        ],
    );
    let plan = planned(change(&before, &with(&before, &[("dml.s.sql", "id, x, n,", "id, x, n + 1,")])));
    assert_eq!(changed(&plan, "f"), [("n", ChangeRule::Recomputed)]);
    let contract = plan.work.contracts.iter().find(|c| c.table == "s").unwrap();
    assert!(!contract.columns.contains_key("twice"), "it is in no record");
    let plan = planned(change(&before, &with(&before, &[("ddl.s.sql", "n * 2", "n * 3")])));
    assert_eq!(changed(&plan, "f"), [("n", ChangeRule::Recomputed)]);
}

/// What a table computes by the clock is left out where it is read, whether its statement changed or not.
#[test]
fn a_volatile_column_that_a_table_computes_is_left_out_behind_a_change() {
    let before = with(
        &files(),
        &[
            ("ddl.s.sql", "n INT, bid BIGINT", "n INT, bid BIGINT, loaded AS CAST(NOW() AS STRING)"),
            ("dml.f.sql", "s.id, s.x,", "s.id, s.loaded,"),
        ],
    );
    let plan = planned(change(&before, &with(&before, &[("dml.s.sql", "id, x, n,", "id, x, n + 1,")])));
    let class = &table(&plan, "f").columns["x"];
    assert!(matches!(class, ColumnClass::Volatile { .. }), "{class:?}");
}

#[test]
fn the_way_to_an_output_is_blues_and_greens() {
    let plan = planned(edited(&[("dml.f.sql", "FROM s JOIN", "FROM a AS s JOIN")]));
    let hops: Vec<_> =
        plan.work.hops.iter().map(|h| (h.table.as_str(), h.blue.as_deref(), h.green.as_deref())).collect();
    assert_eq!(
        hops,
        [("f", Some("f"), Some("f_v2")), ("s", Some("s"), None)],
        "blue's output holds a cut through `s` only"
    );
}

#[test]
fn files_with_several_statements_are_compared_statement_by_statement() {
    let one: Files = vec![
        (
            "pipelines/all.sql",
            files().iter().filter(|(p, _)| p.ends_with(".sql")).map(|(_, t)| t.as_str()).collect::<Vec<_>>().join("\n"),
        ),
        ("connectors/out.json", CONNECTOR.to_owned()),
    ];
    let after = with(&one, &[("all.sql", "INSERT INTO s SELECT id, x, n", "INSERT INTO s SELECT id, LOWER(x), n")]);
    let plan = planned(change(&one, &after));
    assert_eq!(plan.tables.iter().map(|t| t.physical.as_str()).collect::<Vec<_>>(), ["s_v2", "f_v2"]);
    assert_eq!(table(&plan, "f").dml_written, None, "only what the files have otherwise");
    assert!(table(&plan, "s").dml_written.as_ref().unwrap().contains("LOWER(x)"));
    let s = "CREATE TABLE s (id BIGINT, x STRING, n INT, bid BIGINT";
    let after = with(
        &one,
        &[
            ("all.sql", s, "CREATE TABLE s (id BIGINT, n INT, bid BIGINT"),
            ("all.sql", "INSERT INTO s SELECT id, x, n", "INSERT INTO s SELECT id, n"),
        ],
    );
    let (_, pointed) = refused(change(&one, &after), "C305", &after);
    assert_eq!(pointed, "s.x", "a place in the file, and not in the statement");
}
