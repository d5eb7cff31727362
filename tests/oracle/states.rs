//! What holds state, against the plan that Flink would run.

use std::collections::BTreeMap;

use cyanotype::sql;

use crate::flink;
use crate::flows::{each_query, plans};

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn no_statement_with_state_is_called_stateless() {
    let plans = plans();
    let (mut statements, mut stateful, mut left_out, mut missed, mut needless) = (0, 0, 0, 0, 0);
    let (mut assumed, mut assumed_wrongly) = (0, 0);
    let mut by_node: BTreeMap<String, usize> = BTreeMap::new();
    for (script, planned) in &plans.scripts {
        each_query(script, planned, plans.shared, &mut |sql, statement, known, _, answer| {
            let states = answer.and_then(|planned| {
                let state = |query: &flink::PlannedQuery| query.state.clone().ok_or_else(|| query.unplanned.clone());
                planned.queries.iter().map(state).collect::<Result<Vec<_>, String>>()
            });
            let nodes: Vec<String> = match states {
                Ok(states) => states.into_iter().flatten().collect(),
                Err(why) => {
                    left_out += 1;
                    println!("-- left out: {why}\n{}\n", sql.trim());
                    return;
                }
            };
            let ours = sql::state(statement, known);
            let names: Vec<&str> = ours.iter().map(|used| used.operator.name()).collect();
            statements += 1;
            stateful += usize::from(!nodes.is_empty());
            nodes.iter().for_each(|node| *by_node.entry(node.clone()).or_default() += 1);
            // It is said that this holds only if a function is no aggregate.
            let assumes = sql::changelogs(statement, known).iter().any(|found| !found.assumes.is_empty());
            assumed += usize::from(assumes);
            let materialized = names.contains(&"sink materialise");
            if nodes.is_empty() && !ours.is_empty() {
                needless += 1;
                println!("-- state in vain: {names:?}\n{}\n", sql.trim());
            } else if assumes && nodes.iter().any(|node| node == "GroupAggregate") {
                assumed_wrongly += 1;
            } else if (!nodes.is_empty() && ours.is_empty())
                || (nodes.iter().any(|node| node == "SinkMaterialize") && !materialized)
            {
                missed += 1;
                println!("-- state missed: Flink {nodes:?}, we {names:?}\n{}\n", sql.trim());
            }
        });
    }
    println!(
        "state: {statements} statements planned, {left_out} left out; {stateful} hold state, {missed} of them not known; \
         {needless} called stateful in vain; {assumed} assume that a function is no aggregate, {assumed_wrongly} wrongly; nodes {by_node:?}"
    );
    assert!(left_out * 9 <= statements, "more than a tenth of the statements could not be planned");
    assert_eq!(missed, 0, "a statement with state is called stateless");
    assert!(needless * 50 <= statements, "more than 2 % are called stateful in vain");
}
