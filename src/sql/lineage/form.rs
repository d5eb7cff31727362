//! What is known of the types of values, as far as names of fields go.
//!
//! Rules: Flink finds a field of a row by its name alone, without the column that it is in, and through rows in rows: `sku` may be
//! `item.sku`. So a name is in no source only if every value there is known to be no row, or to be one of known fields.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::UseKind;
use super::float::Float;
use super::made::Value;
use crate::model::column::{Column, ColumnType};
use crate::sql::functions::is_aggregate;
use crate::sql::parser::parse;
use crate::sql::steps;
use crate::sql::tree::{BinaryOperator, Call, Expr, ExprKind, Query, QueryBody, SelectItem, StatementKind};

/// What is known of the type of a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Form {
    /// Nothing: it may be a row.
    #[default]
    Unknown,
    /// It is no row.
    Plain(Float),
    /// Its type, which has parts.
    Type(Arc<Parts>),
}

/// A type that names or indexes lead into.
#[derive(Debug)]
pub(super) struct Parts {
    ty: ColumnType,
    /// The fields of a row, once one was asked for.
    own: OnceLock<BTreeMap<String, Form>>,
    /// The same with those of the rows within; of one name the one that is least deep.
    within: OnceLock<BTreeMap<String, Form>>,
}

impl PartialEq for Parts {
    fn eq(&self, other: &Self) -> bool {
        self.ty == other.ty
    }
}

impl Parts {
    fn own(&self) -> &BTreeMap<String, Form> {
        self.own.get_or_init(|| {
            let fields = fields_of(&self.ty);
            steps::count(fields.len());
            // The first of a name counts.
            fields.iter().rev().map(|field| (field.name.clone(), Form::of(&field.ty.ty))).collect()
        })
    }

    fn within(&self) -> &BTreeMap<String, Form> {
        self.within.get_or_init(|| {
            let mut found = BTreeMap::new();
            let mut level: Vec<&Column> = fields_of(&self.ty).iter().collect();
            while !level.is_empty() {
                steps::count(level.len());
                for field in &level {
                    found.entry(field.name.clone()).or_insert_with(|| Form::of(&field.ty.ty));
                }
                level = level.into_iter().flat_map(|field| fields_of(&field.ty.ty)).collect();
            }
            found
        })
    }
}

impl Form {
    /// The form of values of this type.
    pub fn of(ty: &ColumnType) -> Self {
        match ty {
            ColumnType::Other(_) => Self::Unknown,
            ty if has_parts(ty) => {
                let parts = Parts { ty: ty.clone(), own: OnceLock::new(), within: OnceLock::new() };
                Self::Type(Arc::new(parts))
            }
            _ => Self::Plain(Float::of(ty)),
        }
    }

    /// The form of values that are of one form or the other.
    pub fn or(self, other: Self) -> Self {
        if self == other {
            return self;
        }
        if self.is_row() || other.is_row() { Self::Unknown } else { Self::Plain(self.float().max(other.float())) }
    }

    /// True if it is a row, or may be one.
    pub fn is_row(&self) -> bool {
        match self {
            Self::Unknown => true,
            Self::Plain(_) => false,
            Self::Type(parts) => matches!(parts.ty, ColumnType::Row(_)),
        }
    }

    fn ty(&self) -> Option<&ColumnType> {
        match self {
            Self::Type(parts) => Some(&parts.ty),
            Self::Unknown | Self::Plain(_) => None,
        }
    }

    /// Whether values of this form are floating-point numbers.
    pub const fn float(&self) -> Float {
        match self {
            Self::Unknown => Float::Double,
            Self::Plain(float) => *float,
            Self::Type(_) => Float::No,
        }
    }

    /// What an index leads to.
    pub fn element(&self) -> Self {
        match self.ty() {
            Some(ColumnType::Array(element)) => Self::of(&element.ty),
            Some(ColumnType::Map(_, value)) => Self::of(&value.ty),
            _ => Self::Unknown,
        }
    }

    /// The field of that name; `None` if there is surely none.
    pub fn field(&self, name: &str) -> Option<Self> {
        match self {
            Self::Type(parts) if matches!(parts.ty, ColumnType::Row(_)) => parts.own().get(name).cloned(),
            _ => Some(Self::Unknown),
        }
    }

