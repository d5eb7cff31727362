//! Lineage of a whole project: from which columns each statement fills its columns, and the state that it holds.
//!
//! The limit is to parse the same texts once. The goal is that a project of a thousand statements takes less than a tenth of a
//! second, so that an editor may ask after each change.

use std::time::Duration;

use cyanotype::sql::{self, Changelog, Definitions, Flow, StateUse, Statement, TypedColumn};

use crate::flow::{self, Shape};
use crate::table::{Amount, Role, Variant, compare, timed};

/// Statements that fill a table; each has a statement that creates it besides.
const COUNT: usize = 1_000;

/// What a project of that size may take.
const GOAL: Duration = Duration::from_millis(100);

/// Prints it.
pub fn run() -> Result<(), String> {
    for shape in [Shape::Chains, Shape::Diamonds, Shape::Deep] {
        size(shape)?;
    }
    Ok(())
}

fn size(shape: Shape) -> Result<(), String> {
    let texts: Vec<String> = flow::files(shape, COUNT).into_iter().map(|(_, text)| text).collect();
    let bytes = texts.iter().map(String::len).sum();
    let parse = || texts.iter().map(|text| sql::parse(text)).collect::<Vec<_>>();
    let parsed = parse();
    if let Some(problem) = parsed.iter().flat_map(|file| file.diagnostics()).next() {
        return Err(format!("the project's SQL is not clean: {}", problem.message));
    }
    let statements = || parsed.iter().flat_map(|file| file.statements());
    let known = define(statements());
    checked(&flows(&known, statements()))?;
    let title = format!("lineage: {COUNT} statements, {}", shape.name());
    let variants = vec![
        Variant::new("parse every text once", Role::Limit, || Ok(timed(parse).0)),
        Variant::new("definitions", Role::Ours, || Ok(timed(|| define(statements())).0)),
        Variant::new("flows of each statement", Role::Ours, || {
            let known = define(statements());
            Ok(timed(|| flows(&known, statements())).0)
        }),
        Variant::new("state of each statement", Role::Ours, || {
            let known = define(statements());
            Ok(timed(|| states(&known, statements())).0)
        }),
        Variant::new("state, changelogs and types of each statement", Role::Ours, || {
            let known = define(statements());
            Ok(timed(|| rows(&known, statements())).0)
        }),
        Variant::new("all of these", Role::Ours, || {
            let whole = || {
                let known = define(statements());
                all(&known, statements)
            };
            Ok(timed(whole).0)
        }),
        Variant::new("the same, parsing included", Role::Ours, || {
            let whole = || {
                let parsed = parse();
                let statements = || parsed.iter().flat_map(|file| file.statements());
                let known = define(statements());
                all(&known, statements)
            };
            Ok(timed(whole).0)
        }),
        Variant::new("goal", Role::Peer, || Ok(GOAL)),
    ];
    compare(&title, &Amount { count: COUNT, unit: "stmt", bytes: Some(bytes) }, 5, variants)
}

fn define<'a>(statements: impl Iterator<Item = &'a Statement>) -> Definitions {
    let mut known = Definitions::default();
    statements.for_each(|statement| known.add(statement));
    known
}

fn flows<'a>(known: &Definitions, statements: impl Iterator<Item = &'a Statement>) -> Vec<Flow> {
    statements.flat_map(|statement| known.flows(statement)).collect()
}

fn states<'a>(known: &Definitions, statements: impl Iterator<Item = &'a Statement>) -> Vec<Vec<StateUse>> {
    statements.map(|statement| sql::state(statement, known)).collect()
}

/// State, changelogs and types of one statement.
type Of = (Vec<StateUse>, Vec<Changelog>, Vec<Option<Vec<TypedColumn>>>);

fn rows<'a>(known: &Definitions, statements: impl Iterator<Item = &'a Statement>) -> Vec<Of> {
    let of = |statement| {
        let rows = sql::Rows::of(statement, known);
        (rows.state(), rows.changelogs(), rows.types())
    };
    statements.map(of).collect()
}

/// All that is asked of each statement.
type Answers = (Vec<Flow>, Vec<Of>);

fn all<'a, S: Iterator<Item = &'a Statement>>(known: &Definitions, statements: impl Fn() -> S) -> Answers {
    (flows(known, statements()), rows(known, statements()))
}

/// A lineage with holes would be made too fast.
fn checked(flows: &[Flow]) -> Result<(), String> {
    if flows.len() != COUNT {
        return Err(format!("{} statements fill a table", flows.len()));
    }
    let hole = |flow: &&Flow| {
        flow.columns.len() != 7 || flow.rows.is_empty() || flow.columns.iter().any(|c| c.origins.is_empty())
    };
    match flows.iter().find(hole) {
        Some(flow) => Err(format!("{} is not filled from what it reads: {flow:?}", flow.target)),
        None => Ok(()),
    }
}
