//! Fingerprints of keys and rows, straight from the bytes of a record.
//!
//! # What is hashed
//! - The hash is XXH3-128 with the seed that `digest` publishes. Equal fingerprints are taken for equal values: of ten million
//!   rows, two different ones meet with a probability below 10^-24.
//! - A value is encoded as `canon` says; its rules decide what is equal: -0.0 is 0.0, every NaN is one NaN, 1.50 is 1.5 whatever
//!   its scale, a time is the same in every unit, NULL is not the empty text, every value says its own length.
//! - A key is its values, one after the other, in the order of the declared key: `('a', 'bc')` is not `('ab', 'c')`.
//! - A row is the fingerprint of the names of its compared columns, in 16 bytes big endian, then their values, both in the
//!   order of the names: so neither the order of a schema's fields nor that in which schemas are met matters, and a column
//!   that a record does not have is not NULL. The row of an upsert table has its key before that.
//!
//! # How
//! - For each pair of writer schemas (key, value) a [`Program`] is compiled once: which fields, in which order, make the key and
//!   the row. A record is walked once (`walk`), the fields are put together in one buffer, and that is hashed. Nothing is
//!   allocated for a record; long decimals and columns declared wider are the exceptions.
//! - A record that cannot be read has the same [`Fault`] as in a validation that decodes it.

mod walk;

use std::collections::BTreeMap;
use std::ops::Range;

pub(super) use walk::Canonical;
#[cfg(any(test, fuzzing))]
pub(super) use walk::same;

use super::columns::{Columns, NewValue, Role, new_value};
use super::decode::{Fault, field_names, message};
use super::digest::{self, fingerprint};
use super::schema::{SchemaError, Shape};
use super::{Side, canon, needs_key};
use crate::model::parity::{Changelog, TableContract};
use crate::model::record::RawRecord;

/// What is left of a record.
#[derive(Clone, Copy)]
pub(super) struct Print {
    /// Of the key of an upsert table, of the declared key of an append table's row if it has one.
    pub key: Option<u128>,
    /// Short mark of the key's bytes.
    pub encoding: u32,
    /// Of the row; `None` deletes.
    pub row: Option<u128>,
}

/// Fields of one part that follow each other.
struct Piece {
    from_key: bool,
    fields: Range<usize>,
    wide: bool,
}

/// How records with one pair of writer schemas become fingerprints.
struct Program {
    schemas: (Option<u32>, Option<u32>),
    key: Result<Vec<Piece>, Fault>,
    /// Fingerprint of the names of the row's columns.
    layout: [u8; 16],
    row: Vec<Piece>,
    /// Number of the new column, the column, and where its value is.
    news: Vec<(usize, usize, Piece)>,
    /// Sides that have records of these schemas.
    seen: [bool; 2],
}

/// A writer schema.
struct Writer {
    shape: Shape,
    columns: Option<Vec<usize>>,
    needs_key: bool,
}

/// Makes fingerprints of one table's records.
pub(super) struct Fingerprints {
    upsert: bool,
    has_blue: bool,
    columns: Columns,
    key: Vec<String>,
    writers: BTreeMap<u32, Writer>,
    programs: Vec<Program>,
    read: (Canonical, Canonical),
    buffer: Vec<u8>,
    news: Vec<NewValue>,
}

impl Fingerprints {
    pub(super) fn new(contract: &TableContract) -> Self {
        Self {
            upsert: contract.changelog == Changelog::Upsert,
            has_blue: contract.blue_topic.is_some(),
            columns: Columns::new(contract),
            key: contract.key.clone(),
            writers: BTreeMap::new(),
            programs: Vec::new(),
            read: (Canonical::default(), Canonical::default()),
            buffer: Vec::new(),
            news: Vec::new(),
        }
    }

    pub(super) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// What the new columns hold in the record read last, if it is green's.
    pub(super) fn news(&self) -> &[NewValue] {
        &self.news
    }

    /// Counts one row that differs in this column.
    pub(super) fn differ(&mut self, column: usize) {
        self.columns.differ(&[column]);
    }