    /// The columns that `UNNEST` makes of a collection of this type; `None` if that is not known.
    pub fn expanded(&self) -> Option<Vec<(String, Self)>> {
        match self.ty()? {
            ColumnType::Array(element) | ColumnType::Multiset(element) => match &element.ty {
                ColumnType::Other(_) => None,
                ColumnType::Row(fields) => {
                    Some(fields.iter().map(|field| (field.name.clone(), Self::of(&field.ty.ty))).collect())
                }
                ty => Some(vec![("EXPR$0".to_owned(), Self::of(ty))]),
            },
            ColumnType::Map(key, value) => {
                Some(vec![("KEY".to_owned(), Self::of(&key.ty)), ("VALUE".to_owned(), Self::of(&value.ty))])
            }
            _ => None,
        }
    }

    /// Its fields if it is a row of known ones.
    pub fn fields(&self) -> Option<&[Column]> {
        match self.ty() {
            Some(ColumnType::Row(fields)) => Some(fields),
            _ => None,
        }
    }

    /// The field of that name in it or in rows within; `None` if there is surely none, or it is a field of what is no row.
    pub fn field_within(&self, name: &str) -> Option<Self> {
        match self {
            Self::Unknown => Some(Self::Unknown),
            Self::Plain(_) => None,
            Self::Type(parts) => parts.within().get(name).cloned(),
        }
    }
}

fn fields_of(ty: &ColumnType) -> &[Column] {
    match ty {
        ColumnType::Row(fields) => fields,
        _ => &[],
    }
}

/// True for types that names or indexes lead into.
const fn has_parts(ty: &ColumnType) -> bool {
    matches!(ty, ColumnType::Row(_) | ColumnType::Array(_) | ColumnType::Map(..) | ColumnType::Multiset(_))
}

/// The fields of a relation's columns that can be named without their columns.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// By name, what each of that name is made of: the whole column.
    named: BTreeMap<String, Vec<Value>>,
    /// The columns that may be rows of which nothing is known.
    unknown: Option<Value>,
}

impl Fields {
    /// The fields of `columns`, those of one name all.
    pub fn of<'v>(columns: impl Iterator<Item = &'v Value>) -> Self {
        let mut all = Self::default();
        for value in columns {
            steps::count(1);
            match &value.form {
                Form::Unknown => {
                    all.unknown.get_or_insert_default().add(value.clone().lifted(UseKind::Computed));
                }
                Form::Plain(_) => {}
                Form::Type(parts) => {
                    let mut level: Vec<&Column> = fields_of(&parts.ty).iter().collect();
                    while let Some(field) = level.pop() {
                        steps::count(1);
                        let form = Form::of(&field.ty.ty);
                        let value = value.clone().lifted(UseKind::Computed).formed(form);
                        all.named.entry(field.name.clone()).or_default().push(value);
                        level.extend(fields_of(&field.ty.ty));
                    }
                }
            }
        }
        all
    }

    /// What a field of that name may be made of.
    pub fn named(&self, name: &str) -> &[Value] {
        self.named.get(name).map_or(&[], Vec::as_slice)
    }

    /// Every field by its name.
    pub fn all(&self) -> impl Iterator<Item = (&String, &Vec<Value>)> {
        self.named.iter()
    }

    /// What any field may be made of.
    pub const fn unknown(&self) -> Option<&Value> {
        self.unknown.as_ref()
    }
}

/// What an expression of its kind gives, whatever it is made of; `None` where that depends on its parts.
pub(super) fn of_kind(kind: &ExprKind) -> Option<Form> {
    match kind {
        ExprKind::Binary { operators, .. } if operators.contains(&BinaryOperator::Other) => Some(Form::Unknown),
        ExprKind::Literal(_)
        | ExprKind::Interval(_)
        | ExprKind::Binary { .. }
        | ExprKind::Unary { .. }
        | ExprKind::Is { .. }
        | ExprKind::Between { .. }
        | ExprKind::Like { .. }
        | ExprKind::InList { .. }
        | ExprKind::InQuery { .. }
        | ExprKind::Exists(_)
        | ExprKind::Array(_)
        | ExprKind::Map(_)
        | ExprKind::CollectionQuery(_) => Some(Form::Plain(Float::No)),
        ExprKind::Cast { ty, .. } => Some(Form::of(&ty.ty)),
        ExprKind::Row(_) => Some(Form::Unknown),
        ExprKind::Call(call) => of_call(call),
        ExprKind::Column(_)
        | ExprKind::Case { .. }
        | ExprKind::Subquery(_)
        | ExprKind::Access { .. }
        | ExprKind::Nested(_) => None,
    }
}

