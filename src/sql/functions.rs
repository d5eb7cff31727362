//! What is known of Flink's built-in functions by their names.
//!
//! Rule: names are in upper case. A function that is not listed is taken for a scalar, deterministic one; where it might be an
//! aggregate, `relation::assumed` says so.

use super::tree::Call;

/// Aggregates, the SQL standard's and Flink's own.
#[rustfmt::skip]
const AGGREGATES: &[&str] = &[
    "ANY_VALUE", "APPROX_COUNT_DISTINCT", "ARRAY_AGG", "ARRAY_CONCAT_AGG", "AVG", "BIT_AND", "BIT_OR", "BIT_XOR",
    "COLLECT", "CORR", "COUNT", "COVAR_POP", "COVAR_SAMP", "EVERY", "FIRST_VALUE", "FUSION", "GROUPING",
    "GROUPING_ID", "GROUP_CONCAT", "GROUP_ID", "INTERSECTION", "JSON_ARRAYAGG", "JSON_OBJECTAGG", "LAST_VALUE",
    "LISTAGG", "MAX", "MEDIAN", "MIN", "PERCENTILE", "PERCENTILE_CONT", "PERCENTILE_DISC", "REGR_AVGX", "REGR_AVGY",
    "REGR_COUNT", "REGR_INTERCEPT", "REGR_SLOPE", "REGR_SXX", "REGR_SXY", "REGR_SYY", "SINGLE_VALUE", "SOME",
    "STDDEV", "STDDEV_POP", "STDDEV_SAMP", "STRING_AGG", "SUM", "SUM0", "VARIANCE", "VAR_POP", "VAR_SAMP",
];

/// Those of them that Flink has; the others are known to nobody unless somebody makes a function of that name.
#[rustfmt::skip]
const OWN_AGGREGATES: &[&str] = &[
    "APPROX_COUNT_DISTINCT", "ARRAY_AGG", "AVG", "COLLECT", "COUNT", "FIRST_VALUE", "JSON_ARRAYAGG", "JSON_OBJECTAGG",
    "LAST_VALUE", "LISTAGG", "MAX", "MIN", "PERCENTILE", "STDDEV", "STDDEV_POP", "STDDEV_SAMP", "SUM", "VARIANCE",
    "VAR_POP", "VAR_SAMP",
];

/// Functions that mean nothing without a window, besides those of [`RANKING`].
const OF_WINDOWS: &[&str] = &["LAG", "LEAD"];

/// Aggregates whose result depends on the order in which rows arrive.
#[rustfmt::skip]
const ORDER_SENSITIVE: &[&str] = &[
    "ANY_VALUE", "ARRAY_AGG", "ARRAY_CONCAT_AGG", "COLLECT", "FIRST_VALUE", "GROUP_CONCAT", "JSON_ARRAYAGG",
    "JSON_OBJECTAGG", "LAST_VALUE", "LISTAGG", "STRING_AGG",
];

/// Aggregates that add numbers up, so that floating-point errors depend on the order.
#[rustfmt::skip]
const SUMMING: &[&str] = &[
    "AVG", "CORR", "COVAR_POP", "COVAR_SAMP", "REGR_AVGX", "REGR_AVGY", "REGR_INTERCEPT", "REGR_SLOPE", "REGR_SXX",
    "REGR_SXY", "REGR_SYY", "STDDEV", "STDDEV_POP", "STDDEV_SAMP", "SUM", "SUM0", "VARIANCE", "VAR_POP", "VAR_SAMP",
];

/// Functions that give another answer on another run.
#[rustfmt::skip]
const NON_DETERMINISTIC: &[&str] = &[
    "CUMULATE_PROCTIME", "CURRENT_DATE", "CURRENT_ROW_TIMESTAMP", "CURRENT_TIME", "CURRENT_TIMESTAMP",
    "CURRENT_WATERMARK", "HOP_PROCTIME", "KEY_SEARCH_AGG", "LOCALTIME", "LOCALTIMESTAMP", "MATCH_PROCTIME",
    "ML_EVALUATE", "ML_PREDICT", "NOW", "PROCTIME", "RAND", "RAND_INTEGER", "SESSION_PROCTIME", "TEXT_SEARCH_AGG",
    "TUMBLE_PROCTIME", "UNIX_TIMESTAMP", "UUID", "VECTOR_SEARCH", "VECTOR_SEARCH_AGG",
];

/// Functions that number or rank rows within a window.
const RANKING: &[&str] = &["CUME_DIST", "DENSE_RANK", "NTILE", "PERCENT_RANK", "RANK", "ROW_NUMBER"];

/// Table-valued functions that put rows into windows.
const WINDOWS: &[&str] = &["CUMULATE", "HOP", "SESSION", "TUMBLE"];

