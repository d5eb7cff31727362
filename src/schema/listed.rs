//! What a registry holds a new version of a subject to: the level, and which of the earlier versions.
//!
//! Rules: a level of the configuration comes before the registry's; where there is none at all, or the registry checks nothing,
//! the strictest holds. With a compatibility group (the name of a property of the metadata) only versions count that have the
//! same value there as the new one; to have none is a value like any other. Deleted versions are not among the earlier ones: the caller leaves them out.

use std::collections::BTreeMap;

use super::avro::AvroSchema;
use super::level::{CompatReport, Level, SetBy, UnknownLevel, check};
use super::verdict::Assessment;

/// The properties of a version's metadata.
pub type Metadata = BTreeMap<String, String>;

/// What new versions of a subject are held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The level.
    pub level: Level,
    /// Who set it.
    pub set_by: SetBy,
    /// The property by which versions are grouped, where the registry does that.
    pub group: Option<String>,
}

impl Terms {
    /// From the level of the configuration, and the level and the group that the registry tells.
    ///
    /// # Errors
    /// A word of the registry that is no level, where it counts.
    pub fn new(configured: Option<Level>, registry: Option<&str>, group: Option<String>) -> Result<Self, UnknownLevel> {
        let (level, set_by) = match (configured, registry) {
            (Some(level), _) => (level, SetBy::Policy),
            (None, Some(word)) => match word.parse()? {
                // A registry that checks nothing says nothing of what is safe.
                Level::None => (Level::FullTransitive, SetBy::Nobody),
                level => (level, SetBy::Registry),
            },
            (None, None) => (Level::FullTransitive, SetBy::Nobody),
        };
        Ok(Self { level, set_by, group })
    }

    /// The registry's answer for `new`, given the versions before it, oldest first.
    pub fn check(&self, new: (&AvroSchema, &Metadata), earlier: &[(i32, &AvroSchema, &Metadata)]) -> CompatReport {
        let value = |metadata: &Metadata| self.group.as_ref().map(|group| metadata.get(group).cloned());
        let of_group = value(new.1);
        let counting = earlier.iter().filter(|(_, _, metadata)| value(metadata) == of_group);
        let counting: Vec<(i32, &AvroSchema)> = counting.map(|(version, schema, _)| (*version, *schema)).collect();
        let report = check(self.level, new.0, &counting);
        CompatReport { set_by: Some(self.set_by), group: self.group.clone(), ..report }
    }
}

impl Assessment {
    /// The same with another answer of the registry.
    #[must_use]
    pub fn with_registry(self, registry: CompatReport) -> Self {
        let failures = registry.failures.iter().map(ToString::to_string);
        let reasons = failures.chain(self.concerns.iter().map(|c| c.reason.clone())).collect();
        Self { registry, reasons, ..self }
    }
}
