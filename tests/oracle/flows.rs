//! Where columns come from and what decides about rows, against the plan that Flink makes before it optimizes.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use cyanotype::sql::{self, Definitions, Flow, Origin};

use crate::corpus;
use crate::flink::{self, Planned, PlannedQuery};
use crate::generator;

/// What became of a corpus.
#[derive(Default)]
struct Count {
    queries: usize,
    left_out: usize,
    columns: usize,
    equal: usize,
    missing: usize,
    row_columns: usize,
    rows_missing: usize,
}

fn dotted(origin: &Origin) -> String {
    format!("{}.{}", origin.table, origin.column)
}

/// A column of Flink's with what we have for it: values, and all that it depends on.
struct Compared<'a> {
    column: &'a flink::PlannedColumn,
    values: BTreeSet<String>,
    all: BTreeSet<String>,
}

impl Compared<'_> {
    /// The origins that we lack.
    fn missing(&self) -> Vec<&String> {
        let any = |name: &String| self.all.contains(&format!("{}.*", name.split('.').next().unwrap_or("")));
        self.column.origins.iter().filter(|o| !self.all.contains(*o) && !any(o)).collect()
    }
}

/// Flink's columns with ours.
fn columns<'a>(ours: &Flow, flink: &'a PlannedQuery) -> Vec<Compared<'a>> {
    let mut compared = Vec::new();
    for (place, column) in flink.columns.iter().enumerate() {
        // A query's columns go by their place: names may be made up or doubled. A table's columns go by name, as an
        // INSERT may leave some out.
        let own = if flink.target.is_empty() {
            // Columns that we do not know by name stand behind those that we know.
            ours.columns.get(place).or_else(|| ours.columns.last().filter(|c| c.name == "*"))
        } else {
            ours.columns.iter().find(|c| c.name == column.name)
        };
        let mut one = Compared { column, values: BTreeSet::new(), all: BTreeSet::new() };
        if let Some(own) = own {
            one.values.extend(own.origins.iter().map(dotted));
            one.all.extend(own.influences.iter().map(|(origin, _)| dotted(origin)));
        }
        one.all.extend(one.values.iter().cloned());
        compared.push(one);
    }
    compared
}

/// The columns of a query that lack an origin.
pub fn missing_origins(ours: &Flow, flink: &PlannedQuery) -> Vec<String> {
    let lacking = columns(ours, flink).into_iter().filter(|one| !one.missing().is_empty());
    lacking.map(|one| one.column.name.clone()).collect()
}

/// Compares a query's columns and rows, and prints what differs.
fn compare(sql: &str, ours: &Flow, flink: &PlannedQuery, count: &mut Count) {
    count.queries += 1;
    for one in columns(ours, flink) {
        count.columns += 1;
        let (name, missing) = (&one.column.name, one.missing());
        if !missing.is_empty() {
            count.missing += 1;
            println!("-- column {name} lacks {missing:?}, has {:?}\n{}\n", one.all, sql.trim());
        } else if one.values.iter().all(|o| one.column.origins.contains(o)) {
            count.equal += 1;
        } else {
            println!("-- column {name} has {:?}, Flink {:?}\n{}\n", one.values, one.column.origins, sql.trim());
        }
    }
    let mut reached: BTreeSet<String> = ours.rows.iter().map(|(origin, _)| dotted(origin)).collect();
    for column in &ours.columns {
        reached.extend(column.influences.iter().map(|(origin, _)| dotted(origin)));
    }
    for row in &flink.rows {
        count.row_columns += 1;
        let any = reached.contains(&format!("{}.*", row.split('.').next().unwrap_or("")));
        if !reached.contains(row) && !any {
            count.rows_missing += 1;
            println!("-- rows lack {row}, have {reached:?}\n{}\n", sql.trim());
        }
    }
}

/// Looks at a statement: its text, its tree, what is known before it, our flows, and Flink's answer or why there is none.
type Compare<'a> = dyn FnMut(&str, &sql::Statement, &Definitions, &[Flow], Result<&Planned, String>) + 'a;

