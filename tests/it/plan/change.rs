//! Plans of changed statements: of the shop, and of small projects where a case needs one of its own.

use std::collections::{BTreeMap, BTreeSet};

use cyanotype::diagnostic::Diagnostic;
use cyanotype::model::effect::Effect;
use cyanotype::model::manifest::Manifest;
use cyanotype::model::parity::{ChangeRule, ColumnClass, RowRule};
use cyanotype::plan::document::TablePlan;
use cyanotype::plan::input::{Carry, NullableDefaults, StatementChange};
use cyanotype::plan::{Cause, Plan, PlanInput, Planned, Policy, plan, project, report};
use cyanotype::sql::{self, Word};
use proptest::prelude::*;

use super::{TIER, customers, shop};

/// An edit of the shop: the end of the file's path, a text in it, and what comes in its place.
type Edit = (&'static str, &'static str, &'static str);

const NET: [Edit; 2] = [
    ("ddl.int_priced_lines.sql", "    PRIMARY KEY", "    net_amount  DECIMAL(14, 4),\n    PRIMARY KEY"),
    (
        "dml.int_priced_lines.sql",
        "AS line_amount\n",
        "AS line_amount,\n    CAST(i.quantity * i.unit_price * (1 - c.discount_rate) / 1.19 AS DECIMAL(14, 4)) AS net_amount\n",
    ),
];
const CANCELLED: Edit = ("dml.src_orders.sql", "status <> 'draft'", "status NOT IN ('draft', 'cancelled')");
const REGION: Edit = ("dml.dim_customers.sql", "ELSE 'Other'", "ELSE 'Elsewhere'");
const LOWER: Edit = ("dml.src_customers.sql", "SHA256(LOWER(email))", "SHA256(LOWER(TRIM(email)))");
const SOLD: Edit = ("ddl.vw_sold_lines.sql", "'paid', 'shipped', 'delivered'", "'paid', 'shipped'");
const LATEST: Edit = ("dml.int_last_lines.sql", "added_at DESC, order_id DESC", "order_id DESC, added_at DESC");

fn edited(files: &[project::File], edits: &[Edit]) -> Vec<project::File> {
    let mut files = files.to_vec();
    for (path, from, to) in edits {
        let file = files.iter_mut().find(|(name, _)| name.ends_with(path)).unwrap_or_else(|| panic!("no {path}"));
        assert_eq!(file.1.matches(from).count(), 1, "{from:?} in {path}");
        file.1 = file.1.replace(from, to);
    }
    files
}

fn read(files: &[project::File]) -> Manifest {
    let read = project::read(files, &shop().1);
    assert!(!project::broken(&read.diagnostics), "{:#?}", read.diagnostics);
    read.manifest
}

/// The input for what `now` says otherwise than `base`, on top of what is deployed.
fn input(deployed: Manifest, base: &[project::File], now: &[project::File]) -> PlanInput {
    PlanInput {
        env: "dev".to_owned(),
        manifest: deployed,
        cause: Cause::Change(Box::new(StatementChange {
            since: "main".to_owned(),
            base: read(base),
            project: read(now),
            texts: now.iter().cloned().collect(),
            commit: Some("c0ffee".to_owned()),
        })),
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

/// What follows when the shop is deployed as its files are and then edited.
fn shop_with(edits: &[Edit]) -> Planned {
    let files = shop().0;
    plan(&input(read(&files), &files, &edited(&files, edits)))
}

#[track_caller]
fn planned(planned: Planned) -> Plan {
    planned.plan.unwrap_or_else(|| panic!("no plan: {:#?}", planned.diagnostics))
}

#[track_caller]
fn refused(planned: Planned, code: &str) -> Diagnostic {
    assert!(planned.plan.is_none(), "{:#?}", planned.plan);
    let found = planned.diagnostics.iter().find(|d| d.code == code);
    found.unwrap_or_else(|| panic!("no {code}: {:#?}", planned.diagnostics)).clone()
}

fn table<'p>(plan: &'p Plan, name: &str) -> &'p TablePlan {
    plan.tables.iter().find(|t| t.table == name).unwrap_or_else(|| panic!("no {name} in {plan}"))
}

fn greens(plan: &Plan) -> Vec<&str> {
    plan.tables.iter().map(|t| t.physical.as_str()).collect()
}

fn columns(table: &TablePlan, wanted: impl Fn(&ColumnClass) -> bool) -> Vec<&str> {
    table.columns.iter().filter(|(_, class)| wanted(class)).map(|(name, _)| name.as_str()).collect()
}

fn recomputed(table: &TablePlan) -> Vec<&str> {
    columns(table, |class| *class == ColumnClass::Changed { rule: ChangeRule::Recomputed })
}

fn exact(table: &TablePlan) -> Vec<&str> {
    columns(table, |class| *class == ColumnClass::Exact)
}

fn codes(diagnostics: &[Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|d| d.code.as_str()).collect()
}

/// What is deployed once the plan has been carried out.
fn applied(plan: &Plan) -> Manifest {
    let after = plan.work.promoting.iter().find_map(|e| match e {
        Effect::SetManifest { after, .. } => Some((**after).clone()),
        _ => None,
    });
    after.unwrap()
}

/// The files once the rollout's branch has been merged.
fn merged(files: &[project::File], plan: &Plan) -> Vec<project::File> {
    let mut files = files.to_vec();
    for table in &plan.tables {
        let texts = [
            (Some(&table.ddl_file), table.ddl_written.as_ref().or(table.ddl_before.as_ref()), Some(&table.ddl_after)),
            (
                table.dml_file.as_ref(),
                table.dml_written.as_ref().or(table.dml_before.as_ref()),
                table.dml_after.as_ref(),
            ),
        ];
        for (path, before, after) in texts {
            let (Some(path), Some(before), Some(after)) = (path, before, after) else { continue };
            let file = files.iter_mut().find(|(name, _)| name == path).unwrap();
            assert_eq!(file.1.matches(before.as_str()).count(), 1, "{path} holds another text");
            file.1 = file.1.replace(before, after);
        }
    }
    for effect in &plan.work.promoting {
        let Effect::MoveConnector { before, after, .. } = effect else { continue };
        let (old, new) = (format!("\"{}\"", before["topics"]), format!("\"{}\"", after["topics"]));
        for file in files.iter_mut().filter(|(path, _)| path.ends_with(".json")) {
            file.1 = file.1.replace(&old, &new);
        }
    }
    files
}

fn tree(plan: &Plan) -> String {
    plan.to_string().split("\nplan sha256:").next().unwrap().to_owned()
}

#[test]
fn a_computed_column_of_an_intermediate_makes_what_reads_it_green() {
    let plan = planned(shop_with(&NET));
    assert_eq!(greens(&plan), ["int_priced_lines_v2", "vw_sold_lines_v2", "fct_orders_enriched_v2"]);
    insta::assert_snapshot!("change_net_tree", tree(&plan));
    insta::assert_snapshot!("change_net_sql", report::sql_diff(&plan));
    assert_eq!(
        table(&plan, "int_priced_lines").columns["net_amount"],
        ColumnClass::Changed { rule: ChangeRule::Computed { nullable: true } }
    );
    assert!(plan.tables.iter().all(|t| t.rows == RowRule::Same), "{plan}");
    assert_eq!(exact(table(&plan, "fct_orders_enriched")).len(), 17, "downstream texts stay as written");
}

#[test]
fn a_condition_declares_the_rows_changed_and_keeps_what_the_key_names_comparable() {
    let plan = planned(shop_with(&[CANCELLED]));
    insta::assert_snapshot!("change_condition_tree", tree(&plan));
    let changed = |name: &str| matches!(&table(&plan, name).rows, RowRule::Changed { .. });
    assert!(plan.tables.iter().all(|t| changed(&t.table)), "{plan}");
    // Joined by keys all the way, so every value follows from the key of the line.
    assert_eq!(recomputed(table(&plan, "src_orders")), Vec::<&str>::new());
    assert_eq!(recomputed(table(&plan, "int_priced_lines")), Vec::<&str>::new());
    assert_eq!(recomputed(table(&plan, "fct_orders_enriched")), Vec::<&str>::new());
    // A sum over other rows is another sum; only what the product itself says follows from its key.
    let revenue = table(&plan, "fct_product_revenue");
    assert_eq!(exact(revenue), ["category", "last_added_at", "last_price", "product_id", "product_name", "sku"]);
    assert_eq!(recomputed(revenue), ["order_lines", "revenue", "units"]);
    let contract = plan.work.contracts.iter().find(|c| c.table == "fct_product_revenue").unwrap();
    assert_eq!(contract.rows, RowRule::Changed { why: "those of src_orders are".to_owned() });
    // The sink connectors delete what green no longer has.
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
}

#[test]
fn comments_layout_and_case_of_keywords_change_nothing() {
    let edits = [
        ("dml.src_orders.sql", "-- A draft is a basket, not an order.\n", "/* Baskets\n stay out. */\n"),
        ("dml.src_orders.sql", "SELECT\n    order_id,", "select order_id,"),
        ("ddl.src_orders.sql", "PRIMARY KEY (order_id) NOT ENFORCED", "primary key (`order_id`) not enforced"),
        ("ddl.cdc_orders.sql", "'${TOPIC_PREFIX}.cdc_orders'", "'another-group'"),
    ];
    let Planned { plan, diagnostics } = shop_with(&edits);
    assert!(plan.is_none() && diagnostics.is_empty(), "{diagnostics:#?}");
}

#[test]
fn comments_of_what_becomes_green_stay_as_the_files_have_them() {
    let comment = ("dml.fct_orders_enriched.sql", "-- inside line_amount.", "-- within line_amount.");
    let plan = planned(shop_with(&[REGION, comment]));
    let fact = table(&plan, "fct_orders_enriched");
    assert!(fact.dml_after.as_ref().unwrap().contains("-- within line_amount."), "{fact:#?}");
    assert!(fact.dml_written.as_ref().unwrap().contains("-- within line_amount."), "{fact:#?}");
    assert_eq!(fact.ddl_written, None);
}

#[test]
fn a_diamond_reads_green_on_both_ways() {
    let plan = planned(shop_with(&[LOWER]));
    let fact = table(&plan, "fct_orders_enriched").dml_after.as_ref().unwrap();
    assert!(fact.contains("FROM vw_sold_lines_v2 AS l\nJOIN dim_customers_v2 AS c"), "{fact}");
    assert!(fact.contains("JOIN src_products AS p"), "{fact}");
    assert_eq!(recomputed(table(&plan, "fct_orders_enriched")), ["email_sha256"]);
    assert_eq!(recomputed(table(&plan, "int_priced_lines")), Vec::<&str>::new());
    assert_eq!(table(&plan, "fct_orders_enriched").shared, ["src_products"]);
}

#[test]
fn a_view_is_made_again_whether_it_is_changed_or_stands_in_between() {
    let plan = planned(shop_with(&[SOLD]));
    assert_eq!(greens(&plan), ["vw_sold_lines_v2", "fct_orders_enriched_v2"]);
    let view = table(&plan, "vw_sold_lines");
    assert!(
        view.ddl_after.contains("CREATE VIEW vw_sold_lines_v2 AS") && view.ddl_after.contains("('paid', 'shipped')")
    );
    let fact = table(&plan, "fct_orders_enriched");
    assert_eq!(fact.rows, RowRule::Changed { why: "those of vw_sold_lines are".to_owned() });
    assert_eq!(recomputed(fact), Vec::<&str>::new());
    let job = plan.work.staging.iter().find_map(|e| match e {
        Effect::StartJob { job } => Some(job),
        _ => None,
    });
    assert!(job.unwrap().ddl.iter().any(|d| d.contains("CREATE VIEW vw_sold_lines_v2")), "{job:#?}");
}

#[test]
fn two_changed_tables_are_one_plan() {
    let plan = planned(shop_with(&[REGION, LATEST]));
    let green = ["dim_customers_v2", "int_last_lines_v2", "fct_orders_enriched_v2", "fct_product_revenue_v2"];
    assert_eq!(greens(&plan).into_iter().collect::<BTreeSet<_>>(), green.into());
    assert_eq!(plan.changes, ["dim_customers: `region` made differently", "int_last_lines: other rows (WHERE)"]);
    assert_eq!(plan.connectors.len(), 2, "{:?}", plan.connectors);
    assert_eq!(recomputed(table(&plan, "fct_orders_enriched")), ["region"]);
}

#[test]
fn the_same_input_gives_the_same_bytes_and_comes_out_of_the_journal_as_it_went_in() {
    let plan = planned(shop_with(&[CANCELLED, REGION]));
    assert_eq!(plan.digest(), planned(shop_with(&[REGION, CANCELLED])).digest());
    let journaled = serde_json::to_vec(&serde_json::to_value(&plan).unwrap()).unwrap();
    let read: Plan = serde_json::from_slice(&journaled).unwrap();
    assert_eq!((read.digest(), read), (plan.digest(), plan));
}

#[test]
fn a_plan_names_the_commit_and_a_branch_of_its_own() {
    let plan = planned(shop_with(&[REGION]));
    assert_eq!(plan.assumptions.commit.as_deref(), Some("c0ffee"));
    let other = planned(shop_with(&[("dml.dim_customers.sql", "ELSE 'Other'", "ELSE 'Abroad'")]));
    let branches = [&plan, &other].map(|p| applied(p).ahead.unwrap());
    assert!(branches.iter().all(|b| b.starts_with("cyanotype/dim_customers_v2-")) && branches[0] != branches[1]);
}

/// The shop after a column `tier` of customers was rolled out, with files that do not know it yet.
fn ahead_of_its_files() -> Manifest {
    let evolution = super::planned(&super::input(super::deployed(), &customers(""), &customers(TIER)));
    applied(&evolution)
}

#[test]
fn a_change_on_files_that_are_behind_is_refused_where_they_are_and_planned_where_they_are_not() {
    let files = shop().0;
    let change = |edits: &[Edit]| plan(&input(ahead_of_its_files(), &files, &edited(&files, edits)));
    let behind = refused(change(&[REGION, LATEST]), "C301");
    assert!(
        behind.message.contains("`dim_customers`") && behind.message.contains("v1") && behind.message.contains("v2")
    );
    let help = "merge cyanotype/shop.shop.customers-value-v2, and make the change there";
    assert_eq!(behind.help.as_deref(), Some(help));
    let plan = planned(change(&[LATEST]));
    assert_eq!(greens(&plan), ["int_last_lines_v2", "fct_product_revenue_v2"]);
    let files_behind = plan.warnings.iter().find(|w| w.code == "C302").unwrap();
    assert_eq!(files_behind.message, "files are behind the cluster: merge cyanotype/shop.shop.customers-value-v2");
    assert_eq!(applied(&plan).tables["dim_customers"].physical, "dim_customers_v2", "what was rolled out stays");
}

#[test]
fn nothing_is_planned_backwards() {
    let files = shop().0;
    let Planned { plan, diagnostics } = plan(&input(ahead_of_its_files(), &files, &files));
    assert!(plan.is_none());
    assert_eq!(codes(&diagnostics), ["C302"]);
}

#[test]
fn what_reads_a_table_that_is_behind_is_made_from_the_deployed_text() {
    let files = shop().0;
    // src_orders is not behind; what reads it is, for it also reads customers.
    let plan = planned(plan(&input(ahead_of_its_files(), &files, &edited(&files, &[CANCELLED]))));
    let lines = table(&plan, "int_priced_lines");
    assert_eq!(
        (lines.physical.as_str(), lines.shared.as_slice()),
        ("int_priced_lines_v3", ["src_customers".to_owned(), "src_order_items".to_owned()].as_slice())
    );
    let text = lines.dml_after.as_ref().unwrap();
    assert!(text.contains("JOIN src_orders_v2 AS o") && text.contains("JOIN src_customers_v2 AS c"), "{text}");
    assert!(text.contains("c.tier"), "{text}");
    assert!(!lines.dml_written.as_ref().unwrap().contains("c.tier"), "the file still says what it said");
}

#[test]
fn a_branch_that_was_merged_although_its_rollout_was_not_promoted_is_planned_again() {
    let files = shop().0;
    let first = planned(shop_with(&[REGION, CANCELLED]));
    let merged = merged(&edited(&files, &[REGION, CANCELLED]), &first);
    // The files say v2, the cluster v1.
    let again = planned(plan(&input(read(&files), &files, &merged)));
    assert_eq!(greens(&again), greens(&first));
    let texts = |plan: &Plan| -> Vec<(String, Option<String>)> {
        plan.tables.iter().map(|t| (t.ddl_after.clone(), t.dml_after.clone())).collect()
    };
    assert_eq!(texts(&again), texts(&first));
}

#[test]
fn a_generation_follows_the_one_before_it() {
    let mut deployed = read(&shop().0);
    for (version, next) in [(2, "dim_customers_v3"), (9, "dim_customers_v10")] {
        let from = if version == 2 { "dim_customers".to_owned() } else { "dim_customers_v2".to_owned() };
        let to = format!("dim_customers_v{version}");
        let files: Vec<project::File> = shop()
            .0
            .into_iter()
            .map(|(path, text)| {
                let text = text.replace("dim_customers", &to).replace(&format!("ddl.{to}"), "ddl.dim_customers");
                (path.replace(&to, &from), text)
            })
            .collect();
        deployed.clone_from(&read(&files));
        let plan = planned(plan(&input(deployed.clone(), &files, &edited(&files, &[REGION]))));
        assert_eq!(greens(&plan)[0], next);
        assert!(plan.tables[1].dml_after.as_ref().unwrap().contains(&format!("JOIN {next} AS c")));
        assert!(table(&plan, "dim_customers").ddl_after.contains(&format!("'topic' = '${{TOPIC_PREFIX}}.{next}'")));
    }
}

/// Edits that may be made in any combination, and whether each of them changes what a statement says.
const ANY: [(Edit, bool); 9] = [
    (CANCELLED, true),
    (REGION, true),
    (LOWER, true),
    (SOLD, true),
    (LATEST, true),
    (("dml.src_products.sql", "WHERE NOT is_test", "where not is_test -- nothing else"), false),
    (("ddl.fct_orders_enriched.sql", "    sku          STRING,", "    sku  STRING,  -- as printed"), false),
    (("dml.fct_order_events.sql", "UPPER(event_type)", "LOWER(event_type)"), true),
    (("ddl.cdc_orders.sql", "    note        STRING,  ", "    note        STRING, memo STRING,"), true),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn planning_again_what_was_applied_is_nothing(which in prop::collection::vec(any::<bool>(), ANY.len())) {
        let chosen = || ANY.iter().zip(&which).filter(|(_, chosen)| **chosen);
        let edits: Vec<Edit> = chosen().map(|((edit, _), _)| *edit).collect();
        let files = shop().0;
        let now = edited(&files, &edits);
        let Planned { plan: first, diagnostics } = plan(&input(read(&files), &files, &now));
        let says = chosen().any(|((_, says), _)| *says);
        prop_assert_eq!(first.is_some(), says, "{:#?}", diagnostics);
        let Some(first) = first else { return Ok(()) };
        // Every statement reads green where there is green.
        let blue: BTreeSet<String> = first.tables.iter().map(|t| t.table.clone()).collect();
        for table in &first.tables {
            for text in [Some(&table.ddl_after), table.dml_after.as_ref()].into_iter().flatten() {
                let old = sql::words(text).all().find(|word| matches!(word, Word::Name(name) if blue.contains(name))).cloned();
                prop_assert_eq!(old, None, "in {}", text);
            }
        }
        let deployed = applied(&first);
        let again = plan(&input(deployed.clone(), &files, &now));
        prop_assert!(again.plan.is_none() && !project::broken(&again.diagnostics), "{:#?}", again.diagnostics);
        let behind: Vec<&Diagnostic> = again.diagnostics.iter().filter(|d| d.code == "C302").collect();
        prop_assert_eq!(behind.len(), 1);
        prop_assert!(behind[0].message.ends_with(deployed.ahead.as_deref().unwrap()), "{}", behind[0].message);
        let merged = merged(&now, &first);
        for base in [&files, &now, &merged] {
            let Planned { plan, diagnostics } = plan(&input(deployed.clone(), base, &merged));
            prop_assert!(plan.is_none() && diagnostics.is_empty(), "{:#?}", diagnostics);
        }
    }
}
