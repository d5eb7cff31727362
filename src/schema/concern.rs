//! From a change to what it means for a table: the rule behind each row of [`super::verdict`]'s table.

use super::change::{Change, ChangeKind, Effect, Scope};
use super::verdict::{Concern, DataVerdict};

/// The concern that a change of a value schema raises; `None` when there is none.
pub(super) fn concern(change: &Change) -> Option<Concern> {
    match change.scope {
        Scope::Key => Some(key_concern(change)),
        scope if change.kind == ChangeKind::NotJudged => {
            Some(Concern::whole(scope, DataVerdict::Unknown, &change.sentence))
        }
        Scope::SourceBlock => source_block(change),
        Scope::Envelope => envelope(change),
        Scope::Row => row(change),
    }
}

/// The concern that any change of a key schema raises.
pub(super) fn key_concern(change: &Change) -> Concern {
    let reason = format!("{}: partitions, compaction and state are keyed by the key's bytes", change.sentence);
    let way_out =
        "let a person decide: new keys do not meet the old ones, so green needs a topic of its own from the beginning";
    Concern {
        column: change.column.clone(),
        way_out: Some(way_out.into()),
        ..Concern::whole(Scope::Key, DataVerdict::IdentityChange, &reason)
    }
}

fn row(change: &Change) -> Option<Concern> {
    use DataVerdict::{JobFails, Safe, SafeWithHistoryCaveat, SilentNull, SuspectedRename, WrongValues};
    let column = change.path.as_str();
    let both = |verdict: DataVerdict| (verdict, verdict);
    let ((verdict, if_not_null), consequence, way_out) = match &change.kind {
        ChangeKind::Added { default, nullable } => {
            if change.new_table == Effect::Fails {
                let consequence =
                    "a table that declares it fails, as its own schema does not read an Avro enum (FLINK-24544)";
                let way_out = format!("leave `{column}` out of the tables, or make it a text at the source");
                let reason = format!("{}: {consequence}", change.sentence);
                let whole = Concern::whole(Scope::Row, JobFails, &reason);
                return Some(Concern { column: change.column.clone(), way_out: Some(way_out), ..whole });
            }
            let has_default = default.as_ref().is_some_and(|d| !d.is_null());
            let consequence = match (has_default, nullable) {
                (false, true) => return None,
                (true, true) => {
                    "records written before read as NULL, not as the default, unless the statement fills it; and where the \
                     row holds NULL, the connector may write the default instead"
                }
                (true, false) => {
                    "records written before read as NULL, not as the default, unless the statement fills it"
                }
                (false, false) => "records written before have no value for it, so a table must declare it nullable",
            };
            (both(SafeWithHistoryCaveat), consequence.to_owned(), None)
        }
        ChangeKind::Removed => {
            let verdict = if change.old_table == Effect::Fails { JobFails } else { SilentNull };
            let if_not_null = if change.old_table == Effect::Nulls { SilentNull } else { JobFails };
            let consequence = "a table that declares it reads NULL, or fails where it declares NOT NULL";
            let way_out = "remove the column from the statements that read it, or put it back in the source";
            ((verdict, if_not_null), consequence.to_owned(), Some(way_out.to_owned()))
        }
        ChangeKind::SuspectedRename { to, .. } | ChangeKind::RenamedByAlias { to, .. } => {
            let consequence =
                format!("Flink reads by name, so the old name turns NULL and older records have no `{to}`");
            let way_out = format!("say whether `{to}` is the same column; if so read COALESCE of both names");
            (both(SuspectedRename), consequence, Some(way_out))
        }
        ChangeKind::MadeNullable => {
            let verdict = if change.old_table == Effect::Fails { JobFails } else { Safe };
            let consequence = "a job that declares it NOT NULL fails at the first null";
            ((verdict, JobFails), consequence.to_owned(), Some("declare the column nullable".to_owned()))
        }
        ChangeKind::MadeRequired => {
            let consequence = "older records may still hold null, so a table must keep it nullable";
            (both(SafeWithHistoryCaveat), consequence.to_owned(), None)
        }
        ChangeKind::DefaultChanged => {
            if change.old.is_none() || change.new.is_none() {
                return None;
            }
            let consequence = "a statement that fills it for older records must say which default it means";
            (both(SafeWithHistoryCaveat), consequence.to_owned(), None)
        }
        ChangeKind::DefaultHidesNull => {
            let consequence = "where the row holds NULL, the connector may write the default instead";
            let way_out =
                "tell the connector's converter to ignore defaults of nullable columns (ignore.default.for.nullables)";
            (both(SafeWithHistoryCaveat), consequence.to_owned(), Some(way_out.to_owned()))
        }
        ChangeKind::Placeholder if change.new.is_some() => {
            let consequence = "a row that an update left unchanged there holds the placeholder and not the value";
            (both(SafeWithHistoryCaveat), consequence.to_owned(), None)
        }
        ChangeKind::DecimalPrecision if change.old_table == Effect::Nulls => {
            let consequence = "a running job declares fewer digits and reads larger new values as NULL";
            let way_out = "declare the wider type in the tables, in a branch, before the source holds such values";
            (both(SilentNull), consequence.to_owned(), Some(way_out.to_owned()))
        }
        ChangeKind::DecimalPrecision if change.new_table == Effect::Nulls => {
            let consequence = "a table with the new type reads larger old values as NULL";
            let way_out = "keep the wider type in the table".to_owned();
            (both(SilentNull), consequence.to_owned(), Some(way_out))
        }
        ChangeKind::Reordered { .. } => {
            let (verdict, consequence) = if change.is_harmless() {
                (
                    SafeWithHistoryCaveat,
                    "the database moved them, or they got each other's names, which no schema tells",
                )
            } else {
                let told =
                    "PostgreSQL never moves a column, so they got each other's names, or one was dropped and came back";
                (SuspectedRename, told)
            };
            let way_out = "say what the names stand for now; the records before hold what they stood for then";
            (both(verdict), consequence.to_owned(), Some(way_out.to_owned()))
        }
        ChangeKind::EnumSymbols { .. } if !change.is_harmless() => {
            let is_wrong = change.old_table != Effect::Fails && change.new_table != Effect::Fails;
            let (verdict, what) = if is_wrong {
                (WrongValues, "reads its default in place of a symbol that this schema lacks")
            } else {
                (JobFails, "fails at a symbol that this schema lacks")
            };
            let consequence =
                format!("a table reads an Avro enum only where its format is given a schema (FLINK-24544), and {what}");
            let way_out = "give the format a schema with all symbols, or make the column a text at the source";
            (both(verdict), consequence, Some(way_out.to_owned()))
        }
        _ if change.is_harmless() => return namespace(change),
        _ if change.old_table == Effect::WrongValues || change.new_table == Effect::WrongValues => {
            let consequence = match (change.old_table, change.new_table) {
                (Effect::Fails, _) => {
                    "a job with the old type fails, one with the new type reads old records as wrong values"
                }
                (_, Effect::Fails) => {
                    "a job with the old type reads wrong values, one with the new type cannot read old records"
                }
                (Effect::Fine, _) => "one table cannot read the records of both forms right",
                _ => "old and new records decode alike and mean something else, and nothing fails",
            };
            let way_out = "put the new form into a new column".to_owned();
            (both(WrongValues), consequence.to_owned(), Some(way_out))
        }
        _ => {
            let consequence = match (change.old_table, change.new_table) {
                (Effect::Fails, Effect::Fails) => {
                    "a job with the old type cannot read new records, nor one with the new type old ones"
                }
                (_, Effect::Fails) => "a job with the new type cannot read old records",
                _ => "a job with the old type cannot read new records",
            };
            let way_out = if column.is_empty() {
                "give the new form a topic and a subject of its own".to_owned()
            } else {
                format!("put `{column}` with the new type into a new column")
            };
            (both(JobFails), consequence.to_owned(), Some(way_out))
        }
    };
    let reason = format!("{}: {consequence}", change.sentence);
    let whole = Concern::whole(Scope::Row, verdict, &reason);
    Some(Concern { column: change.column.clone(), if_not_null, way_out, ..whole })
}

