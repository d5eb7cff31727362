//! Compatibility levels, and the registry's answer for a new version.
//!
//! Rules: BACKWARD means that the new version reads the latest, FORWARD that the latest reads the new one, FULL both;
//! `_TRANSITIVE` means all earlier versions. The first version is always compatible. Which versions are the earlier ones, the
//! caller says.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::avro::AvroSchema;
use super::compat::{Incompatibility, can_read};

/// A registry's compatibility level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Level {
    /// Nothing is checked.
    None,
    /// New reads latest.
    Backward,
    /// New reads all.
    BackwardTransitive,
    /// Latest reads new.
    Forward,
    /// All read new.
    ForwardTransitive,
    /// Both, with the latest.
    Full,
    /// Both, with all.
    FullTransitive,
}

/// Who reads whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Direction {
    /// The new version reads an earlier one.
    Backward,
    /// An earlier version reads the new one.
    Forward,
}

/// The registry's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistryVerdict {
    /// The level allows it.
    Compatible,
    /// The level forbids it.
    Incompatible,
    /// Not judged.
    Unknown {
        /// Why.
        because: String,
    },
}

/// Who set a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetBy {
    /// The configuration, under `policy.level`.
    Policy,
    /// The registry, for the subject or for all.
    Registry,
    /// Nobody: the registry has none or checks nothing, so the strictest is taken.
    Nobody,
}

/// What a level says about a new version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompatReport {
    /// The level it was checked at.
    pub level: Level,
    /// Who set the level, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<SetBy>,
    /// The property of the metadata that versions must share to be compared, where the registry groups them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The answer.
    pub verdict: RegistryVerdict,
    /// Versions it was compared with.
    pub checked: Vec<i32>,
    /// What failed, oldest version first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<VersionFailure>,
}

/// One direction that fails with one earlier version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionFailure {
    /// The earlier version.
    pub version: i32,
    /// Which direction fails.
    pub direction: Direction,
    /// Why, at least one.
    pub reasons: Vec<Incompatibility>,
}

/// Checks `new` against `earlier` (oldest first) at `level`.
pub fn check<S: Borrow<AvroSchema>>(level: Level, new: &AvroSchema, earlier: &[(i32, S)]) -> CompatReport {
    let from = if level.is_transitive() { 0 } else { earlier.len().saturating_sub(1) };
    let compared = if level == Level::None { &[] } else { earlier.get(from..).unwrap_or(&[]) };
    let mut failures = Vec::new();
    for (version, old) in compared {
        let old = old.borrow();
        for direction in level.directions() {
            let answer = match direction {
                Direction::Backward => can_read(new, old),
                Direction::Forward => can_read(old, new),
            };
            if let Err(reasons) = answer {
                failures.push(VersionFailure { version: *version, direction: *direction, reasons });
            }
        }
    }
    let verdict = if failures.is_empty() { RegistryVerdict::Compatible } else { RegistryVerdict::Incompatible };
    let checked = compared.iter().map(|(v, _)| *v).collect();
    CompatReport { level, set_by: None, group: None, verdict, checked, failures }
}

impl Level {
    /// Every level, as the registry spells them.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::None, "NONE"),
        (Self::Backward, "BACKWARD"),
        (Self::BackwardTransitive, "BACKWARD_TRANSITIVE"),
        (Self::Forward, "FORWARD"),
        (Self::ForwardTransitive, "FORWARD_TRANSITIVE"),
        (Self::Full, "FULL"),
        (Self::FullTransitive, "FULL_TRANSITIVE"),
    ];

    /// Whether every earlier version counts, not only the latest.
    pub fn is_transitive(self) -> bool {
        matches!(self, Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive)
    }

    /// The directions it asks for.
    pub fn directions(self) -> &'static [Direction] {
        match self {
            Self::None => &[],
            Self::Backward | Self::BackwardTransitive => &[Direction::Backward],
            Self::Forward | Self::ForwardTransitive => &[Direction::Forward],
            Self::Full | Self::FullTransitive => &[Direction::Backward, Direction::Forward],
        }
    }
}

impl CompatReport {
    /// The answer of a check that could not be made.
    pub fn unknown(level: Level, because: impl Into<String>) -> Self {
        let verdict = RegistryVerdict::Unknown { because: because.into() };
        Self { level, set_by: None, group: None, verdict, checked: Vec::new(), failures: Vec::new() }
    }

    /// Whether the level allows the new version. An unknown answer does not.
    pub fn is_compatible(&self) -> bool {
        self.verdict == RegistryVerdict::Compatible
    }
}

/// A word that is no compatibility level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no compatibility level: use NONE, BACKWARD, FORWARD or FULL, the last three also with _TRANSITIVE")]
pub struct UnknownLevel(String);

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        let word = text.trim();
        let known = Self::ALL.iter().find(|(_, name)| name.eq_ignore_ascii_case(word));
        known.map(|(level, _)| *level).ok_or_else(|| UnknownLevel(super::parse::clip(word)))
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(level, _)| level == self).map_or("", |(_, name)| *name);
        f.pad(name)
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backward => "BACKWARD",
            Self::Forward => "FORWARD",
        })
    }
}

impl fmt::Display for VersionFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.direction {
            Direction::Backward => format!("the new version cannot read version {}", self.version),
            Direction::Forward => format!("version {} cannot read the new version", self.version),
        };
        let reasons: Vec<String> = self.reasons.iter().map(ToString::to_string).collect();
        write!(f, "{who}: {}", reasons.join("; "))
    }
}

impl fmt::Display for SetBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Policy => "policy.level",
            Self::Registry => "the registry's level",
            Self::Nobody => "the registry has no level",
        })
    }
}

impl fmt::Display for CompatReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = self.group.as_ref().map(|group| format!("by `{}`", super::parse::clip(group)));
        let terms: Vec<String> = self.set_by.iter().map(SetBy::to_string).chain(group).collect();
        write!(f, "{}", self.level)?;
        if !terms.is_empty() {
            write!(f, " ({})", terms.join(", "))?;
        }
        match &self.verdict {
            RegistryVerdict::Unknown { because } => write!(f, ": unknown, because {because}"),
            RegistryVerdict::Compatible if self.level == Level::None => f.write_str(": compatible, nothing is checked"),
            RegistryVerdict::Compatible if self.checked.is_empty() => {
                f.write_str(": compatible, nothing to compare with")
            }
            RegistryVerdict::Compatible => write!(f, ": compatible with version {}", list(&self.checked)),
            RegistryVerdict::Incompatible => {
                f.write_str(": incompatible")?;
                self.failures.iter().try_for_each(|failure| write!(f, "\n  {failure}"))
            }
        }
    }
}

fn list(versions: &[i32]) -> String {
    match versions {
        [first, .., last] if versions.len() > 3 => format!("{first} to {last}"),
        _ => versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}
