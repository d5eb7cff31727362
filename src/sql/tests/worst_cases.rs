//! Texts that are as bad as they come: what is done for them grows no faster than the text does, and nothing overflows.
//!
//! Rule: work is counted in steps and never timed. Each case is looked at in one size and in a size several times as large;
//! the steps for each token (or byte, or whatever is counted) may not grow, and stay below a number that is written here.

mod standing;

use super::*;
use crate::sql::steps::counted;

/// Elements of a long list, or statements of a long text. Steps are counted, so more elements would show nothing more.
const MANY: usize = 16_000;
/// Elements of the longest lists.
const MOST: usize = 100_000;

/// Texts of `n` elements, with what one is called.
type Case = (&'static str, fn(usize) -> String);

/// `n` times what `part` gives, with `between` in between.
fn list(n: usize, between: &str, part: impl Fn(usize) -> String) -> String {
    (0..n).map(part).collect::<Vec<_>>().join(between)
}

/// The steps for each unit of work: `work` gives what it counted and how many units there were.
fn each(work: impl FnOnce() -> usize) -> f64 {
    let (units, steps) = counted(work);
    steps as f64 / units.max(1) as f64
}

/// Eight times as much costs eight times as much, and no unit more than `limit` steps.
fn linear(name: &str, limit: f64, many: usize, work: impl Fn(usize) -> usize) {
    let (few, most) = (each(|| work(many / 8)), each(|| work(many)));
    assert!(most <= few * 1.05 + 0.5, "{name}: {few:.2} steps for each, {most:.2} for each of eight times as many");
    assert!(most <= limit, "{name}: {most:.2} steps for each");
}

fn tokens(text: &str) -> usize {
    let parsed = parse(text);
    assert_eq!(parsed.tokens().iter().map(|t| t.text(text).len()).sum::<usize>(), text.len());
    parsed.tokens().len()
}

const LONG: &[Case] = &[
    ("select list", |n| format!("SELECT {} FROM t", list(n, ", ", |i| format!("c{i} AS d{i}")))),
    ("columns", |n| format!("CREATE TABLE t ({})", list(n, ", ", |i| format!("c{i} ARRAY<INT> NOT NULL")))),
    ("options", |n| format!("CREATE TABLE t (a INT) WITH ({})", list(n, ", ", |i| format!("'k{i}' = 'v'")))),
    ("IN", |n| format!("SELECT a FROM t WHERE a IN ({})", list(n, ", ", |i| i.to_string()))),
    ("VALUES", |n| format!("INSERT INTO t VALUES {}", list(n, ", ", |i| format!("({i}, 'x')")))),
    ("statements", |n| list(n, ";\n", |i| format!("INSERT INTO t{i} SELECT a FROM s"))),
    ("a statement set", |n| {
        format!("BEGIN STATEMENT SET;\n{};\nEND;", list(n, ";\n", |_| "INSERT INTO t SELECT 1".into()))
    }),
    ("UNION ALL", |n| list(n, " UNION ALL ", |i| format!("SELECT {i} FROM t"))),
    ("INTERSECT and EXCEPT", |n| list(n, " EXCEPT ", |i| format!("SELECT {i} FROM t INTERSECT SELECT 1"))),
    ("joins", |n| format!("SELECT 1 FROM t {}", list(n, " ", |i| format!("LEFT JOIN t{i} ON t.a = t{i}.a")))),
    ("commas in FROM", |n| format!("SELECT 1 FROM {}", list(n, ", ", |i| format!("t{i} AS a{i}")))),
    ("AND", |n| format!("SELECT 1 FROM t WHERE {}", list(n, " AND ", |i| format!("a = {i}")))),
    ("operators of every rank", |n| format!("SELECT {}", list(n, " OR ", |_| "a + b * -c < d AND NOT e".into()))),
    ("WHEN", |n| format!("SELECT CASE {} END", list(n, " ", |i| format!("WHEN a = {i} THEN {i}")))),
    ("fields", |n| format!("SELECT {}", list(n, ".", |_| "a".into()))),
    ("indexes", |n| format!("SELECT a{}", "[1]".repeat(n))),
    ("strings in a row", |n| format!("SELECT {}", "'a' ".repeat(n))),
    ("arguments", |n| format!("SELECT f({})", list(n, ", ", |i| format!("a{i} => {i}")))),
    ("hints", |n| format!("SELECT /*+ {} */ 1", list(n, ", ", |i| format!("H{i}('a' = 'b')")))),
    ("windows", |n| format!("SELECT 1 FROM t WINDOW {}", list(n, ", ", |i| format!("w{i} AS (ORDER BY (a))")))),
    ("grouping sets", |n| format!("SELECT 1 FROM t GROUP BY GROUPING SETS ({})", list(n, ", ", |_| "(a, b)".into()))),
    ("a pattern", |n| {
        let variables = list(n, " ", |i| format!("A{i}+"));
        format!("SELECT * FROM t MATCH_RECOGNIZE (PATTERN ({variables}) DEFINE A0 AS TRUE)")
    }),
    ("CTEs", |n| format!("WITH c AS (SELECT 1), {} SELECT 1", list(n, ", ", |i| format!("c{i} AS (SELECT a FROM c)")))),
    ("a row type", |n| format!("SELECT CAST(a AS ROW<{}>)", list(n, ", ", |i| format!("f{i} INT")))),
    ("ORDER BY in brackets", |n| {
        list(n, ", ", |_| "RANK() OVER (ORDER BY (a), (b))".into()).replacen("RANK", "SELECT RANK", 1)
    }),
    ("comments", |n| format!("SELECT 1 {}", "/* a */ -- b\n".repeat(n))),
];

#[test]
fn a_long_list_costs_each_element_the_same() {
    for (name, text) in LONG {
        let many = if ["select list", "columns", "options"].contains(name) { MOST } else { MANY };
        linear(name, 15.0, many, |n| tokens(&text(n)));
    }
}

/// Texts that no statement can be made of.
const BROKEN: &[Case] = &[
    ("(", |n| format!("SELECT {}", "(".repeat(n))),
    ("[", |n| format!("SELECT a{}", "[".repeat(n))),
    ("ARRAY[", |n| format!("SELECT {}", "ARRAY[".repeat(n))),
    ("{", |n| "{".repeat(n)),
    ("<", |n| format!("CREATE TABLE t (a {}", "ARRAY<".repeat(n))),
    ("f(", |n| format!("SELECT {}", "f(".repeat(n))),
    ("brackets that close otherwise", |n| format!("SELECT {}", "([)]".repeat(n))),
    (")", |n| ")".repeat(n)),
    ("( in FROM", |n| format!("SELECT 1 FROM {}", "(".repeat(n))),
    ("( as a statement", |n| "(".repeat(n)),
    ("( behind IN", |n| format!("SELECT a IN {}", "(".repeat(n))),
    ("( behind EXISTS", |n| format!("SELECT {}", "EXISTS (".repeat(n))),
    ("( behind ORDER BY", |n| "SELECT 1 ORDER BY (;".repeat(n)),
    ("( behind GROUP BY", |n| format!("SELECT 1 FROM t GROUP BY {}", "(".repeat(n))),
    ("CUBE (", |n| format!("SELECT 1 FROM t GROUP BY {}", "CUBE (".repeat(n))),
    ("( in a pattern", |n| format!("SELECT * FROM t MATCH_RECOGNIZE (PATTERN {}", "(".repeat(n))),
    ("( in a hint", |n| format!("SELECT /*+ H{} 1", "(".repeat(n))),
    ("ROW (", |n| format!("SELECT {}", "ROW (".repeat(n))),
    ("ROW<a", |n| format!("SELECT CAST(a AS {}", "ROW<a ".repeat(n))),
    ("CAST (", |n| format!("SELECT {}", "CAST (".repeat(n))),
    ("CASE", |n| format!("SELECT {}", "CASE WHEN ".repeat(n))),
    ("NOT", |n| format!("SELECT {} a", "NOT ".repeat(n))),
    ("-", |n| format!("SELECT {} a", "- ".repeat(n))),
    ("IS NULL", |n| format!("SELECT a{}", " IS NULL".repeat(n))),
    ("BETWEEN", |n| format!("SELECT a{}", " BETWEEN b".repeat(n))),
    ("(SELECT", |n| format!("SELECT {}", "(SELECT ".repeat(n))),
    ("FROM (SELECT", |n| format!("SELECT 1 {}", "FROM (SELECT 1 ".repeat(n))),
    ("WITH in WITH", |n| "WITH a AS (".repeat(n)),
    ("LATERAL TABLE(f(", |n| format!("SELECT 1 FROM {}", "TABLE(f(".repeat(n))),
    ("WITH without end", |n| format!("WITH {}", list(n, ", ", |i| format!("c{i}")))),
    ("options without end", |n| format!("CREATE TABLE t (a INT) WITH ({}", list(n, ", ", |i| format!("'k{i}' = 'v'")))),
    (";", |n| ";".repeat(n)),
    ("trailing commas", |n| "SELECT a, FROM t;".repeat(n)),
    ("unknown statements", |n| "HELLO world;".repeat(n)),
    ("missing semicolons", |n| "INSERT INTO t SELECT a FROM t ".repeat(n)),
    ("sets without end", |n| "EXECUTE STATEMENT SET BEGIN oh;".repeat(n)),
    ("sets inside of something else", |n| "oh STATEMENT SET BEGIN no;".repeat(n)),
    ("sets that are compiled", |n| "COMPILE PLAN 'p' FOR STATEMENT SET BEGIN no;".repeat(n)),
    ("names that do not end", |n| "SELECT `a\n".repeat(n)),
    ("names in double quotes that do not end", |n| "SELECT \"a\n".repeat(n)),
    ("strings that do not end", |n| "SELECT 'a;\n".repeat(2 * n + 1)),
    ("comments that do not end", |n| "/* ".repeat(n)),
    ("templates that do not end", |n| "${ {{ {% ".repeat(n)),
    ("templates that end at last", |n| format!("{} }} }}}} %}}", "${ {{ {% ".repeat(n))),
    ("templates on one line", |n| "${a}{{b}}{%c%}".repeat(n)),
    ("names like character sets", |n| "_a-".repeat(n)),
    ("words like prefixes", |n| "n-x-e-u&".repeat(n)),
    ("hints that do not end", |n| "SELECT /*+ a ".repeat(n)),
    ("characters that mean nothing", |n| "\u{1f600}\0#".repeat(n)),
];

#[test]
fn a_broken_text_costs_each_byte_the_same() {
    for (name, text) in BROKEN {
        linear(name, 10.0, MANY, |n| {
            let text = text(n);
            tokens(&text);
            text.len()
        });
    }
}

#[test]
fn a_statement_of_ten_megabytes_is_read_whole() {
    let text = format!("SELECT {} FROM t", list(600_000, ", ", |i| format!("`column {i:06}`")));
    assert!(text.len() > 10_000_000);
    let (parsed, steps) = counted(|| parse(&text));
    assert_eq!(parsed.diagnostics(), []);
    assert!(steps < 15 * parsed.tokens().len(), "{steps} steps for {} tokens", parsed.tokens().len());
}

/// Texts that are nested `n` deep.
const DEEP: &[Case] = &[
    ("brackets", |n| format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n))),
    ("rows", |n| format!("SELECT {}1{}", "ROW(1, ".repeat(n), ")".repeat(n))),
    ("arrays", |n| format!("SELECT {}1{}", "ARRAY[".repeat(n), "]".repeat(n))),
    ("indexes", |n| format!("SELECT {}1{} FROM t", "a[".repeat(n), "]".repeat(n))),
    ("calls", |n| format!("SELECT {}a{} FROM t", "f(".repeat(n), ")".repeat(n))),
    ("calls that are ordered", |n| {
        format!("SELECT {}a{} FROM t", "LISTAGG(".repeat(n), ") WITHIN GROUP (ORDER BY b)".repeat(n))
    }),
    ("windows", |n| format!("SELECT {}a{} FROM t", "SUM(".repeat(n), ") OVER (PARTITION BY b ORDER BY c)".repeat(n))),
    ("JSON", |n| {
        format!("SELECT {}'v' VALUE 1{}", "JSON_OBJECT('k' VALUE ".repeat(n), ")".repeat(n)).replace("'v' VALUE 1", "1")
    }),
    ("casts", |n| format!("SELECT {}a{} FROM t", "CAST(".repeat(n), " AS DOUBLE)".repeat(n))),
    ("cases", |n| format!("SELECT {}a{} FROM t", "CASE WHEN b THEN ".repeat(n), " END".repeat(n))),
    ("conditions of cases", |n| format!("SELECT {}a{} FROM t", "CASE WHEN ".repeat(n), " THEN b END".repeat(n))),
    ("signs", |n| format!("SELECT {}a FROM t", "- ".repeat(n))),
    ("negations", |n| format!("SELECT {}a FROM t", "NOT ".repeat(n))),
    ("betweens", |n| format!("SELECT a{} {} FROM t", " BETWEEN b".repeat(n), " AND c".repeat(n))),
    ("types", |n| format!("SELECT CAST(a AS {}INT{}) FROM t", "ARRAY<".repeat(n), ">".repeat(n))),
    ("row types", |n| format!("CREATE TABLE t (a {}INT{})", "ROW<a INT, b ".repeat(n), ">".repeat(n))),
    ("subqueries", |n| format!("SELECT {}1{}", "(SELECT a + ".repeat(n), " FROM t)".repeat(n))),
    ("queries in brackets", |n| format!("{}SELECT a FROM t{}", "(".repeat(n), ")".repeat(n))),
    ("set operations", |n| format!("{}SELECT a FROM t{}", "SELECT a FROM t UNION (".repeat(n), ")".repeat(n))),
    ("EXISTS", |n| format!("{}SELECT 1{}", "SELECT 1 FROM t WHERE EXISTS (".repeat(n), ")".repeat(n))),
    ("IN", |n| format!("{}SELECT 1{}", "SELECT a FROM t WHERE a IN (".repeat(n), ")".repeat(n))),
    ("derived tables", |n| format!("{}SELECT a FROM t{}", "SELECT a FROM (".repeat(n), ") AS x".repeat(n))),
    ("lateral queries", |n| format!("{}SELECT a FROM t{}", "SELECT a FROM t, LATERAL (".repeat(n), ") AS x".repeat(n))),
    ("joins in brackets", |n| format!("SELECT 1 FROM {}t{}", "(t AS x JOIN ".repeat(n), " ON TRUE)".repeat(n))),
    ("CTEs in CTEs", |n| format!("{}SELECT a FROM t{}", "WITH c AS (".repeat(n), ") SELECT a FROM c".repeat(n))),
    ("window functions", |n| {
        let (open, close) = ("SELECT * FROM TABLE(TUMBLE((", "), DESCRIPTOR(ts), INTERVAL '1' HOUR))");
        format!("{}SELECT * FROM t{}", open.repeat(n), close.repeat(n))
    }),
    ("patterns", |n| {
        let pattern = format!("{}A{}", "(".repeat(n), ")".repeat(n));
        format!("SELECT * FROM t MATCH_RECOGNIZE (MEASURES A.a AS a PATTERN ({pattern}) DEFINE A AS TRUE)")
    }),
    ("grouping sets", |n| format!("SELECT 1 FROM t GROUP BY {}a{}", "ROLLUP (".repeat(n), ")".repeat(n))),
];

/// The deepest text of a case that is read, and what is wrong with the one that is a level deeper.
fn deepest(text: fn(usize) -> String) -> (usize, Vec<String>) {
    let wrong = |n| -> Vec<String> { parse(&text(n)).diagnostics().iter().map(|d| d.code.clone()).collect() };
    let levels = (1..200).take_while(|n| wrong(*n).is_empty()).count();
    (levels, wrong(levels + 1))
}

/// Threads of Rust have 2 MB of stack, those of tests and of the daemon among them.
fn in_a_thread(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(work).unwrap();
    thread.join().unwrap();
}

#[test]
fn nesting_has_a_limit_that_is_said_and_leaves_stack_for_everything() {
    for (name, text) in DEEP {
        in_a_thread(move || {
            let (levels, wrong) = deepest(*text);
            assert!((20..200).contains(&levels), "{name}: {levels} levels, then {wrong:?}");
            assert_eq!(wrong, [crate::sql::code::TOO_DEEP], "{name}, after {levels} levels");
            let text = text(levels);
            invariant::reading(&text).unwrap();
            invariant::editing(&text).unwrap();
        });
    }
}
