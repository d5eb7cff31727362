//! The plan as people read it: the tree of impacted statements with the reason for each, what stays, the SQL diff.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use similar::TextDiff;

use super::document::{Plan, Role, StateVerdict, TablePlan};
use crate::diagnostic::Diagnostic;
use crate::model::name;
use crate::model::parity::{ChangeRule, ColumnClass, RowRule};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.env, self.title)?;
        for line in self.changes.iter().chain(&self.verdicts) {
            writeln!(f, "  {line}")?;
        }
        if self.is_empty() {
            writeln!(f, "nothing to do")?;
            return left(self, f);
        }
        writeln!(f)?;
        match self.kind.as_str() {
            "adopt" => taken_over(self, f)?,
            "undeploy" => taken_down(self, f)?,
            _ => tree(self, f)?,
        }
        left(self, f)?;
        list(f, "connectors", &self.connectors)?;
        list(f, if self.kind == "undeploy" { "kept" } else { "not proven" }, &self.unproven)?;
        let warnings: Vec<String> = self.warnings.iter().flat_map(in_lines).collect();
        list(f, "warnings", &warnings)?;
        writeln!(f, "\nplan {}", self.digest())
    }
}

fn in_lines(warning: &Diagnostic) -> Vec<String> {
    let first = format!("{}: {}", warning.code, warning.message);
    std::iter::once(first).chain(warning.help.iter().map(|help| format!("  help: {help}"))).collect()
}

fn list(f: &mut fmt::Formatter<'_>, title: &str, lines: &[String]) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{title}")?;
    lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
}

/// What stays as it is, or is left out, with the reason.
fn left(plan: &Plan, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if plan.untouched.is_empty() {
        return Ok(());
    }
    let shared: BTreeSet<&str> = plan.tables.iter().flat_map(|t| &t.shared).map(String::as_str).collect();
    writeln!(f, "\n{}", if plan.kind == "adopt" { "left out" } else { "not touched" })?;
    plan.untouched.iter().try_for_each(|table| {
        let word = if shared.contains(table.table.as_str()) { " (shared)" } else { "" };
        writeln!(f, "  {}{word}: {}", table.table, table.proof)
    })
}

/// What is taken over, in dependency order.
fn taken_over(plan: &Plan, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    plan.tables.iter().try_for_each(|table| {
        let because: Vec<&str> = table.because.iter().map(String::as_str).collect();
        writeln!(f, "{}  {}  {}", table.physical, role(table.role), because.join(", "))
    })
}

/// What is removed, in order.
fn taken_down(plan: &Plan, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    plan.work.retiring.iter().zip(1..).try_for_each(|(effect, n)| writeln!(f, "{n:>3}. {}", effect.title()))
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Reader => "reader",
        Role::Written => "statement",
        Role::View => "view",
    }
}

/// The cascade as a tree; a table that is reached by several ways stands under the first, the others refer to it.
fn tree(plan: &Plan, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let by_name: BTreeMap<&str, &TablePlan> = plan.tables.iter().map(|t| (t.table.as_str(), t)).collect();
    let mut children: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut roots = Vec::new();
    for table in &plan.tables {
        let parents: Vec<&str> =
            table.because.iter().filter_map(|b| parent(b)).filter(|p| by_name.contains_key(p)).collect();
        if parents.is_empty() {
            roots.push(table.table.as_str());
        }
        for parent in parents {
            children.entry(parent).or_default().push(&table.table);
        }
    }
    let mut seen = BTreeSet::new();
    for root in roots {
        node(f, root, "", "", &by_name, &children, &mut seen)?;
    }
    Ok(())
}

fn parent(because: &str) -> Option<&str> {
    because.strip_prefix("reads ").or_else(|| because.strip_prefix("shows "))
}

fn node<'p>(
    f: &mut fmt::Formatter<'_>,
    name: &'p str,
    branch: &str,
    indent: &str,
    by_name: &BTreeMap<&'p str, &'p TablePlan>,
    children: &BTreeMap<&'p str, Vec<&'p str>>,
    seen: &mut BTreeSet<&'p str>,
) -> fmt::Result {
    let Some(table) = by_name.get(name) else { return Ok(()) };
    if !seen.insert(name) {
        return writeln!(f, "{branch}{} (above)", table.physical);
    }
    writeln!(f, "{branch}{}", headline(table))?;
    let below = children.get(name).map(Vec::as_slice).unwrap_or_default();
    let bar = if below.is_empty() { " " } else { "│" };
    for line in details(table) {
        writeln!(f, "{indent}{bar}    {line}")?;
    }
    for (i, child) in below.iter().enumerate() {
        let last = i + 1 == below.len();
        let (branch, deeper) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        node(f, child, &format!("{indent}{branch}"), &format!("{indent}{deeper}"), by_name, children, seen)?;
    }
    Ok(())
}

