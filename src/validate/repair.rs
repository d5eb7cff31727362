//! What a destination must be told before its sink connector goes from one topic to another, so that it ends equal to the
//! other topic alone.
//!
//! The connector leaves one topic and then writes the other one, the *arriving* one, from its beginning. That replay alone
//! leaves two things behind: rows that only the topic that is left had, and values of columns that only its records
//! have. The *repair* is the list of records that the connector is given in between. A caller
//! 1. stops the connector, so that it writes nothing of the topic that is left any more;
//! 2. gives every record of the arriving topic up to its visible end to [`Arriving::feed`];
//! 3. gives every record of the topic that is left up to its visible end to [`Leaving::feed`];
//! 4. takes the repair, and lets the connector write it, then the arriving topic from its beginning.
//!
//! # Rules
//! - Keys are decoded: the same key in other bytes, with another schema or in another partition is the same key.
//! - A key that the topic that is left ever had may be in the destination. Only a delete that the connector has written
//!   itself makes sure that it is not; so a key that was deleted behind the connector's position counts as well.
//! - Such a key that is not live in the arriving topic is deleted.
//! - One that is live there gets NULL in the columns that none of its records there writes and some of its records
//!   here do, by its last row here with those fields made NULL, byte for byte the same otherwise: no other value moves
//!   before the replay. Where that cannot be (a field that takes no NULL, a row that cannot be read or is deleted
//!   already) it is deleted, and the replay writes it anew.
//! - What either topic is told later does no harm: the replay comes after the repair, and the connector is past the
//!   topic that is left.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::canon;
use super::decode::{Fault, Fields, field_names, field_ranges, message};
use super::schema::{SchemaError, Shape};
use crate::model::record::{NewRecord, RawRecord, schema_id};

/// A decoded key: its canonical fields by name, so that no two keys share it.
type Key = Vec<u8>;

/// Schemas, and sets of them, by a small number.
#[derive(Default)]
struct Schemas {
    shapes: BTreeMap<u32, Shape>,
    /// Sets of schema ids. A topic has few, so they are looked through.
    sets: Vec<BTreeSet<u32>>,
    scratch: Fields,
}

impl Schemas {
    fn missing(&self, record: &RawRecord) -> Vec<u32> {
        let ids = [record.key.as_deref(), record.value.as_deref()].into_iter().flatten().filter_map(schema_id);
        ids.filter(|id| !self.shapes.contains_key(id)).collect::<BTreeSet<u32>>().into_iter().collect()
    }

    fn add(&mut self, id: u32, text: &str, references: &[(String, String)]) -> Result<(), SchemaError> {
        let shape = Shape::parse(text, references).map_err(|cause| SchemaError { id, cause })?;
        self.shapes.insert(id, shape);
        Ok(())
    }

    fn key(&mut self, record: &RawRecord) -> Result<Key, Fault> {
        let (id, datum) = message(record.key.as_deref().ok_or(Fault::NoKey)?, "key")?;
        let shape = self.shapes.get(&id).ok_or(Fault::UnknownSchema(id))?;
        self.scratch.read(shape, datum, id)?;
        let mut key = Key::new();
        match field_names(shape) {
            Some(names) => {
                let mut fields = BTreeMap::new();
                for (i, name) in names.into_iter().enumerate() {
                    let mut text = Vec::new();
                    canon::text(&mut text, name);
                    fields.insert(text, self.scratch.get(i).unwrap_or_default().to_vec());
                }
                canon::record(&mut key, &fields);
            }
            None => key.extend_from_slice(self.scratch.get(0).unwrap_or_default()),
        }
        Ok(key)
    }

    /// The schema of a value, which must be known.
    fn value_id(&self, value: &[u8]) -> Result<u32, Fault> {
        let (id, _) = message(value, "value")?;
        if self.shapes.contains_key(&id) { Ok(id) } else { Err(Fault::UnknownSchema(id)) }
    }

    /// The set with one more schema in it.
    fn with(&mut self, set: Option<usize>, id: u32) -> Option<usize> {
        let mut wanted = set.and_then(|n| self.sets.get(n)).cloned().unwrap_or_default();
        wanted.insert(id);
        self.sets.iter().position(|known| *known == wanted).or_else(|| {
            self.sets.push(wanted);
            Some(self.sets.len() - 1)
        })
    }

