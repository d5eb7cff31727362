//! Can a reader schema read what a writer schema wrote: the rules of Avro's Java library, which the registries call.
//!
//! | case | rule |
//! |---|---|
//! | writer is a union | the whole reader must read every branch |
//! | reader is a union | one branch must read the writer |
//! | primitives | equal, or int to long, float, double; long to float, double; float to double; string to and from bytes |
//! | array, map | items, values |
//! | named types | short names equal, or the writer's full name among the reader's aliases |
//! | fixed | and the size |
//! | enum | and the writer's symbols among the reader's, or the reader has a default that is one of its symbols |
//! | record | and each reader field is found by name or alias (two hits: incompatible), or has a default |
//! | not looked at | logical types, docs, properties, namespaces, every order, the writer's aliases, values of defaults |
//!
//! A pair of nodes is judged once; a pair that is being judged counts as readable, so recursion ends. Unlike the library,
//! a reason descends into `null | record` unions, so that it names the column and not the union.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::avro::{AvroSchema, Field, MAX_DEPTH, NodeId, Type};
use super::branches::Branches;
use super::envelope::{Shape, shape};
use super::finding::{Finding, Findings, What, one};
use super::rule::{AllRules, Rule, Rules};
use crate::steps;

/// Branches of large unions tried at most. Only thousands of types of one short name in one union come near it.
const MOST_TRIED: usize = 100_000;

/// A union with more branches than this is looked up instead of tried branch by branch.
const FEW_BRANCHES: usize = 8;

/// One reason why a reader cannot read a writer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Incompatibility {
    /// Where in the reader, such as `after.price`; empty for the top.
    pub path: String,
    /// The column, for a place inside the row of an envelope, or inside a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What the reader has there.
    pub reader: String,
    /// What the writer has there.
    pub writer: String,
    /// One sentence that names the place.
    pub message: String,
}

impl fmt::Display for Incompatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Whether `reader` reads everything that `writer` writes.
///
/// # Errors
/// The reasons why not, at least one.
pub fn can_read(reader: &AvroSchema, writer: &AvroSchema) -> Result<(), Vec<Incompatibility>> {
    can_read_by(&mut AllRules, reader, writer)
}

/// The same by some of the rules, for the comparison with Avro's library, which shows of each rule that it is needed.
///
/// # Errors
/// The reasons why not, at least one.
#[doc(hidden)]
pub fn can_read_by(
    rules: &mut impl Rules,
    reader: &AvroSchema,
    writer: &AvroSchema,
) -> Result<(), Vec<Incompatibility>> {
    let mut checker = Checker { rules, reader, writer, memo: BTreeMap::new(), unions: BTreeMap::new(), tried: 0 };
    let findings = checker.pair(reader.root(), writer.root(), 0);
    if findings.is_empty() {
        return Ok(());
    }
    let envelope = shape(reader) == Shape::Envelope;
    let mut seen = BTreeSet::new();
    let mut reasons = Vec::new();
    for finding in findings.to_vec() {
        let reason = finding.reason(reader, writer, envelope);
        // The row of an envelope is there twice, as `before` and as `after`: say it once.
        if seen.insert((reason.column.is_some(), reason.message.clone())) {
            reasons.push(reason);
        }
    }
    Err(reasons)
}

struct Checker<'a, R> {
    rules: &'a mut R,
    reader: &'a AvroSchema,
    writer: &'a AvroSchema,
    /// `None` while the pair is being judged.
    memo: BTreeMap<(NodeId, NodeId), Option<Findings>>,
    /// The branches of the reader's large unions, by what they can read.
    unions: BTreeMap<NodeId, Rc<Branches<'a>>>,
    /// How many branches of those were tried.
    tried: usize,
}

impl<'a, R: Rules> Checker<'a, R> {
    fn pair(&mut self, r: NodeId, w: NodeId, depth: usize) -> Findings {
        let (read, written) = (self.reader.ty(r), self.writer.ty(w));
        if is_primitive(read) && is_primitive(written) {
            let reads = primitive_reads(read, written) && self.reads_another(read, written);
            return if reads { Findings::None } else { Findings::Types(r, w) };
        }
        match self.memo.get(&(r, w)) {
            Some(Some(known)) => return known.clone(),
            Some(None) if self.rules.applies(Rule::PairInProgress) => return Findings::None,
            Some(None) => return Findings::of(one(r, w, What::Said("the pair is being judged".to_owned()))),
            None => {}
        }
        self.memo.insert((r, w), None);
        steps::count(1);
        let found = if depth > MAX_DEPTH {
            one(r, w, What::Said(format!("nested deeper than {MAX_DEPTH} levels, which is not judged")))
        } else {
            self.judge(r, w, depth + 1)
        };
        let found = Findings::of(found);
        self.memo.insert((r, w), Some(found.clone()));
        found
    }