/// In a Debezium schema the namespace is made of topic prefix, schema and table.
fn namespace(change: &Change) -> Option<Concern> {
    let of_debezium = change.old.as_deref().is_some_and(|n| n.ends_with(".Value") || n.ends_with(".Envelope"));
    if change.kind != ChangeKind::NamespaceOnly || !of_debezium {
        return None;
    }
    let reason = format!("{}: check that the topic still carries the same table", change.sentence);
    Some(Concern::whole(change.scope, DataVerdict::SafeWithHistoryCaveat, &reason))
}

/// Tables do not read the source block, but for a few metadata columns. A connector upgrade adds to it.
fn source_block(change: &Change) -> Option<Concern> {
    if change.is_harmless() || matches!(change.kind, ChangeKind::Added { .. }) {
        return None;
    }
    let reason = format!("{}: matters only to a table that reads it as a metadata column", change.sentence);
    Some(Concern::whole(Scope::SourceBlock, DataVerdict::SafeWithHistoryCaveat, &reason))
}

fn envelope(change: &Change) -> Option<Concern> {
    if change.is_harmless() {
        return namespace(change);
    }
    if matches!(change.kind, ChangeKind::Added { .. }) {
        return None;
    }
    let needed = change.column.as_deref().is_none_or(|c| matches!(c, "before" | "after" | "op"));
    let nullable_row = matches!(change.kind, ChangeKind::MadeNullable | ChangeKind::MadeRequired);
    if needed && !nullable_row {
        let reason = format!("{}: a table that reads Debezium envelopes fails", change.sentence);
        return Some(Concern::whole(Scope::Envelope, DataVerdict::JobFails, &reason));
    }
    let reason = format!("{}: tables read only before, after and op", change.sentence);
    Some(Concern::whole(Scope::Envelope, DataVerdict::SafeWithHistoryCaveat, &reason))
}