    /// Names of the fields that records of the set have.
    fn fields(&self, set: Option<usize>) -> BTreeSet<&str> {
        let ids = set.and_then(|n| self.sets.get(n)).into_iter().flatten();
        ids.filter_map(|id| self.shapes.get(id)).filter_map(field_names).flatten().collect()
    }
}

/// A key that is live in the arriving topic.
#[derive(Default)]
struct Live {
    partitions: Vec<i32>,
    /// Schemas of its values since it was deleted last.
    set: Option<usize>,
}

/// The topic that is gone to: the keys that are live in it, and which columns their records write.
#[derive(Default)]
pub struct Arriving {
    schemas: Schemas,
    keys: BTreeMap<Key, Live>,
}

impl Arriving {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ids of schemas that must be added before the record can be fed.
    pub fn missing_schemas(&self, record: &RawRecord) -> Vec<u32> {
        self.schemas.missing(record)
    }

    /// Adds a writer schema as the registry has it, with the schemas that it refers to.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn add_schema(&mut self, id: u32, text: &str, references: &[(String, String)]) -> Result<(), SchemaError> {
        self.schemas.add(id, text, references)
    }

    /// Takes one record; in each partition in the order of offsets.
    ///
    /// # Errors
    /// Its key or the schema of its value cannot be read. What is live is not known then: there must be no repair.
    pub fn feed(&mut self, record: &RawRecord) -> Result<(), Fault> {
        let key = self.schemas.key(record)?;
        let Some(value) = record.value.as_deref() else {
            if let Some(live) = self.keys.get_mut(&key) {
                live.partitions.retain(|p| *p != record.partition);
                if live.partitions.is_empty() {
                    self.keys.remove(&key);
                }
            }
            return Ok(());
        };
        let id = self.schemas.value_id(value)?;
        let live = self.keys.entry(key).or_default();
        live.set = self.schemas.with(live.set, id);
        if !live.partitions.contains(&record.partition) {
            live.partitions.push(record.partition);
        }
        Ok(())
    }

    /// Goes on to the topic that is left.
    pub fn leaving(self) -> Leaving {
        Leaving { schemas: self.schemas, live: self.keys, keys: BTreeMap::new() }
    }
}

/// A key that the topic that is left has, or had.
#[derive(Default)]
struct Left {
    /// Its newest bytes.
    bytes: Vec<u8>,
    partitions: Vec<i32>,
    /// Schemas of all its values.
    set: Option<usize>,
    /// Its last row, if NULLs have to be written into it.
    row: Option<Vec<u8>>,
    /// A delete came that the connector has not written.
    unwritten_delete: bool,
}

/// The topic that is left, held against the arriving one.
pub struct Leaving {
    schemas: Schemas,
    live: BTreeMap<Key, Live>,
    keys: BTreeMap<Key, Left>,
}

/// Whether the connector has written a record to its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It has: the record lies before its position.
    Yes,
    /// It may not have.
    Perhaps,
}

impl Leaving {
    /// Ids of schemas that must be added before the record can be fed.
    pub fn missing_schemas(&self, record: &RawRecord) -> Vec<u32> {
        self.schemas.missing(record)
    }

