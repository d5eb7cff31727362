//! What is read all the same, and said.

use serde_json::{Value, json};

use crate::schema::level::Level;
use crate::schema::parse::parse;
use crate::schema::verdict::{DataVerdict, assess};
use crate::steps::counted;

fn flaws(schema: &Value) -> Vec<String> {
    parse(&schema.to_string(), &[]).expect("a schema").flaws().iter().map(ToString::to_string).collect()
}

fn field(field: Value) -> Value {
    json!({"type": "record", "name": "R", "fields": [field]})
}

fn default(ty: Value, default: Value) -> Value {
    field(json!({"name": "a", "type": ty, "default": default}))
}

#[test]
fn a_sound_schema_has_none() {
    let sound = [
        json!("int"),
        json!([]),
        default(json!("int"), json!(-7)),
        default(json!("long"), json!(3_000_000_000_i64)),
        default(json!("double"), json!(1)),
        default(json!("double"), json!("NaN")),
        default(json!("float"), json!("-Infinity")),
        default(json!("bytes"), json!("\u{ff}")),
        default(json!(["null", "int"]), json!(7)),
        default(json!(["int", "null"]), json!(null)),
        default(json!({"type": "array", "items": ["null", "int"]}), json!([1, null])),
        default(json!({"type": "map", "values": "string"}), json!({"x": "y"})),
        default(json!({"type": "enum", "name": "E", "symbols": ["A", "B"]}), json!("B")),
        default(
            json!({"type": "record", "name": "S", "fields": [
                {"name": "x", "type": "int", "default": 1}, {"name": "y", "type": "int"}]}),
            json!({"y": 1, "more": 2}),
        ),
        default(json!({"type": "array", "items": "R"}), json!([])),
        default(json!(["null", "R"]), json!(null)),
        // One definition given twice, names that differ in their namespace alone, a name before its definition.
        json!({"type": "record", "name": "n.R", "fields": [
            {"name": "a", "type": ["null", {"type": "fixed", "name": "F", "size": 1},
                {"type": "fixed", "name": "m.F", "size": 1}]},
            {"name": "b", "type": {"type": "fixed", "name": "F", "size": 1, "doc": "again"}},
            {"name": "c", "type": "Later"},
            {"name": "d", "type": {"type": "enum", "name": "Later", "symbols": ["A"], "default": "A"}}]}),
        json!({"type": "error", "name": "x.int", "aliases": ["a-b.c"], "fields": [
            {"name": "_a1", "type": "int", "order": "DESCENDING", "aliases": ["no name"]}]}),
    ];
    for schema in sound {
        assert_eq!(flaws(&schema), Vec::<String>::new(), "{schema}");
    }
}

