//! What a new version does to the jobs and values that depend on a subject.
//!
//! Rules: two answers, the registry's and the data's; a change is planned without a person only when both are good. The
//! data's answer is the worst of its concerns:
//!
//! | change | data verdict |
//! |---|---|
//! | column added without a default, comments, annotations, source block | safe |
//! | column added with a default or NOT NULL, made NOT NULL, default changed | safe with a history caveat |
//! | decimal precision grows or shrinks | silent NULL |
//! | column removed | silent NULL, or the job fails where it declares NOT NULL |
//! | column made nullable | safe, or the job fails where it declares NOT NULL |
//! | wider or narrower number, unreadable type, symbols of an enum, an enum added | the job fails |
//! | column renamed, columns of PostgreSQL in another order | suspected rename |
//! | decimal scale, unit of a time, decimal as text, other meaning of the same bytes, symbols of an enum with a default | wrong values |
//! | anything in a key | identity change |
//! | more differences than are looked at | unknown |
//!
//! A table is assumed to declare what the earlier schema said. Versions before the latest count where their records would be read wrong or not at all by the new schema's table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::added::{AddedColumn, added_columns};
use super::avro::{AvroSchema, SchemaError};
use super::change::{Change, ChangeKind, Scope};
use super::concern::{concern, key_concern};
use super::diff::diff_as;
use super::envelope::{is_nullable_row, required, row_names};
use super::flaw::{Remark, remarks};
use super::kind::SchemaKind;
use super::level::{CompatReport, Level, check};
use super::outline;

/// What a new version means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// The registry's answer.
    pub registry: CompatReport,
    /// The answer for the data, for tables that declare what the earlier schema said.
    pub data: DataVerdict,
    /// Differences from the latest earlier version.
    pub changes: Vec<Change>,
    /// What makes the data verdict, worst first.
    pub concerns: Vec<Concern>,
    /// Both answers in sentences, worst first.
    pub reasons: Vec<String>,
    /// Columns that the row has now and had not in the latest earlier version.
    pub added: Vec<AddedColumn>,
    /// What a strict parser refuses of the two: no part of either answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
}

/// The meaning for the data, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataVerdict {
    /// Old and new records read right.
    Safe,
    /// New records read right; what older records give needs a word.
    SafeWithHistoryCaveat,
    /// A column turns NULL and nothing says so.
    SilentNull,
    /// A job that runs, or its replacement, cannot decode some records.
    JobFails,
    /// A column is probably under another name now.
    SuspectedRename,
    /// Records decode, into wrong values.
    WrongValues,
    /// The key changes: partitions, compaction and state are keyed by it.
    IdentityChange,
    /// Not judged.
    Unknown,
}

/// One reason for a data verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concern {
    /// The column; for a rename the old name. `None` when it is about the whole record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Part of the record.
    pub scope: Scope,
    /// The verdict for a table that declares the column nullable.
    pub verdict: DataVerdict,
    /// The verdict for a table that declares it NOT NULL.
    pub if_not_null: DataVerdict,
    /// The earlier version whose records are concerned, when it is not the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i32>,
    /// One sentence that names the column.
    pub reason: String,
    /// What a person can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way_out: Option<String>,
}

/// Assesses `new` against `earlier` (oldest first), the versions that are not deleted.
pub fn assess(level: Level, subject_is_key: bool, new: &AvroSchema, earlier: &[(i32, AvroSchema)]) -> Assessment {
    let remarks = remarks(earlier.last().map(|(_, latest)| latest), new);
    Assessment { remarks, ..judge(level, subject_is_key, new, earlier) }
}