    fn judge(&mut self, r: NodeId, w: NodeId, depth: usize) -> Vec<Finding> {
        let (reader, writer) = (self.reader, self.writer);
        match (reader.ty(r), writer.ty(w)) {
            (_, Type::Union(branches)) if self.rules.applies(Rule::WriterUnion) => {
                let mut found = Vec::new();
                for branch in branches {
                    found.extend(self.pair(r, *branch, depth).to_vec());
                }
                found
            }
            (Type::Union(branches), _) if self.rules.applies(Rule::ReaderUnion) => {
                self.some_branch(r, branches, w, depth)
            }
            (Type::Array(a), Type::Array(b)) if self.rules.applies(Rule::Items) => {
                self.pair(*a, *b, depth).below(&Rc::from("[items]"))
            }
            (Type::Map(a), Type::Map(b)) if self.rules.applies(Rule::Values) => {
                self.pair(*a, *b, depth).below(&Rc::from("[values]"))
            }
            (Type::Array(_), Type::Array(_)) | (Type::Map(_), Type::Map(_)) => Vec::new(),
            (Type::Fixed { size: a, .. }, Type::Fixed { size: b, .. }) => {
                let mut found = self.names(r, w);
                if a != b && self.rules.applies(Rule::FixedSize) {
                    let what = format!("the reader's fixed has {a} bytes, the writer's {b}");
                    found.extend(one(r, w, What::Said(what)));
                }
                found
            }
            (Type::Enum { symbols, default, .. }, Type::Enum { symbols: written, .. }) => {
                let mut found = self.names(r, w);
                steps::count(symbols.len() + written.len());
                let known: BTreeSet<&String> = symbols.iter().collect();
                let missing: Vec<&str> = written.iter().filter(|s| !known.contains(s)).map(String::as_str).collect();
                let has_default = default.as_ref().is_some_and(|d| known.contains(d));
                let stands_in = !missing.is_empty() && has_default && self.rules.applies(Rule::EnumDefault);
                if !missing.is_empty() && !stands_in && self.rules.applies(Rule::EnumSymbols) {
                    let list = missing.iter().take(8).copied().collect::<Vec<_>>().join(", ");
                    let what = format!("the reader's enum lacks {list} and has no default");
                    found.extend(one(r, w, What::Said(what)));
                }
                found
            }
            (Type::Record { fields, .. }, Type::Record { fields: written, .. }) => {
                self.records(r, fields, w, written, depth)
            }
            _ => one(r, w, What::Types),
        }
    }

    /// Whether the rule applies by which one primitive reads another.
    fn reads_another(&mut self, read: &Type, written: &Type) -> bool {
        let is_text = |ty: &Type| matches!(ty, Type::String | Type::Bytes);
        match (read, written) {
            (read, written) if read.word() == written.word() => true,
            (read, _) if is_text(read) => self.rules.applies(Rule::StringAndBytes),
            _ => self.rules.applies(Rule::Promotion),
        }
    }

    fn records(&mut self, r: NodeId, fields: &[Field], w: NodeId, written: &[Field], depth: usize) -> Vec<Finding> {
        let mut found = self.names(r, w);
        steps::count(written.len() + fields.len());
        let mut by_name: BTreeMap<&str, &Field> = BTreeMap::new();
        for field in written {
            by_name.entry(&field.name).or_insert(field);
        }
        for field in fields {
            let named = |word: &String| by_name.get(word.as_str()).copied();
            // An alias counts once, and also when it repeats the field's own name: the library looks up each word.
            let aliases: BTreeSet<&String> = field.aliases.iter().collect();
            let by_alias: Vec<&Field> = aliases.into_iter().filter_map(named).collect();
            let by_alias = if by_alias.is_empty() || !self.rules.applies(Rule::FieldAlias) { vec![] } else { by_alias };
            let mut hits = named(&field.name).into_iter().chain(by_alias);
            let segment = || Rc::from(field.name.as_str());
            let mut report = |what| found.push(Finding { path: vec![segment()], r: field.ty, w, what });
            match (hits.next(), hits.next()) {
                (None, _) if !self.has_default(field) && self.rules.applies(Rule::FieldDefault) => report(What::Absent),
                (None, _) => {}
                (Some(_), Some(_)) if self.rules.applies(Rule::TwoHits) => report(What::Twice),
                (Some(one), _) if self.rules.applies(Rule::FieldTypes) => {
                    let inner = self.pair(field.ty, one.ty, depth);
                    if !inner.is_empty() {
                        found.extend(inner.below(&segment()));
                    }
                }
                (Some(_), _) => {}
            }
        }
        found
    }