/// Functions of each row.
#[rustfmt::skip]
const SCALARS: &[&str] = &[
    "ABS", "ACOS", "ARRAY", "ARRAY_APPEND", "ARRAY_CONCAT", "ARRAY_CONTAINS", "ARRAY_DISTINCT", "ARRAY_EXCEPT",
    "ARRAY_INTERSECT", "ARRAY_JOIN", "ARRAY_MAX", "ARRAY_MIN", "ARRAY_POSITION", "ARRAY_PREPEND", "ARRAY_REMOVE",
    "ARRAY_REVERSE", "ARRAY_SLICE", "ARRAY_SORT", "ARRAY_UNION", "ASCII", "ASIN", "ATAN", "ATAN2", "BIN", "BTRIM",
    "CARDINALITY", "CAST", "CEIL", "CEILING", "CHARACTER_LENGTH", "CHAR_LENGTH", "CHR", "CLASSIFIER", "COALESCE",
    "CONCAT", "CONCAT_WS", "CONVERT_TZ", "COS", "COSH", "COT", "CURRENT_DATABASE", "CURRENT_DATE",
    "CURRENT_ROW_TIMESTAMP", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_WATERMARK", "DATE_FORMAT", "DAYOFMONTH",
    "DAYOFWEEK", "DAYOFYEAR", "DECODE", "DEFAULT", "DEGREES", "E", "ELEMENT", "ELT", "ENCODE", "ENDSWITH", "EXP",
    "EXTRACT", "FIRST", "FLOOR", "FROM_BASE64", "FROM_UNIXTIME", "GREATEST", "HASH_CODE", "HEX", "HOUR", "IF",
    "IFNULL", "INITCAP", "INSTR", "IS_ALPHA", "IS_DECIMAL", "IS_DIGIT", "JSON", "JSON_ARRAY", "JSON_EXISTS",
    "JSON_OBJECT", "JSON_QUERY", "JSON_QUOTE", "JSON_STRING", "JSON_UNQUOTE", "JSON_VALUE", "LAST", "LEAST", "LEFT",
    "LN", "LOCALTIME", "LOCALTIMESTAMP", "LOCATE", "LOG", "LOG10", "LOG2", "LOWER", "LPAD", "LTRIM", "MAP",
    "MAP_ENTRIES", "MAP_FROM_ARRAYS", "MAP_KEYS", "MAP_UNION", "MAP_VALUES", "MATCH_PROCTIME", "MATCH_ROWTIME",
    "MD5", "MINUTE", "MOD", "MONTH", "NEXT", "NOW", "NULLIF", "OBJECT_OF", "OBJECT_UPDATE", "OVERLAY", "PARSE_JSON",
    "PARSE_URL", "PI", "POSITION", "POWER", "PREV", "PRINT", "PRINTF", "PROCTIME", "QUARTER", "RADIANS", "RAND",
    "RAND_INTEGER", "REGEXP", "REGEXP_COUNT", "REGEXP_EXTRACT", "REGEXP_EXTRACT_ALL", "REGEXP_INSTR",
    "REGEXP_REPLACE", "REGEXP_SUBSTR", "REPEAT", "REPLACE", "REVERSE", "RIGHT", "ROUND", "ROW", "RPAD", "RTRIM",
    "SECOND", "SHA1", "SHA2", "SHA224", "SHA256", "SHA384", "SHA512", "SIGN", "SIN", "SINH", "SOURCE_WATERMARK",
    "SPLIT", "SPLIT_INDEX", "SQRT", "STARTSWITH", "STREAMRECORD_TIMESTAMP", "STR_TO_MAP", "SUBSTR", "SUBSTRING",
    "TAN", "TANH", "TIMESTAMPADD", "TIMESTAMPDIFF", "TO_BASE64", "TO_DATE", "TO_TIMESTAMP", "TO_TIMESTAMP_LTZ",
    "TRANSLATE", "TRIM", "TRUNCATE", "TRY_CAST", "TRY_PARSE_JSON", "TYPEOF", "UNHEX", "UNIX_TIMESTAMP", "UPPER",
    "URL_DECODE", "URL_ENCODE", "UUID", "WEEK", "YEAR",
];

/// True for a function that is known to be one of each row.
pub(crate) fn is_scalar(name: &str) -> bool {
    SCALARS.binary_search(&name).is_ok()
}

pub(crate) fn is_aggregate(name: &str) -> bool {
    AGGREGATES.contains(&name)
}

/// True for a call of an aggregate: of one that is known by its name, or of any that is written as only aggregates are, with
/// `DISTINCT`, `FILTER` or an order of its rows.
pub(crate) fn is_aggregate_call(call: &Call) -> bool {
    let written = call.distinct || call.filter.is_some() || !call.order_by.is_empty();
    written || is_aggregate(&call.name.last().name.to_ascii_uppercase())
}

/// True for an aggregate that Flink brings.
pub(crate) fn is_own_aggregate(name: &str) -> bool {
    OWN_AGGREGATES.contains(&name)
}

/// True for a function that Flink refuses without `OVER`.
pub(crate) fn needs_over(name: &str) -> bool {
    is_ranking(name) || OF_WINDOWS.contains(&name)
}

pub(crate) fn is_order_sensitive(name: &str) -> bool {
    ORDER_SENSITIVE.contains(&name)
}

pub(crate) fn sums_up(name: &str) -> bool {
    SUMMING.contains(&name)
}

pub(crate) fn is_ranking(name: &str) -> bool {
    RANKING.contains(&name)
}

pub(crate) fn is_window(name: &str) -> bool {
    WINDOWS.contains(&name)
}

/// `arguments` matters for `UNIX_TIMESTAMP`, which reads the clock only without any.
pub(crate) fn is_non_deterministic(name: &str, arguments: usize) -> bool {
    // Confluent Cloud's, which ask a model.
    name.starts_with("AI_")
        || NON_DETERMINISTIC.contains(&name)
            && (name != "UNIX_TIMESTAMP" || arguments == 0)
            && !(name == "RAND" && arguments > 0)
}