fn judge(level: Level, subject_is_key: bool, new: &AvroSchema, earlier: &[(i32, AvroSchema)]) -> Assessment {
    let registry = check(level, new, earlier);
    let Some(((_, latest), older)) = earlier.split_last() else {
        return Assessment::finish(registry, Vec::new(), Vec::new(), &BTreeSet::new(), Vec::new());
    };
    let declared = required(latest);
    if subject_is_key {
        let changes = diff_as(Scope::Key, latest, new);
        let mut concerns: Vec<Concern> = changes.iter().map(key_concern).collect();
        if concerns.is_empty() && !same_json(latest.text(), new.text()) {
            concerns.push(Concern::whole(
                Scope::Key,
                DataVerdict::IdentityChange,
                "the key has a new schema version: its id is part of the key's bytes, so one key has two encodings",
            ));
        }
        return Assessment::finish(registry, changes, concerns, &declared, Vec::new());
    }
    let changes = diff_as(Scope::Row, latest, new);
    let mut concerns: Vec<Concern> = changes.iter().filter_map(concern).collect();
    if is_nullable_row(latest) && is_nullable_row(new) {
        let reason = "a record may be null as a whole, as before: a table that declares a column NOT NULL fails at it";
        concerns.push(Concern::whole(Scope::Row, DataVerdict::SafeWithHistoryCaveat, reason));
    }
    for (version, old) in older {
        concerns.extend(history(*version, old, latest, new, &concerns));
    }
    let added = added_columns(latest, new);
    Assessment::finish(registry, changes, concerns, &declared, added)
}

/// Assesses texts of any kind. What is not Avro, or cannot be read, is unknown with a reason.
pub fn assess_texts(
    kind: &SchemaKind,
    level: Level,
    subject_is_key: bool,
    new: &SubjectText,
    earlier: &[(i32, SubjectText)],
) -> Assessment {
    if let Some(because) = kind.unknown_because() {
        return not_judged(kind, level, because, new, earlier);
    }
    let read = |text: &SubjectText| super::parse::parse(&text.schema, &text.references);
    assess_read(level, subject_is_key, read(new), earlier.iter().map(|(version, text)| (*version, read(text))))
}

/// The answer for a language that is not judged, with what is found to differ from the latest version.
fn not_judged(
    kind: &SchemaKind,
    level: Level,
    because: String,
    new: &SubjectText,
    earlier: &[(i32, SubjectText)],
) -> Assessment {
    let changes = earlier.last().map_or(Ok(Vec::new()), |(_, latest)| outline::changes(kind, latest, new));
    match changes {
        Ok(changes) => Assessment { changes, ..Assessment::unknown(level, because) },
        Err(problem) => Assessment::unknown(level, format!("{because}; {problem}")),
    }
}

/// Assesses versions as far as they could be read.
pub(super) fn assess_read(
    level: Level,
    subject_is_key: bool,
    new: Result<AvroSchema, SchemaError>,
    earlier: impl Iterator<Item = (i32, Result<AvroSchema, SchemaError>)>,
) -> Assessment {
    let new = match new {
        Ok(new) => new,
        Err(e) => return Assessment::unknown(level, format!("the new version cannot be read: {e}")),
    };
    let mut versions = Vec::new();
    for (version, schema) in earlier {
        match schema {
            Ok(schema) => versions.push((version, schema)),
            Err(e) => return Assessment::unknown(level, format!("version {version} cannot be read: {e}")),
        }
    }
    assess(level, subject_is_key, &new, &versions)
}

/// A schema as the registry gives it.
pub type SubjectText = super::avro::Source;

impl Assessment {
    /// An answer that could not be given.
    pub fn unknown(level: Level, because: impl Into<String>) -> Self {
        let because = because.into();
        let concern = Concern::whole(Scope::Row, DataVerdict::Unknown, &format!("unknown, because {because}"));
        Self::finish(CompatReport::unknown(level, because), Vec::new(), vec![concern], &BTreeSet::new(), Vec::new())
    }

    /// Whether it may be planned without a person: the registry's level allows it and the data are safe.
    pub fn plannable(&self) -> bool {
        self.registry.is_compatible() && self.data <= DataVerdict::SafeWithHistoryCaveat
    }

    /// Why it may not be planned: the reasons, and what a strict parser refuses of the two, which is no reason of its own and
    /// may be where to look.
    pub fn refusal(&self) -> Vec<String> {
        let besides = |remark: &Remark| format!("besides, a strict parser refuses {remark}");
        self.reasons.iter().cloned().chain(self.remarks.iter().map(besides)).collect()
    }