    fn has_default(&mut self, field: &Field) -> bool {
        match &field.default {
            Some(default) => !default.is_null() || self.rules.applies(Rule::NullDefault),
            None => false,
        }
    }

    /// A union reads what one of its branches reads. When none does, the reason is that of the branch that comes closest.
    fn some_branch(&mut self, r: NodeId, branches: &[NodeId], w: NodeId, depth: usize) -> Vec<Finding> {
        let (reader, writer) = (self.reader, self.writer);
        let mut closest: Option<(u8, Findings)> = None;
        let candidates =
            if branches.len() > FEW_BRANCHES { Some(self.candidates(r, branches, w, depth)) } else { None };
        self.tried += candidates.as_ref().map_or(0, Vec::len);
        if self.tried > MOST_TRIED {
            let what = format!("more than {MOST_TRIED} branches of unions were tried, the rest is not judged");
            return one(r, w, What::Said(what));
        }
        for branch in candidates.as_deref().unwrap_or(branches) {
            let found = self.pair(*branch, w, depth);
            if found.is_empty() {
                return Vec::new();
            }
            let (a, b) = (reader.ty(*branch), writer.ty(w));
            let near = match (a.name(), b.name()) {
                (Some(x), Some(y)) if a.word() == b.word() && x.short == y.short => 3,
                _ if a.word() == b.word() => 2,
                _ if !matches!(a, Type::Null) && branches.len() <= 2 => 1,
                _ => 0,
            };
            if near > closest.as_ref().map_or(0, |c| c.0) {
                closest = Some((near, found));
            }
        }
        match closest {
            Some((_, found)) if !matches!(writer.ty(w), Type::Null) => found.to_vec(),
            _ => one(r, w, What::NoBranch),
        }
    }

    /// The branches of a large union that may read `w`, and one of its own kind for the reason why none does.
    fn candidates(&mut self, r: NodeId, branches: &[NodeId], w: NodeId, depth: usize) -> Vec<NodeId> {
        let known = self.unions.entry(r).or_insert_with(|| Rc::new(Branches::of(self.reader, branches)));
        let known = Rc::clone(known);
        let ty = self.writer.ty(w);
        match ty {
            Type::Union(_) => branches.to_vec(),
            ty if ty.name().is_some() && !self.rules.applies(Rule::ShortName) => known.of_word(ty).to_vec(),
            ty => match known.same_name(ty) {
                // Where thousands have one short name, the one of the same full name mostly reads.
                Some(same) if self.pair(same, w, depth).is_empty() => vec![same],
                _ => known.that_may_read(ty),
            },
        }
    }

    fn names(&mut self, r: NodeId, w: NodeId) -> Vec<Finding> {
        let (Some(read), Some(written)) = (self.reader.ty(r).name(), self.writer.ty(w).name()) else {
            return Vec::new();
        };
        let renamed = |rules: &mut R| read.aliases.contains(&written.full()) && rules.applies(Rule::TypeAlias);
        if read.short == written.short || renamed(self.rules) || !self.rules.applies(Rule::ShortName) {
            return Vec::new();
        }
        let word = self.reader.ty(r).word();
        let what = format!("the reader's {word} is named {}, the writer's {}", read.short, written.short);
        one(r, w, What::Said(what))
    }
}

/// Types without a name and without parts.
pub(super) fn is_primitive(ty: &Type) -> bool {
    !matches!(ty, Type::Array(_) | Type::Map(_) | Type::Union(_)) && ty.name().is_none()
}

/// Equal primitives, and the promotions.
pub(super) fn primitive_reads(reader: &Type, writer: &Type) -> bool {
    use Type::{Boolean, Bytes, Double, Float, Int, Long, Null, String};
    matches!(
        (reader, writer),
        (Null, Null)
            | (Boolean, Boolean)
            | (Int, Int)
            | (Long, Long | Int)
            | (Float, Float | Long | Int)
            | (Double, Double | Float | Long | Int)
            | (Bytes | String, Bytes | String)
    )
}
