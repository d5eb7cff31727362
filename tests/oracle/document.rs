//! `docs/flink-sql-support.md`: construct by construct, made of what the suite measures. `UPDATE_DOCS=1` writes it again.

use std::fmt::Write as _;

use cyanotype::sql::{self, StatementKind};

use crate::corpus;
use crate::flink::{self, Verdict};
use crate::flows::{each_query, missing_origins, plans};
use crate::generator;

/// A part of the language: its title, and the words that show it in a statement, one of them enough.
type Construct = (&'static str, &'static [&'static str]);

#[rustfmt::skip]
const SECTIONS: &[(&str, &[Construct])] = &[
    ("Definitions", &[
        ("`CREATE TABLE`", &["CREATE TABLE", "CREATE TEMPORARY TABLE"]),
        ("Computed columns", &[" AS PROCTIME (", " AS CONCAT", " AS a +", " AS amount", " AS CASE", " AS TO_TIMESTAMP"]),
        ("Metadata columns", &["METADATA"]),
        ("`WATERMARK FOR`", &["WATERMARK FOR"]),
        ("`PRIMARY KEY ... NOT ENFORCED`", &["PRIMARY KEY"]),
        ("`DISTRIBUTED`", &["DISTRIBUTED", "ADD DISTRIBUTION", "MODIFY DISTRIBUTION"]),
        ("`PARTITIONED BY`", &["PARTITIONED BY"]),
        ("`ROW`, `ARRAY`, `MAP`, `MULTISET` types", &["ROW <", "ARRAY <", "MAP <", "MULTISET <"]),
        ("`LIKE` with its options", &["LIKE orders", "LIKE default_catalog"]),
        ("`CREATE TABLE ... AS`, `REPLACE TABLE ... AS`", &["#CREATE TABLE AS"]),
        ("Views", &["CREATE VIEW", "CREATE TEMPORARY VIEW", "CREATE OR REPLACE VIEW", "ALTER VIEW", "DROP VIEW"]),
        ("Materialized tables", &["MATERIALIZED TABLE"]),
        ("`ALTER TABLE`", &["ALTER TABLE"]),
        ("`DROP`", &["DROP TABLE", "DROP VIEW", "DROP FUNCTION", "DROP DATABASE", "DROP CATALOG", "DROP MODEL"]),
        ("Functions, catalogs, databases, models", &["#CREATE FUNCTION", "#CREATE CATALOG", "#CREATE DATABASE", "#CREATE MODEL",
            "#ALTER FUNCTION", "#ALTER CATALOG", "#ALTER DATABASE", "#ALTER MODEL"]),
    ]),
    ("Changes of data", &[
        ("`INSERT INTO`", &["INSERT INTO"]),
        ("`INSERT OVERWRITE`", &["INSERT OVERWRITE"]),
        ("`INSERT ... PARTITION`", &["PARTITION ( dt"]),
        ("Statement sets", &["STATEMENT SET"]),
        ("`UPDATE`, `DELETE`, `TRUNCATE`", &["#UPDATE", "#DELETE", "#TRUNCATE"]),
        ("`MERGE`", &["#MERGE"]),
    ]),
    ("Queries", &[
        ("`WITH`", &["#WITH"]),
        ("`SELECT DISTINCT`", &["SELECT DISTINCT"]),
        ("`UNION ALL`", &["UNION ALL"]),
        ("`UNION`, `INTERSECT`, `EXCEPT`", &["UNION SELECT", "UNION (", "INTERSECT", "EXCEPT", "MINUS"]),
        ("`GROUP BY`", &["GROUP BY"]),
        ("`GROUPING SETS`, `ROLLUP`, `CUBE`", &["GROUPING SETS", "ROLLUP", "CUBE"]),
        ("`HAVING`", &["HAVING"]),
        ("`FILTER (WHERE ...)`", &["FILTER ( WHERE"]),
        ("`ORDER BY ... LIMIT`", &["LIMIT", "FETCH FIRST"]),
        ("`VALUES`", &["VALUES"]),
        ("`TABLESAMPLE`", &["TABLESAMPLE"]),
        ("Hints", &["/*+"]),
    ]),
    ("Joins", &[
        ("Inner joins, commas", &["INNER JOIN", " JOIN"]),
        ("Outer joins", &["LEFT JOIN", "LEFT OUTER", "RIGHT JOIN", "RIGHT OUTER", "FULL JOIN", "FULL OUTER"]),
        ("`NATURAL`, `USING`", &["NATURAL", "USING ("]),
        ("Temporal and lookup joins", &["FOR SYSTEM_TIME AS OF"]),
        ("`LATERAL`, table functions", &["LATERAL"]),
        ("`UNNEST`", &["UNNEST ("]),
        ("`IN`, `EXISTS` with a query", &["IN ( SELECT", "EXISTS ( SELECT"]),
    ]),
    ("Windows and patterns", &[
        ("`TUMBLE`, `HOP`, `CUMULATE`, `SESSION` of a table", &["TUMBLE ( TABLE", "HOP ( TABLE", "CUMULATE ( TABLE", "SESSION ( TABLE", "TUMBLE ( DATA"]),
        ("Windows of `GROUP BY`", &["TUMBLE ( rowtime", "TUMBLE ( order_time", "HOP ( rowtime", "HOP ( order_time", "SESSION ( rowtime", "SESSION ( order_time"]),
        ("`OVER`", &["OVER (", "OVER w"]),
        ("Ranks: deduplication, top-N", &["ROW_NUMBER (", "RANK ("]),
        ("`MATCH_RECOGNIZE`", &["MATCH_RECOGNIZE"]),
        ("Process table functions, `ML_PREDICT`", &["my_ptf", "ML_PREDICT", "FROM f ("]),
    ]),
    ("Expressions", &[
        ("`CASE`", &["CASE"]),
        ("`CAST`, `TRY_CAST`", &["CAST ("]),
        ("Rows, arrays, maps", &["ROW (", "ARRAY [", "MAP ["]),
        ("JSON functions", &["JSON_"]),
        ("Intervals", &["INTERVAL"]),
        ("Queries as values", &["( SELECT MAX", "( SELECT AVG", "( SELECT MIN", "( SELECT COUNT", "( SELECT SUM"]),
    ]),
    ("Session", &[
        ("`SHOW`, `DESCRIBE`, `USE`", &["#SHOW", "#DESCRIBE", "#USE", "#USE CATALOG", "#USE MODULES"]),
        ("`EXPLAIN`", &["#EXPLAIN"]),
        ("`SET`, `RESET`", &["#SET", "#RESET"]),
        ("`COMPILE PLAN`, `EXECUTE PLAN`", &["COMPILE PLAN", "COMPILE AND", "EXECUTE PLAN"]),
        ("Modules, jars, jobs, `CALL`, `ANALYZE`", &["#LOAD MODULE", "#UNLOAD MODULE", "#ADD JAR", "#REMOVE JAR", "#STOP JOB", "#CALL", "#ANALYZE TABLE"]),
    ]),
];

/// What was counted of one construct.
#[derive(Clone, Default)]
struct Row {
    accepted: usize,
    accepted_by_us: usize,
    columns: usize,
    complete: usize,
    planned: usize,
    stateful: usize,
    known: usize,
}

/// A statement's words as they are compared: kind, then every token with one blank between.
struct Shape {
    kinds: Vec<String>,
    words: String,
}

impl Shape {
    fn of(text: &str) -> Self {
        let parsed = sql::parse(text);
        let tokens = parsed.tokens().iter().filter(|t| !t.kind.is_trivia());
        let words: Vec<&str> = tokens.map(|token| token.text(text)).collect();
        let kinds = sql::summaries(text).into_iter().map(|s| s.kind).collect();
        Self { kinds, words: format!(" {} ", words.join(" ")) }
    }

    fn shows(&self, wanted: &str) -> bool {
        if wanted == "#WITH" {
            return self.words.contains(" WITH ") && self.words.contains(" AS ( SELECT ");
        }
        match wanted.strip_prefix('#') {
            Some(kind) => self.kinds.iter().any(|k| k == kind),
            None => self.words.to_ascii_uppercase().contains(&wanted.to_ascii_uppercase()),
        }
    }
}

fn count(table: &mut [Vec<Row>], text: &str, mut add: impl FnMut(&mut Row)) {
    let shape = Shape::of(text);
    for ((_, constructs), rows) in SECTIONS.iter().zip(table) {
        for ((_, wanted), row) in constructs.iter().zip(rows) {
            if wanted.iter().any(|wanted| shape.shows(wanted)) {
                add(row);
            }
        }
    }
}

fn measured() -> Vec<Vec<Row>> {
    let mut table: Vec<Vec<Row>> = SECTIONS.iter().map(|(_, rows)| vec![Row::default(); rows.len()]).collect();
    let mut statements = flink::statements_of_planner_tests();
    statements.extend(corpus::files().into_iter().flat_map(|file| file.statements));
    statements.extend(generator::statements(3000, 7));
    for (text, verdict) in statements.iter().zip(flink::verdicts(&statements)) {
        let Verdict { verdict, .. } = verdict;
        if verdict == "accepted" {
            let ours = sql::summaries(text).iter().all(|statement| statement.ok);
            count(&mut table, text, |row| {
                row.accepted += 1;
                row.accepted_by_us += usize::from(ours);
            });
        }
    }
    let plans = plans();
    for (script, planned) in &plans.scripts {
        each_query(script, planned, plans.shared, &mut |text, statement, known, flows, answer| {
            let Ok(planned) = answer else { return };
            let columns: usize = planned.queries.iter().map(|query| query.columns.len()).sum();
            let lacking: usize = flows.iter().zip(&planned.queries).map(|(f, q)| missing_origins(f, q).len()).sum();
            let states: Option<Vec<bool>> =
                planned.queries.iter().map(|query| query.state.as_ref().map(|state| !state.is_empty())).collect();
            let stateful = states.as_ref().is_some_and(|states| states.contains(&true));
            let assumes = || sql::changelogs(statement, known).iter().any(|found| !found.assumes.is_empty());
            let known = !sql::state(statement, known).is_empty() || assumes();
            debug_assert!(!matches!(statement.kind, StatementKind::Unparsed { .. }));
            count(&mut table, text, |row| {
                row.columns += columns;
                row.complete += columns - lacking;
                row.planned += usize::from(states.is_some());
                row.stateful += usize::from(stateful);
                row.known += usize::from(stateful && known);
            });
        });
    }
    table
}

fn page(table: &[Vec<Row>]) -> String {
    let mut page = "# Flink SQL: what is understood\n\n\
        Made by `UPDATE_DOCS=1 ./x oracle`, which compares our reading with Flink 2.2.1's own parser and planner: the 2,596\n\
        statements that the planner's tests keep, the statements under `tests/oracle/corpus`, and generated ones.\n\n\
        - *accepted*: of the statements with this construct that Flink's parser accepts, those that ours accepts;\n\
        - *lineage*: of the columns of those that Flink plans, those for which no origin is missing;\n\
        - *state*: of those whose plan holds state, those that are said to hold state, or to hold it if a function\n\
          that nobody defined is an aggregate.\n\n\
        A dash says that nothing was there to compare. `MERGE` is parsed by Flink and not planned.\n\n\
        What only Confluent Cloud has, Flink's parser rejects, so it is not compared here: connections, tools, agents, columns and\n\
        `START_MODE` of materialized tables with `CREATE OR ALTER`, connections of functions, and functions that search a table.\n\
        All of that is read as Confluent's reference shows it; the statements under `tests/it/sql/confluent` say how.\n"
        .to_owned();
    let share = |part: usize, whole: usize| if whole == 0 { "-".to_owned() } else { format!("{part} of {whole}") };
    for ((title, constructs), rows) in SECTIONS.iter().zip(table) {
        write!(page, "\n## {title}\n\n| construct | accepted | lineage | state |\n|---|---|---|---|\n").unwrap();
        for ((construct, _), row) in constructs.iter().zip(rows) {
            let accepted = share(row.accepted_by_us, row.accepted);
            let lineage = share(row.complete, row.columns);
            let state = share(row.known, row.stateful);
            writeln!(page, "| {construct} | {accepted} | {lineage} | {state} |").unwrap();
        }
    }
    page
}

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn the_page_of_what_is_understood_is_true() {
    if std::env::var_os("CYANOTYPE_ORACLE_SEED").is_some() {
        println!("the page was not looked at: other statements were drawn");
        return;
    }
    let table = measured();
    for ((_, constructs), rows) in SECTIONS.iter().zip(&table) {
        for ((construct, _), row) in constructs.iter().zip(rows) {
            assert!(row.accepted > 0, "no statement shows {construct}");
        }
    }
    let page = page(&table);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/flink-sql-support.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page, "docs/flink-sql-support.md is not what is measured: UPDATE_DOCS=1 ./x oracle the_page");
}
