//! Plans of the shop: what people read, and that a plan is the same each time.

mod adopt;
mod change;
mod change_rules;
mod defaults;
mod odd;

use std::collections::BTreeMap;
use std::path::Path;

use cyanotype::model::manifest::Manifest;
use cyanotype::plan::input::{Carry, Evolution, NullableDefaults, TopicFacts};
use cyanotype::plan::{Cause, PlanInput, Planned, Policy, plan, project, report};
use cyanotype::schema::{self, AvroSchema, Level};

/// Debezium's envelope around a row of customers with `more` fields.
fn customers(more: &str) -> AvroSchema {
    let text = format!(
        r#"{{"type":"record","name":"Envelope","namespace":"shop.shop.customers","fields":[
          {{"name":"before","type":["null",{{"type":"record","name":"Value","fields":[
             {{"name":"customer_id","type":"long"}},{{"name":"email","type":"string"}}{more}]}}],"default":null}},
          {{"name":"after","type":["null","Value"],"default":null}},
          {{"name":"op","type":"string"}}]}}"#
    );
    schema::parse(&text, &[]).unwrap()
}

const TIER: &str = r#",{"name":"tier","type":{"type":"string","connect.default":"basic"},"default":"basic"}"#;

fn shop() -> (Vec<project::File>, BTreeMap<String, String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/shop");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    files.sort();
    let vars = ["KAFKA", "REGISTRY", "TOPIC_PREFIX"].map(|v| (v.to_owned(), v.to_lowercase()));
    (files, BTreeMap::from(vars))
}

