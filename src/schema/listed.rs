//! Which versions of a subject a registry holds a new one against, and at which level.
//!
//! Rules: a subject's own settings come before the registry's. A deleted version does not count, whether it can still be
//! read or not. With a compatibility group (the name of a property of the metadata) only versions count that have the same
//! value there as the new one; to have none is a value like any other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::avro::AvroSchema;
use super::level::{CompatReport, Level, check};

/// What a registry is told to check, for one subject or for all: the part of its answer to `GET /config` that counts here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// The level, where one is set.
    #[serde(default, alias = "compatibilityLevel", alias = "compatibility")]
    pub level: Option<Level>,
    /// The property by which versions are grouped, where one is set.
    #[serde(default, alias = "compatibilityGroup")]
    pub group: Option<String>,
}

impl Checks {
    /// What holds for a subject: its own settings, and the registry's for what those leave open. No level at all is BACKWARD.
    pub fn effective(own: Option<&Self>, global: &Self) -> (Level, Option<String>) {
        let level = own.and_then(|own| own.level).or(global.level).unwrap_or(Level::Backward);
        (level, own.and_then(|own| own.group.clone()).or_else(|| global.group.clone()))
    }
}

/// A version of a subject, as the registry lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<S> {
    /// Its number.
    pub version: i32,
    /// Whether it is deleted, softly.
    pub deleted: bool,
    /// The properties of its metadata.
    pub metadata: BTreeMap<String, String>,
    /// The schema.
    pub schema: S,
}

/// The versions before `new` that count for it, oldest first.
pub fn counting<'a, S>(group: Option<&str>, new: &Listed<S>, all: &'a [Listed<S>]) -> Vec<(i32, &'a S)> {
    let value = |of: &Listed<S>| group.map(|group| of.metadata.get(group).cloned());
    let counts = |old: &&Listed<S>| !old.deleted && old.version < new.version && value(old) == value(new);
    let mut found: Vec<(i32, &S)> = all.iter().filter(counts).map(|old| (old.version, &old.schema)).collect();
    found.sort_by_key(|(version, _)| *version);
    found
}

/// The registry's answer for `new`, which may be among `all` its subject's versions.
pub fn check_listed(
    (level, group): (Level, Option<&str>),
    new: &Listed<AvroSchema>,
    all: &[Listed<AvroSchema>],
) -> CompatReport {
    check(level, &new.schema, &counting(group, new, all))
}
