//! The tables of the rules, row by row.

mod alters;
mod classes;
mod flaws;
mod formats;
mod history;
mod java_rules;
mod levels;
mod literals;
mod other_languages;
mod pairs;
mod parsing;
mod properties;
mod registry_log;
mod worst_cases;

use super::avro::AvroSchema;
use super::compat::can_read;

/// BACKWARD and FORWARD as the registry sees them.
fn both_ways(old: &AvroSchema, new: &AvroSchema) -> (bool, bool) {
    (can_read(new, old).is_ok(), can_read(old, new).is_ok())
}
