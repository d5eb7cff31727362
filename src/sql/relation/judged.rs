//! What operators turned out to be whose text alone does not tell it: by windows, by times, and by what is asked of them.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::{Cause, Changes, Kind};
use super::order::{Ordering, Orderings};
use crate::diagnostic::Span;
use crate::sql::operators::{Clock, Operator, OperatorUse};

/// Operators of one query, by where they are written. Those of its views are not among them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judged {
    /// What an operator is; `None` for one that is what its text says, and for one that was judged twice, and not alike.
    found: BTreeMap<Span, Option<Operator>>,
    /// The rankings, and whether no two rows of a partition have the same place in the order.
    total: BTreeMap<Span, bool>,
    /// The times that operators go by.
    clocks: BTreeMap<Span, Clock>,
    /// Text in which no state of views ends, as conditions around it are about their windows or times.
    opened: BTreeSet<Span>,
    /// What orders and limits hold.
    pub orderings: Orderings,
    /// Where views are named whose ranks a condition limits, and what that makes of them.
    limited: BTreeMap<Span, Operator>,
}

/// What operators turn out to be.
const JUDGED: [Operator; 6] = [
    Operator::IntervalJoin,
    Operator::WindowJoin,
    Operator::WindowAggregate,
    Operator::WindowTopN,
    Operator::WindowDeduplication,
    Operator::Deduplication { total: false },
];
pub(crate) const INTERVAL_JOIN: &str = "interval join";

impl Judged {
    /// Says what an operator is, by what was found out.
    pub fn judge(&self, op: &mut OperatorUse) {
        // A condition may begin and end where the query does that it asks.
        if let (Some(Some(found)), true) = (self.found.get(&op.span), op.kind.is_stateful()) {
            op.kind.clone_from(found);
        }
        if op.kind == Operator::Limit
            && let Some(Ordering::Limit { sorted: true, .. }) = self.orderings.get(&op.span)
        {
            op.kind = Operator::TopN { total: false };
        }
        if op.kind == (Operator::TopN { total: false })
            && !self.found.contains_key(&op.span)
            && let Some(clock) = self.clocks.get(&op.span)
        {
            op.kind = Operator::Ranks { by: *clock, total: false };
        }
        if let Operator::TopN { total } | Operator::Deduplication { total } | Operator::Ranks { total, .. } =
            &mut op.kind
        {
            *total = self.total.get(&op.span) == Some(&true);
        }
        if let Operator::Over(by) | Operator::Match { by, .. } | Operator::OrderBy(by) = &mut op.kind
            && let Some(found) = self.clocks.get(&op.span)
        {
            *by = *found;
        }
    }

    /// The name that an operator of a view has that is named at `span`, if it is another one there than the view says: where
    /// its state does not end, or its ranks are limited.
    pub fn named(&self, span: Span, name: &str) -> Option<&'static str> {
        if name == Operator::Over(Clock::None).name() {
            return self.limited.get(&span).map(Operator::name);
        }
        let found = match name {
            "window join" | INTERVAL_JOIN => Operator::RegularJoin,
            "window aggregate" => Operator::GroupAggregate,
            "window top-N" | "window deduplication" => Operator::TopN { total: false },
            _ => return None,
        };
        let inside = |text: &Span| text.start <= span.start && span.end <= text.end;
        self.opened.iter().any(inside).then(|| found.name())
    }

    /// Notes the operator at `span`, which made these changes.
    pub(super) fn note(&mut self, changes: &Changes, span: Span) {
        let own = changes.because.iter().filter(|because| because.span == span && because.via.is_none());
        self.is(own.filter_map(|because| judged(&because.cause)).next(), span);
    }

    /// Notes what the operator at `span` is; `None` if it is what its text says.
    pub(super) fn is(&mut self, found: Option<Operator>, span: Span) {
        let known = self.found.entry(span).or_insert_with(|| found.clone());
        if *known != found {
            *known = None;
        }
    }

    /// Notes whether the order of the ranking at `span` is total.
    pub(super) fn ordered(&mut self, total: bool, span: Span) {
        *self.total.entry(span).or_insert(true) &= total;
    }

    /// Notes the time that the operator at `span` goes by; of two the one that makes more differences.
    pub(super) fn goes_by(&mut self, clock: Clock, span: Span) {
        let known = self.clocks.entry(span).or_insert(clock);
        *known = clock.max(*known);
    }

    /// Notes the ranking that made these changes.
    pub(super) fn ranked(&mut self, changes: &Changes) {
        for because in &changes.because {
            if because.via.is_none() {
                self.note(changes, because.span);
            } else {
                let limited = judged(&because.cause).unwrap_or(Operator::TopN { total: false });
                self.limited.insert(because.span, limited);
            }
        }
    }

    /// What becomes of the rows of a source whose windows or times the operators that made them turn out not to see: their
    /// state does not end, and the rows change. `text` is what the source is made by, its name where that is a view.
    pub(super) fn unbounded(&mut self, changes: Changes, text: Span) -> Changes {
        if !changes.because.iter().any(|because| judged(&because.cause).is_some_and(|found| found.ends())) {
            return changes;
        }
        let inside = self.found.range_mut(Span { start: text.start, end: 0 }..Span { start: text.end, end: 0 });
        inside.for_each(|(_, found)| {
            found.take_if(|found| found.ends());
        });
        self.opened.insert(text);
        Changes { kind: Kind::Updating.max(changes.kind), keys: Vec::new(), ..changes }
    }
}

/// The operator that decides, if its text alone does not tell it.
fn judged(cause: &Cause) -> Option<Operator> {
    match cause {
        Cause::Operator(name) => JUDGED.into_iter().find(|operator| operator.name() == *name),
        Cause::Source(_) => None,
    }
}