    /// Takes over how many rows differ in each column.
    pub(super) fn differs_as(&mut self, columns: &Columns) {
        self.columns.differ_as(columns);
    }

    /// See [`super::TableValidation::missing_schemas`].
    pub(super) fn missing_schemas(&self, record: &RawRecord) -> [Option<u32>; 2] {
        let unknown = |id: &u32| !self.writers.contains_key(id);
        let value = record.value.as_deref().and_then(|bytes| message(bytes, "value").ok()).map(|(id, _)| id);
        let wants_key = self.upsert || value.and_then(|id| self.writers.get(&id)).is_some_and(|w| w.needs_key);
        let key = record.key.as_deref().filter(|_| wants_key);
        let key = key.and_then(|bytes| message(bytes, "key").ok()).map(|(id, _)| id);
        [key.filter(unknown), value.filter(|id| unknown(id) && Some(*id) != key)]
    }

    /// Adds a writer schema as the registry has it, with the schemas that it refers to.
    pub(super) fn add_schema(
        &mut self,
        id: u32,
        text: &str,
        references: &[(String, String)],
    ) -> Result<(), SchemaError> {
        let shape = Shape::parse(text, references).map_err(|cause| SchemaError { id, cause })?;
        let needs_key = needs_key(&self.columns, &self.key, &shape);
        self.writers.insert(id, Writer { shape, columns: None, needs_key });
        Ok(())
    }

    /// Reads one record.
    pub(super) fn print(&mut self, side: Side, record: &RawRecord) -> Result<Print, Fault> {
        if side == Side::Blue && !self.has_blue {
            return Err(Fault::NoTopic);
        }
        let value = record.value.as_deref().map(|bytes| message(bytes, "value")).transpose()?;
        let key = match (self.upsert, record.key.as_deref(), value) {
            (true, None, _) => return Err(Fault::NoKey),
            (true, Some(bytes), _) => Some(message(bytes, "key")?),
            (false, _, None) => return Err(Fault::NoValue),
            (false, bytes, Some((id, _))) => {
                let needed = self.writers.get(&id).is_some_and(|w| w.needs_key);
                bytes.filter(|_| needed).and_then(|bytes| message(bytes, "key").ok())
            }
        };
        let (key_read, value_read) = &mut self.read;
        for (part, read) in [(key, &mut *key_read), (value, &mut *value_read)] {
            let Some((id, datum)) = part else { continue };
            let writer = self.writers.get_mut(&id).ok_or(Fault::UnknownSchema(id))?;
            read.read(&writer.shape, datum, id)?;
            if writer.columns.is_none() {
                let names = match (field_names(&writer.shape), self.key.as_slice()) {
                    (Some(names), _) => names,
                    (None, [one]) => vec![one.as_str()],
                    (None, _) => return Err(Fault::NotARow(id)),
                };
                writer.columns = Some(self.columns.resolve(&names));
            }
        }
        let schemas = (key.map(|(id, _)| id), value.map(|(id, _)| id));
        let place = match self.programs.iter().position(|p| p.schemas == schemas) {
            Some(place) => place,
            None => {
                let program = compile(schemas, &self.writers, &self.columns, (self.upsert, &self.key));
                self.programs.push(program);
                self.programs.len() - 1
            }
        };
        let program = self.programs.get_mut(place).ok_or(Fault::NoValue)?;
        if let Some(seen) = program.seen.get_mut(side.index()).filter(|seen| !**seen) {
            *seen = true;
            for id in [schemas.0, schemas.1].into_iter().flatten() {
                let columns = self.writers.get(&id).and_then(|w| w.columns.as_deref()).unwrap_or_default();
                self.columns.saw(side, columns);
            }
        }
        let (key_read, value_read) = (&self.read.0, &self.read.1);
        let add = |out: &mut Vec<u8>, piece: &Piece| {
            let read = if piece.from_key { key_read } else { value_read };
            let bytes = read.fields(piece.fields.clone());
            if piece.wide { canon::widen(out, bytes) } else { out.extend_from_slice(bytes) }
        };
        let out = &mut self.buffer;
        out.clear();
        let pieces = program.key.as_ref().map_err(Fault::clone)?;
        pieces.iter().for_each(|piece| add(out, piece));
        let key_print = (self.upsert || !pieces.is_empty()).then(|| fingerprint(out));
        if !self.upsert {
            out.clear();
        }
        let row = value.map(|_| {
            out.extend_from_slice(&program.layout);
            program.row.iter().for_each(|piece| add(out, piece));
            fingerprint(out)
        });
        self.news.clear();
        if side == Side::Green && value.is_some() {
            self.news.resize(self.columns.news(), NewValue::Absent);
            for (slot, column, piece) in &program.news {
                let read = if piece.from_key { key_read } else { value_read };
                let default = self.columns.get(*column).and_then(|c| c.new_column());
                if let (Some(new), Some((default, _))) = (self.news.get_mut(*slot), default) {
                    *new = new_value(read.fields(piece.fields.clone()), default);
                }
            }
        }
        let encoding = if self.upsert { digest::mark(record.key.as_deref().unwrap_or_default()) } else { 0 };
        Ok(Print { key: key_print, encoding, row })
    }
}

