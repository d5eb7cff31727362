//! Changing SQL by edits on spans.
//!
//! An [`EditSet`] collects changes of one text and makes them all at once. Its methods are the operations: they take the parts
//! of the parsed statement that they change, work out the edits, and keep them under the operation's name.
//!
//! Rules:
//! - Every byte outside of an edit stays: comments, layout, line ends. What is added is set out like what stands beside it.
//! - The order of independent operations does not matter. What is added to one list comes in the order of the calls.
//! - Two operations that change the same text are an error that names both, and not a guess. So is an operation after which
//!   the statement would not hold together, such as removing a column of the primary key.
//! - A set belongs to the text that was parsed: apply it, parse again, then make the next one.
//!
//! ```
//! use cyanotype::model::column::{Column, ColumnType};
//! use cyanotype::sql::{EditSet, StatementKind, parse};
//!
//! let text = "\
//! CREATE TABLE orders (
//!     id    BIGINT,
//!     note  STRING, -- free text
//!     price DECIMAL(10, 2)
//! ) WITH ('connector' = 'kafka', 'topic' = 'orders');
//! INSERT INTO big SELECT orders.id, price FROM orders WHERE price > 100;
//! ";
//! let parsed = parse(text);
//! let mut edits = EditSet::new(text);
//! for statement in parsed.statements() {
//!     edits.rename_table(statement, "orders", "orders_v2");
//!     if let StatementKind::CreateTable(table) = &statement.kind {
//!         edits
//!             .add_column(table, &Column::nullable("tier", ColumnType::String))?
//!             .remove_column(table, "note")?
//!             .set_option(table, "topic", "orders_v2");
//!     }
//! }
//! assert_eq!(edits.apply()?, "\
//! CREATE TABLE orders_v2 (
//!     id    BIGINT,
//!     price DECIMAL(10, 2),
//!     tier  STRING
//! ) WITH ('connector' = 'kafka', 'topic' = 'orders_v2');
//! INSERT INTO big SELECT orders_v2.id, price FROM orders_v2 WHERE price > 100;
//! ");
//! # Ok::<(), cyanotype::sql::CannotEdit>(())
//! ```

mod columns;
mod cut;
mod options;
mod projection;
mod tables;
mod text;

use std::collections::BTreeMap;

use crate::diagnostic::{Edit, Span};
pub use text::{EditError, apply};

/// Why a change cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotEdit {
    /// Two operations change the same text, or one needs what the other takes away.
    #[error("cannot {first} and {second} in one go: both change the text at byte {at}")]
    Conflict {
        /// The operation that begins first in the text.
        first: String,
        /// The other one.
        second: String,
        /// Where they meet.
        at: usize,
    },
    /// The statement does not allow it.
    #[error("cannot {operation}: {reason}")]
    Refused {
        /// What was asked for.
        operation: String,
        /// Why not, in plain words.
        reason: String,
        /// What stands in the way; nothing if something is missing.
        span: Option<Span>,
    },
    /// An edit is not on the text: the set was made for another one.
    #[error("cannot {operation}: bytes {}..{} do not fit the text", span.start, span.end)]
    OutOfRange {
        /// What was asked for.
        operation: String,
        /// The edit's place.
        span: Span,
    },
}

/// Where nothing stands.
const NOTHING: Span = Span::new(0, 0);

/// Changes of one text that are made all at once. See [the module](self) for the rules and an example.
#[derive(Clone, Debug)]
pub struct EditSet<'a> {
    text: &'a str,
    changes: Vec<Change>,
    /// What is taken out of lists, by where the list begins.
    cuts: BTreeMap<usize, Cuts>,
    /// Operations that turned out to be impossible.
    refused: Vec<CannotEdit>,
}

/// A replacement or an insertion.
#[derive(Clone, Debug)]
struct Change {
    operation: String,
    edit: Edit,
    /// For an insertion: how it is joined with others at its place.
    joint: Joint,
    /// What nothing may be taken out of, because the edit was made for a text that has it.
    rests_on: Span,
}

/// What comes around and between insertions at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Joint {
    /// Of two kinds of insertions at one place the lower one comes first.
    order: u8,
    before: String,
    between: String,
    behind: String,
}

/// What is taken out of one list.
#[derive(Clone, Debug)]
struct Cuts {
    region: Span,
    /// Items with the operations that take them out.
    items: BTreeMap<Span, String>,
}

/// An edit that is ready to be made, under its operation's name.
struct Ready {
    edit: Edit,
    order: u8,
    operation: String,
}

impl<'a> EditSet<'a> {
    /// An empty set for `text`.
    pub const fn new(text: &'a str) -> Self {
        Self { text, changes: Vec::new(), cuts: BTreeMap::new(), refused: Vec::new() }
    }

