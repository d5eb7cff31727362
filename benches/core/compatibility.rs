//! Compatibility of Avro schemas: pairs of versions of a Debezium envelope, each version with one column more.
//!
//! The peer is apache-avro's own check, which says yes or no, where ours gives every reason.

use apache_avro::schema_compatibility::SchemaCompatibility;
use cyanotype::schema::{self, AvroSchema};

use crate::records;
use crate::table::{Amount, Role, Variant, compare, timed};

/// Versions of the subject; every ordered pair is checked.
const VERSIONS: usize = 30;
/// How often in one run.
const TIMES: usize = 5;

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