/// One flaw each, as the library refuses it when a registry is given the schema.
#[test]
fn each_flaw_has_its_place_and_its_words() {
    let rule = "a name has letters of ASCII, digits and `_`, and begins with no digit";
    let fixed = |size: u32| json!({"type": "fixed", "name": "F", "size": size});
    let flawed = [
        (default(json!("int"), json!("seven")), r#"`a`: its default "seven" does not fit int"#),
        (default(json!("int"), json!(3_000_000_000_i64)), "`a`: its default 3000000000 does not fit int"),
        (default(json!("int"), json!(1.0)), "`a`: its default 1.0 does not fit int"),
        (default(json!("long"), json!(u64::MAX)), "`a`: its default 18446744073709551615 does not fit long"),
        (default(json!("int"), json!(null)), "`a`: its default null does not fit int"),
        (default(json!("double"), json!("x")), r#"`a`: its default "x" does not fit double"#),
        (
            default(json!(["null", "double"]), json!("NaN")),
            r#"`a`: its default "NaN" does not fit union of null, double"#,
        ),
        (default(json!(["null", "int"]), json!("x")), r#"`a`: its default "x" does not fit union of null, int"#),
        (default(json!([]), json!(1)), "`a`: its default 1 does not fit union of "),
        (
            default(json!({"type": "array", "items": "int"}), json!([1, "x"])),
            r#"`a`: its default [1,"x"] does not fit array of int"#,
        ),
        (
            default(
                json!({"type": "record", "name": "S", "fields": [{"name": "x", "type": ["null", "int"]}]}),
                json!({}),
            ),
            "`a`: its default {} does not fit record S",
        ),
        (
            default(json!({"type": "enum", "name": "E", "symbols": ["A"]}), json!("Z")),
            r#"`a`: its default "Z" does not fit enum E"#,
        ),
        (default(json!(["null", "R"]), json!({})), "`a`: its default {} is a record of the type that it is a part of"),
        (
            json!({"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}, {"name": "a", "type": "int"}]}),
            "`a`: the record has the field `a` twice",
        ),
        (field(json!({"name": "a", "type": ["null", ["int"]]})), "`a`: a union is a branch of a union"),
        (
            field(
                json!({"name": "a", "type": {"type": "map", "values": ["int", {"type": "int", "logicalType": "date"}]}}),
            ),
            "`a[values]`: the union has two branches of int",
        ),
        (json!(["null", {"type": "fixed", "name": "n.F", "size": 1}, "n.F"]), "the union has two branches of n.F"),
        (
            json!([{"type": "array", "items": "int"}, {"type": "array", "items": "long"}]),
            "the union has two branches of array",
        ),
        (field(json!({"name": "2nd-line", "type": "int"})), "`2nd-line`: `2nd-line` is no name: RULE"),
        (field(json!({"name": "straße", "type": "int"})), "`straße`: `straße` is no name: RULE"),
        (field(json!({"name": "", "type": "int"})), "a name is empty"),
        (json!({"type": "record", "name": "a.b-c.R", "fields": []}), "`b-c` is no name: RULE"),
        (json!({"type": "fixed", "name": "R", "aliases": ["x.b c"], "size": 1}), "`b c` is no name: RULE"),
        (json!({"type": "fixed", "name": "int", "size": 1}), "`int` is the name of a primitive type"),
        (
            field(
                json!({"name": "a", "type": {"type": "array", "items": {"type": "enum", "name": "E", "symbols": ["no name"]}}}),
            ),
            "`a[items]`: `no name` is no name: RULE",
        ),
        (json!({"type": "enum", "name": "E", "symbols": ["A", "A"]}), "the enum has the symbol `A` twice"),
        (
            json!({"type": "enum", "name": "E", "symbols": ["A"], "default": "Z"}),
            "the enum's default `Z` is none of its symbols",
        ),
        (json!({"type": "enum", "name": "E", "symbols": ["A", 7]}), "`symbols` is no list of texts"),
        (
            json!({"type": "fixed", "name": "F", "size": 3_000_000_000_u64}),
            "a fixed of 3000000000 bytes has more than 2147483647",
        ),
        (field(json!({"name": "a", "type": "int", "aliases": "b"})), "`a`: `aliases` is no list of texts"),
        (
            field(json!({"name": "a", "type": "int", "order": "up"})),
            "`a`: its `order` is none of `ascending`, `descending` and `ignore`",
        ),
        (
            field(json!({"name": "a", "type": "array", "items": "int"})),
            "`a`: the parts of its type stand beside its name instead of in `type`",
        ),
        (
            field(json!({"name": "a", "type": {"type": {"type": "int"}}})),
            "`a`: `type` holds another type where a type's name belongs",
        ),
        (
            json!({"type": "record", "name": "R", "fields": [{"name": "a", "type": fixed(1)}, {"name": "b", "type": fixed(2)}]}),
            "`b`: the type `F` is defined twice",
        ),
        (
            field(json!({"name": "a", "type": {"type": "fixed", "name": "R", "size": 1}})),
            "`a`: the type `R` is defined twice",
        ),
    ];
    for (schema, flaw) in flawed {
        assert_eq!(flaws(&schema), [flaw.replace("RULE", rule)], "{schema}");
    }
}

#[test]
fn a_place_goes_through_records_and_is_told_in_the_order_of_the_text() {
    let row = json!({"type": "record", "name": "Value", "fields": [
        {"name": "price", "type": "int", "default": "free"},
        {"name": "tags", "type": {"type": "array", "items": ["null", ["string", "int"]]}}]});
    let envelope = json!({"type": "record", "name": "shop.Envelope", "fields": [
        {"name": "before", "type": ["null", row], "default": null},
        {"name": "after", "type": ["null", "Value"], "default": null},
        {"name": "op-", "type": "string"}]});
    assert_eq!(
        flaws(&envelope).iter().map(|flaw| flaw.split(':').next().unwrap_or("")).collect::<Vec<_>>(),
        ["`before.price`", "`before.tags[items]`", "`op-`"]
    );
}

#[test]
fn referenced_schemas_are_subjects_of_their_own() {
    let value = r#"{"type":"record","name":"Order","fields":[{"name":"to","type":"geo.Land","default":7}]}"#;
    let land = r#"{"type":"enum","name":"geo.Land","symbols":["no name"]}"#;
    let references = [("land-value".to_owned(), land.to_owned())];
    let found = parse(value, &references).expect("a schema").flaws().to_vec();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].to_string(), "`to`: its default 7 does not fit enum Land");
    let again = parse(r#"{"type":"enum","name":"geo.Land","symbols":["DE"]}"#, &references).expect("a schema");
    let said = "the type `geo.Land` is defined twice, which a referenced schema has";
    assert_eq!(again.flaws()[0].problem, said);
}

#[test]
fn there_is_an_end_to_what_is_told_and_to_what_is_looked_at() {
    let fields: Vec<Value> =
        (0..5_000).map(|i| json!({"name": format!("{i}"), "type": "int", "default": "x"})).collect();
    let told = flaws(&json!({"type": "record", "name": "R", "fields": fields}));
    assert_eq!(told.len(), 101);
    assert_eq!(told[100], "there are more than 100 flaws: the rest is not told");
    // Each branch of each level may be the one that fits: two to the power of the depth.
    let pair =
        |name: &str| json!({"type": "record", "name": name, "fields": [{"name": "x", "type": ["A", "B", "null"]}]});
    let deep = (0..100).fold(json!("no"), |inner, _| json!({"x": inner}));
    let schema = json!({"type": "record", "name": "R", "fields": [
        {"name": "a", "type": pair("A")}, {"name": "b", "type": pair("B")}, {"name": "c", "type": "A", "default": deep}]});
    let (told, steps) = counted(|| flaws(&schema));
    assert_eq!(told, ["its defaults are too large to be looked at"]);
    assert!(steps < 3_000_000, "{steps}");
}

/// A version that may not be planned says its flaws as well; those of the earlier one too.
#[test]
fn a_refused_version_has_its_flaws_told() {
    let sound = parse(&default(json!("int"), json!(1)).to_string(), &[]).expect("a schema");
    let flawed = parse(&default(json!("string"), json!(1)).to_string(), &[]).expect("a schema");
    let assessed = assess(Level::Full, false, &flawed, &[(1, sound)]);
    assert!(!assessed.plannable() && assessed.data == DataVerdict::JobFails);
    let told = assessed.refusal();
    assert_eq!(told[..assessed.reasons.len()], assessed.reasons);
    assert_eq!(
        told[assessed.reasons.len()..],
        ["besides, a strict parser refuses the new schema, at `a`: its default 1 does not fit string"]
    );
}
