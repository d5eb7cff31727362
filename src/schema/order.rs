//! Columns that stand in another order.
//!
//! Rules: what is new or gone does not move the others. PostgreSQL never moves a column, and its connector writes them as they
//! stand: another order there means that columns got each other's names, or that one was dropped and another came under its
//! name. The schemas that both make are the same, so neither can be ruled out. Other databases can move a column, and the order
//! of a record that no connector wrote means nothing.

use super::avro::{AvroSchema, Field};

/// Columns named in one sentence.
const MOST_NAMED: usize = 8;

/// The columns of both records that stand at another place among those of both, by their pairs of places in the two.
pub(super) fn moved<'a>(old: &'a [Field], same: &[(usize, usize)]) -> Vec<&'a str> {
    let mut by_new: Vec<(usize, usize)> = same.to_vec();
    by_new.sort_by_key(|(_, new)| *new);
    let others = same.iter().zip(&by_new).filter(|((before, _), (now, _))| before != now);
    others.filter_map(|((before, _), _)| old.get(*before)).map(|field| field.name.as_str()).collect()
}

/// What happened to columns that moved, for a sentence that begins with `the row`.
pub(super) fn in_words(moved: &[&str]) -> String {
    if let [one, other] = moved {
        return format!("has columns `{one}` and `{other}` in each other's place");
    }
    let named: Vec<String> = moved.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
    let more = if moved.len() > MOST_NAMED { ", ..." } else { "" };
    format!("has columns in another order: {}{more}", named.join(", "))
}

/// Whether the database that the envelope comes from never moves a column.
pub(super) fn is_kept(schema: &AvroSchema) -> bool {
    let Some((_, fields)) = schema.record(schema.root()) else { return false };
    let source = fields.iter().find(|field| field.name == "source").and_then(|source| schema.record(source.ty));
    source.is_some_and(|(name, _)| name.namespace == "io.debezium.connector.postgresql")
}
