//! Verdict, place of the error, and tables, against Flink's parser.

use std::collections::BTreeSet;

use cyanotype::sql::{self, summary};

use crate::corpus;
use crate::flink::{self, Verdict};
use crate::generator;
use crate::mutants;

/// What became of a corpus.
#[derive(Default)]
struct Count {
    accepted: usize,
    accepted_by_both: usize,
    rejected: usize,
    rejected_by_both: usize,
    near: usize,
    structure: usize,
    invalid: usize,
}

impl Count {
    fn print(&self, name: &str) {
        let share = |part: usize, whole: usize| 100.0 * part as f64 / (whole as f64).max(1.0);
        println!(
            "{name}: {} accepted by Flink, of these {} by us ({:.2} %), tables equal in {} ({:.2} %); \
             {} rejected by its grammar, of these {} by us ({:.1} %), {} at the place ({:.1} %); \
             {} left out: the grammar takes them, a later check does not",
            self.accepted,
            self.accepted_by_both,
            share(self.accepted_by_both, self.accepted),
            self.structure,
            share(self.structure, self.accepted_by_both),
            self.rejected,
            self.rejected_by_both,
            share(self.rejected_by_both, self.rejected),
            self.near,
            share(self.near, self.rejected),
            self.invalid,
        );
    }
}

/// Compares one statement and prints what differs.
fn compare(sql: &str, flink: &Verdict, count: &mut Count) {
    let parsed = sql::parse(sql);
    let statements = summary::of_parsed(sql, &parsed);
    let errors: Vec<_> = statements.iter().flat_map(|s| &s.errors).collect();
    let ok = statements.iter().all(|s| s.ok);
    let shown = || sql.trim().to_owned();
    if flink.verdict == "accepted" && !ok && errors.iter().all(|e| e.code == sql::code::LITERAL) {
        // Flink's planner refuses it, as the tests of literals show.
        count.invalid += 1;
        println!("-- left out, not a matter of grammar: {}\n{}\n", errors[0].message, shown());
        return;
    }
    match flink.verdict.as_str() {
        "accepted" => {
            count.accepted += 1;
            if !ok {
                let why = errors.first().map_or("", |e| e.message.as_str());
                println!("-- only Flink accepts ({}): {why}\n{}\n", flink.kind, shown());
                return;
            }
            count.accepted_by_both += 1;
            let of = |pick: fn(&sql::StatementSummary) -> &BTreeSet<String>| -> BTreeSet<String> {
                statements.iter().flat_map(|s| pick(s).iter().cloned()).collect()
            };
            let (reads, writes) = (of(|s| &s.reads), of(|s| &s.writes));
            let theirs = |names: &[String]| -> BTreeSet<String> { names.iter().cloned().collect() };
            if reads == theirs(&flink.reads) && writes == theirs(&flink.writes) {
                count.structure += 1;
            } else {
                println!(
                    "-- other tables: reads {reads:?} writes {writes:?}, Flink ({}) reads {:?} writes {:?}\n{}\n",
                    flink.kind,
                    flink.reads,
                    flink.writes,
                    shown()
                );
            }
        }
        "rejected" => {
            count.rejected += 1;
            if ok {
                println!("-- only we accept: {}\n{}\n", flink.short(), shown());
                return;
            }
            count.rejected_by_both += 1;
            let theirs = flink.place(sql).map(|at| summary::token_at(&parsed, at));
            let ours = errors.first().map(|e| summary::token_at(&parsed, e.span[0]));
            match (ours, theirs) {
                (Some(ours), Some(theirs)) if ours.abs_diff(theirs) > 1 => {
                    let place = errors.first().map_or((0, 0), |e| (e.span[0], e.span[1]));
                    let message = errors.first().map_or("", |e| e.message.as_str());
                    println!(
                        "-- elsewhere, token {ours} {place:?} ({message}), Flink {theirs}: {}\n{}\n",
                        flink.short(),
                        shown()
                    );
                }
                _ => count.near += 1,
            }
        }
        _ => {
            count.invalid += 1;
            println!("-- left out, not a matter of grammar: {}\n{}\n", flink.short(), shown());
        }
    }
}

fn assert_good(count: &Count) {
    assert!(count.accepted_by_both * 1000 >= count.accepted * 995, "less than 99.5 % of what Flink accepts");
    assert_near(count);
}

fn assert_near(count: &Count) {
    assert_eq!(count.structure, count.accepted_by_both, "tables differ");
    assert!(count.rejected_by_both * 10 >= count.rejected * 9, "less than 90 % of what Flink rejects");
    assert!(count.near * 10 >= count.rejected * 9, "less than 90 % at the right place");
}

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn verdict_and_tables_of_the_planners_own_statements() {
    let statements = flink::statements_of_planner_tests();
    assert_eq!(statements.len(), 2596, "the corpus is the one that was measured");
    let mut count = Count::default();
    for (sql, flink) in statements.iter().zip(flink::verdicts(&statements)) {
        compare(sql, &flink, &mut count);
    }
    count.print("statements of Flink's planner");
    assert_good(&count);
}

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn verdict_and_tables_of_the_written_corpus() {
    let mut all = Count::default();
    let mut total = 0;
    for file in corpus::files() {
        let mut count = Count::default();
        for (sql, flink) in file.statements.iter().zip(flink::verdicts(&file.statements)) {
            compare(sql, &flink, &mut count);
            compare(sql, &flink, &mut all);
        }
        total += file.statements.len();
        count.print(&file.name);
    }
    all.print("written corpus");
    assert!(total >= 300, "{total} statements");
    assert_good(&all);
}

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn verdict_and_place_of_mutated_statements() {
    let mut good = flink::statements_of_planner_tests();
    good.extend(corpus::files().into_iter().filter(|f| f.name != "20_mistakes").flat_map(|f| f.statements));
    let mutants = mutants::mutants(&good, 8000, 5);
    let mut count = Count::default();
    for (sql, flink) in mutants.iter().zip(flink::verdicts(&mutants)) {
        compare(sql, &flink, &mut count);
    }
    count.print("mutated statements");
    // What is left of a statement and still makes sense to the grammar is as odd as can be.
    assert!(count.accepted_by_both * 100 >= count.accepted * 99, "less than 99 % of what Flink accepts");
    assert_near(&count);
}

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn verdict_and_tables_of_generated_statements() {
    let statements = generator::statements(3000, 7);
    let mut count = Count::default();
    for (sql, flink) in statements.iter().zip(flink::verdicts(&statements)) {
        compare(sql, &flink, &mut count);
    }
    count.print("generated statements");
    assert_eq!(count.accepted, statements.len(), "the generator makes good statements only");
    assert_good(&count);
}
