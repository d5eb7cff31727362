//! How a green statement reads records that were written before a column came: semantics, "Rewriting".
//!
//! Such a record has no value for the column, and Flink reads NULL, as it does where somebody wrote a NULL. So the default
//! is put in by `COALESCE` only where no record can hold a NULL of somebody's own:
//!
//! | the column | old records get |
//! |---|---|
//! | has no default, or one that may stand for an expression | NULL |
//! | is NOT NULL now | its default: a row that held NULL before the source forbade it has been written again since |
//! | may be NULL, and records hold NULL there | NULL |
//! | may be NULL, and not every record is counted | NULL: "none was seen" would be a guess |
//! | may be NULL, and no record of all holds one | NULL, and the default is offered; the default where the policy says so |
//!
//! Its default is the first one, of the version that brought the column: with that one the database filled the rows that
//! existed then. A default that came or changed later holds for rows that were written later, and those have a value.
//!
//! A default that stands on a count becomes an assumption of the plan.

use serde_json::Value;

use super::input::{Evolution, NullFacts, NullableDefaults, PlanInput};
use crate::diagnostic::Diagnostic;
use crate::model::parity::ChangeRule;
use crate::schema::AddedColumn;

/// How a new column is read.
#[derive(Clone, Debug)]
pub(super) struct Filled {
    /// The expression, with `{}` for the column; `None` reads it as it is.
    pub expr: Option<String>,
    /// The rule that the column is held against.
    pub rule: ChangeRule,
    /// True when the default is applied because no NULL was counted.
    pub counted: bool,
    /// What a person should look at.
    pub remarks: Vec<Diagnostic>,
}

impl Filled {
    fn null(remarks: Vec<Diagnostic>) -> Self {
        let rule = ChangeRule::NewColumn { default: Value::Null, nullable: true };
        Self { expr: None, rule, counted: false, remarks }
    }
}

/// The default of the version that brought a column.
struct First<'a> {
    literal: &'a str,
    shown: Option<&'a Value>,
}

/// How the statement that reads the reader table reads the new column `name`.
pub(super) fn of(name: &str, input: &PlanInput, evolution: &Evolution) -> Filled {
    let Some(column) = evolution.added.iter().find(|a| a.name == name) else { return Filled::null(Vec::new()) };
    let mut remarks: Vec<Diagnostic> = changed_later(column).into_iter().collect();
    let Some(first) = first(column) else { return Filled::null(remarks) };
    if column.source_not_null {
        return applied(&first, false, remarks);
    }
    let count = match no_null(column, input, evolution) {
        Ok(count) => count,
        Err((why, help)) => {
            let text = format!(
                "column `{name}` has the default {} but may be NULL, and {why}: the default is not applied, old records have NULL",
                first.literal
            );
            remarks.push(Diagnostic::warning("C206", text).help(help));
            return Filled::null(remarks);
        }
    };
    let literal = first.literal;
    let seen = format!("column `{name}` may be NULL, but none of {count} records that hold it has NULL there");
    match input.policy.nullable_defaults {
        NullableDefaults::Never => {
            let text = format!("{seen}: its default {literal} could be applied to old records, which have NULL now");
            let help = "set policy.nullable_defaults = \"when_unseen\" and plan again; \
                        a NULL that the connector wrote as the default was not seen";
            remarks.push(Diagnostic::warning("C211", text).help(help));
            Filled::null(remarks)
        }
        NullableDefaults::WhenUnseen => {
            let text = format!("{seen}: old records get its default {literal}");
            let help =
                "a NULL that comes before the approval voids this plan; one that comes later reads as the default";
            remarks.push(Diagnostic::warning("C211", text).help(help));
            applied(&first, true, remarks)
        }
    }
}

