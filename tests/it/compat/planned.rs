//! What planning makes of a change, and the pages of the errors that it gives.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cyanotype::diagnostic::Severity;
use cyanotype::plan::input::{Carry, Evolution, NullableDefaults};
use cyanotype::plan::{Cause, PlanInput, Policy, plan, project};
use cyanotype::schema::{self, AvroSchema, Level};
use serde_json::Value;

use super::page;

const FILES: [(&str, &str); 3] = [
    (
        "pipelines/ddl.orders.sql",
        "CREATE TABLE orders (id INT, x STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'kafka', \
         'topic' = 'shop.public.orders', 'scan.startup.mode' = 'earliest-offset', 'format' = 'debezium-avro-confluent');",
    ),
    (
        "pipelines/ddl.clean.sql",
        "CREATE TABLE clean (id INT, x STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', \
         'topic' = 't.clean', 'key.format' = 'avro-confluent', 'value.format' = 'avro-confluent');",
    ),
    ("pipelines/dml.clean.sql", "INSERT INTO clean SELECT id, x FROM orders;"),
];

/// What comes of a change whose registry allows it.
#[derive(PartialEq)]
pub(super) enum Planned {
    Yes,
    /// No deployed statement sees it.
    NotNeeded,
    Refused(BTreeSet<String>),
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let link = |code: &String| format!("[{code}](errors/{code}.md)");
        match self {
            Self::Yes => f.write_str("yes"),
            Self::NotNeeded => f.write_str("nothing to plan"),
            Self::Refused(codes) => f.write_str(&codes.iter().map(link).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// Plans for `new` after `old`, which is deployed.
pub(super) fn planned(old: &Value, new: &Value, key: bool) -> Planned {
    let read = |schema: &Value| schema::parse(&schema.to_string(), &[]).unwrap();
    evolved(&[read(old)], &read(new), key)
}

/// Plans for `new` after the versions `earlier`, of which the first is deployed.
fn evolved(earlier: &[AvroSchema], new: &AvroSchema, key: bool) -> Planned {
    let versions: Vec<(i32, AvroSchema)> = (1..).zip(earlier.iter().cloned()).collect();
    let (deployed, between) = versions.split_first().unwrap();
    let files: Vec<project::File> = FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let evolution = Evolution {
        subject: format!("shop.public.orders-{}", if key { "key" } else { "value" }),
        topics: ["shop.public.orders".to_owned()].into(),
        from_version: 1,
        to_version: 1 + i32::try_from(earlier.len()).unwrap(),
        assessment: schema::assess(Level::None, key, new, &versions),
        changes: schema::diff(&deployed.1, new),
        added: schema::added_since(&deployed.1, between, new),
    };
    let planned = plan(&PlanInput {
        env: "dev".to_owned(),
        manifest: project::read(&files, &BTreeMap::new()).manifest,
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
    });
    let errors = planned.diagnostics.iter().filter(|d| d.severity == Severity::Error);
    let codes: BTreeSet<String> = errors.map(|d| d.code.clone()).collect();
    match planned.plan {
        Some(_) => Planned::Yes,
        None if codes.is_empty() => Planned::NotNeeded,
        None => Planned::Refused(codes),
    }
}

/// The points of the list on the page of an error.
fn points(code: &str) -> BTreeSet<String> {
    let file = format!("{}/docs/errors/{code}.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(file).unwrap();
    page.lines().filter_map(|line| line.strip_prefix("- ")).map(str::to_owned).collect()
}

fn refused(code: &str) -> Planned {
    Planned::Refused(BTreeSet::from([code.to_owned()]))
}

/// The page lists verdicts, and it is those verdicts, and no others, that the data of a change have where it is refused so.
#[test]
fn the_page_of_c201_is_what_planning_refuses() {
    let listed = points("C201");
    for (name, pair, planned) in page::answers() {
        assert_eq!(planned == refused("C201"), listed.contains(&pair.data.to_string()), "{name}: {}", pair.data);
    }
    let seen: BTreeSet<String> = page::answers().map(|(_, pair, _)| pair.data.to_string()).collect();
    let others: Vec<&String> = listed.iter().filter(|verdict| !seen.contains(*verdict)).collect();
    assert_eq!(others, ["the key changes", "unknown"], "no column alone has these");
}

/// The page lists the changes that are safe and refused all the same.
#[test]
fn the_page_of_c202_is_what_planning_refuses() {
    let found: BTreeSet<String> = page::answers()
        .filter(|(_, _, planned)| *planned == refused("C202"))
        .map(|(name, ..)| name.to_owned())
        .collect();
    assert_eq!(points("C202"), found);
}

/// What was refused stays refused when a harmless version follows it.
#[test]
fn a_change_before_the_latest_version_is_not_planned_either() {
    let text = |more: &str| {
        format!(
            r#"{{"type":"record","name":"Value","namespace":"shop.public.orders","fields":[{{"name":"id","type":"int"}}{more}]}}"#
        )
    };
    let optional = |name: &str| format!(r#",{{"name":"{name}","type":["null","string"],"default":null}}"#);
    let read = |more: &str| schema::parse(&text(more), &[]).unwrap();
    let (deployed, without, more) = (read(&optional("x")), read(""), read(&optional("region")));
    assert!(evolved(&[deployed.clone(), without], &more, false) == refused("C202"));
    assert!(evolved(&[deployed], &read(&(optional("x") + &optional("region"))), false) == Planned::Yes);
}
