//! What depends on what: logical tables and views, from readers to facts.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction;
use petgraph::algo::toposort;
use petgraph::graphmap::DiGraphMap;
use petgraph::visit::{Dfs, Reversed};

use super::estate::Estate;
use crate::diagnostic::Diagnostic;

/// The dependencies of an estate.
#[derive(Clone, Debug)]
pub struct Graph<'a> {
    edges: DiGraphMap<&'a str, ()>,
    order: Vec<&'a str>,
    /// How many steps each table is away from the readers, by the longest way.
    depth: BTreeMap<&'a str, usize>,
}

/// Builds it.
///
/// # Errors
/// A diagnostic that names the tables of a cycle.
pub fn build(estate: &Estate) -> Result<Graph<'_>, Diagnostic> {
    let mut edges = DiGraphMap::new();
    for (name, table) in &estate.tables {
        edges.add_node(name.as_str());
        for read in &table.reads {
            edges.add_edge(read.as_str(), name.as_str(), ());
        }
    }
    let order = toposort(&edges, None).map_err(|cycle| {
        let text = format!("table `{}` is computed from itself, directly or through other tables", cycle.node_id());
        Diagnostic::error("C120", text).help("break the circle: no table of it can be replaced before the others")
    })?;
    let mut depth: BTreeMap<&str, usize> = BTreeMap::new();
    for node in &order {
        let inputs = edges.neighbors_directed(node, Direction::Incoming);
        let own = inputs.filter_map(|n| depth.get(n)).max().map_or(0, |d| d + 1);
        depth.insert(node, own);
    }
    Ok(Graph { edges, order, depth })
}

impl Graph<'_> {
    /// Every table, inputs before what reads them.
    pub fn order(&self) -> impl Iterator<Item = &str> {
        self.order.iter().copied()
    }

    /// Everything that reads one of `from`, directly or not, and `from` itself.
    pub fn downstream(&self, from: &BTreeSet<String>) -> BTreeSet<String> {
        // One walk for all: what one start has reached is not walked again for the next.
        let mut walk = Dfs::empty(&self.edges);
        let mut found = BTreeSet::new();
        for start in from {
            walk.move_to(start.as_str());
            while let Some(node) = walk.next(&self.edges) {
                found.insert(node.to_owned());
            }
        }
        found
    }

    /// Everything that one of `from` reads, directly or not, and `from` itself.
    pub fn upstream(&self, from: &BTreeSet<String>) -> BTreeSet<String> {
        let reversed = Reversed(&self.edges);
        let mut walk = Dfs::empty(reversed);
        let mut found = BTreeSet::new();
        for start in from {
            walk.move_to(start.as_str());
            while let Some(node) = walk.next(reversed) {
                found.insert(node.to_owned());
            }
        }
        found
    }

    /// Everything that `table` reads, directly or not; `None` when that is more than `most` tables.
    pub fn inputs_within(&self, table: &str, most: usize) -> Option<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        let mut open = vec![table];
        while let Some(node) = open.pop() {
            for input in self.edges.neighbors_directed(node, Direction::Incoming) {
                if found.insert(input.to_owned()) {
                    open.push(input);
                }
            }
            if found.len() > most {
                return None;
            }
        }
        Some(found)
    }

    /// `tables` in dependency order.
    pub fn sorted(&self, tables: &BTreeSet<String>) -> Vec<String> {
        let mut sorted: Vec<String> = tables.iter().cloned().collect();
        sorted.sort_by_cached_key(|t| (self.depth.get(t.as_str()).copied().unwrap_or(0), t.clone()));
        sorted
    }
}
