//! Result types of built-in functions, as Flink documents them.

use super::{arithmetic, coalesced, common, digits, is_null, nullable, of_length, required, text};
use crate::model::column::{Column, ColumnType, Nullable};
use crate::sql::tree::BinaryOperator;

/// An argument: its type, or a word of the function's own grammar.
pub(crate) type Argument = Option<Nullable>;

/// Whether a result may be NULL.
#[derive(Clone, Copy)]
enum Null {
    /// If an argument may be.
    IfAny,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Functions with one type of result.
#[rustfmt::skip]
const FIXED: &[(&[&str], ColumnType, Null)] = &[
    (&["CONCAT", "REPLACE", "REGEXP_REPLACE", "LPAD", "RPAD", "REPEAT", "INITCAP", "TO_BASE64", "FROM_BASE64",
        "JSON_QUOTE", "JSON_STRING", "TRANSLATE", "BTRIM", "BIN", "CONCAT_WS"], ColumnType::String, Null::IfAny),
    (&["SUBSTR", "REGEXP_EXTRACT", "REVERSE", "LEFT", "RIGHT", "SPLIT_INDEX", "CHR", "PARSE_URL", "DATE_FORMAT",
        "FROM_UNIXTIME", "CONVERT_TZ", "URL_ENCODE", "URL_DECODE"],
        ColumnType::String, Null::Always),
    (&["JSON_OBJECT", "JSON_ARRAY"], ColumnType::String, Null::Never),
    (&["POSITION", "LOCATE", "INSTR", "CHAR_LENGTH", "CHARACTER_LENGTH", "ASCII", "TIMESTAMPDIFF", "CARDINALITY"],
        ColumnType::Int, Null::IfAny),
    (&["RAND_INTEGER"], ColumnType::Int, Null::IfAny),
    (&["EXTRACT", "YEAR", "QUARTER", "MONTH", "WEEK", "DAYOFYEAR", "DAYOFMONTH", "DAYOFWEEK", "HOUR", "MINUTE", "SECOND",
        "UNIX_TIMESTAMP"], ColumnType::BigInt, Null::IfAny),
    (&["SQRT", "LN", "LOG10", "LOG2", "LOG", "EXP", "SIN", "COS", "TAN", "ASIN", "ACOS", "ATAN", "POWER", "DEGREES",
        "RADIANS", "PI", "E", "RAND"], ColumnType::Double, Null::IfAny),
    (&["REGEXP", "STARTSWITH", "ENDSWITH", "ARRAY_CONTAINS"], ColumnType::Boolean, Null::IfAny),
    (&["JSON_EXISTS"], ColumnType::Boolean, Null::Always),
    (&["MD5"], ColumnType::Char(32), Null::IfAny),
    (&["SHA1"], ColumnType::Char(40), Null::IfAny),
    (&["SHA224"], ColumnType::Char(56), Null::IfAny),
    (&["SHA256"], ColumnType::Char(64), Null::IfAny),
    (&["SHA384"], ColumnType::Char(96), Null::IfAny),
    (&["SHA512"], ColumnType::Char(128), Null::IfAny),
    (&["UUID"], ColumnType::Char(36), Null::Never),
    (&["CURRENT_DATE"], ColumnType::Date, Null::Never),
    (&["TO_DATE"], ColumnType::Date, Null::Always),
    (&["CURRENT_TIME", "LOCALTIME"], ColumnType::Time(0), Null::Never),
    (&["CURRENT_TIMESTAMP", "NOW", "CURRENT_ROW_TIMESTAMP", "PROCTIME"], ColumnType::TimestampLtz(3), Null::Never),
    (&["LOCALTIMESTAMP"], ColumnType::Timestamp(3), Null::Never),
    (&["TO_TIMESTAMP_LTZ"], ColumnType::TimestampLtz(3), Null::Always),
    (&["TO_TIMESTAMP"], ColumnType::Timestamp(3), Null::Always),
];

/// The type that a built-in function of each row always has; `None` for one whose type goes by its arguments.
pub(crate) fn fixed(name: &str) -> Option<&'static ColumnType> {
    FIXED.iter().find(|(names, _, _)| names.contains(&name)).map(|(_, ty, _)| ty)
}

