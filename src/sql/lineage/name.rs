//! What a name stands for.

use super::UseKind;
use super::form::Form;
use super::made::Value;
use super::relation::Open;
use super::scope::{Scope, Source};
use super::select::Walker;
use crate::diagnostic::{Diagnostic, Span};
use crate::sql::code;
use crate::sql::reach::Reach;
use crate::sql::tree::{Ident, ObjectName};

impl Walker<'_> {
    /// What a name stands for, from the nearest select outwards.
    pub(super) fn column(&mut self, name: &ObjectName) -> Value {
        let parts: Vec<&str> = name.parts.iter().map(|part| part.name.as_str()).collect();
        let mut search =
            Search { name, parts: &parts, bare_fields: self.bare_fields, maybe: Vec::new(), lacking: None };
        for scope in self.scopes.iter_mut().rev() {
            let found = search.qualified(scope, Scope::named).or_else(|| search.plain(scope));
            let found = found.or_else(|| search.qualified(scope, Scope::named_in_full));
            let Some(Match { values, leading, unclear }) = found else {
                continue;
            };
            let mut value = Value::default();
            values.into_iter().for_each(|one| value.add(one));
            if let Some(unclear) = unclear {
                self.notes.push(ambiguity(&parts, leading, &unclear, name.span));
                value = value.lifted(UseKind::Computed).formed(Form::Unknown);
            }
            // A source nearer by may have the column as well.
            let first = parts.first().copied().unwrap_or("");
            search.maybe.iter().for_each(|open| value.add(open.column(first, UseKind::Unknown)));
            let form = search.form(&value.form, leading).unwrap_or_default();
            if parts.len() > leading {
                value = value.lifted(UseKind::Computed).floating(form.float());
            }
            return value.formed(form).placed(name.span);
        }
        let Search { maybe, lacking, .. } = search;
        match lacking {
            Some((value, leading)) if maybe.is_empty() => {
                let mut form = value.form.clone();
                for at in leading..parts.len() {
                    let (Some(field), Some(owner)) = (name.parts.get(at), parts.get(at - 1)) else { break };
                    match form.field_within(&field.name) {
                        Some(next) => form = next,
                        None => {
                            let from = name.parts.get(leading - 1).map_or(name.span.start, |part| part.span.start);
                            let span = Span::new(from, field.span.end);
                            self.notes.push(no_field(&format!("`{owner}`"), &form, field, span));
                            break;
                        }
                    }
                }
                value.lifted(UseKind::Computed).formed(Form::Unknown).placed(name.span)
            }
            _ => self.open_column(&parts, maybe, name.span),
        }
    }

    /// A column that no known source has.
    fn open_column(&mut self, parts: &[&str], maybe: Vec<Open>, span: Span) -> Value {
        let name = parts.first().copied().unwrap_or("");
        match maybe.as_slice() {
            [only] => {
                let value = only.column(name, UseKind::Direct);
                let value = if parts.len() > 1 { value.lifted(UseKind::Computed) } else { value };
                return value.formed(Form::Unknown).placed(span);
            }
            [] => {
                if let Some(value) = self.of_select_list(parts, span) {
                    return value;
                }
                let text = format!("column `{}` is in no table of this query", parts.join("."));
                let note = Diagnostic::error(code::UNKNOWN_COLUMN, text).at(span, "not found");
                let choices = self.scopes.last().and_then(|scope| choices(scope, parts));
                self.notes.push(Diagnostic { help: choices, ..note });
            }
            _ => {
                let text = format!("column `{name}` could come from any table whose columns are not known");
                self.notes.push(Diagnostic::warning(code::OPAQUE, text).at(span, "qualify it"));
            }
        }
        let mut value = Value::default();
        maybe.iter().for_each(|open| value.add(open.column(name, UseKind::Unknown)));
        value.formed(Form::Unknown).placed(span)
    }
}

/// What a name is looked for with.
struct Search<'n> {
    name: &'n ObjectName,
    parts: &'n [&'n str],
    bare_fields: bool,
    /// What it could be besides, in the scopes that were looked at.
    maybe: Vec<Open>,
    /// The first column that the first parts name and that has no such field, and how many parts those are.
    lacking: Option<(Value, usize)>,
}

/// What a name stands for.
struct Match {
    /// What it is made of, more than one where the name is not clear, or where columns were made one.
    values: Vec<Value>,
    /// How many parts of the name lead to it; the others are fields of it.
    leading: usize,
    /// Why it is not clear which one is meant.
    unclear: Option<Unclear>,
}

/// Why a name could be one of several.
enum Unclear {
    /// Sources of these names have such a column; nothing where one has no name.
    Sources(Vec<String>),
    /// Rows in several columns have such a field.
    Rows,
    /// Several columns of a source have this name.
    Columns,
}

