//! What keeps one type from being read as another, while it is searched for; in words only once it is told.

use std::rc::Rc;

use super::avro::{AvroSchema, NodeId, Type};
use super::compat::Incompatibility;

/// Reasons kept per pair of types; more would not help a person.
const MOST_REASONS: usize = 50;

/// A reason whose path is still relative to the pair it was found at. Put into words only when it is told: most are those of a
/// union's branch beside the one that reads.
#[derive(Clone)]
pub(super) struct Finding {
    pub(super) path: Vec<Rc<str>>,
    /// The reader's type there.
    pub(super) r: NodeId,
    /// The writer's, unless it has none.
    pub(super) w: NodeId,
    pub(super) what: What,
}

/// What is wrong at a place.
#[derive(Clone)]
pub(super) enum What {
    /// One type is not read as the other.
    Types,
    /// No branch of the reader's union reads the type.
    NoBranch,
    /// The same with a reason.
    Said(String),
    /// The writer lacks the field.
    Absent,
    /// The field is there twice.
    Twice,
}

/// What keeps a pair of types from being read.
#[derive(Clone, Default)]
pub(super) enum Findings {
    /// Nothing does.
    #[default]
    None,
    /// Two types without parts.
    Types(NodeId, NodeId),
    Some(Rc<Vec<Finding>>),
}

impl Findings {
    /// The first of them.
    pub(super) fn of(mut found: Vec<Finding>) -> Self {
        found.truncate(MOST_REASONS);
        if found.is_empty() { Self::None } else { Self::Some(Rc::new(found)) }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::None)
    }

    pub(super) fn to_vec(&self) -> Vec<Finding> {
        match self {
            Self::None => Vec::new(),
            Self::Types(r, w) => one(*r, *w, What::Types),
            Self::Some(found) => found.to_vec(),
        }
    }

    /// The same in a part that has this name.
    pub(super) fn below(&self, segment: &Rc<str>) -> Vec<Finding> {
        let mut found = self.to_vec();
        found.iter_mut().for_each(|finding| finding.path.insert(0, Rc::clone(segment)));
        found
    }
}

/// A reason at the pair itself.
pub(super) fn one(r: NodeId, w: NodeId, what: What) -> Vec<Finding> {
    vec![Finding { path: Vec::new(), r, w, what }]
}

impl Finding {
    /// In words.
    pub(super) fn reason(&self, reader: &AvroSchema, writer: &AvroSchema, envelope: bool) -> Incompatibility {
        let row: &[Rc<str>] = match self.path.split_first() {
            Some((head, rest)) if envelope && (&**head == "before" || &**head == "after") && !rest.is_empty() => rest,
            _ => &self.path,
        };
        let in_row = row.len() < self.path.len() || !envelope;
        let place = join(row);
        let (read, written) = (reader.describe(self.r), writer.describe(self.w));
        let null = matches!(writer.ty(self.w), Type::Null) && !matches!(reader.ty(self.r), Type::Null);
        let (written, what) = match &self.what {
            What::Absent => {
                ("absent".to_owned(), "the writer lacks it and the reader has no default for it".to_owned())
            }
            What::Twice => {
                ("two matches".to_owned(), "the reader's name and aliases match the writer's fields twice".to_owned())
            }
            _ if null => (written, format!("the writer may hold null, the reader ({read}) does not take it")),
            What::Types => {
                let what = format!("{written} cannot be read as {read}");
                (written, what)
            }
            What::NoBranch => {
                let what = format!("no branch of {read} reads {written}");
                (written, what)
            }
            What::Said(what) => (written, what.clone()),
        };
        let message = match (place.is_empty(), in_row) {
            (true, _) => what,
            (false, true) => format!("column `{place}`: {what}"),
            (false, false) => format!("envelope field `{place}`: {what}"),
        };
        Incompatibility {
            path: join(&self.path),
            column: if in_row { row.first().map(|c| c.to_string()) } else { None },
            reader: read,
            writer: written,
            message,
        }
    }
}

/// Segments that begin with `[` attach without a dot.
fn join(path: &[Rc<str>]) -> String {
    let mut out = String::new();
    for segment in path {
        if !out.is_empty() && !segment.starts_with('[') {
            out.push('.');
        }
        out.push_str(segment);
    }
    out
}
