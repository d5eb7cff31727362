//! Columns of `CREATE TABLE`.

use super::{CannotEdit, EditSet, Joint, refused};
use crate::diagnostic::{Edit, Span};
use crate::model::column::{Column, Nullable};
use crate::sql::keyword::quote_if_needed;
use crate::sql::layout::{Gap, List, newline_of};
use crate::sql::tree::{ColumnDef, ColumnKind, CreateTable, Expr, ExprKind, Ident};
use crate::sql::walk::{Child, children};

impl EditSet<'_> {
    /// Adds a physical column after the last physical one, in the layout of the others.
    ///
    /// # Errors
    /// The table has a column of that name.
    pub fn add_column(&mut self, table: &CreateTable, column: &Column) -> Result<&mut Self, CannotEdit> {
        let operation = format!("add column `{}`", column.name);
        if let Some(same) = table.columns.iter().find(|c| c.name.name == column.name) {
            return Err(refused(operation, "the table has a column of that name", Some(same.span)));
        }
        let name = quote_if_needed(&column.name);
        let gap = padding(self.text, table, name.len());
        let definition = format!("{name}{gap}{}", column.ty);
        let Some(last) = table.columns.iter().rposition(|c| matches!(c.kind, ColumnKind::Physical(_))) else {
            return Ok(self.first_physical(operation, table, definition));
        };
        let spans: Vec<Span> = table.columns.iter().take(last + 1).map(|c| c.span).collect();
        let end = spans.last().map_or(table.span.end, |span| span.end);
        let edit = List::new(self.text, &spans)
            .and_then(|list| list.append_one(&definition))
            .unwrap_or_else(|| Edit { span: Span::new(end, end), text: format!(", {definition}") });
        Ok(self.append(operation, edit, end, Joint::default()))
    }

    /// A column before everything else, where no column is physical.
    fn first_physical(&mut self, operation: String, table: &CreateTable, definition: String) -> &mut Self {
        let Some(brackets) = table.elements_span else {
            let end = table.name.span.end;
            let joint =
                Joint { before: " (".to_owned(), between: ", ".to_owned(), behind: ")".to_owned(), ..Joint::default() };
            return self.append(operation, Edit { span: Span::new(end, end), text: definition }, end, joint);
        };
        let at = brackets.start + 1;
        let first = table.columns.first().map(|first| first.span.start);
        let between = first.and_then(|first| self.text.get(at..first)).unwrap_or("");
        let (at, text) = match (first, between.rfind('\n')) {
            // On a line of its own if the first column is on one.
            (Some(_), Some(end)) => {
                let indent = between.get(end + 1..).filter(|indent| indent.trim().is_empty()).unwrap_or("");
                (at, format!("{}{indent}{definition},", newline_of(self.text)))
            }
            (Some(first), None) => (first, format!("{definition}, ")),
            // A watermark or a key alone.
            (None, _) => (at, format!("{definition}, ")),
        };
        self.append(operation, Edit { span: Span::new(at, at), text }, at, Joint::default())
    }

    /// Takes a column away, with the comments on its line.
    ///
    /// # Errors
    /// There is no such column; it is the only one; or the primary key, the watermark, the distribution, the partitions or a
    /// computed column use it, also if that is removed in the same set.
    pub fn remove_column(&mut self, table: &CreateTable, name: &str) -> Result<&mut Self, CannotEdit> {
        let operation = format!("remove column `{name}`");
        let column = find(table, name, &operation)?;
        if let Some((user, place)) = uses(table, name).into_iter().next() {
            return Err(refused(operation, format!("{user} uses it"), Some(place)));
        }
        let spans: Vec<Span> = table.columns.iter().map(|c| c.span).collect();
        let region = table.elements_span.unwrap_or(table.span);
        if self.left(region, &spans, column.span) == 0 {
            return Err(refused(operation, "the table would have no column", Some(column.span)));
        }
        self.take_out(operation, region, column.span);
        Ok(self)
    }

    /// Gives a column another type. What stands behind the type, such as `METADATA` or a comment, stays.
    ///
    /// # Errors
    /// There is no such column, or it is computed.
    pub fn set_type(&mut self, table: &CreateTable, name: &str, ty: &Nullable) -> Result<&mut Self, CannotEdit> {
        let operation = format!("change the type of column `{name}`");
        let column = find(table, name, &operation)?;
        if matches!(column.kind, ColumnKind::Computed { .. }) {
            return Err(refused(operation, "it is computed, so its expression gives its type", Some(column.span)));
        }
        let span = Span::new(column.value_start, column.value_end);
        let text = if span.start == span.end { format!(" {ty}") } else { ty.to_string() };
        Ok(self.replace(operation, span, text))
    }

    /// Gives a column another name in this statement: where it is defined, and in keys, watermark, distribution, partitions and
    /// computed columns. What reads the table knows nothing of it.
    ///
    /// # Errors
    /// There is no such column; another one has the new name; or it is a metadata column whose name is the metadata's key.
    pub fn rename_column(&mut self, table: &CreateTable, old: &str, new: &str) -> Result<&mut Self, CannotEdit> {
        let operation = format!("rename column `{old}`");
        let column = find(table, old, &operation)?;
        if let Some(other) = table.columns.iter().find(|c| c.name.name == new && new != old) {
            return Err(refused(operation, format!("there is a column `{new}`"), Some(other.span)));
        }
        if matches!(column.kind, ColumnKind::Metadata { key: None, .. }) {
            let reason = format!("its name is the key of the metadata: write METADATA FROM '{old}' first");
            return Err(refused(operation, reason, Some(column.span)));
        }
        let places = std::iter::once(column.name.span).chain(uses(table, old).into_iter().map(|(_, place)| place));
        let name = quote_if_needed(new);
        places.for_each(|place| {
            self.replace(operation.clone(), place, name.clone());
        });
        Ok(self)
    }
}

