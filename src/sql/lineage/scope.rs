//! Names in reach: sources with their columns, and what a name stands for.

use super::{ColumnUse, UseKind};
use crate::diagnostic::Span;
use crate::sql::lineage::OutputColumn;

/// What a value is made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Value {
    pub uses: Vec<Use>,
    /// It is a floating-point number.
    pub float: bool,
    /// The calls in it that make it depend on more than its input.
    pub calls: Vec<Span>,
}

/// A use whose place may still be open: a table's own column gets it where it is first named.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Use {
    pub table: String,
    pub column: String,
    pub kind: UseKind,
    pub span: Option<Span>,
    pub via: Vec<String>,
}

impl Value {
    pub fn one(table: &str, column: &str, kind: UseKind) -> Self {
        let used = Use { table: table.to_owned(), column: column.to_owned(), kind, span: None, via: Vec::new() };
        Self { uses: vec![used], ..Self::default() }
    }

    /// The same value, used as `kind` if it was passed on or computed so far.
    pub fn lifted(mut self, kind: UseKind) -> Self {
        for used in &mut self.uses {
            used.kind = match (used.kind, kind) {
                (UseKind::Direct, kind) => kind,
                (UseKind::Computed, kind) if kind != UseKind::Direct => kind,
                (inner, _) => inner,
            };
        }
        self
    }

    pub fn add(&mut self, other: Self) {
        self.float |= other.float;
        self.call(&other.calls);
        for used in other.uses {
            if !self.uses.contains(&used) {
                self.uses.push(used);
            }
        }
    }

    pub fn call(&mut self, calls: &[Span]) {
        for span in calls {
            if !self.calls.contains(span) {
                self.calls.push(*span);
            }
        }
    }

    /// Open places become `span`.
    pub fn placed(mut self, span: Span) -> Self {
        for used in &mut self.uses {
            used.span.get_or_insert(span);
        }
        self
    }

    pub fn finished(self, span: Span) -> Vec<ColumnUse> {
        self.uses.into_iter().map(|used| used.finished(span)).collect()
    }
}

impl Use {
    pub fn finished(self, span: Span) -> ColumnUse {
        let Self { table, column, kind, span: own, via } = self;
        ColumnUse { table, column, kind, span: own.unwrap_or(span), via }
    }
}

/// A column with its value and the place that made it.
#[derive(Clone, Debug)]
pub(super) struct RelationColumn {
    pub name: String,
    pub value: Value,
    pub span: Span,
}

/// Rows with columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Relation {
    pub columns: Vec<RelationColumn>,
    /// Columns that are not known.
    pub open: Vec<Open>,
}

/// Columns that are not known.
#[derive(Clone, Debug)]
pub(super) enum Open {
    /// Any column of a table.
    Table(String),
    /// Columns that are made of this.
    Value(Value),
}

impl Open {
    /// What a column of this name would be.
    pub fn column(&self, name: &str, kind: UseKind) -> Value {
        match self {
            Self::Table(table) => Value::one(table, name, kind),
            Self::Value(value) => value.clone().lifted(UseKind::Computed).lifted(kind),
        }
    }
}

impl Relation {
    pub fn column(&self, name: &str) -> Option<&RelationColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Every value in it.
    pub fn all(&self) -> Value {
        let mut all = Value::default();
        self.columns.iter().for_each(|column| all.add(column.value.clone()));
        self.open.iter().for_each(|open| all.add(open.column("*", UseKind::Unknown)));
        all
    }

    /// The columns under the names of a column list, which may be shorter.
    pub fn renamed<'a>(mut self, names: impl ExactSizeIterator<Item = &'a str>) -> Self {
        if names.len() == 0 {
            return self;
        }
        if self.columns.len() < names.len() && !self.open.is_empty() {
            // Nobody knows which unknown column gets which name.
            let mut any = self.all().lifted(UseKind::Computed);
            any.float = false;
            let span = self.columns.first().map_or(Span::new(0, 0), |c| c.span);
            let columns =
                names.map(|name| RelationColumn { name: name.to_owned(), value: any.clone(), span }).collect();
            return Self { columns, open: Vec::new() };
        }
        for (column, name) in self.columns.iter_mut().zip(names) {
            name.clone_into(&mut column.name);
        }
        self
    }

    pub fn into_outputs(self) -> Vec<OutputColumn> {
        let span = self.columns.first().map_or(Span::new(0, 0), |c| c.span);
        let mut outputs: Vec<OutputColumn> = Vec::new();
        for RelationColumn { name, value, span } in self.columns {
            let calls = value.calls.clone();
            outputs.push(OutputColumn { name, uses: value.finished(span), span, calls });
        }
        for open in self.open {
            let value = open.column("*", UseKind::Unknown);
            let calls = value.calls.clone();
            outputs.push(OutputColumn { name: "*".to_owned(), uses: value.finished(span), span, calls });
        }
        outputs
    }
}

/// A source of `FROM`.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The parts of its name, or its alias; empty if it has none.
    pub parts: Vec<String>,
    pub relation: Relation,
    /// Its columns are found by a qualified name only, as those of pattern variables.
    pub qualified_only: bool,
}

impl Source {
    /// True if `leading` names this source.
    pub fn is_named(&self, leading: &[&str]) -> bool {
        let skipped = self.parts.len().checked_sub(leading.len());
        !leading.is_empty()
            && skipped
                .and_then(|skip| self.parts.get(skip..))
                .is_some_and(|tail| tail.iter().map(String::as_str).eq(leading.iter().copied()))
    }
}

/// The sources of one select.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub sources: Vec<Source>,
    /// Columns that `USING` or `NATURAL` made one.
    pub merged: Vec<String>,
}
