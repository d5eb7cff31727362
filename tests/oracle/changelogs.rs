//! How rows change and by what they are known, against what arrives at the sink of the plan that Flink would run.

use std::collections::{BTreeMap, BTreeSet};

use cyanotype::sql::{self, ChangeMode, Changelog};

use crate::flink::PlannedQuery;
use crate::flows::{each_query, plans};

/// What became of a corpus.
#[derive(Default)]
struct Count {
    queries: usize,
    modes: BTreeMap<&'static str, usize>,
    missed: usize,
    assumed: usize,
    needless: usize,
    unknown: usize,
    known_by: usize,
    key_equal: usize,
    key_wrong: usize,
}

/// Compares one query and prints what differs.
fn compare(sql: &str, ours: &Changelog, flink: &PlannedQuery, count: &mut Count) {
    count.queries += 1;
    *count.modes.entry(ours.mode.name()).or_default() += 1;
    let updates = flink.changes.iter().any(|kind| kind != "+I");
    let shown = || {
        format!(
            "{:?} {:?} {:?}, Flink {:?} {:?}\n{}\n",
            ours.mode,
            ours.key,
            ours.because,
            flink.changes,
            flink.keys,
            sql.trim()
        )
    };
    match (ours.mode, updates) {
        // It is said that this holds only if a function is no aggregate.
        (ChangeMode::Append, true) if !ours.assumes.is_empty() => count.assumed += 1,
        (ChangeMode::Append, true) => {
            count.missed += 1;
            println!("-- updates missed: {}", shown());
        }
        (ChangeMode::Unknown, _) => {
            count.unknown += 1;
            println!("-- not known: {}", shown());
        }
        (ChangeMode::Upsert | ChangeMode::Retract, false) => {
            count.needless += 1;
            println!("-- updates in vain: {}", shown());
        }
        (ChangeMode::Upsert | ChangeMode::Retract, true) => compare_keys(ours, flink, count, &shown),
        (ChangeMode::Append, false) => {}
    }
}

fn compare_keys(ours: &Changelog, flink: &PlannedQuery, count: &mut Count, shown: &dyn Fn() -> String) {
    let name = |place: &usize| flink.columns.get(*place).map_or(String::new(), |column| column.name.clone());
    let theirs: BTreeSet<BTreeSet<String>> = flink.keys.iter().map(|key| key.iter().map(name).collect()).collect();
    let key: BTreeSet<String> = ours.key.iter().cloned().collect();
    count.known_by += 1;
    let equal = match ours.mode {
        ChangeMode::Upsert => theirs.contains(&key),
        _ => theirs.is_empty(),
    };
    if equal {
        count.key_equal += 1;
        return;
    }
    let wrong = ours.mode == ChangeMode::Upsert;
    count.key_wrong += usize::from(wrong);
    println!("-- {}: {}", if wrong { "a key that Flink has not" } else { "no key where Flink has one" }, shown());
}

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn no_query_whose_rows_change_is_called_an_append() {
    let mut count = Count::default();
    let mut left_out = 0;
    let plans = plans();
    for (script, planned) in &plans.scripts {
        each_query(script, planned, plans.shared, &mut |sql, statement, known, flows, answer| {
            let ours = sql::changelogs(statement, known);
            assert_eq!(ours.len(), flows.len(), "{sql}");
            let planned = answer.map(|planned| planned.queries.as_slice()).unwrap_or_default();
            left_out += planned.iter().filter(|query| query.state.is_none()).count();
            let known = ours.iter().zip(planned).filter(|(_, query)| query.state.is_some());
            known.for_each(|(ours, query)| compare(sql, ours, query, &mut count));
        });
    }
    println!(
        "changelog: {} queries planned, {left_out} not; ours {:?}; {} updates missed, {} assumed away aloud, {} in vain, {} not known; \
         of {} that change the key is equal in {} ({:.1} %), {} have a key that Flink has not",
        count.queries,
        count.modes,
        count.missed,
        count.assumed,
        count.needless,
        count.unknown,
        count.known_by,
        count.key_equal,
        100.0 * count.key_equal as f64 / count.known_by as f64,
        count.key_wrong,
    );
    assert_eq!(count.missed, 0, "a query whose rows change is called an append");
    assert!((count.needless + count.unknown) * 50 <= count.queries, "more than 2 % are said to change in vain");
    assert!(count.key_equal * 20 >= count.known_by * 19, "less than 95 % of the keys equal");
}
