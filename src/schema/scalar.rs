//! What differs between two scalar types: the part of [`super::diff`] that knows decimals, times and promotions.
//!
//! | change | old table, new records | new table, old records |
//! |---|---|---|
//! | wider number | fails | right; wrong digits for int or long to float, long to double |
//! | narrower number | right, with the same exception | fails |
//! | decimal scale, unit of a time, string and bytes | wrong values | wrong values |
//! | decimal precision grows / shrinks | larger values read NULL / right | right / larger values read NULL |
//! | decimal to text / to double | wrong values / fails | wrong values / fails |
//! | another meaning of the same number | wrong values | wrong values |
//! | logical type for the same meaning | right | right |
//! | anything else | fails | fails |

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::avro::{NodeId, Type};
use super::change::{ChangeKind, Effect};
use super::compat::primitive_reads;
use super::diff::Walk;
use super::differences::Place;
use super::flink;
use super::form::{AvroForm, Meaning};

impl Walk<'_> {
    /// Compares two types that are neither records, enums, collections nor unions, or that differ in that.
    pub(super) fn scalars(&mut self, place: &Place, a: NodeId, b: NodeId) {
        let size = |ty: &Type| if let Type::Fixed { size, .. } = ty { Some(*size) } else { None };
        let (one, other) = (self.old.node(a), self.new.node(b));
        if one.ty.word() == other.ty.word() && size(&one.ty) == size(&other.ty) && one.props == other.props {
            return;
        }
        let (old, new) = (self.old.form(a), self.new.form(b));
        let (was, is) = (old.meaning(), new.meaning());
        let reads = Readable {
            old_reads_new: self.reads(&old, &new, a, b, false),
            new_reads_old: self.reads(&old, &new, a, b, true),
        };
        match (&was, &is) {
            (Meaning::Decimal { precision: p, scale: s }, Meaning::Decimal { precision: q, scale: t })
                if old.same_bytes(&new) =>
            {
                self.decimals(place, (a, b), (*p, *q), (*s, *t));
            }
            (Meaning::Decimal { .. }, other) | (other, Meaning::Decimal { .. })
                if !matches!(other, Meaning::Decimal { .. }) && old.base != new.base =>
            {
                let other = if was == Meaning::Plain { &old.base } else { &new.base };
                let is_mode = matches!(other.as_str(), "string" | "double");
                let mode = if is_mode { ", as another decimal.handling.mode of the connector does" } else { "" };
                let what = format!("changes from {old} to {new}{mode}");
                self.emit(place, ChangeKind::DecimalModeChanged, (a, b), reads.misread(), &what);
            }
            _ if !old.same_bytes(&new) => self.other_bytes(place, (a, b), (&old, &new), reads),
            _ if was != is => {
                let unit = matches!(
                    (&was, &is),
                    (Meaning::Time(_), Meaning::Time(_))
                        | (Meaning::Timestamp(_), Meaning::Timestamp(_))
                        | (Meaning::LocalTimestamp(_), Meaning::LocalTimestamp(_))
                );
                let kind = if unit { ChangeKind::TimestampUnit } else { ChangeKind::TypeChanged };
                let what = format!("stores {is} instead of {was} in the same {}{}", new.base, other_mode(&old, &new));
                self.emit(place, kind, (a, b), reads.misread(), &what);
            }
            _ => self.annotations(place, a, b, other_mode(&old, &new)),
        }
    }

    fn decimals(
        &mut self,
        place: &Place,
        ids: (NodeId, NodeId),
        (p, q): (Option<u32>, Option<u32>),
        (s, t): (u32, u32),
    ) {
        if s != t {
            let what = format!("changes its decimal scale from {s} to {t}");
            self.emit(place, ChangeKind::DecimalScale, ids, (Effect::WrongValues, Effect::WrongValues), &what);
        }
        if p != q {
            let digits = |n: Option<u32>| n.map_or("no number of".to_owned(), |n| n.to_string());
            let what = format!("changes its decimal precision from {} to {} digits", digits(p), digits(q));
            let effects = match (p, q) {
                (Some(p), Some(q)) if q > p => (Effect::Nulls, Effect::Fine),
                (Some(_), Some(_)) => (Effect::Fine, Effect::Nulls),
                // Without a precision the logical type is invalid, and a table sees bytes.
                _ => (Effect::WrongValues, Effect::WrongValues),
            };
            self.emit(place, ChangeKind::DecimalPrecision, ids, effects, &what);
        }
        if s == t && p == q {
            self.annotations(place, ids.0, ids.1, "");
        }
    }

    fn other_bytes(
        &mut self,
        place: &Place,
        ids: (NodeId, NodeId),
        (old, new): (&AvroForm, &AvroForm),
        reads: Readable,
    ) {
        let same_meaning = old.meaning() == new.meaning();
        let what = format!("changes from {old} to {new}");
        let (kind, effects) = match (reads.new_reads_old, reads.old_reads_new) {
            (true, false) if same_meaning => {
                let history = if loses_digits(old, new) { Effect::WrongValues } else { Effect::Fine };
                (ChangeKind::Widened, (Effect::Fails, history))
            }
            (false, true) if same_meaning => {
                let live = if loses_digits(new, old) { Effect::WrongValues } else { Effect::Fine };
                (ChangeKind::Narrowed, (live, Effect::Fails))
            }
            _ if matches!((old.meaning(), new.meaning()), (Meaning::Time(_), Meaning::Time(_))) => {
                (ChangeKind::TimestampUnit, reads.misread())
            }
            _ => (ChangeKind::TypeChanged, reads.misread()),
        };
        self.emit(place, kind, ids, effects, &what);
    }

    /// Same bytes, same meaning: what remains is how the type is annotated.
    fn annotations(&mut self, place: &Place, a: NodeId, b: NodeId, mode: &str) {
        let (old, new) = (flink::column_type(self.old, a), flink::column_type(self.new, b));
        if old.ty != new.ty {
            let what =
                format!("keeps its stored values, but Flink's type for it is {} instead of {}{mode}", new.ty, old.ty);
            return self.emit(place, ChangeKind::LogicalType, (a, b), (Effect::Fine, Effect::Fine), &what);
        }
        let (old, new) = (&self.old.node(a).props, &self.new.node(b).props);
        let (was, is) = (placeholder(old), placeholder(new));
        if was != is {
            let what = match is {
                Some(value) => {
                    let value = super::parse::clip(&value.to_string());
                    format!("has a declared placeholder for a value that an update left unchanged (TOAST): {value}")
                }
                None => {
                    "has no declared placeholder any more for a value that an update left unchanged (TOAST)".to_owned()
                }
            };
            return self.emit(place, ChangeKind::Placeholder, (a, b), (Effect::Fine, Effect::Fine), &what);
        }
        let (x, y) = (remarks(old), remarks(new));
        if x != y {
            let keys = x.keys().chain(y.keys()).filter(|k| x.get(*k) != y.get(*k));
            let keys: BTreeSet<&str> = keys.copied().collect();
            let list = super::parse::clip(&keys.into_iter().collect::<Vec<_>>().join(", "));
            let what = format!("has other annotations ({list}), the stored values stay");
            self.emit(place, ChangeKind::Metadata, (a, b), (Effect::Fine, Effect::Fine), &what);
        }
    }

    fn reads(&self, old: &AvroForm, new: &AvroForm, a: NodeId, b: NodeId, new_reads_old: bool) -> bool {
        let (x, y): (&Type, &Type) = (self.old.ty(a), self.new.ty(b));
        let promoted = if new_reads_old { primitive_reads(y, x) } else { primitive_reads(x, y) };
        promoted || old.same_bytes(new)
    }
}