fn headline(table: &TablePlan) -> String {
    let role = role(table.role);
    let name = match table.from {
        Some(from) => format!("{} -> {}", name::physical(&table.table, from), table.physical),
        None => format!("{} (new)", table.physical),
    };
    let listed = |sign: char, columns: &[String]| match columns {
        [] => String::new(),
        _ => format!("  {sign} {}", columns.join(", ")),
    };
    format!("{name}  {role}{}{}", listed('+', &table.added), listed('-', &table.removed))
}

fn details(table: &TablePlan) -> Vec<String> {
    let mut lines = match (table.from, table.because.as_slice()) {
        // Nothing is there that could have changed.
        (None, [only]) if !is_said(only) => vec![only.clone()],
        (_, because) => vec![format!("because it {}", reasons(because))],
    };
    if !table.shared.is_empty() {
        lines.push(format!("shares with blue: {}", table.shared.join(", ")));
    }
    for (column, why) in &table.not_carried {
        lines.push(format!("does not carry {column}: {why}"));
    }
    if table.role == Role::Written {
        let state = match &table.state {
            StateVerdict::Stateless => "no state".to_owned(),
            StateVerdict::Rebuilt { operators } => format!("rebuilds state of {}", operators.join(", ")),
        };
        lines.push(format!("{state}; starts at {}", table.start));
    }
    if let RowRule::Changed { why } = &table.rows {
        lines.push(format!("rows: changed ({why})"));
    }
    let mut classes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (column, class) in &table.columns {
        classes.entry(class_name(class)).or_default().push(column);
    }
    let all = table.columns.len();
    for (class, columns) in classes {
        let which = if columns.len() == all && all > 1 { format!("all {all} columns") } else { columns.join(", ") };
        lines.push(format!("{class}: {which}"));
    }
    lines
}

fn reasons(because: &[String]) -> String {
    let words: Vec<String> =
        because.iter().map(|b| if is_said(b) { b.clone() } else { format!("is changed: {b}") }).collect();
    words.join(" and ")
}

/// True for a reason that says itself what the table does or is.
fn is_said(because: &str) -> bool {
    parent(because).is_some() || because.starts_with("is ")
}

/// A class in words.
pub fn class_name(class: &ColumnClass) -> String {
    match class {
        ColumnClass::Exact => "exact".to_owned(),
        ColumnClass::Order { why, .. } => format!("equal up to order ({why})"),
        ColumnClass::EventTime { why } => format!("event time ({why})"),
        ColumnClass::Volatile { why } => format!("left out ({why})"),
        ColumnClass::History { why } => format!("history ({why})"),
        ColumnClass::Changed { rule: ChangeRule::NewColumn { default, .. } } => {
            format!("new, old records have {default}")
        }
        ColumnClass::Changed { rule: ChangeRule::Recomputed } => "recomputed".to_owned(),
        ColumnClass::Changed { rule: ChangeRule::Wider } => "wider".to_owned(),
        ColumnClass::Changed { rule: ChangeRule::Computed { .. } } => "new, computed".to_owned(),
        ColumnClass::Changed { rule: ChangeRule::Removed } => "removed".to_owned(),
    }
}

/// Unified diff of every text that changes.
pub fn sql_diff(plan: &Plan) -> String {
    let mut out = String::new();
    for table in &plan.tables {
        let texts = [
            (Some(&table.ddl_file), table.ddl_before.as_ref(), Some(&table.ddl_after)),
            (table.dml_file.as_ref(), table.dml_before.as_ref(), table.dml_after.as_ref()),
        ];
        for (file, before, after) in texts {
            let (Some(file), Some(after)) = (file, after) else { continue };
            let before = before.map(String::as_str).unwrap_or("");
            if before == after {
                continue;
            }
            let diff = TextDiff::from_lines(before, after);
            let (old, new) = (format!("a/{file}"), format!("b/{file}"));
            out.push_str(&diff.unified_diff().context_radius(2).header(&old, &new).to_string());
        }
    }
    out
}