/// Built-in functions that give no row, whatever they are given.
#[rustfmt::skip]
const PLAIN: &[&str] = &[
    "ABS", "ASCII", "BIN", "CARDINALITY", "CEIL", "CEILING", "CHAR_LENGTH", "CHARACTER_LENGTH", "CHR", "CONCAT", "CONCAT_WS",
    "CONVERT_TZ", "CURRENT_DATE", "CURRENT_ROW_TIMESTAMP", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_WATERMARK",
    "DATE_FORMAT", "DAYOFMONTH", "DAYOFWEEK", "DAYOFYEAR", "EXP", "EXTRACT", "FLOOR", "FROM_BASE64", "FROM_UNIXTIME", "HEX",
    "HOUR", "INITCAP", "INSTR", "IS_ALPHA", "IS_DECIMAL", "IS_DIGIT", "JSON_ARRAY", "JSON_EXISTS", "JSON_OBJECT", "JSON_QUERY",
    "JSON_STRING", "JSON_VALUE", "LEFT", "LENGTH", "LN", "LOCALTIME", "LOCALTIMESTAMP", "LOCATE", "LOG", "LOG10", "LOG2", "LOWER",
    "LPAD", "LTRIM", "MD5", "MINUTE", "MOD", "MONTH", "NOW", "OVERLAY", "PARSE_URL", "POSITION", "POWER", "PROCTIME",
    "QUARTER", "RAND", "RAND_INTEGER", "REGEXP", "REGEXP_EXTRACT", "REGEXP_REPLACE", "REPEAT", "REPLACE", "REVERSE", "RIGHT", "ROUND",
    "RPAD", "RTRIM", "SECOND", "SHA1", "SHA2", "SHA224", "SHA256", "SHA384", "SHA512", "SIGN", "SPLIT", "SPLIT_INDEX", "SQRT",
    "STR_TO_MAP", "SUBSTR", "SUBSTRING", "TIMESTAMPADD", "TIMESTAMPDIFF", "TO_BASE64", "TO_DATE", "TO_TIMESTAMP",
    "TO_TIMESTAMP_LTZ", "TRIM", "TRUNCATE", "TYPEOF", "UNIX_TIMESTAMP", "UPPER", "UUID", "WEEK", "YEAR",
    "TUMBLE", "TUMBLE_START", "TUMBLE_END", "TUMBLE_ROWTIME", "TUMBLE_PROCTIME", "HOP", "HOP_START", "HOP_END", "HOP_ROWTIME",
    "HOP_PROCTIME", "SESSION", "SESSION_START", "SESSION_END", "SESSION_ROWTIME", "SESSION_PROCTIME",
    "CUME_DIST", "DENSE_RANK", "NTILE", "PERCENT_RANK", "RANK", "ROW_NUMBER", "CLASSIFIER", "MATCH_ROWTIME", "MATCH_PROCTIME",
];

/// Built-in functions that give one of their arguments.
#[rustfmt::skip]
const PASSING: &[&str] = &[
    "ANY_VALUE", "COALESCE", "FIRST", "FIRST_VALUE", "GREATEST", "IF", "IFNULL", "LAG", "LAST", "LAST_VALUE", "LEAD", "LEAST", "MAX",
    "MIN", "NEXT", "NULLIF", "PREV", "SINGLE_VALUE",
];

fn of_call(call: &Call) -> Option<Form> {
    let function = call.name.last().name.to_ascii_uppercase();
    match function.as_str() {
        _ if call.name.parts.len() > 1 => Some(Form::Unknown),
        passing if PASSING.contains(&passing) => None,
        plain if PLAIN.contains(&plain) || is_aggregate(plain) => Some(Form::Plain(Float::No)),
        _ => Some(Form::Unknown),
    }
}

/// The form of a computed column of a table, by its text, and whether it is a floating-point number: it may name `columns` only.
pub(super) fn of_text(text: &str, columns: &[Column]) -> (Form, Float) {
    const UNKNOWN: (Form, Float) = (Form::Unknown, Float::Double);
    let text = format!("SELECT {text}");
    let parsed = parse(&text);
    let [statement] = parsed.statements() else { return UNKNOWN };
    let StatementKind::Query(Query { body: QueryBody::Select(select), .. }) = &statement.kind else {
        return UNKNOWN;
    };
    let [SelectItem::Expr { expr, .. }] = select.items.as_slice() else { return UNKNOWN };
    (of_computed(expr, columns), Float::of_expr(expr, columns))
}

fn of_computed(expr: &Expr, columns: &[Column]) -> Form {
    match &expr.kind {
        ExprKind::Nested(inner) => of_computed(inner, columns),
        ExprKind::Column(name) => {
            let mut parts = name.parts.iter();
            let first = parts.next().and_then(|first| columns.iter().find(|column| column.name == first.name));
            let mut form = first.map_or(Form::Unknown, |column| Form::of(&column.ty.ty));
            for part in parts {
                form = form.field(&part.name).unwrap_or_default();
            }
            form
        }
        kind => of_kind(kind).unwrap_or_default(),
    }
}