    /// True if nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.cuts.is_empty()
    }

    /// Edits that were made elsewhere for the same text, such as those of [`carry`](super::carry()); `operation` is what
    /// errors call them. Insertions at one place are put together in the order of the calls.
    pub fn include(&mut self, operation: &str, edits: impl IntoIterator<Item = Edit>) -> &mut Self {
        for edit in edits {
            // What is put in stands behind something.
            let inserts = edit.span.start == edit.span.end;
            let rests_on =
                if inserts { Span::new(edit.span.start.saturating_sub(1), edit.span.start) } else { NOTHING };
            self.changes.push(Change { operation: operation.to_owned(), edit, joint: Joint::default(), rests_on });
        }
        self
    }

    /// The edits in order of the text; no two of them touch the same bytes.
    ///
    /// # Errors
    /// Two operations of the set that change the same text, one that is not on the text, and a table that cannot have its new
    /// name.
    pub fn edits(&self) -> Result<Vec<Edit>, CannotEdit> {
        if let Some(refused) = self.refused.first() {
            return Err(refused.clone());
        }
        let cuts = self.cut();
        self.nothing_rests_on(&cuts)?;
        let mut ready = self.joined();
        ready.extend(cuts);
        ready.sort_by_key(|ready| (ready.edit.span, ready.order));
        for pair in ready.windows(2) {
            let [first, second] = pair else { continue };
            let at_one_place = first.order != second.order && first.edit.span == second.edit.span;
            if text::collide(first.edit.span, second.edit.span) && !at_one_place {
                return Err(conflict(&first.operation, &second.operation, second.edit.span.start));
            }
        }
        if let Some(bad) = ready.iter().find(|r| self.text.get(r.edit.span.start..r.edit.span.end).is_none()) {
            return Err(CannotEdit::OutOfRange { operation: bad.operation.clone(), span: bad.edit.span });
        }
        Ok(ready.into_iter().map(|ready| ready.edit).collect())
    }

    /// The text with all changes made.
    ///
    /// # Errors
    /// As [`edits`](Self::edits).
    pub fn apply(&self) -> Result<String, CannotEdit> {
        let edits = self.edits()?;
        Ok(text::joined(self.text, &edits.iter().collect::<Vec<_>>()))
    }

    fn replace(&mut self, operation: String, span: Span, text: String) -> &mut Self {
        let edit = Edit { span, text };
        self.changes.push(Change { operation, edit, joint: Joint::default(), rests_on: NOTHING });
        self
    }

    /// An item at the end of a list whose last item ends at `last`.
    fn append(&mut self, operation: String, edit: Edit, last: usize, joint: Joint) -> &mut Self {
        let rests_on = Span::new(last.saturating_sub(1), edit.span.start.max(last));
        self.changes.push(Change { operation, edit, joint, rests_on });
        self
    }

    /// Takes `item` out of the list in `region`.
    fn take_out(&mut self, operation: String, region: Span, item: Span) {
        let cuts = self.cuts.entry(region.start).or_insert_with(|| Cuts { region, items: BTreeMap::new() });
        cuts.items.insert(item, operation);
    }

    /// How many of the items that begin in `region` are left when `item` goes as well.
    fn left(&self, region: Span, items: &[Span], item: Span) -> usize {
        let gone = self.cuts.get(&region.start);
        items.iter().filter(|i| **i != item && !gone.is_some_and(|cuts| cuts.items.contains_key(i))).count()
    }

    fn cut(&self) -> Vec<Ready> {
        let mut ready = Vec::new();
        for cuts in self.cuts.values() {
            let items: Vec<Span> = cuts.items.keys().copied().collect();
            for edit in cut::cut(self.text, cuts.region, &items) {
                // A stretch of several items goes under the name of the first one in it; a comma alone under its item's.
                let next =
                    cuts.items.range(Span::new(edit.span.start, 0)..).next().or_else(|| cuts.items.last_key_value());
                let operation = next.map_or_else(String::new, |(_, operation)| operation.clone());
                ready.push(Ready { edit, order: 0, operation });
            }
        }
        ready.sort_by_key(|ready| ready.edit.span);
        ready
    }

    /// An insertion was made for a text in which its neighbour is still there.
    fn nothing_rests_on(&self, cuts: &[Ready]) -> Result<(), CannotEdit> {
        for change in &self.changes {
            let needed = change.rests_on;
            let first = cuts.partition_point(|cut| cut.edit.span.end <= needed.start);
            if let Some(cut) = cuts.get(first).filter(|cut| cut.edit.span.start < needed.end) {
                return Err(conflict(&change.operation, &cut.operation, cut.edit.span.start));
            }
        }
        Ok(())
    }

    /// Replacements, the same one once, and insertions, those at one place as one.
    fn joined(&self) -> Vec<Ready> {
        let mut places: BTreeMap<(Span, u8, &str), Ready> = BTreeMap::new();
        let mut behind: BTreeMap<(Span, u8, &str), &str> = BTreeMap::new();
        for change in &self.changes {
            let Change { operation, edit, joint, .. } = change;
            let inserts = edit.span.start == edit.span.end;
            let key = (edit.span, joint.order, if inserts { "" } else { edit.text.as_str() });
            match places.get_mut(&key) {
                Some(_) if !inserts => {}
                Some(ready) => {
                    ready.edit.text.push_str(&joint.between);
                    ready.edit.text.push_str(&edit.text);
                }
                None => {
                    let edit = Edit { span: edit.span, text: joint.before.clone() + &edit.text };
                    places.insert(key, Ready { edit, order: joint.order, operation: operation.clone() });
                    behind.insert(key, &joint.behind);
                }
            }
        }
        for (key, ready) in &mut places {
            ready.edit.text.push_str(behind.get(key).copied().unwrap_or(""));
        }
        places.into_values().collect()
    }
}

fn conflict(first: &str, second: &str, at: usize) -> CannotEdit {
    CannotEdit::Conflict { first: first.to_owned(), second: second.to_owned(), at }
}

fn refused(operation: String, reason: impl Into<String>, span: Option<Span>) -> CannotEdit {
    CannotEdit::Refused { operation, reason: reason.into(), span }
}
