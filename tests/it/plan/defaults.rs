//! What old records get in a new column with a default: each file in `defaults/` is a case, its snapshot is the answer.
//!
//! `versions` says how the table of the source declares the column, version by version; an empty text is a version without
//! it. The first version is deployed.

use std::collections::BTreeMap;
use std::path::Path;

use cyanotype::model::parity::{ChangeRule, ColumnClass};
use cyanotype::model::record::Offsets;
use cyanotype::plan::input::{Carry, Evolution, NullCount, NullFacts, NullableDefaults, TopicFacts};
use cyanotype::plan::{Cause, Plan, PlanInput, Policy, plan};
use cyanotype::schema::{self, AvroSchema, Level};

use super::odd::{envelope, project};

/// `note text NOT NULL DEFAULT 'x'` as Debezium writes it into the schema.
fn field(sql: &str) -> String {
    let Some(name) = sql.split_whitespace().next() else { return String::new() };
    let default = sql.split('\'').nth(1);
    match (sql.contains("NOT NULL"), default) {
        (true, Some(default)) => format!(r#"{{"name":"{name}","type":"string","default":"{default}"}}"#),
        (true, None) => format!(r#"{{"name":"{name}","type":"string"}}"#),
        (false, Some(default)) => format!(r#"{{"name":"{name}","type":["string","null"],"default":"{default}"}}"#),
        (false, None) => format!(r#"{{"name":"{name}","type":["null","string"],"default":null}}"#),
    }
}

fn input(case: &toml::Table) -> PlanInput {
    let text = |key: &str| case.get(key).and_then(toml::Value::as_str);
    let fields: Vec<String> = case["versions"].as_array().unwrap().iter().map(|v| field(v.as_str().unwrap())).collect();
    let mut versions: Vec<(i32, AvroSchema)> = (1..).zip(fields.iter().map(|f| envelope(f))).collect();
    let (to_version, to) = versions.pop().unwrap();
    let evolution = Evolution {
        subject: "p.a-value".to_owned(),
        topics: ["p.a".to_owned()].into(),
        from_version: 1,
        to_version,
        assessment: schema::assess(Level::FullTransitive, false, &to, &versions),
        changes: schema::diff(&versions[0].1, &to),
        added: schema::added_since(&versions[0].1, &versions[1..], &to),
    };
    let number =
        |counted: &toml::Table, key: &str| counted.get(key).and_then(toml::Value::as_integer).unwrap_or(0) as u64;
    let nulls = case.get("counted").and_then(toml::Value::as_table).map(|counted| {
        let count = NullCount { records: number(counted, "records"), nulls: number(counted, "nulls") };
        NullFacts {
            to_the_end: counted.get("to_the_end").and_then(toml::Value::as_bool).unwrap_or(true),
            read: Offsets::from([(0, 2000)]),
            unread: number(counted, "unread"),
            columns: BTreeMap::from([("note".to_owned(), count)]),
        }
    });
    let nullable_defaults = match text("policy") {
        Some("when_unseen") => NullableDefaults::WhenUnseen,
        None => NullableDefaults::Never,
        other => panic!("{other:?}"),
    };
    PlanInput {
        env: "dev".to_owned(),
        manifest: project(text("insert").unwrap_or("INSERT INTO s SELECT id, x FROM a;"), &[]).manifest,
        cause: Cause::Evolution(Box::new(evolution)),
        policy: Policy { carry: Carry::Facts, partitions: 1, delete_blue_topics: true, nullable_defaults },
        vars: BTreeMap::new(),
        settings: BTreeMap::new(),
        topics: BTreeMap::from([("p.a".to_owned(), TopicFacts { nulls, ..TopicFacts::default() })]),
        subjects: BTreeMap::new(),
    }
}

/// The statement, what old records get in its table, what is said about it, and what the plan stands on.
fn told(plan: &Plan) -> String {
    let table = plan.tables.iter().find(|t| t.table == "s").unwrap();
    let mut lines = vec![table.dml_after.clone().unwrap()];
    match table.columns.get("note") {
        Some(ColumnClass::Changed { rule: ChangeRule::NewColumn { default, .. } }) => {
            lines.push(format!("old records get {default}"));
        }
        None => lines.push(format!("not carried: {}", table.not_carried["note"])),
        other => panic!("{other:?}"),
    }
    for warning in &plan.warnings {
        lines.push(format!("{}: {}", warning.code, warning.message));
        lines.extend(warning.help.iter().map(|help| format!("  help: {help}")));
    }
    for assumed in &plan.assumptions.no_nulls {
        let (columns, topic) = (assumed.columns.join(", "), &assumed.topic);
        lines.push(format!("stands on: no NULL in {columns} of {topic}, read to {:?}", assumed.read));
    }
    lines.join("\n")
}

#[test]
fn what_old_records_get() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/plan/defaults");
    let mut cases = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let case: toml::Table = text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let planned = plan(&input(&case));
        let plan = planned.plan.unwrap_or_else(|| panic!("{}: {:#?}", path.display(), planned.diagnostics));
        let name = format!("default_{}", path.file_stem().unwrap().to_string_lossy());
        insta::with_settings!({ description => text, omit_expression => true }, {
            insta::assert_snapshot!(name, told(&plan));
        });
        cases += 1;
    }
    assert_eq!(cases, 18);
}

#[test]
fn a_plan_that_stands_on_a_count_survives_the_journal() {
    let case: toml::Table = r#"
        versions = ["", "note text DEFAULT 'none'"]
        counted = { records = 5, nulls = 0 }
        policy = "when_unseen""#
        .parse()
        .unwrap();
    let made = plan(&input(&case)).plan.unwrap();
    let journaled = serde_json::to_vec(&serde_json::to_value(&made).unwrap()).unwrap();
    let read: Plan = serde_json::from_slice(&journaled).unwrap();
    assert_eq!((read.digest(), &read), (made.digest(), &made));
    let mut without = serde_json::to_value(&made).unwrap();
    without["assumptions"].as_object_mut().unwrap().remove("no_nulls").unwrap();
    let older: Plan = serde_json::from_value(without).unwrap();
    assert_eq!(older.assumptions.no_nulls, []);
}

#[test]
fn nulls_are_counted_in_every_topic_of_the_subject() {
    let text = include_str!("defaults/no_null_was_seen_and_the_offer_is_taken.toml");
    let case: toml::Table = text.parse().unwrap();
    let with = |change: fn(&mut NullFacts)| {
        let mut input = input(&case);
        let Cause::Evolution(evolution) = &mut input.cause else { panic!("an evolution") };
        evolution.topics.insert("p.b".to_owned());
        let mut other = input.topics["p.a"].clone();
        other.nulls.iter_mut().for_each(change);
        input.topics.insert("p.b".to_owned(), other);
        plan(&input).plan.unwrap()
    };
    let assumed = |plan: &Plan| plan.assumptions.no_nulls.iter().map(|a| a.topic.clone()).collect::<Vec<_>>();
    assert_eq!(assumed(&with(|_| {})), ["p.a", "p.b"]);
    let seen = with(|facts| facts.columns.values_mut().for_each(|count| count.nulls = 1));
    assert!(assumed(&seen).is_empty() && told(&seen).contains(" have NULL there"), "{}", told(&seen));
    assert!(assumed(&with(|facts| facts.unread = 1)).is_empty());
    assert!(assumed(&with(|facts| facts.to_the_end = false)).is_empty());
}
