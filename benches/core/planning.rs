//! Planning: how long an evolution of a project of many statements takes.
//!
//! The limit is to parse every text of the project once: a plan must at least read them. Each size is a table of its own;
//! the time for each statement must not grow from one to the next.

use std::collections::BTreeMap;

use cyanotype::model::manifest::Manifest;
use cyanotype::plan::input::{Carry, Evolution, NullableDefaults};
use cyanotype::plan::{Cause, Plan, PlanInput, Policy, estate, evolve, graph, trace};
use cyanotype::schema::{self, Level};
use cyanotype::sql;

use crate::compatibility::envelope;
use crate::flow::{self, Shape};
use crate::table::{Amount, Role, Variant, compare, timed};

/// Statements of a project, and how often it is measured.
const SIZES: [(usize, usize); 3] = [(500, 5), (2_000, 5), (10_000, 3)];

/// Prints it.
pub fn run() -> Result<(), String> {
    for shape in [Shape::Chains, Shape::Diamonds, Shape::Deep] {
        for (count, repetitions) in SIZES {
            size(shape, count, repetitions)?;
        }
    }
    Ok(())
}

fn size(shape: Shape, count: usize, repetitions: usize) -> Result<(), String> {
    let files = flow::files(shape, count);
    let bytes = files.iter().map(|(_, text)| text.len()).sum();
    let input = input(flow::read(&files)?.manifest)?;
    let evolution = match &input.cause {
        Cause::Evolution(evolution) => evolution,
        _ => return Err("the input is no evolution".to_owned()),
    };
    let plan = || {
        let (time, planned) = timed(|| evolve::plan(&input, evolution));
        match planned.plan {
            Some(plan) => Ok((time, plan)),
            None => Err(planned.diagnostics.first().map_or("no plan".to_owned(), |d| d.message.clone())),
        }
    };
    let (_, made) = plan()?;
    carried_everywhere(&made)?;
    // The journal's entry holds the plan and little else.
    let json = serde_json::to_vec(&made).map_err(|e| e.to_string())?.len() as f64 / 1e6;
    let parsed = estate::read(&input.manifest).map_err(|_| "the project does not parse".to_owned())?;
    let green = made.tables.len();
    let title = format!(
        "planning: {count} statements, {}, {green} become green; plan, as in the journal, {json:.1} MB",
        shape.name(),
    );
    let variants = vec![
        Variant::new("parse every text once", Role::Limit, || {
            Ok(timed(|| files.iter().map(|(_, text)| sql::parse(text)).collect::<Vec<_>>()).0)
        }),
        Variant::new("files to manifest", Role::Ours, || Ok(timed(|| flow::read(&files)).0)),
        Variant::new("parsed estate and graph", Role::Ours, || {
            let (time, sizes) = timed(|| {
                let estate = estate::read(&input.manifest)?;
                let nodes = graph::build(&estate).map_err(|d| vec![d])?.order().count();
                Ok::<_, Vec<_>>((estate, nodes))
            });
            sizes.map(|_| time).map_err(|d| d.first().map_or(String::new(), |d| d.message.clone()))
        }),
        Variant::new("plan of the evolution, parsing included", Role::Ours, || Ok(plan()?.0)),
        Variant::new("lineage of a column of the change topic", Role::Ours, || {
            Ok(timed(|| trace::of(&parsed, "cdc_a", Some("status"))).0)
        }),
        Variant::new("digest of the plan", Role::Ours, || Ok(timed(|| made.digest()).0)),
        Variant::new("the plan as people read it", Role::Ours, || Ok(timed(|| made.to_string()).0)),
    ];
    compare(&title, &Amount { count, unit: "stmt", bytes: Some(bytes) }, repetitions, variants)
}

/// A plan that left the column behind would be made too fast.
fn carried_everywhere(plan: &Plan) -> Result<(), String> {
    match plan.tables.iter().find(|table| table.added != ["tier"]) {
        Some(table) => Err(format!("{} does not get the column: {:?}", table.physical, table.not_carried)),
        None => Ok(()),
    }
}

fn input(manifest: Manifest) -> Result<PlanInput, String> {
    let parse = |text: &str| schema::parse(text, &[]).map_err(|e| e.to_string());
    let tier = r#"{"name":"tier","type":{"type":"string","connect.default":"basic"},"default":"basic"}"#.to_owned();
    let (from, to) = (parse(&envelope(&[]))?, parse(&envelope(&[tier]))?);
    let evolution = Evolution {
        subject: "shop.shop.a-value".to_owned(),
        topics: ["shop.shop.a".to_owned()].into(),
        from_version: 1,
        to_version: 2,
        assessment: schema::assess(Level::FullTransitive, false, &to, &[(1, from.clone())]),
        changes: schema::diff(&from, &to),
        added: schema::added_columns(&from, &to),
    };
    Ok(PlanInput {
        env: "dev".to_owned(),
        manifest,
        cause: Cause::Evolution(Box::new(evolution)),
        policy: Policy {
            carry: Carry::Facts,
            partitions: 2,
            delete_blue_topics: true,
            nullable_defaults: NullableDefaults::Never,
        },
        vars: flow::vars(),
        settings: BTreeMap::new(),
        topics: BTreeMap::new(),
        subjects: BTreeMap::new(),
    })
}
