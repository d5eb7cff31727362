//! docs/schema-evolution.md: each change with what the program says of it.

use cyanotype::schema::pair::{Given, Pair};
use cyanotype::schema::{Direction, Level};
use serde_json::{Value, json};

use super::planned::{self, Planned};

/// A change: its name for people, and the columns before and after.
pub(super) type Case = (&'static str, Vec<Value>, Vec<Value>);

fn column(name: &str, ty: Value) -> Value {
    json!({"name": name, "type": ty})
}

fn with(mut column: Value, key: &str, value: Value) -> Value {
    column[key] = value;
    column
}

fn optional(name: &str, ty: Value) -> Value {
    json!({"name": name, "type": ["null", ty], "default": null})
}

/// The column `x`, NOT NULL, of one type and of the other.
fn retyped(name: &'static str, old: Value, new: Value) -> Case {
    (name, vec![column("x", old)], vec![column("x", new)])
}

fn money(precision: u32, scale: u32) -> Value {
    json!({"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale})
}

fn logical(base: &str, logical: &str) -> Value {
    json!({"type": base, "logicalType": logical})
}

fn connect(base: &str, name: &str) -> Value {
    json!({"type": base, "connect.name": name, "connect.version": 1})
}

fn symbols(all: &[&str], default: Option<&str>) -> Value {
    let mut ty = json!({"type": "enum", "name": "State", "symbols": all});
    if let Some(default) = default {
        ty["default"] = json!(default);
    }
    ty
}

pub(super) fn columns() -> Vec<Case> {
    let text = || json!("string");
    let int = || json!("int");
    let named = |name: &str| json!({"type": "record", "name": name, "fields": [{"name": "y", "type": "int"}]});
    let parameters = |more: Value| json!({"type": "string", "connect.parameters": more});
    let placeholder = json!({"__debezium.unavailable.value.placeholder": "__debezium_unavailable_value"});
    vec![
        ("added, nullable", vec![], vec![optional("x", text())]),
        ("added, nullable, without a default in the schema", vec![], vec![column("x", json!(["null", "string"]))]),
        (
            "added, nullable, with a default",
            vec![],
            vec![with(column("x", json!(["string", "null"])), "default", json!("EU"))],
        ),
        ("added, NOT NULL with a default", vec![], vec![with(column("x", text()), "default", json!("EU"))]),
        ("added, NOT NULL with a default of 0", vec![], vec![with(column("x", int()), "default", json!(0))]),
        ("added, NOT NULL", vec![], vec![column("x", text())]),
        ("an enum, nullable", vec![], vec![optional("x", symbols(&["A"], None))]),
        ("removed, nullable", vec![optional("x", text())], vec![]),
        ("removed, NOT NULL", vec![column("x", text())], vec![]),
        ("removed, NOT NULL with a default", vec![with(column("x", text()), "default", json!("EU"))], vec![]),
        ("renamed, nullable", vec![optional("x", text())], vec![optional("z", text())]),
        ("renamed, NOT NULL", vec![column("x", text())], vec![column("z", text())]),
        ("renamed with an alias", vec![column("x", text())], vec![with(column("z", text()), "aliases", json!(["x"]))]),
        ("made nullable", vec![column("x", text())], vec![column("x", json!(["null", "string"]))]),
        ("made NOT NULL", vec![column("x", json!(["null", "string"]))], vec![column("x", text())]),
        (
            "a first default, NOT NULL",
            vec![column("x", text())],
            vec![with(column("x", text()), "default", json!("EU"))],
        ),
        (
            "a first default, nullable",
            vec![optional("x", text())],
            vec![with(column("x", json!(["string", "null"])), "default", json!("EU"))],
        ),
        (
            "another default",
            vec![with(column("x", int()), "default", json!(1))],
            vec![with(column("x", int()), "default", json!(2))],
        ),
        ("comment", vec![column("x", int())], vec![with(column("x", int()), "doc", json!("pieces"))]),
        (
            "two columns got each other's names",
            vec![column("x", int()), column("y", int())],
            vec![column("y", int()), column("x", int())],
        ),
        (
            "dropped and added again",
            vec![optional("x", text()), column("y", int()), column("z", int())],
            vec![column("y", int()), column("z", int()), optional("x", text())],
        ),
        retyped("int to bigint", int(), json!("long")),
        retyped("bigint to int", json!("long"), int()),
        retyped("smallint to int", json!({"type": "int", "connect.type": "int16"}), int()),
        retyped("bigint to double", json!("long"), json!("double")),
        retyped("double to real", json!("double"), json!("float")),
        retyped("int to text", int(), text()),
        retyped("bytes to text", json!("bytes"), text()),
        retyped("varchar(20) to varchar(80)", parameters(json!({"length": "20"})), parameters(json!({"length": "80"}))),
        retyped("numeric precision grows", money(10, 2), money(12, 2)),
        retyped("numeric precision shrinks", money(12, 2), money(10, 2)),
        retyped("numeric scale", money(10, 2), money(10, 4)),
        retyped("decimal.handling.mode, precise to string", money(10, 2), text()),
        retyped("decimal.handling.mode, precise to double", money(10, 2), json!("double")),
        retyped(
            "timestamp(3) to timestamp(6)",
            connect("long", "io.debezium.time.Timestamp"),
            connect("long", "io.debezium.time.MicroTimestamp"),
        ),
        retyped(
            "timestamp to timestamptz",
            connect("long", "io.debezium.time.Timestamp"),
            connect("string", "io.debezium.time.ZonedTimestamp"),
        ),
        retyped(
            "date to timestamp",
            connect("int", "io.debezium.time.Date"),
            connect("long", "io.debezium.time.Timestamp"),
        ),
        retyped(
            "time.precision.mode, adaptive to connect (milliseconds stay)",
            connect("long", "io.debezium.time.Timestamp"),
            json!({"type": "long", "logicalType": "timestamp-millis", "connect.name": "org.apache.kafka.connect.data.Timestamp"}),
        ),
        retyped(
            "time.precision.mode, adaptive to connect (microseconds go)",
            connect("long", "io.debezium.time.MicroTimestamp"),
            json!({"type": "long", "logicalType": "timestamp-millis", "connect.name": "org.apache.kafka.connect.data.Timestamp"}),
        ),
        retyped("a logical type comes", json!("long"), logical("long", "timestamp-millis")),
        retyped("a logical type goes", logical("long", "timestamp-millis"), json!("long")),
        retyped(
            "point in time to wall clock",
            logical("long", "timestamp-millis"),
            logical("long", "local-timestamp-millis"),
        ),
        retyped("a placeholder for unchanged values (TOAST)", parameters(json!({})), parameters(placeholder)),
        retyped("enum symbol added", symbols(&["A"], None), symbols(&["A", "B"], None)),
        retyped(
            "enum symbol added, the old enum has a default",
            symbols(&["A"], Some("A")),
            symbols(&["A", "B"], Some("A")),
        ),
        retyped("enum symbol removed", symbols(&["A", "B"], None), symbols(&["A"], None)),
        retyped(
            "enum symbol removed, the new enum has a default",
            symbols(&["A", "B"], Some("A")),
            symbols(&["A"], Some("A")),
        ),
        retyped("union branch added", json!(["int", "string"]), json!(["int", "string", "boolean"])),
        retyped("union branch removed", json!(["int", "string", "boolean"]), json!(["int", "string"])),
        retyped("union branches in another order", json!(["int", "string"]), json!(["string", "int"])),
        retyped(
            "fixed of another size",
            json!({"type": "fixed", "name": "F", "size": 4}),
            json!({"type": "fixed", "name": "F", "size": 8}),
        ),
        retyped("record of another name", named("P"), named("Q")),
    ]
}

fn keys() -> Vec<Case> {
    let id = || column("id", json!("int"));
    let region = || column("region", json!("string"));
    vec![
        ("column added", vec![id()], vec![id(), region()]),
        ("column removed", vec![id(), region()], vec![id()]),
        ("another column", vec![id()], vec![region()]),
        ("renamed", vec![id()], vec![column("order_id", json!("int"))]),
        ("int to bigint", vec![id()], vec![column("id", json!("long"))]),
        ("comment", vec![id()], vec![with(id(), "doc", json!("number"))]),
    ]
}

/// The value schema of a table with these columns, as Debezium writes it.
fn envelope(namespace: &str, columns: &[Value], source: &[Value]) -> Value {
    let mut source = source.to_vec();
    source.push(json!({"name": "ts_ms", "type": "long"}));
    json!({"type": "record", "name": "Envelope", "namespace": namespace, "fields": [
        {"name": "before", "type": ["null", {"type": "record", "name": "Value", "fields": columns}], "default": null},
        {"name": "after", "type": ["null", "Value"], "default": null},
        {"name": "source", "type": {"type": "record", "name": "Source", "namespace": "io.debezium.connector.postgresql",
            "fields": source}},
        {"name": "op", "type": "string"}]})
}

/// The program's answer, and what planning makes of the change where the level allows it.
fn answer(old: &Value, new: &Value, key: bool) -> (Pair, Planned) {
    let pair = Pair::of(&Given::new(old.to_string()), &Given::new(new.to_string()), Level::Full, key);
    (pair, planned::planned(old, new, key))
}

/// Each change of a column with its answers.
pub(super) fn answers() -> impl Iterator<Item = (&'static str, Pair, Planned)> {
    columns().into_iter().map(|(name, old, new)| {
        let (pair, planned) = answer(&value(&old), &value(&new), false);
        (name, pair, planned)
    })
}

/// The value schema of the table with these columns beside its key.
fn value(columns: &[Value]) -> Value {
    envelope(ORDERS, &beside(columns), &[])
}

fn beside(columns: &[Value]) -> Vec<Value> {
    [vec![column("id", json!("int"))], columns.to_vec()].concat()
}

fn row(name: &str, pair: &Pair, planned: &Planned) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let word = |answer: Option<bool>| answer.map_or("unknown", |yes| if yes { "yes" } else { "no" });
    let refuses = |direction: Direction| {
        let failing = pair.failures.iter().filter(move |failing| failing.direction == direction);
        failing.flat_map(|failing| &failing.reasons).map(|reason| reason.message.clone()).next()
    };
    let registry = refuses(Direction::Backward).or(refuses(Direction::Forward)).unwrap_or_default();
    let concern = pair.concerns.iter().map(|concern| concern.reason.clone()).next();
    let said = concern.or(pair.changes.iter().map(|change| change.sentence.clone()).next());
    let declared: Vec<String> = pair.columns.iter().map(ToString::to_string).collect();
    let cells = [
        name.to_owned(),
        word(pair.backward).to_owned(),
        word(pair.forward).to_owned(),
        cell(&registry),
        pair.data.to_string(),
        cell(&said.unwrap_or_else(|| "no difference".to_owned())),
        cell(&declared.join("; ")),
        planned.to_string(),
    ];
    format!("| {} |\n", cells.join(" | "))
}

fn table(rows: impl Iterator<Item = String>) -> String {
    let head = "| change | backward | forward | why the registry refuses | data | why | a Flink table declares | planned |\n\
                |---|---|---|---|---|---|---|---|\n";
    rows.fold(head.to_owned(), |page, row| page + &row)
}

const ORDERS: &str = "shop.public.orders";

fn page() -> String {
    let of_columns = answers().map(|(name, pair, planned)| row(name, &pair, &planned));
    let of = |name: &str, old: &Value, new: &Value, key: bool| {
        let (pair, planned) = answer(old, new, key);
        row(name, &pair, &planned)
    };
    let whole = value(&[]);
    let flat = json!({"type": "record", "name": "Value", "namespace": ORDERS, "fields": [column("id", json!("int"))]});
    let lsn = [json!({"name": "lsn", "type": ["null", "long"], "default": null})];
    let of_records = [
        ("topic.prefix, schema or table of another name", envelope("shop.public.purchases", &beside(&[]), &[])),
        ("the connector's source block has more", envelope(ORDERS, &beside(&[]), &lsn)),
        ("no envelope any more (the unwrap transform)", flat),
    ]
    .into_iter()
    .map(|(name, new)| of(name, &whole, &new, false));
    let gone = of("the connector's source block has less", &envelope(ORDERS, &beside(&[]), &lsn), &whole, false);
    let key = |fields: &[Value]| json!({"type": "record", "name": "Key", "namespace": ORDERS, "fields": fields});
    let of_keys = keys().into_iter().map(|(name, old, new)| of(name, &key(&old), &key(&new), true));
    include_str!("page.md")
        .replace("{columns}\n", &table(of_columns))
        .replace("{records}\n", &table(of_records.chain([gone])))
        .replace("{keys}\n", &table(of_keys))
}

#[test]
fn the_page_of_changes_is_what_the_program_says() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema-evolution.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/schema-evolution.md is behind the code: UPDATE_DOCS=1 cargo test --test it compat");
}

/// What the page is there for: a registry allows what gives wrong values, and refuses what a table could live with.
#[test]
fn the_two_answers_differ_where_the_page_says_so() {
    let find = |wanted: &str| answers().find(|(name, ..)| *name == wanted).unwrap().1;
    for (change, full, data) in [
        ("numeric scale", true, "wrong values"),
        ("timestamp(3) to timestamp(6)", true, "wrong values"),
        ("decimal.handling.mode, precise to string", true, "wrong values"),
        ("numeric precision grows", true, "a column turns NULL silently"),
        ("enum symbol added, the old enum has a default", true, "wrong values"),
        ("an enum, nullable", true, "a job fails"),
        ("renamed, nullable", true, "suspected rename"),
        ("two columns got each other's names", true, "suspected rename"),
        ("removed, nullable", true, "a column turns NULL silently"),
        ("added, nullable, without a default in the schema", false, "safe"),
    ] {
        let pair = find(change);
        assert_eq!((pair.full, pair.data.to_string().as_str()), (Some(full), data), "{change}");
    }
    let declared = |change: &str| find(change).columns.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        declared("a logical type comes"),
        [
            "column `x`: BIGINT NOT NULL -> TIMESTAMP(3) NOT NULL; with avro.timestamp_mapping.legacy = false BIGINT NOT NULL \
          -> TIMESTAMP_LTZ(3) NOT NULL"
        ]
    );
    assert_eq!(
        declared("smallint to int"),
        ["column `x`: stays INT NOT NULL; in Confluent's Flink SMALLINT NOT NULL -> INT NOT NULL"]
    );
    assert_eq!(
        declared("fixed of another size"),
        [
            "column `x`: VARBINARY(4) NOT NULL -> VARBINARY(8) NOT NULL; in Confluent's Flink BINARY(4) NOT NULL -> BINARY(8) \
          NOT NULL"
        ]
    );
    assert_eq!(declared("int to bigint"), ["column `x`: INT NOT NULL -> BIGINT NOT NULL"]);
}