/// The type of a built-in function of each row; `None` for one whose type does not follow.
pub(crate) fn function(name: &str, args: &[Argument]) -> Option<Nullable> {
    if let Some((_, ty, null)) = FIXED.iter().find(|(names, _, _)| names.contains(&name)) {
        let any =
            || args.iter().map(|arg| arg.as_ref().map(|arg| arg.nullable)).try_fold(false, |any, arg| Some(any | arg?));
        let nullable = match null {
            Null::IfAny => any()?,
            Null::Always => true,
            Null::Never => false,
        };
        return Some(Nullable { ty: ty.clone(), nullable });
    }
    match (name, args) {
        ("COALESCE" | "IFNULL", [first, rest @ ..]) => rest.iter().fold(first.clone(), |all, arg| coalesced(&all, arg)),
        ("GREATEST" | "LEAST", [first, rest @ ..]) => rest.iter().fold(first.clone(), |all, arg| common(&all, arg)),
        ("IF", [condition, then, otherwise]) => {
            let both = common(then, otherwise)?;
            Some(Nullable { nullable: both.nullable || condition.as_ref()?.nullable, ..both })
        }
        ("NULLIF", [value, _]) => Some(Nullable { nullable: true, ..value.clone()? }),
        ("ABS" | "SIGN", [Some(number)]) if is_number(&number.ty) => Some(number.clone()),
        ("CEIL" | "CEILING" | "FLOOR", [Some(number)]) if is_number(&number.ty) => Some(rounded(number)),
        ("CEIL" | "CEILING" | "FLOOR" | "TIMESTAMPADD", [.., Some(time)]) => {
            let all = args.iter().flatten();
            is_time(&time.ty).then(|| nullable(time.ty.clone(), all))
        }
        ("ROUND" | "TRUNCATE", [Some(number), ..]) if digits(&number.ty).is_none_or(|(_, scale)| scale == 0) => {
            is_number(&number.ty).then(|| nullable(number.ty.clone(), args.iter().flatten()))
        }
        ("MOD", [Some(a), Some(b)]) => arithmetic(BinaryOperator::Modulo, a, b),
        ("UPPER" | "LOWER", [Some(value)]) => text(&value.ty).map(|_| value.clone()),
        ("TRIM" | "LTRIM" | "RTRIM", [.., Some(value)]) => {
            let (length, _) = text(&value.ty)?;
            args.iter().all(Option::is_some).then(|| nullable(of_length(length), args.iter().flatten()))
        }
        ("SUBSTRING", [Some(value), ..]) => {
            let (length, _) = text(&value.ty)?;
            Some(Nullable { ty: of_length(length), nullable: true })
        }
        ("OVERLAY", [Some(value), ..]) if value.ty == ColumnType::String => {
            args.iter().all(Option::is_some).then(|| nullable(ColumnType::String, args.iter().flatten()))
        }
        _ => of_collections(name, args),
    }
}

fn of_collections(name: &str, args: &[Argument]) -> Option<Nullable> {
    let list = |element: &Nullable, of: &Nullable| {
        Some(Nullable { ty: ColumnType::Array(Box::new(element.clone())), nullable: of.nullable })
    };
    match (name, args) {
        ("ARRAY_DISTINCT" | "ARRAY_REVERSE", [Some(array)]) => {
            matches!(array.ty, ColumnType::Array(_)).then(|| array.clone())
        }
        ("MAP_KEYS", [Some(map)]) => match &map.ty {
            ColumnType::Map(key, _) => list(key, map),
            _ => None,
        },
        ("MAP_VALUES", [Some(map)]) => match &map.ty {
            ColumnType::Map(_, value) => list(value, map),
            _ => None,
        },
        ("MAP_ENTRIES", [Some(map)]) => match &map.ty {
            ColumnType::Map(key, value) => {
                let field = |name: &str, ty: &Nullable| Column { name: name.to_owned(), ty: ty.clone() };
                let row = ColumnType::Row(vec![field("key", key), field("value", value)]);
                list(&Nullable { ty: row, nullable: true }, map)
            }
            _ => None,
        },
        _ => None,
    }
}