fn applied(first: &First<'_>, counted: bool, remarks: Vec<Diagnostic>) -> Filled {
    // What the source says is no placeholder of ours.
    let literal = first.literal.replace("${", "$' || '{");
    let rule = ChangeRule::NewColumn { default: first.shown.cloned().unwrap_or(Value::Null), nullable: false };
    Filled { expr: Some(format!("COALESCE({{}}, {literal})")), rule, counted, remarks }
}

/// The default that the column came with; `None` when it came without one.
fn first(column: &AddedColumn) -> Option<First<'_>> {
    let (literal, shown) = match column.earlier.first() {
        Some(declared) => (&declared.default_sql, &declared.default),
        None => (&column.default_sql, &column.default),
    };
    literal.as_deref().map(|literal| First { literal, shown: shown.as_ref() })
}

/// The remark about a default that is another one now.
fn changed_later(column: &AddedColumn) -> Option<Diagnostic> {
    let brought = column.earlier.first()?;
    let (then, now) = (brought.default_sql.as_deref(), column.default_sql.as_deref());
    if then == now || then.is_none() && brought.avro.is_some() {
        return None;
    }
    let (name, version) = (&column.name, brought.version);
    let now = now.map_or_else(|| "none now".to_owned(), |now| format!("{now} now"));
    let text = match then {
        Some(then) => format!(
            "column `{name}` came with the default {then} in version {version} and has {now}: the database filled the rows \
             that existed then with {then}, so if old records get a default, it is that one"
        ),
        None => format!(
            "column `{name}` came without a default in version {version} and has {now}: the database left NULL in the rows \
             that existed then, so old records have NULL"
        ),
    };
    Some(Diagnostic::warning("C212", text).help("if the rows were filled by hand, see that each was written since"))
}

/// How many records hold the column, none of them a NULL; else why that cannot be said, and the way out.
fn no_null(column: &AddedColumn, input: &PlanInput, evolution: &Evolution) -> Result<u64, (String, &'static str)> {
    const BY_HAND: &str = "write COALESCE by hand if no record holds a NULL on purpose";
    const AGAIN: &str = "to try again later, abort this rollout and hand in what `cyanotype plan` makes then";
    let known = input.topics.iter().filter(|(topic, _)| evolution.topics.contains(*topic));
    let counts: Option<Vec<&NullFacts>> = known.map(|(_, facts)| facts.nulls.as_ref()).collect();
    let Some(counts) = counts.filter(|counts| !counts.is_empty()) else {
        let help =
            "the daemon counts them, and so does `cyanotype plan` with policy.nullable_defaults = \"when_unseen\"";
        return Err(("nobody has counted the NULLs in its topic".to_owned(), help));
    };
    let (mut records, mut nulls) = (0, 0);
    for count in counts.iter().filter_map(|facts| facts.columns.get(&column.name)) {
        records += count.records;
        nulls += count.nulls;
    }
    let unread: u64 = counts.iter().map(|facts| facts.unread).sum();
    if nulls > 0 {
        let why = format!("{nulls} of {records} records that hold it have NULL there");
        return Err((why, "leave it so: a default in place of a NULL that somebody meant would be wrong"));
    }
    if unread > 0 {
        return Err((format!("{unread} records of its topic could not be read"), BY_HAND));
    }
    if let Some(version) = silent_version(column, evolution.to_version) {
        return Err((format!("version {version} allows NULL without a default, which is not counted"), BY_HAND));
    }
    if counts.iter().any(|facts| !facts.to_the_end) {
        return Err(("the records of its topic are not counted to the end yet".to_owned(), AGAIN));
    }
    if records == 0 {
        return Err(("no record that holds it was seen yet".to_owned(), AGAIN));
    }
    Ok(records)
}

/// A version that allows NULL and has no default: the NULLs of its records are not counted.
fn silent_version(column: &AddedColumn, newest: i32) -> Option<i32> {
    let earlier = column.earlier.iter().find(|d| d.nullable && d.avro.is_none()).map(|d| d.version);
    earlier.or_else(|| (!column.source_not_null && column.default_sql.is_none()).then_some(newest))
}
