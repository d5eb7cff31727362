//! What is known of Flink's own functions, against Flink's own list of them.

use cyanotype::sql::{self, ChangeMode, Changelog, Definitions};

use crate::flink;

/// What is said of a select of nothing but this function; `None` where its call is written otherwise.
fn alone(function: &str, table: &sql::Statement) -> Option<Changelog> {
    let parsed = sql::parse(&format!("SELECT {function}(a) FROM t"));
    let [statement] = parsed.statements() else { return None };
    let mut known = Definitions::default();
    known.add(table);
    sql::changelogs(statement, &known).pop().filter(|_| parsed.diagnostics().is_empty())
}

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn functions_of_each_row_and_aggregates_are_known_by_their_names() {
    let [scalar, aggregate] = flink::functions();
    let table = sql::parse("CREATE TABLE t (a INT) WITH ('connector' = 'kafka')").statements()[0].clone();
    let internal = |name: &str| name.ends_with("_ON_NULL") || OTHERS.contains(&name);
    let mut unknown = Vec::new();
    let (mut asked, mut aggregates) = (0, 0);
    for name in scalar.iter().filter(|name| !internal(name)) {
        let Some(found) = alone(name, &table) else { continue };
        asked += 1;
        if !found.assumes.is_empty() {
            unknown.push(name);
        }
    }
    let mut missed = Vec::new();
    for name in aggregate.iter().filter(|name| !internal(name)) {
        let Some(found) = alone(name, &table) else { continue };
        aggregates += 1;
        if found.mode == ChangeMode::Append && found.assumes.is_empty() {
            missed.push(name);
        }
    }
    println!(
        "functions: {asked} of each row, {} of them not known: {unknown:?}; {aggregates} aggregates, {} of them called one of each row: {missed:?}",
        unknown.len(),
        missed.len(),
    );
    assert!(unknown.is_empty() && missed.is_empty());
    assert!(asked > 150 && aggregates > 20, "most of them can be asked for");
}

/// What the planner makes of other calls and of operators, what is called otherwise by the Table API, and what takes a table.
#[rustfmt::skip]
const OTHERS: &[&str] = &[
    "AGG_DECIMAL_PLUS", "CURRENTDATABASE", "HIVE_AGG_DECIMAL_PLUS", "IFTHENELSE", "IS_JSON", "LOWERCASE", "ML_EVALUATE",
    "NOTBETWEEN", "PROCTIME_MATERIALIZE", "REINTERPRET_CAST", "TEMPORALOVERLAPS", "UPPERCASE", "VECTOR_SEARCH",
];