impl Search<'_> {
    /// A column of a source that the name's first parts name; `by` says which.
    fn qualified(&mut self, scope: &Scope, by: for<'s> fn(&'s Scope, &[&str]) -> Option<&'s Source>) -> Option<Match> {
        for count in (1..=Reach::leading(self.parts.len(), 1)).rev() {
            let (Some(leading), Some(column)) = (self.parts.get(..count), self.parts.get(count)) else { continue };
            let Some(source) = by(scope, leading) else { continue };
            let relation = &source.relation;
            let known = relation.column(column).map(|found| found.value.clone());
            if let Some(mut found) = known.and_then(|value| self.fits(value, count + 1)) {
                found.unclear = relation.has_twice(column).then_some(Unclear::Columns);
                return Some(found);
            }
            let fields = if self.bare_fields { relation.fields().named(column) } else { &[] };
            if let Some(found) = self.fields(fields.to_vec(), count + 1) {
                return Some(found);
            }
            let open = || relation.open.first().map(|open| open.column(column, UseKind::Direct).formed(Form::Unknown));
            let unknown = || relation.fields().unknown().filter(|_| self.bare_fields).cloned();
            if let Some(value) = relation.hidden(column).or_else(open).or_else(unknown) {
                return Some(Match { values: vec![value], leading: count + 1, unclear: None });
            }
        }
        None
    }

    /// A column of any source.
    fn plain(&mut self, scope: &mut Scope) -> Option<Match> {
        let first = *self.parts.first()?;
        let places = scope.having(first, 0);
        let mut values: Vec<Value> = places.iter().filter_map(|at| scope.value(*at, first)).cloned().collect();
        if values.is_empty() {
            values = scope.hidden(first);
        }
        match values.as_slice() {
            [] => {}
            [only] => {
                if let Some(mut found) = self.fits(only.clone(), 1) {
                    let mut sources = places.iter().filter_map(|at| scope.sources().get(*at));
                    let twice = sources.any(|source| source.relation.has_twice(first));
                    found.unclear = twice.then_some(Unclear::Columns);
                    return Some(found);
                }
            }
            _ => {
                let unclear = (!scope.is_merged(first)).then(|| Unclear::Sources(scope.names(&places, LISTED)));
                return Some(Match { values, leading: 1, unclear });
            }
        }
        let fields = if self.bare_fields { scope.fields(first) } else { Vec::new() };
        if let Some(found) = self.fields(fields, 1) {
            return Some(found);
        }
        self.maybe.extend(scope.open().cloned());
        if self.bare_fields {
            self.maybe.extend(scope.unknown_fields().into_iter().map(Open::Value));
        }
        None
    }

    /// The column, if the parts of the name behind it may be its fields.
    fn fits(&mut self, value: Value, leading: usize) -> Option<Match> {
        if self.form(&value.form, leading).is_some() {
            return Some(Match { values: vec![value], leading, unclear: None });
        }
        self.lacking.get_or_insert((value, leading));
        None
    }

    fn fields(&mut self, values: Vec<Value>, leading: usize) -> Option<Match> {
        match values.as_slice() {
            [] => None,
            [only] => self.fits(only.clone(), leading),
            _ => Some(Match { values, leading, unclear: Some(Unclear::Rows) }),
        }
    }

    /// The form of what the parts behind the `leading` ones lead to; `None` if there are surely no such fields.
    fn form(&self, form: &Form, leading: usize) -> Option<Form> {
        let mut form = form.clone();
        for field in self.name.parts.get(leading..).unwrap_or(&[]) {
            form = form.field_within(&field.name)?;
        }
        Some(form)
    }
}

/// How many names are listed in a way out.
const LISTED: usize = 12;

/// The columns of the sources in reach, or of the one that the name's first parts name, for people.
fn choices(scope: &Scope, parts: &[&str]) -> Option<String> {
    let of = |source: &Source| {
        let columns = source.relation.columns();
        let names: Vec<&str> = columns.iter().take(LISTED).map(|column| &*column.name).collect();
        let more = columns.len().saturating_sub(LISTED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let name =
            if source.parts.is_empty() { "the source".to_owned() } else { format!("`{}`", source.parts.join(".")) };
        (!names.is_empty()).then(|| format!("{name} has {}{more}", names.join(", ")))
    };
    let named = parts.split_last().and_then(|(_, leading)| scope.named(leading));
    let all: Vec<String> = match named {
        Some(source) => of(source).into_iter().collect(),
        None => scope.sources().iter().filter_map(of).take(LISTED).collect(),
    };
    (!all.is_empty()).then(|| format!("correct the name: {}", all.join("; ")))
}

/// A name that could be one of several columns.
fn ambiguity(parts: &[&str], leading: usize, unclear: &Unclear, span: Span) -> Diagnostic {
    let column = parts.get(leading.saturating_sub(1)).copied().unwrap_or("");
    let (what, help) = match unclear {
        Unclear::Rows => ("row", "write the column in front that it is a field of".to_owned()),
        Unclear::Columns => {
            ("column of its source", "give each of them a name of its own there: AS and an alias".to_owned())
        }
        Unclear::Sources(names) if names.is_empty() => {
            ("source", "give each source a name of its own, and write the one that is meant in front".to_owned())
        }
        Unclear::Sources(names) => {
            let choices: Vec<String> = names.iter().map(|name| format!("`{name}.{column}`")).collect();
            ("source", format!("write which one is meant: {}", choices.join(" or ")))
        }
    };
    let text = format!("column `{column}` could come from more than one {what}");
    Diagnostic::error(code::AMBIGUOUS_COLUMN, text).at(span, "qualify it").help(help)
}

/// A field that a row does not have.
pub(super) fn no_field(owner: &str, form: &Form, field: &Ident, span: Span) -> Diagnostic {
    let text = format!("{owner} has no field `{}`", field.name);
    let help = match form.fields() {
        Some(fields) => {
            let fields: Vec<&str> = fields.iter().take(LISTED).map(|field| field.name.as_str()).collect();
            format!("correct the name: {owner} has {}", fields.join(", "))
        }
        None => format!("correct the name: {owner} is no row"),
    };
    Diagnostic::error(code::UNKNOWN_FIELD, text).at(span, "not found").help(help)
}
