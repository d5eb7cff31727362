//! Defaults as SQL literals.

use serde_json::{Value, json};

use crate::schema::envelope::row_fields;
use crate::schema::literal::default_literal;
use crate::schema::testing::{decimal, record};

fn literal(ty: Value, default: Value) -> Option<String> {
    let fields = row_fields(&record(json!([{"name": "x", "type": ty, "default": default}])));
    default_literal(&default, &fields[0])
}

#[test]
fn every_type() {
    let logical = |base: &str, logical: &str| json!({"type": base, "logicalType": logical});
    let table = [
        (json!("boolean"), json!(true), "TRUE"),
        (json!("int"), json!(-7), "-7"),
        (json!("int"), json!(i32::MIN), "CAST(-2147483648 AS INT)"),
        (json!("long"), json!(7), "CAST(7 AS BIGINT)"),
        (json!("float"), json!(1.5), "CAST(1.5E0 AS FLOAT)"),
        (json!("double"), json!(0), "CAST(0E0 AS DOUBLE)"),
        (json!("double"), json!(-1.25e-9), "CAST(-1.25E-9 AS DOUBLE)"),
        (json!("string"), json!("O'Neil; -- x"), "'O''Neil; -- x'"),
        (json!(["string", "null"]), json!(""), "''"),
        (json!("bytes"), json!("\u{0}\u{ff}"), "CAST(X'00ff' AS BYTES)"),
        (json!({"type": "fixed", "name": "F", "size": 2}), json!("ab"), "CAST(X'6162' AS VARBINARY(2))"),
        (json!({"type": "enum", "name": "E", "symbols": ["A"]}), json!("A"), "'A'"),
        (decimal(10, 2), json!("\u{0}"), "CAST(0.00 AS DECIMAL(10, 2))"),
        (decimal(10, 2), json!("\u{ff}"), "CAST(-0.01 AS DECIMAL(10, 2))"),
        (decimal(10, 2), json!("\u{4}\u{d2}"), "CAST(12.34 AS DECIMAL(10, 2))"),
        (decimal(5, 0), json!("\u{7}"), "CAST(7 AS DECIMAL(5, 0))"),
        (decimal(2, 2), json!("\u{5}"), "CAST(0.05 AS DECIMAL(2, 2))"),
        (logical("int", "date"), json!(0), "DATE '1970-01-01'"),
        (logical("int", "date"), json!(19782), "DATE '2024-02-29'"),
        (logical("int", "date"), json!(-1), "DATE '1969-12-31'"),
        (logical("int", "date"), json!(-719162), "DATE '0001-01-01'"),
        (logical("int", "date"), json!(2932896), "DATE '9999-12-31'"),
        (logical("int", "time-millis"), json!(45296789), "TIME '12:34:56.789'"),
        (logical("long", "time-micros"), json!(1), "TIME '00:00:00.000001'"),
        (logical("long", "timestamp-millis"), json!(-1), "TIMESTAMP '1969-12-31 23:59:59.999'"),
        (logical("long", "timestamp-micros"), json!(1709164800000001_i64), "TIMESTAMP '2024-02-29 00:00:00.000001'"),
        // Debezium's own temporal names leave the number as it is.
        (json!({"type": "int", "connect.name": "io.debezium.time.Date"}), json!(3), "3"),
    ];
    for (ty, default, expected) in table {
        assert_eq!(literal(ty.clone(), default.clone()).as_deref(), Some(expected), "{ty} {default}");
    }
}

#[test]
fn no_literal_is_better_than_a_wrong_one() {
    let table = [
        (json!(["null", "int"]), json!(null)),
        (json!("int"), json!(3_000_000_000_i64)),
        (json!("int"), json!("7")),
        (json!("int"), json!(1.5)),
        (json!("float"), json!(1e300)),
        (json!("bytes"), json!("\u{100}")),
        (decimal(3, 2), json!("\u{4}\u{d2}")),
        (json!({"type": "int", "logicalType": "date"}), json!(2_932_897)),
        (json!({"type": "int", "logicalType": "time-millis"}), json!(86_400_000)),
        (json!({"type": "array", "items": "int"}), json!([])),
        (json!({"type": "map", "values": "int"}), json!({})),
    ];
    for (ty, default) in table {
        assert_eq!(literal(ty.clone(), default.clone()), None, "{ty} {default}");
    }
}
