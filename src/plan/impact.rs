//! Which tables become green, and why.
//!
//! The strategy is `full`: everything downstream of what changed goes green, because a statement that reads a green table
//! must read it from its beginning, and a statement that read both blue and green of one table would mix two versions.
//! Each impacted table carries the inputs that force it; each other table the proof that it cannot see the change: it
//! reads, directly or through others, none of the changed tables. Where those are many, the proof names what it reads
//! itself, which has a proof of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Role, Untouched};
use super::estate::{Estate, Table};
use super::graph::Graph;

/// How many tables a proof names; more than that nobody reads, and naming all of them for each table is quadratic.
const MOST_NAMED: usize = 40;

/// What a change reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impact {
    /// Tables that become green, in dependency order.
    pub green: Vec<String>,
    /// For each of them the reasons, one line each.
    pub because: BTreeMap<String, Vec<String>>,
    /// The others, with the proof.
    pub untouched: Vec<Untouched>,
}

impl Impact {
    /// How many tables become green, in words.
    pub fn becomes_green(&self) -> String {
        match self.green.len() {
            1 => "1 table becomes green".to_owned(),
            n => format!("{n} tables become green"),
        }
    }

    /// True when the table becomes green.
    pub fn reaches(&self, table: &str) -> bool {
        self.because.contains_key(table)
    }
}

/// Everything downstream of `changed`, which maps each changed table to the reason.
pub fn full(estate: &Estate, graph: &Graph<'_>, changed: &BTreeMap<String, String>) -> Impact {
    let roots: BTreeSet<String> = changed.keys().cloned().collect();
    let reached = graph.downstream(&roots);
    let mut because = BTreeMap::new();
    for name in &reached {
        let mut reasons: Vec<String> = changed.get(name).cloned().into_iter().collect();
        if let Some(table) = estate.tables.get(name) {
            let word = if table.role == Role::View { "shows" } else { "reads" };
            reasons.extend(table.reads.iter().filter(|r| reached.contains(*r)).map(|r| format!("{word} {r}")));
        }
        because.insert(name.clone(), reasons);
    }
    let untouched = estate
        .tables
        .values()
        .filter(|t| !reached.contains(&t.name))
        .map(|t| Untouched { table: t.name.clone(), proof: proof(graph, t, &roots) })
        .collect();
    Impact { green: graph.sorted(&reached), because, untouched }
}

fn proof(graph: &Graph<'_>, table: &Table, roots: &BTreeSet<String>) -> String {
    let changed = roots.iter().cloned().collect::<Vec<_>>().join(", ");
    let Some(inputs) = graph.inputs_within(&table.name, MOST_NAMED) else {
        let direct = table.reads.iter().cloned().collect::<Vec<_>>().join(", ");
        return format!("reads only {direct}: untouched themselves, so none of them is {changed} or depends on it");
    };
    if inputs.is_empty() {
        return "reads no table, and is not changed itself".to_owned();
    }
    let all = graph.sorted(&inputs).join(", ");
    format!("reads only {all}: none of them is {changed} or depends on it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{estate, graph, project};

    /// `other` and behind it a chain of that many tables; `changed` stands beside them.
    fn chain(length: usize) -> Estate {
        let table = |name: &str| {
            let sql = format!("CREATE TABLE {name} (id BIGINT) WITH ('connector' = 'kafka', 'topic' = '{name}');");
            (format!("ddl.{name}.sql"), sql)
        };
        let mut files = vec![table("changed"), table("other")];
        for number in 0..length {
            let before = if number == 0 { "other".to_owned() } else { format!("t{}", number - 1) };
            files.push(table(&format!("t{number}")));
            files.push((format!("dml.t{number}.sql"), format!("INSERT INTO t{number} SELECT id FROM {before};")));
        }
        let project = project::read(&files, &BTreeMap::new());
        assert_eq!(project.diagnostics, []);
        estate::read(&project.manifest).unwrap()
    }

    #[test]
    fn a_proof_names_every_table_while_they_are_few_and_then_the_nearest() {
        let estate = chain(MOST_NAMED + 1);
        let graph = graph::build(&estate).unwrap();
        let impact = full(&estate, &graph, &BTreeMap::from([("changed".to_owned(), "it changed".to_owned())]));
        let proof = |table: &str| impact.untouched.iter().find(|u| u.table == table).unwrap().proof.clone();
        assert_eq!(impact.green, ["changed"]);
        assert_eq!(proof("other"), "reads no table, and is not changed itself");
        assert_eq!(proof("t1"), "reads only other, t0: none of them is changed or depends on it");
        let last_long = proof(&format!("t{}", MOST_NAMED - 1));
        assert!(last_long.starts_with("reads only other, t0, t1, t2, "), "{last_long}");
        assert_eq!(last_long.matches(", ").count(), MOST_NAMED - 1, "{last_long}");
        assert_eq!(
            proof(&format!("t{MOST_NAMED}")),
            format!(
                "reads only t{}: untouched themselves, so none of them is changed or depends on it",
                MOST_NAMED - 1
            )
        );
    }
}
