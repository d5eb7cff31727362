//! What operators turned out to be whose text alone does not tell it: those whose state ends with a window or an interval.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::changes::{Cause, Changes, Kind};
use super::order::Orderings;
use crate::diagnostic::Span;

/// Operators of one query, by where they are written. Those of its views are not among them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judged {
    /// The name of an operator whose state ends; `None` for one that was judged twice, and not alike.
    ends: BTreeMap<Span, Option<&'static str>>,
    /// Text in which no state of views ends, as conditions around it are about their windows or times.
    opened: BTreeSet<Span>,
    /// What orders and limits hold.
    pub orderings: Orderings,
}

/// The operators whose state ends.
pub(crate) const WINDOWED: &[&str] = &["window join", "window aggregate", "window top-N", "window deduplication"];
pub(crate) const INTERVAL_JOIN: &str = "interval join";

impl Judged {
    /// The operator at `span`, if its state ends.
    pub fn ends(&self, span: Span) -> Option<&'static str> {
        self.ends.get(&span).copied().flatten()
    }

    /// The name that an operator of a view has that is named at `span`, if its state ends by what the view says, and does not
    /// where it is named.
    pub fn opened(&self, span: Span, name: &str) -> Option<&'static str> {
        let found = match name {
            "window join" | INTERVAL_JOIN => "regular join",
            "window aggregate" => "group aggregate",
            "window top-N" | "window deduplication" => "top-N",
            _ => return None,
        };
        let inside = |text: &Span| text.start <= span.start && span.end <= text.end;
        self.opened.iter().any(inside).then_some(found)
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

    /// What becomes of the rows of a source whose windows or times the operators that made them turn out not to see: their
    /// state does not end, and the rows change. `text` is what the source is made by, its name where that is a view.
    pub(super) fn unbounded(&mut self, changes: Changes, text: Span) -> Changes {
        if !changes.because.iter().any(|because| ending(&because.cause).is_some()) {
            return changes;
        }
        let inside = self.ends.range_mut(Span { start: text.start, end: 0 }..Span { start: text.end, end: 0 });
        inside.for_each(|(_, name)| *name = None);
        self.opened.insert(text);
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
