//! What operators turned out to be whose text alone does not tell it: those whose state ends with a window or an interval.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::changes::{Cause, Changes, Kind};
use crate::diagnostic::Span;

/// Operators of one query, by where they are written. Those of its views are not among them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judged {
    /// The name of an operator whose state ends; `None` for one that was judged twice, and not alike.
    ends: BTreeMap<Span, Option<&'static str>>,
}

/// The operators whose state ends.
pub(crate) const WINDOWED: &[&str] = &["window join", "window aggregate", "window top-N", "window deduplication"];
pub(crate) const INTERVAL_JOIN: &str = "interval join";

impl Judged {
    /// The operator at `span`, if its state ends.
    pub fn ends(&self, span: Span) -> Option<&'static str> {
        self.ends.get(&span).copied().flatten()
    }

    /// Notes the operator at `span`, which made these changes.
    pub(super) fn note(&mut self, changes: &Changes, span: Span) {
        let own = changes.because.iter().filter(|because| because.span == span && because.via.is_none());
        let found = own.filter_map(|because| ending(&because.cause)).next();
        match self.ends.entry(span) {
            Entry::Vacant(entry) => {
                entry.insert(found);
            }
            Entry::Occupied(mut entry) => {
                if *entry.get() != found {
                    entry.insert(None);
                }
            }
        }
    }

    /// Notes the ranking that made these changes.
    pub(super) fn ranked(&mut self, changes: &Changes) {
        let calls: Vec<Span> = changes.because.iter().filter(|because| because.via.is_none()).map(|b| b.span).collect();
        calls.into_iter().for_each(|span| self.note(changes, span));
    }

    /// What becomes of rows whose windows or times the operators that made them turn out not to see: their state does not
    /// end, and the rows change.
    pub(super) fn unbounded(&mut self, changes: Changes) -> Changes {
        let causes = changes.because.iter().filter(|because| ending(&because.cause).is_some());
        let spans: Vec<Span> = causes.map(|because| because.span).collect();
        if spans.is_empty() {
            return changes;
        }
        for span in spans {
            self.ends.insert(span, None);
        }
        Changes { kind: Kind::Updating.max(changes.kind), keys: Vec::new(), ..changes }
    }
}

/// The name of an operator whose state ends.
fn ending(cause: &Cause) -> Option<&'static str> {
    match cause {
        Cause::Operator(name) => (WINDOWED.contains(name) || *name == INTERVAL_JOIN).then_some(*name),
        Cause::Source(_) => None,
    }
}