/// Which direction decodes at all.
#[derive(Clone, Copy)]
struct Readable {
    old_reads_new: bool,
    new_reads_old: bool,
}

impl Readable {
    /// The effects of a change whose decoded values mean something else.
    fn misread(self) -> (Effect, Effect) {
        let effect = |reads: bool| if reads { Effect::WrongValues } else { Effect::Fails };
        (effect(self.old_reads_new), effect(self.new_reads_old))
    }
}

impl AvroForm {
    /// Whether the two are encoded in the same way.
    fn same_bytes(&self, other: &Self) -> bool {
        self.base == other.base && self.size == other.size
    }
}

/// What a connector's setting has to do with another name of a time: Debezium's names go with the adaptive modes, Connect's own
/// with `connect`. Between the adaptive ones a change looks like one of the column's precision.
fn other_mode(old: &AvroForm, new: &AvroForm) -> &'static str {
    let family = |form: &AvroForm| {
        let name = form.connect_name.as_deref().filter(|_| form.meaning() != Meaning::Plain)?;
        ["io.debezium.time.", "org.apache.kafka.connect.data."].into_iter().position(|family| name.starts_with(family))
    };
    match (family(old), family(new)) {
        (Some(one), Some(other)) if one != other => ", as another time.precision.mode of the connector does",
        _ => "",
    }
}

/// Whether some numbers of `from` have no exact value in `to`.
fn loses_digits(from: &AvroForm, to: &AvroForm) -> bool {
    matches!((from.base.as_str(), to.base.as_str()), ("int" | "long", "float") | ("long", "double"))
}

/// What Debezium writes where a large value of PostgreSQL did not change, as the schema declares it.
fn placeholder(props: &BTreeMap<String, Value>) -> Option<&Value> {
    props.get("connect.parameters")?.get("__debezium.unavailable.value.placeholder")
}

/// Properties that are neither comments nor defaults.
fn remarks(props: &BTreeMap<String, Value>) -> BTreeMap<&str, &Value> {
    const ELSEWHERE: [&str; 4] = ["doc", "connect.doc", "connect.default", "default"];
    props.iter().map(|(k, v)| (k.as_str(), v)).filter(|(k, _)| !ELSEWHERE.contains(k)).collect()
}
