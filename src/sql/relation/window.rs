//! Windows: the columns that tell a row's window, and which windows are put alike.
//!
//! Source: <https://nightlies.apache.org/flink/flink-docs-release-2.2/docs/dev/table/sql/queries/window-tvf/>

use std::sync::Arc;

use super::Relation;
use super::scope::{Column, Time, Value};
use crate::sql::tree::{ArgValue, Call, Expr, ExprKind};

/// What a column tells of the row's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    /// Its first moment.
    Start,
    /// The moment behind its last one.
    End,
    /// Its last moment, which is a time attribute.
    Time,
}

/// The window that a column tells something of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// What it tells.
    pub edge: Edge,
    /// How windows are put over time, as it is written; `None` where windows written alike may be others.
    put: Option<Arc<str>>,
}

impl Window {
    /// The time of a window that rows are grouped by.
    pub const fn of_group() -> Self {
        Self { edge: Edge::Time, put: None }
    }

    /// True if two columns tell the same of windows that are surely put alike.
    pub fn matches(&self, other: &Self) -> bool {
        self.put.is_some() && self == other
    }
}

/// True if both ends of a window are among the values.
pub(super) fn has_window<'v>(values: impl Iterator<Item = &'v Value> + Clone) -> bool {
    let has = |edge| values.clone().any(|value| value.is_edge(edge));
    has(Edge::Start) && has(Edge::End)
}

/// The rows of a table in windows. Windows that they were in before are forgotten.
pub(super) fn windowed(mut relation: Relation, call: &Call) -> Relation {
    let descriptor = call.args.iter().find_map(|arg| match &arg.value {
        ArgValue::Descriptor(columns) => columns.first(),
        _ => None,
    });
    let by = descriptor.and_then(|name| relation.columns.iter().find(|column| column.name == name.name));
    let (time, ty) = by.map_or((None, None), |column| (column.value.time, column.value.ty.clone()));
    relation.changes.keys.clear();
    relation.forget_windows();
    let put = put(call, time);
    for (name, edge) in [("window_start", Edge::Start), ("window_end", Edge::End), ("window_time", Edge::Time)] {
        let is_time = edge == Edge::Time;
        let window = Some(Window { edge, put: put.clone() });
        let value = Value {
            ty: super::expr::window_column(ty.as_ref(), is_time),
            time: time.filter(|_| is_time),
            window,
            ..Value::default()
        };
        relation.columns.push(Column { name: name.to_owned(), value });
    }
    relation
}

/// How windows are put over time: by which function, how long, how far apart, and by which kind of time. Where sessions end
/// depends on the rows.
fn put(call: &Call, time: Option<Time>) -> Option<Arc<str>> {
    let name = call.name.last().name.to_ascii_uppercase();
    if name == "SESSION" {
        return None;
    }
    let mut put = format!("{name} {:?}", time?);
    for arg in &call.args {
        match &arg.value {
            ArgValue::Expr(Expr { kind: ExprKind::Subquery(_), .. })
            | ArgValue::Table(_)
            | ArgValue::Query { .. }
            | ArgValue::Descriptor(_) => {}
            ArgValue::Expr(Expr { kind: ExprKind::Interval(text), .. }) => {
                if let Some(name) = &arg.name {
                    put += &format!(" {}", name.name.to_ascii_uppercase());
                }
                for word in text.split_whitespace() {
                    // MINUTE and MINUTES say the same.
                    put += &format!(" {}", word.trim_end_matches('S'));
                }
            }
            _ => return None,
        }
    }
    Some(put.into())
}