/// A number without its fraction.
fn rounded(number: &Nullable) -> Nullable {
    let ty = match &number.ty {
        ColumnType::Decimal { precision, .. } => ColumnType::Decimal { precision: *precision, scale: 0 },
        ty => ty.clone(),
    };
    Nullable { ty, nullable: number.nullable }
}

fn is_number(ty: &ColumnType) -> bool {
    digits(ty).is_some() || matches!(ty, ColumnType::Float | ColumnType::Double)
}

const fn is_time(ty: &ColumnType) -> bool {
    matches!(ty, ColumnType::Timestamp(_) | ColumnType::TimestampLtz(_) | ColumnType::Date)
}

/// The type of an aggregate; `partial` if there may be a result without a row: without a grouping, or with `FILTER`.
pub(crate) fn aggregate(name: &str, args: &[Argument], partial: bool) -> Option<Nullable> {
    let first = args.first();
    match name {
        "COUNT" | "APPROX_COUNT_DISTINCT" | "GROUPING" | "GROUPING_ID" => return Some(required(ColumnType::BigInt)),
        "COLLECT" => {
            let element = first?.clone().filter(|ty| !is_null(ty))?;
            return Some(required(ColumnType::Multiset(Box::new(element))));
        }
        "ARRAY_AGG" => {
            let element = first?.clone().filter(|ty| !is_null(ty))?;
            let nullable = element.nullable;
            // Of rows that are put together there, Flink's planner says both.
            let said = nullable || !matches!(element.ty, ColumnType::Row(_));
            return said.then(|| Nullable { ty: ColumnType::Array(Box::new(element)), nullable });
        }
        "LISTAGG" => return Some(Nullable { ty: ColumnType::String, nullable: first?.as_ref()?.nullable }),
        "JSON_OBJECTAGG" | "JSON_ARRAYAGG" => return Some(required(ColumnType::VarChar(2000))),
        _ => {}
    }
    let value = first?.as_ref().filter(|ty| !is_null(ty))?;
    let decimal = |scale: u32| ColumnType::Decimal { precision: 38, scale };
    let ty = match (name, &value.ty) {
        ("MIN" | "MAX" | "FIRST_VALUE" | "LAST_VALUE", ty) => ty.clone(),
        ("SUM", ColumnType::Decimal { scale, .. }) => decimal(*scale),
        (
            "AVG" | "STDDEV_POP" | "STDDEV_SAMP" | "STDDEV" | "VAR_POP" | "VAR_SAMP" | "VARIANCE",
            ColumnType::Decimal { scale, .. },
        ) => decimal((*scale).max(6)),
        ("SUM" | "AVG" | "STDDEV_POP" | "STDDEV_SAMP" | "STDDEV" | "VAR_POP" | "VAR_SAMP" | "VARIANCE", ty)
            if is_number(ty) =>
        {
            ty.clone()
        }
        _ => return None,
    };
    Some(Nullable { ty, nullable: value.nullable || partial })
}

/// The type of a function that numbers rows, or that looks at other rows of its window.
pub(crate) fn ranking(name: &str, args: &[Argument]) -> Option<Nullable> {
    match (name, args) {
        ("ROW_NUMBER" | "RANK" | "DENSE_RANK" | "NTILE", _) => Some(required(ColumnType::BigInt)),
        ("PERCENT_RANK" | "CUME_DIST", _) => Some(required(ColumnType::Double)),
        ("LAG" | "LEAD", [value] | [value, _]) => Some(Nullable { nullable: true, ..value.clone()? }),
        ("LAG" | "LEAD", [value, _, default]) => {
            let (value, default) = (value.as_ref()?, default.as_ref()?);
            let same = value.ty == default.ty;
            same.then(|| nullable(value.ty.clone(), [value, default]))
        }
        _ => None,
    }
}