fn find<'t>(table: &'t CreateTable, name: &str, operation: &str) -> Result<&'t ColumnDef, CannotEdit> {
    table.columns.iter().find(|c| c.name.name == name).ok_or_else(|| {
        let reason = match table.like {
            Some(_) => "it is not defined here; it may come from LIKE".to_owned(),
            None => format!("`{}` has no such column", table.name.dotted()),
        };
        refused(operation.to_owned(), reason, None)
    })
}

/// What uses a column in its own table, and the identifiers that name it there. A key at the column's own definition names it
/// by standing there.
fn uses(table: &CreateTable, name: &str) -> Vec<(String, Span)> {
    let mut found = Vec::new();
    let mut listed = |what: &str, columns: &[Ident]| {
        found.extend(columns.iter().filter(|c| c.name == name).map(|c| (what.to_owned(), c.span)));
    };
    listed("PRIMARY KEY", table.primary_key.as_ref().map_or(&[], |key| &key.columns));
    listed("DISTRIBUTED BY", table.distribution.as_ref().map_or(&[], |distribution| &distribution.columns));
    listed("PARTITIONED BY", &table.partitioned_by);
    if let Some(watermark) = &table.watermark {
        let time = watermark.column.parts.first().filter(|part| part.name == name);
        found.extend(time.map(|part| ("WATERMARK".to_owned(), part.span)));
        named_in(&watermark.expr, name, &mut |place| found.push(("WATERMARK".to_owned(), place)));
    }
    for column in &table.columns {
        let ColumnKind::Computed { expr, .. } = &column.kind else { continue };
        named_in(expr, name, &mut |place| found.push((format!("computed column `{}`", column.name.name), place)));
    }
    found
}

/// Calls `see` for each identifier in `expr` that names the column.
fn named_in(expr: &Expr, name: &str, see: &mut dyn FnMut(Span)) {
    if let ExprKind::Column(column) = &expr.kind
        && let Some(first) = column.parts.first()
        && first.name == name
    {
        see(first.span);
    }
    children(expr, &mut |child| match child {
        Child::Expr(part) => named_in(part, name, see),
        Child::Descriptor(column) if column.name == name => see(column.span),
        Child::Descriptor(_) | Child::Query(_) | Child::Table(_) => {}
    });
}

/// What stands between name and type: as much as lines the new column up with the others, if they are lined up.
fn padding(text: &str, table: &CreateTable, name: usize) -> Gap {
    let offsets: Vec<usize> = table
        .columns
        .iter()
        .filter(|c| !matches!(c.kind, ColumnKind::Computed { .. }))
        .map(|c| text.get(c.span.start..c.value_start).map_or(0, |t| t.chars().count()))
        .collect();
    match offsets.as_slice() {
        [first, rest @ ..] if !rest.is_empty() && rest.iter().all(|o| o == first) && *first > name => Gap(first - name),
        _ => Gap(1),
    }
}
