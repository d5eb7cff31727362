//! What a schema registry writes into its own topic, `_schemas` by default: one JSON key and value for each thing it keeps.
//!
//! Rules: the order of properties means nothing; a kind of key that is not known is skipped, because newer registries have
//! more; a record that cannot be read is counted and skipped. A version is news when it comes for the first time and is not
//! deleted: a later record for it only marks it deleted or changes its tags. The format is Confluent's own and not promised to
//! anybody, so this is a faster way to what the registry says, never the only one.
//!
//! | keytype | what it does |
//! |---|---|
//! | `SCHEMA` | a version; without a value it is deleted for good |
//! | `DELETE_SUBJECT` | marks every version up to one as deleted; no records for these follow |
//! | `CLEAR_SUBJECT` | forgets the versions that are marked |
//! | `MODE` | what may be done with a subject, or with all; without a value it is taken back |
//! | `CONFIG`, `NOOP` and others | nothing that is asked here |

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::subject;

/// One record, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A version of a subject, as it is from now on.
    Version {
        /// Subject, with its context.
        subject: String,
        /// Version, from 1.
        version: i32,
        /// Whether it is marked as deleted.
        deleted: bool,
    },
    /// A version is deleted for good.
    Gone {
        /// Subject, with its context.
        subject: String,
        /// Version.
        version: i32,
    },
    /// Every version up to this one is marked as deleted.
    Deleted {
        /// Subject, with its context.
        subject: String,
        /// The last version that is.
        upto: i32,
    },
    /// The versions that are marked as deleted are forgotten.
    Cleared {
        /// Subject, with its context.
        subject: String,
    },
    /// What may be done.
    Mode {
        /// Subject, with its context; `None` for all.
        subject: Option<String>,
        /// `READWRITE`, `READONLY`, `IMPORT`, ...; `None` when it is taken back.
        mode: Option<String>,
    },
    /// Of a kind that says nothing about versions.
    Other,
}

#[derive(Deserialize)]
struct Key {
    keytype: String,
    subject: Option<String>,
    version: Option<i32>,
}

#[derive(Deserialize)]
struct Value {
    version: Option<i32>,
    deleted: Option<bool>,
    mode: Option<String>,
}

/// Reads one record.
///
/// # Errors
/// Why it cannot be read; nothing of its content is in the text.
pub fn read(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Record, &'static str> {
    let key: Key = serde_json::from_slice(key.ok_or("it has no key")?).map_err(|_| "its key is not a registry's")?;
    let known = ["SCHEMA", "DELETE_SUBJECT", "CLEAR_SUBJECT", "MODE"];
    if !known.contains(&key.keytype.as_str()) {
        return Ok(Record::Other);
    }
    let value: Option<Value> =
        value.map(serde_json::from_slice).transpose().map_err(|_| "its value is not a registry's")?;
    let (of, from_one) = ("its key names no subject", "its version is no number from 1");
    let counted = |version: Option<i32>| version.filter(|version| *version > 0).ok_or(from_one);
    Ok(match (key.keytype.as_str(), value) {
        ("SCHEMA", value) => {
            let (subject, version) = (key.subject.ok_or(of)?, counted(key.version)?);
            match value {
                Some(value) => Record::Version { subject, version, deleted: value.deleted.unwrap_or(false) },
                None => Record::Gone { subject, version },
            }
        }
        ("DELETE_SUBJECT", Some(value)) => {
            Record::Deleted { subject: key.subject.ok_or(of)?, upto: counted(value.version)? }
        }
        ("CLEAR_SUBJECT", Some(_)) => Record::Cleared { subject: key.subject.ok_or(of)? },
        ("MODE", value) => Record::Mode { subject: key.subject, mode: value.and_then(|value| value.mode) },
        // The registry compacts its topic: what it wrote before is taken back.
        _ => Record::Other,
    })
}

/// What a record changes that somebody may wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A version came that was not there before.
    Version {
        /// Subject, named within the context.
        subject: String,
        /// Version.
        version: i32,
    },
    /// What may be done has changed.
    Mode {
        /// Subject, named within the context; `None` for all.
        subject: Option<String>,
        /// The mode; `READWRITE` when it was taken back.
        mode: String,
    },
}

/// What the records of a topic add up to, for the subjects of one context.
#[derive(Clone, Debug, Default)]
pub struct Log {
    context: String,
    /// Versions of each subject, with whether they are marked as deleted.
    subjects: BTreeMap<String, BTreeMap<i32, bool>>,
    modes: BTreeMap<Option<String>, String>,
    /// How many records could not be read.
    pub broken: u64,
}

/// What may be done where nothing else is said.
const READWRITE: &str = "READWRITE";

impl Log {
    /// Nothing yet, of the subjects in `context`; empty for the default one.
    pub fn new(context: &str) -> Self {
        Self { context: context.to_owned(), ..Self::default() }
    }

    /// The newest version of a subject that is not deleted.
    pub fn newest(&self, subject: &str) -> Option<i32> {
        let versions = self.subjects.get(subject)?;
        versions.iter().rev().find(|(_, deleted)| !**deleted).map(|(version, _)| *version)
    }

    /// Takes one record in.
    ///
    /// # Errors
    /// Why it cannot be read; it is counted then, and changes nothing else.
    pub fn take(&mut self, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Option<News>, &'static str> {
        let record = read(key, value).inspect_err(|_| self.broken += 1)?;
        Ok(self.fold(record))
    }

    fn fold(&mut self, record: Record) -> Option<News> {
        match record {
            Record::Version { subject, version, deleted } => {
                let subject = self.own(&subject)?;
                let before = self.subjects.entry(subject.clone()).or_default().insert(version, deleted);
                (before.is_none() && !deleted).then_some(News::Version { subject, version })
            }
            Record::Gone { subject, version } => {
                let subject = self.own(&subject)?;
                self.subjects.get_mut(&subject)?.remove(&version);
                None
            }
            Record::Deleted { subject, upto } => {
                let subject = self.own(&subject)?;
                let versions = self.subjects.get_mut(&subject)?;
                versions.range_mut(..=upto).for_each(|(_, deleted)| *deleted = true);
                None
            }
            Record::Cleared { subject } => {
                let subject = self.own(&subject)?;
                self.subjects.get_mut(&subject)?.retain(|_, deleted| !*deleted);
                None
            }
            Record::Mode { subject, mode } => {
                let subject = match subject {
                    Some(subject) => Some(self.own(&subject)?),
                    None => None,
                };
                let mode = mode.unwrap_or_else(|| READWRITE.to_owned());
                let before = self.modes.insert(subject.clone(), mode.clone());
                (before.as_deref().unwrap_or(READWRITE) != mode).then_some(News::Mode { subject, mode })
            }
            Record::Other => None,
        }
    }

    fn own(&self, subject: &str) -> Option<String> {
        subject::within(&self.context, subject).map(str::to_owned)
    }
}