fn collect(root: &Path, dir: &Path, files: &mut Vec<project::File>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let relative = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        let wanted = relative.starts_with("pipelines/") || relative.starts_with("connectors/");
        if path.is_dir() {
            collect(root, &path, files);
        } else if wanted {
            files.push((relative, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

fn deployed() -> Manifest {
    let (files, vars) = shop();
    let read = project::read(&files, &vars);
    assert_eq!(read.diagnostics, []);
    read.manifest
}

fn input(manifest: Manifest, from: &AvroSchema, to: &AvroSchema) -> PlanInput {
    let assessment = schema::assess(Level::FullTransitive, false, to, &[(1, from.clone())]);
    let evolution = Evolution {
        subject: "shop.shop.customers-value".to_owned(),
        topics: ["shop.shop.customers".to_owned()].into(),
        from_version: 1,
        to_version: 2,
        changes: schema::diff(from, to),
        added: schema::added_columns(from, to),
        assessment,
    };
    PlanInput {
        env: "dev".to_owned(),
        manifest,
        cause: Cause::Evolution(Box::new(evolution)),
        policy: Policy {
            carry: Carry::Facts,
            partitions: 2,
            delete_blue_topics: true,
            nullable_defaults: NullableDefaults::Never,
        },
        vars: shop().1,
        settings: BTreeMap::new(),
        topics: BTreeMap::new(),
        subjects: BTreeMap::new(),
    }
}

fn planned(input: &PlanInput) -> cyanotype::plan::Plan {
    let Planned { plan, diagnostics } = plan(input);
    plan.unwrap_or_else(|| panic!("no plan: {diagnostics:#?}"))
}

#[test]
fn a_new_column_of_customers_makes_six_tables_green() {
    let plan = planned(&input(deployed(), &customers(""), &customers(TIER)));
    let text = plan.to_string();
    let tree = text.split("\nplan sha256:").next().unwrap();
    insta::assert_snapshot!("shop_tier_tree", tree);
    insta::assert_snapshot!("shop_tier_sql", report::sql_diff(&plan));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let input = input(deployed(), &customers(""), &customers(TIER));
    assert_eq!(planned(&input).digest(), planned(&input).digest());
}

#[test]
fn a_plan_comes_out_of_the_journal_as_it_went_in() {
    let plan = planned(&input(deployed(), &customers(""), &customers(TIER)));
    let journaled = serde_json::to_vec(&serde_json::to_value(&plan).unwrap()).unwrap();
    let read: cyanotype::plan::Plan = serde_json::from_slice(&journaled).unwrap();
    assert_eq!((read.digest(), read), (plan.digest(), plan));
}

#[test]
fn a_second_change_builds_on_the_first() {
    let first = planned(&input(deployed(), &customers(""), &customers(TIER)));
    let after = first.work.promoting.iter().find_map(|e| match e {
        cyanotype::model::effect::Effect::SetManifest { after, .. } => Some((**after).clone()),
        _ => None,
    });
    let both = format!(r#"{TIER},{{"name":"vip","type":["null","boolean"],"default":null}}"#);
    let second = planned(&input(after.unwrap(), &customers(TIER), &customers(&both)));
    let names: Vec<&str> = second.tables.iter().map(|t| t.physical.as_str()).collect();
    assert_eq!(
        names,
        [
            "cdc_customers_v3",
            "src_customers_v3",
            "dim_customers_v3",
            "int_priced_lines_v3",
            "vw_sold_lines_v3",
            "fct_orders_enriched_v3"
        ]
    );
    let fact = second.tables.last().unwrap();
    assert!(fact.dml_after.as_ref().unwrap().contains("dim_customers_v3 AS c"), "{fact:#?}");
}

#[test]
fn a_required_column_is_refused_by_name() {
    let required = r#",{"name":"tier","type":"string"}"#;
    let Planned { plan, diagnostics } = plan(&input(deployed(), &customers(""), &customers(required)));
    assert!(plan.is_none());
    assert!(diagnostics.iter().any(|d| d.message.contains("tier")), "{diagnostics:#?}");
}

#[test]
fn a_truncated_changelog_blocks_unless_the_job_absorbs_it() {
    let mut input = input(deployed(), &customers(""), &customers(TIER));
    let facts = TopicFacts { compacted: true, ..TopicFacts::default() };
    input.topics.insert("shop.shop.customers".to_owned(), facts);
    let refused = plan(&input);
    assert!(refused.plan.is_none());
    assert_eq!(refused.diagnostics[0].code, "C204");
    input.settings.insert("table.exec.source.cdc-events-duplicate".to_owned(), "true".to_owned());
    assert!(plan(&input).plan.is_some());
}

#[test]
fn a_deployed_hint_that_starts_late_blocks_the_plan() {
    let mut manifest = deployed();
    let option = "'scan.startup.mode'='latest-offset'";
    let source = manifest.tables.get_mut("src_customers").unwrap();
    let dml = source.dml.as_mut().unwrap();
    let read = "FROM cdc_customers";
    assert_eq!(dml.matches(read).count(), 1, "{dml}");
    *dml = dml.replace(read, &format!("{read} /*+ OPTIONS({option}) */"));
    let (dml, file) = (dml.clone(), source.dml_file.clone());
    let refused = plan(&input(manifest, &customers(""), &customers(TIER)));
    assert!(refused.plan.is_none());
    let [only] = refused.diagnostics.as_slice() else { panic!("{:#?}", refused.diagnostics) };
    assert_eq!((only.code.as_str(), &only.file, only.labels[0].span.of(&dml)), ("C210", &file, option));
}

/// What the audit of a topic shows blocks every plan that reads it, whatever the plan is for.
#[test]
fn records_that_no_job_reads_right_block_the_plan() {
    let at = Some((1, 42));
    let none = TopicFacts::default;
    for (code, facts, said) in [
        ("C209", TopicFacts { update_without_before: at, ..none() }, "an update without its row before"),
        ("C215", TopicFacts { truncation: at, ..none() }, "a TRUNCATE of its table"),
        ("C216", TopicFacts { without_key: at, ..none() }, "records with a key and one without"),
    ] {
        let mut input = input(deployed(), &customers(""), &customers(TIER));
        input.topics.insert("shop.shop.orders".to_owned(), facts);
        let refused = plan(&input);
        assert!(refused.plan.is_none(), "{code}");
        let [only] = refused.diagnostics.as_slice() else { panic!("{code}: {:#?}", refused.diagnostics) };
        let want = format!("topic shop.shop.orders holds {said} (partition 1, offset 42): ");
        assert!(only.code == code && only.message.starts_with(&want), "{only:#?}");
        let file = only.file.as_deref().unwrap_or_default();
        assert!(only.help.is_some() && file.ends_with("orders.sql"), "{only:#?}");
    }
}