/// Calls `compare` for each statement of a script, from the `skip`th, that has queries: with what is known before it, our
/// flows, and Flink's answer or why there is none.
pub fn each_query(script: &[String], planned: &[Planned], skip: usize, compare: &mut Compare<'_>) {
    let mut known = Definitions::default();
    for (i, (sql, flink)) in script.iter().zip(planned).enumerate() {
        let parsed = sql::parse(sql);
        for statement in parsed.statements() {
            let flows = known.flows(statement);
            if i >= skip && !(flows.is_empty() && flink.queries.is_empty()) {
                let answer = if !flink.ok {
                    Err(flink.message.chars().take(300).collect())
                } else if flink.queries.is_empty() {
                    Err("Flink's planner was not asked for this one".to_owned())
                } else {
                    assert_eq!(flows.len(), flink.queries.len(), "{sql}");
                    Ok(flink)
                };
                compare(sql, statement, &known, &flows, answer);
            }
            if flink.ok {
                known.add(statement);
            } else {
                assert!(i >= skip, "the shared definitions are good: {}", flink.message);
            }
        }
    }
}

/// How many generated statements are planned.
const GENERATED: usize = 400;

/// Everything that Flink planned, once for all tests.
pub struct Plans {
    /// How many statements at the beginning of each script are the shared definitions.
    pub shared: usize,
    /// The scripts with their answers.
    pub scripts: Vec<(Vec<String>, Vec<Planned>)>,
}

/// The written corpus and generated statements, planned.
pub fn plans() -> &'static Plans {
    static PLANS: OnceLock<Plans> = OnceLock::new();
    PLANS.get_or_init(|| {
        let (shared, scripts) = scripts();
        let answers = flink::plans(&scripts);
        Plans { shared, scripts: scripts.into_iter().zip(answers).collect() }
    })
}

/// The definitions that every file uses, then each file's statements; generated ones at the end.
fn scripts() -> (usize, Vec<Vec<String>>) {
    let mut files = corpus::files();
    let shop = files.remove(0);
    assert_eq!(shop.name, "00_shop");
    let with_shop = |more: Vec<String>| shop.statements.iter().cloned().chain(more).collect::<Vec<_>>();
    let wanted = files.into_iter().filter(|file| file.name != "20_mistakes");
    let mut scripts: Vec<Vec<String>> = wanted.map(|file| with_shop(file.statements)).collect();
    let sinks = generator::SINKS.iter().map(|sink| (*sink).to_owned());
    scripts.push(with_shop(sinks.chain(generator::statements(GENERATED, 11)).collect()));
    (shop.statements.len(), scripts)
}

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn lineage_of_the_written_and_the_generated_corpus() {
    let mut count = Count::default();
    let plans = plans();
    for (script, planned) in &plans.scripts {
        each_query(script, planned, plans.shared, &mut |sql, _, _, flows, answer| match answer {
            Ok(planned) => {
                flows.iter().zip(&planned.queries).for_each(|(ours, theirs)| compare(sql, ours, theirs, &mut count))
            }
            Err(why) => {
                count.left_out += 1;
                println!("-- left out: {why}\n{}\n", sql.trim());
            }
        });
    }
    println!(
        "lineage: {} queries, {} left out; {} of {} columns equal ({:.2} %), {} lack an origin; \
         {} of {} columns that decide about rows are missing",
        count.queries,
        count.left_out,
        count.equal,
        count.columns,
        100.0 * count.equal as f64 / count.columns as f64,
        count.missing,
        count.rows_missing,
        count.row_columns,
    );
    assert!(count.left_out * 20 <= count.queries, "more than a twentieth of the queries could not be looked at");
    assert_eq!(count.missing, 0, "a missing origin is the worst that can be");
    assert_eq!(count.rows_missing, 0, "a missing influence on rows");
    assert!(count.equal * 100 >= count.columns * 99, "less than 99 % of columns equal");
}