/// Decides which fields make the key and the row.
fn compile(
    schemas: (Option<u32>, Option<u32>),
    writers: &BTreeMap<u32, Writer>,
    columns: &Columns,
    (upsert, key): (bool, &[String]),
) -> Program {
    let of =
        |id: Option<u32>| id.and_then(|id| writers.get(&id)).and_then(|w| w.columns.as_deref()).unwrap_or_default();
    let (key_columns, value_columns) = (of(schemas.0), of(schemas.1));
    // The value's field counts where both parts have the column.
    let mut places: BTreeMap<&str, (usize, bool, usize)> = BTreeMap::new();
    for (from_key, part) in [(true, key_columns), (false, value_columns)] {
        for (field, column) in part.iter().enumerate() {
            places.insert(columns.name(*column), (*column, from_key, field));
        }
    }
    let role = |column: usize| columns.get(column).map_or(Role::Skip, |c| c.role);
    let piece = |column: usize, from_key: bool, field: usize| Piece {
        from_key,
        fields: field..field + 1,
        wide: role(column) == Role::Wide,
    };
    let mut program =
        Program { schemas, key: Ok(Vec::new()), layout: [0; 16], row: Vec::new(), news: Vec::new(), seen: [false; 2] };
    let mut names = Vec::new();
    for (name, (column, from_key, field)) in &places {
        match role(*column) {
            Role::Compare | Role::Wide => {
                canon::text(&mut names, name);
                program.row.push(piece(*column, *from_key, *field));
            }
            Role::New(slot) => program.news.push((slot, *column, piece(*column, *from_key, *field))),
            Role::Skip => {}
        }
    }
    program.layout = fingerprint(&names).to_be_bytes();
    program.key = if upsert {
        let pieces = |order: Vec<usize>| {
            let of = |field: usize| piece(key_columns.get(field).copied().unwrap_or(usize::MAX), true, field);
            order.into_iter().map(of).collect()
        };
        columns.key_order(key_columns).map(pieces).map_err(|(found, wanted)| Fault::OtherKey { found, wanted })
    } else {
        // As the validation that decodes takes it: the value's field first, and numbers are not widened.
        let found: Option<Vec<Piece>> = key
            .iter()
            .map(|name| {
                let place = |part: &[usize]| part.iter().position(|column| columns.name(*column) == name);
                let (from_key, field) = match place(value_columns) {
                    Some(field) => (false, field),
                    None => (true, place(key_columns)?),
                };
                Some(Piece { from_key, fields: field..field + 1, wide: false })
            })
            .collect();
        Ok(found.unwrap_or_default())
    };
    program.row = joined(program.row);
    program.key = program.key.map(joined);
    program
}

/// Joins pieces that follow each other in the same part.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match out.last_mut() {
            Some(last)
                if !last.wide
                    && !piece.wide
                    && last.from_key == piece.from_key
                    && last.fields.end == piece.fields.start =>
            {
                last.fields.end = piece.fields.end;
            }
            _ => out.push(piece),
        }
    }
    out
}
