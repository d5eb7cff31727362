//! Which of the sources in reach a qualified name means.

use std::collections::BTreeMap;

/// How many parts of a name are looked at; catalog, database and table are three.
const MAX_PARTS: usize = 4;

/// The names of sources, each with the source's number.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// The first source of each name and of each end of a name, its parts joined by NUL.
    first: BTreeMap<String, usize>,
}

impl Reach {
    /// Makes a source known by its name. One that came earlier stays what is meant.
    pub fn add(&mut self, parts: &[String], source: usize) {
        let mut name = String::new();
        for part in parts.iter().rev().take(MAX_PARTS) {
            name = if name.is_empty() { part.clone() } else { format!("{part}\0{name}") };
            self.first.entry(name.clone()).or_insert(source);
        }
    }

    /// The source that `parts` name: they are its name, or the end of it.
    pub fn find(&self, parts: &[&str]) -> Option<usize> {
        match parts {
            [] => None,
            [only] => self.first.get(*only).copied(),
            _ if parts.len() > MAX_PARTS => None,
            _ => self.first.get(&parts.join("\0")).copied(),
        }
    }

    /// How many of a name's parts may name a source, if at least `rest` of them name something else.
    pub fn leading(parts: usize, rest: usize) -> usize {
        parts.saturating_sub(rest).min(MAX_PARTS)
    }
}
