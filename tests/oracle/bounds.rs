//! What bounds state, against the operators of the plan that Flink would run.

use std::collections::BTreeSet;

use cyanotype::sql::{self, Bound};

use crate::flows::{each_query, plans};

/// An operator whose state ends by itself: how we call it and what bounds it, Flink's nodes for it, and those that it would
/// have otherwise.
struct Kind {
    ours: &'static [(&'static str, Bound)],
    nodes: &'static [&'static str],
    unbounded: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind {
        ours: &[("interval join", Bound::Interval)],
        nodes: &["IntervalJoin"],
        unbounded: &["Join", "MultiJoin", "WindowJoin"],
    },
    Kind {
        ours: &[("window join", Bound::Window)],
        nodes: &["WindowJoin"],
        unbounded: &["Join", "MultiJoin", "IntervalJoin"],
    },
    Kind {
        ours: &[("window aggregate", Bound::Window)],
        nodes: &["GlobalWindowAggregate", "WindowAggregate", "GroupWindowAggregate"],
        unbounded: &["GroupAggregate", "GlobalGroupAggregate"],
    },
    Kind {
        ours: &[("window top-N", Bound::Window), ("window deduplication", Bound::Window)],
        nodes: &["WindowRank", "WindowDeduplicate"],
        unbounded: &["Rank", "Deduplicate", "OverAggregate"],
    },
    Kind { ours: &[("limit", Bound::RowCount)], nodes: &["Limit"], unbounded: &["Limit of all rows"] },
    Kind { ours: &[("top-N", Bound::RowCount)], nodes: &["SortLimit"], unbounded: &["SortLimit of all rows"] },
    Kind { ours: &[("sort", Bound::Watermark)], nodes: &["TemporalSort"], unbounded: &["Sort"] },
];

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn no_state_is_said_to_end_that_does_not() {
    let plans = plans();
    let (mut bounded, mut equal, mut wrong, mut unsaid) = (0, 0, 0, 0);
    for (script, planned) in &plans.scripts {
        each_query(script, planned, plans.shared, &mut |sql, statement, known, _, answer| {
            let Ok(planned) = answer else { return };
            if planned.queries.iter().any(|query| query.state.is_none()) {
                return;
            }
            let nodes: BTreeSet<&str> =
                planned.queries.iter().flat_map(|query| query.state.iter().flatten()).map(String::as_str).collect();
            let ours = sql::state(statement, known);
            let names: BTreeSet<_> = ours.iter().map(|used| (used.operator.name(), used.bounded_by)).collect();
            for Kind { ours: called, nodes: wanted, unbounded } in KINDS {
                let has = |list: &[&str]| list.iter().any(|node| nodes.contains(node));
                let said = called.iter().any(|name| names.contains(name));
                bounded += usize::from(has(wanted));
                equal += usize::from(said && has(wanted));
                if said && !has(wanted) && has(unbounded) {
                    wrong += 1;
                    println!("-- state that does not end: Flink {nodes:?}, we {names:?}\n{}\n", sql.trim());
                } else if !said && has(wanted) {
                    unsaid += 1;
                    println!("-- state whose end is not known: Flink {nodes:?}, we {names:?}\n{}\n", sql.trim());
                }
            }
        });
    }
    println!(
        "bounds: {bounded} kinds of operators of statements end with a window or an interval, {equal} of them known; \
         {wrong} said to end that do not, {unsaid} not said to end that do"
    );
    assert_eq!(wrong, 0, "state is said to end that does not");
    assert!(unsaid * 10 <= bounded, "more than a tenth is not said to end");
}