    /// Adds a writer schema as the registry has it, with the schemas that it refers to.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn add_schema(&mut self, id: u32, text: &str, references: &[(String, String)]) -> Result<(), SchemaError> {
        self.schemas.add(id, text, references)
    }

    /// Takes one record; in each partition in the order of offsets.
    ///
    /// # Errors
    /// Its key or the schema of its value cannot be read: left out, the row stays as it is in the destination.
    pub fn feed(&mut self, record: &RawRecord, written: Written) -> Result<(), Fault> {
        let key = self.schemas.key(record)?;
        let bytes = record.key.as_deref().unwrap_or_default();
        let Some(value) = record.value.as_deref() else {
            if written == Written::Yes && !self.keys.contains_key(&key) {
                return Ok(());
            }
            let left = self.keys.entry(key.clone()).or_default();
            left.bytes = bytes.to_vec();
            left.partitions.retain(|p| *p != record.partition);
            left.unwritten_delete |= written == Written::Perhaps;
            if left.partitions.is_empty() {
                left.row = None;
                if !left.unwritten_delete {
                    self.keys.remove(&key);
                }
            }
            return Ok(());
        };
        let id = self.schemas.value_id(value)?;
        let left = self.keys.entry(key.clone()).or_default();
        left.bytes = bytes.to_vec();
        left.set = self.schemas.with(left.set, id);
        if !left.partitions.contains(&record.partition) {
            left.partitions.push(record.partition);
        }
        let set = left.set;
        // Rows are kept only where NULLs have to be written into them.
        let needed = self.live.get(&key).is_some_and(|live| !added(&self.schemas, set, live.set).is_empty());
        if let Some(left) = self.keys.get_mut(&key) {
            left.row = needed.then(|| value.to_vec());
        }
        Ok(())
    }

    /// The records that the connector must write before the arriving topic.
    pub fn repair(self) -> Repair {
        let mut repair = Repair::default();
        for (key, left) in self.keys {
            let Some(live) = self.live.get(&key) else {
                repair.removed += 1;
                repair.records.push(NewRecord { key: left.bytes, value: None });
                continue;
            };
            let added = added(&self.schemas, left.set, live.set);
            if left.partitions.is_empty() {
                // Deleted here, and the row may still be there with any value.
                repair.rewritten += 1;
                repair.records.push(NewRecord { key: left.bytes, value: None });
                continue;
            }
            if added.is_empty() {
                continue;
            }
            let row = left.row.as_deref().and_then(|row| nulled(&self.schemas, row, &added));
            match row {
                Some(_) => {
                    repair.cleared += 1;
                    repair.columns.extend(added.into_iter().map(str::to_owned));
                }
                None => repair.rewritten += 1,
            }
            repair.records.push(NewRecord { key: left.bytes, value: row });
        }
        repair
    }
}

/// Fields that records of `here` have and records of `there` do not.
fn added(schemas: &Schemas, here: Option<usize>, there: Option<usize>) -> BTreeSet<&str> {
    if here == there || here.is_none() {
        return BTreeSet::new();
    }
    let kept = schemas.fields(there);
    schemas.fields(here).into_iter().filter(|name| !kept.contains(name)).collect()
}

/// The same message with NULL in `fields`; `None` when it lacks one of them, one takes no NULL, or it cannot be read.
fn nulled(schemas: &Schemas, value: &[u8], fields: &BTreeSet<&str>) -> Option<Vec<u8>> {
    let (id, datum) = message(value, "value").ok()?;
    let Some(Shape::Record(shapes)) = schemas.shapes.get(&id) else { return None };
    let ranges: Vec<Range<usize>> = field_ranges(shapes, datum).ok()?;
    let mut out = value.get(..value.len() - datum.len())?.to_vec();
    let mut found = 0;
    for ((name, shape), range) in shapes.iter().zip(ranges) {
        if fields.contains(name.as_str()) {
            out.extend(null_of(shape)?);
            found += 1;
        } else {
            out.extend_from_slice(datum.get(range)?);
        }
    }
    (found == fields.len()).then_some(out)
}

/// How NULL is written in a field; `None` when it takes none.
fn null_of(shape: &Shape) -> Option<Vec<u8>> {
    match shape {
        Shape::Null => Some(Vec::new()),
        Shape::Union(variants) => {
            let at = variants.iter().position(|v| matches!(v, Shape::Null))?;
            // A variant's number is written as a zigzag integer: twice the number, seven bits in a byte.
            let mut rest = at * 2;
            let mut out = Vec::new();
            while rest >= 0x80 {
                out.push((rest % 0x80) as u8 | 0x80);
                rest /= 0x80;
            }
            out.push(rest as u8);
            Some(out)
        }
        _ => None,
    }
}

/// What the connector must write before the arriving topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repair {
    /// The records, each key once.
    pub records: Vec<NewRecord>,
    /// Rows that only the topic that is left had: deleted.
    pub removed: u64,
    /// Rows that get NULL in columns that the arriving topic does not have.
    pub cleared: u64,
    /// Rows that are deleted although the arriving topic has them, because NULL could not be written; the replay brings them.
    pub rewritten: u64,
    /// The columns that get NULL.
    pub columns: BTreeSet<String>,
}

impl Repair {
    /// Ids of the schemas that the records' keys, and values, are written with.
    pub fn schema_ids(&self) -> [BTreeSet<u32>; 2] {
        let keys = self.records.iter().filter_map(|r| schema_id(&r.key)).collect();
        let values = self.records.iter().filter_map(|r| schema_id(r.value.as_deref()?)).collect();
        [keys, values]
    }
}
