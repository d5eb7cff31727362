//! What a validation found, in a form that rollout, web and command line can carry around.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// The answer. Only [`Outcome::Pass`] can be approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything that was claimed is proven.
    Pass,
    /// Not proven either way; never a pass.
    Undecided,
    /// A claim is wrong.
    Fail,
}

/// What one table's comparison found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableVerdict {
    /// Logical name.
    pub table: String,
    /// The answer for this table.
    pub outcome: Outcome,
    /// One line: why.
    pub reason: String,
    /// Live rows (upsert) or records (append) read from blue and green.
    pub rows_blue: u64,
    /// See `rows_blue`.
    pub rows_green: u64,
    /// Keys or rows decided equal at rest, by being followed until they agreed, and by their history of values.
    pub equal: u64,
    /// See `equal`.
    pub followed: u64,
    /// See `equal`.
    pub by_history: u64,
    /// Keys only blue has, only green has, and keys whose compared columns differ.
    pub missing: u64,
    /// See `missing`.
    pub extra: u64,
    /// See `missing`.
    pub different: u64,
    /// Keys that could not be decided before the deadline.
    pub undecided: u64,
    /// Keys or rows that only blue has and only green has, where the plan declares that rows change: not wrong, not proven.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub only_blue: u64,
    /// See `only_blue`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub only_green: u64,
    /// Duplicates in green by kind (`two_partitions`, `two_encodings`, `repeated_key`, `multiplicity`), only kinds that were seen.
    pub duplicates: BTreeMap<String, u64>,
    /// Identical upserts in a row: churn, reported only.
    pub churn: u64,
    /// How every column was compared: class, and what was seen in it.
    pub columns: BTreeMap<String, String>,
    /// Sample findings, one line each, at most twenty.
    pub samples: Vec<String>,
    /// Digest of blue's compared columns and of green's (order and partitioning do not matter): hexadecimal.
    pub digest_blue: String,
    /// See `digest_blue`.
    pub digest_green: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What was seen of one schema id in one topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaUse {
    /// Records that carry it.
    pub records: u64,
    /// Offset of the first of them, by partition.
    #[serde(deserialize_with = "by_partition")]
    pub first: BTreeMap<i32, i64>,
    /// Offset of the last of them, by partition.
    #[serde(default, deserialize_with = "by_partition", skip_serializing_if = "BTreeMap::is_empty")]
    pub last: BTreeMap<i32, i64>,
}

/// What a whole validation found. Its canonical JSON is what an approval is bound to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Rollout.
    pub rollout: String,
    /// Digest of the plan.
    pub plan: String,
    /// The answer over all tables.
    pub outcome: Outcome,
    /// One line: why.
    pub reason: String,
    /// Every table.
    pub tables: Vec<TableVerdict>,
    /// The input positions that both outputs are known to hold, by topic.
    #[serde(deserialize_with = "by_topic")]
    pub cut: BTreeMap<String, BTreeMap<i32, i64>>,
    /// Positions up to which blue and green outputs were read, by topic.
    #[serde(deserialize_with = "by_topic")]
    pub read: BTreeMap<String, BTreeMap<i32, i64>>,
    /// What was seen of each schema id in the input topics, by topic and id.
    pub schema_ids: BTreeMap<String, BTreeMap<String, SchemaUse>>,
    /// Input records that arrived between the first and the last read.
    pub arrived: u64,
    /// When it began, milliseconds since 1970.
    pub started_ms: i64,
    /// When it ended.
    pub ended_ms: i64,
    /// When an approval of it is no longer taken.
    pub expires_ms: i64,
}

impl Evidence {
    /// SHA-256 over the canonical JSON (keys sorted, no white space), as `sha256:` and hexadecimal digits.
    ///
    /// Struct fields are serialised through [`serde_json::Value`], whose maps are sorted by key.
    pub fn digest(&self) -> String {
        digest_of(self)
    }
}

/// Reads numbers by partition. In JSON a key is text, and behind a tag, where a journal's entry stands, serde no longer
/// takes the text for a number.
fn by_partition<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<i32, i64>, D::Error> {
    numbered(BTreeMap::deserialize(from)?)
}

/// See [`by_partition`].
fn by_topic<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, BTreeMap<i32, i64>>, D::Error> {
    let topics: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::deserialize(from)?;
    topics.into_iter().map(|(topic, positions)| Ok((topic, numbered(positions)?))).collect()
}

fn numbered<E: serde::de::Error>(positions: BTreeMap<String, i64>) -> Result<BTreeMap<i32, i64>, E> {
    let partition = |text: String| text.parse().map_err(|_| E::custom(format!("`{text}` is no partition")));
    positions.into_iter().map(|(text, position)| Ok((partition(text)?, position))).collect()
}

/// SHA-256 over the canonical JSON of `value`: `sha256:<hex>`.
pub fn digest_of<T: Serialize>(value: &T) -> String {
    use sha2::{Digest, Sha256};
    let canonical = serde_json::to_value(value).map(|v| v.to_string()).unwrap_or_default();
    let hash = Sha256::digest(canonical.as_bytes());
    let mut out = String::from("sha256:");
    for byte in hash {
        out.push_str(&format!("{byte:02x}"));
    }
    out
}
