//! Compatibility of Avro schemas: pairs of versions of a Debezium envelope, each version with one column more.
//!
//! The peer is apache-avro's own check, which says yes or no, where ours gives every reason.

use apache_avro::schema_compatibility::SchemaCompatibility;
use cyanotype::schema::pair::Answered;
use cyanotype::schema::{self, AvroSchema, Level};
use serde_json::json;

use crate::records;
use crate::table::{Amount, Role, Variant, compare, timed};

/// Versions of the subject; every ordered pair is checked.
const VERSIONS: usize = 30;
/// How often in one run.
const TIMES: usize = 5;

/// Lines of the batch.
const LINES: usize = 10_000;

/// Debezium's envelope around a row of eight columns, with `more` fields at its end.
pub fn envelope(more: &[String]) -> String {
    let mut columns: Vec<String> = [
        ("order_id", r#""long""#),
        ("customer_id", r#"["null","long"]"#),
        ("status", r#"["null","string"]"#),
        ("ordered_at", r#"["null",{"type":"long","connect.version":1,"connect.name":"io.debezium.time.Timestamp"}]"#),
        ("note", r#"["null","string"]"#),
        (
            "amount",
            r#"["null",{"type":"bytes","scale":2,"precision":12,"connect.version":1,"connect.parameters":{"scale":"2","connect.decimal.precision":"12"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}]"#,
        ),
        ("quantity", r#"["null","int"]"#),
        ("is_gift", r#"["null","boolean"]"#),
    ]
    .into_iter()
    .map(|(name, kind)| {
        let default = if kind.starts_with('[') { r#","default":null"# } else { "" };
        format!(r#"{{"name":"{name}","type":{kind}{default}}}"#)
    })
    .collect();
    columns.extend(more.iter().cloned());
    let columns = columns.join(",");
    format!(
        r#"{{"type":"record","name":"Envelope","namespace":"shop.shop.a","fields":[
  {{"name":"before","type":["null",{{"type":"record","name":"Value","fields":[{columns}],"connect.name":"shop.shop.a.Value"}}],"default":null}},
  {{"name":"after","type":["null","Value"],"default":null}},
  {{"name":"source","type":{{"type":"record","name":"Source","namespace":"io.debezium.connector.postgresql","fields":[
    {{"name":"version","type":"string"}},{{"name":"connector","type":"string"}},{{"name":"name","type":"string"}},
    {{"name":"ts_ms","type":"long"}},{{"name":"snapshot","type":[{{"type":"string","connect.default":"false"}},"null"],"default":"false"}},
    {{"name":"db","type":"string"}},{{"name":"schema","type":"string"}},{{"name":"table","type":"string"}},
    {{"name":"txId","type":["null","long"],"default":null}},{{"name":"lsn","type":["null","long"],"default":null}}]}}}},
  {{"name":"transaction","type":["null",{{"type":"record","name":"block","namespace":"event","fields":[
    {{"name":"id","type":"string"}},{{"name":"total_order","type":"long"}},{{"name":"data_collection_order","type":"long"}}]}}],"default":null}},
  {{"name":"op","type":"string"}},
  {{"name":"ts_ms","type":["null","long"],"default":null}}],"connect.name":"shop.shop.a.Envelope"}}"#
    )
}

/// Prints it.
pub fn run() -> Result<(), String> {
    let column = |n: usize| format!(r#"{{"name":"more_{n}","type":["null","string"],"default":null}}"#);
    let texts: Vec<String> = (0..VERSIONS).map(|n| envelope(&(0..n).map(column).collect::<Vec<_>>())).collect();
    let ours = texts.iter().map(|text| schema::parse(text, &[])).collect::<Result<Vec<_>, _>>();
    let ours = ours.map_err(|e| e.to_string())?;
    let theirs = texts.iter().map(|text| records::schema(text)).collect::<Result<Vec<_>, _>>()?;
    checks(&ours, &theirs)?;
    batch()?;

    let bytes = TIMES * texts.iter().map(String::len).sum::<usize>();
    let again = || (0..TIMES).flat_map(|_| &texts);
    let variants = vec![
        Variant::new("apache-avro parses", Role::Peer, || {
            let (time, parsed) = timed(|| again().map(|text| records::schema(text)).collect::<Result<Vec<_>, _>>());
            parsed.map(|_| time)
        }),
        Variant::new("parse", Role::Ours, || {
            let (time, parsed) = timed(|| again().map(|text| schema::parse(text, &[])).collect::<Result<Vec<_>, _>>());
            parsed.map(|_| time).map_err(|e| e.to_string())
        }),
    ];
    let title = format!("parsing {} envelopes of 8 to {} columns", TIMES * VERSIONS, 8 + VERSIONS - 1);
    compare(&title, &Amount { count: TIMES * VERSIONS, unit: "schema", bytes: Some(bytes) }, 5, variants)
}

fn checks(ours: &[AvroSchema], theirs: &[apache_avro::Schema]) -> Result<(), String> {
    let pairs = TIMES * VERSIONS * VERSIONS;
    let variants = vec![
        Variant::new("apache-avro checks", Role::Peer, || {
            let each = || (0..TIMES).flat_map(|_| theirs).flat_map(|a| theirs.iter().map(move |b| (a, b)));
            let (time, yes) = timed(|| each().filter(|(a, b)| SchemaCompatibility::can_read(b, a).is_ok()).count());
            if yes == pairs { Ok(time) } else { Err(format!("apache-avro: {yes} of {pairs} pairs are compatible")) }
        }),
        Variant::new("check", Role::Ours, || {
            let each = || (0..TIMES).flat_map(|_| ours).flat_map(|a| ours.iter().map(move |b| (a, b)));
            let (time, yes) = timed(|| each().filter(|(a, b)| schema::can_read(a, b).is_ok()).count());
            if yes == pairs { Ok(time) } else { Err(format!("{yes} of {pairs} pairs are compatible")) }
        }),
    ];
    let title = format!("compatibility: {pairs} pairs of envelopes of 8 to {} columns", 8 + VERSIONS - 1);
    compare(&title, &Amount { count: pairs, unit: "pair", bytes: None }, 5, variants)
}

/// What `cyanotype compat --batch` does with each line: it reads both schemas, judges them, and writes the answer as JSON.
fn batch() -> Result<(), String> {
    let lines: Vec<String> = (0..LINES).map(line).collect();
    let bytes = lines.iter().map(String::len).sum();
    let variant = Variant::new("answer each line", Role::Ours, || {
        let (time, no) = timed(|| {
            let answers =
                lines.iter().enumerate().map(|(n, line)| Answered::to(line.as_bytes(), n + 1, Level::Full, false));
            answers.filter(|answer| answer.good() != Some(true) && !json!(answer).to_string().is_empty()).count()
        });
        // Two of six changes are no change for the worse.
        if no == LINES * 4 / 6 { Ok(time) } else { Err(format!("{no} of {LINES} pairs are not good")) }
    });
    let title = format!("compat --batch: {LINES} pairs of envelopes of 8 to 27 columns, no two alike");
    compare(&title, &Amount { count: LINES, unit: "pair", bytes: Some(bytes) }, 3, vec![variant])
}

/// A pair that no other line has, with one of six changes.
fn line(n: usize) -> String {
    let column = |i: usize, ty: &str| format!(r#"{{"name":"c{n}_{i}","type":{ty}}}"#);
    let same: Vec<String> = (0..n % 20).map(|i| column(i, r#"["null","string"],"default":null"#)).collect();
    let with = |last: Option<String>| envelope(&same.iter().cloned().chain(last).collect::<Vec<_>>());
    let named = |name: &str, ty: &str| Some(format!(r#"{{"name":"{name}","type":{ty}}}"#));
    let money = |scale: u32| {
        format!(r#"{{"type":"bytes","logicalType":"decimal","precision":12,"scale":{scale},"connect.version":1}}"#)
    };
    let optional = r#"["null","string"],"default":null"#;
    let (old, new) = match n % 6 {
        0 => (None, named("added", optional)),
        1 => (named("x", r#""string","doc":"a""#), named("x", r#""string","doc":"b""#)),
        2 => (named("x", r#""int""#), named("x", r#""long""#)),
        3 => (named("x", &money(2)), named("x", &money(4))),
        4 => (named("city", optional), named("town", optional)),
        _ => (named("x", r#""string""#), None),
    };
    format!(r#"{{"id":{n},"old":{},"new":{}}}"#, with(old).replace('\n', ""), with(new).replace('\n', ""))
}