    /// The columns that a reader table gains.
    pub fn added_columns(&self) -> Vec<AddedColumn> {
        self.added.clone()
    }

    fn finish(
        registry: CompatReport,
        changes: Vec<Change>,
        mut concerns: Vec<Concern>,
        required: &BTreeSet<String>,
        added: Vec<AddedColumn>,
    ) -> Self {
        let verdict = |c: &Concern| {
            let not_null = c.column.as_ref().is_some_and(|n| required.contains(n));
            if not_null { c.if_not_null } else { c.verdict }
        };
        concerns.sort_by_key(|c| std::cmp::Reverse(verdict(c)));
        let data = concerns.iter().map(verdict).max().unwrap_or(DataVerdict::Safe);
        let mut reasons: Vec<String> = registry.failures.iter().map(ToString::to_string).collect();
        reasons.extend(concerns.iter().map(|c| c.reason.clone()));
        Self { registry, data, changes, concerns, reasons, added, remarks: Vec::new() }
    }
}

impl Concern {
    pub(super) fn whole(scope: Scope, verdict: DataVerdict, reason: &str) -> Self {
        let reason = reason.to_owned();
        Self { column: None, scope, verdict, if_not_null: verdict, version: None, reason, way_out: None }
    }
}

/// Concerns about the records of a version before the latest, which a replacement reads from the beginning.
fn history(version: i32, old: &AvroSchema, latest: &AvroSchema, new: &AvroSchema, known: &[Concern]) -> Vec<Concern> {
    use super::change::Effect::{Fails, WrongValues};
    let mut found = Vec::new();
    let mut worst: BTreeMap<&Option<String>, DataVerdict> = BTreeMap::new();
    for concern in known {
        let verdict = worst.entry(&concern.column).or_insert(concern.verdict);
        *verdict = (*verdict).max(concern.verdict);
    }
    for change in diff_as(Scope::Row, old, new) {
        let is_there = !matches!(change.kind, ChangeKind::Added { .. });
        let misread = matches!(change.new_table, Fails | WrongValues) && change.scope == Scope::Row && is_there;
        let Some(concern) = concern(&change).filter(|_| misread) else { continue };
        if worst.get(&concern.column).is_some_and(|known| *known >= concern.verdict) {
            continue;
        }
        let reason = format!("since version {version}, {}", concern.reason);
        found.push(Concern { version: Some(version), reason, ..concern });
    }
    let before: BTreeSet<&str> = row_names(latest).collect();
    let earlier: BTreeSet<&str> = row_names(old).collect();
    for name in row_names(new).filter(|name| earlier.contains(name) && !before.contains(name)) {
        let verdict = DataVerdict::SafeWithHistoryCaveat;
        let reason =
            format!("column `{name}` existed in version {version} already: its old records hold the values of then");
        let concern = Concern::whole(Scope::Row, verdict, &reason);
        found.push(Concern { column: Some(name.to_owned()), version: Some(version), ..concern });
    }
    found
}

fn same_json(a: &str, b: &str) -> bool {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    a == b || json(a).is_some_and(|a| json(b) == Some(a))
}

impl fmt::Display for DataVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safe => "safe",
            Self::SafeWithHistoryCaveat => "safe, with a caveat for older records",
            Self::SilentNull => "a column turns NULL silently",
            Self::JobFails => "a job fails",
            Self::SuspectedRename => "suspected rename",
            Self::WrongValues => "wrong values",
            Self::IdentityChange => "the key changes",
            Self::Unknown => "unknown",
        })
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl fmt::Display for Assessment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "registry, {}", self.registry)?;
        write!(f, "data: {}", self.data)?;
        for concern in &self.concerns {
            write!(f, "\n  {concern}")?;
            concern.way_out.iter().try_for_each(|way| write!(f, "\n    way out: {way}"))?;
        }
        Ok(())
    }
}
