//! Records whose schema refers to others: the audit reads them.

use std::sync::Arc;

use cyanotype::daemon::watch;
use cyanotype::port::{Registry, Topics as _};
use cyanotype::validate::audit::Op;
use serde_json::{Value, json};

use super::stub::{Can, Stub};
use super::topic::Topic;

fn reference(name: &str, subject: &str) -> Value {
    json!({ "name": name, "subject": subject, "version": 1 })
}

/// A registry whose subject `p.a-value` is an envelope: its row is a schema of its own, which refers to one more.
async fn registry() -> Stub {
    let stub = Stub::new(Can::confluent(), &[]).await;
    let price = json!({ "type": "record", "name": "n.Price", "fields": [{ "name": "cents", "type": "long" }] });
    let row = json!({ "type": "record", "name": "p.a.Value", "fields": [
        { "name": "id", "type": "long" }, { "name": "price", "type": "n.Price" },
        { "name": "note", "type": ["string", "null"], "default": "none" } ] });
    let envelope = json!({ "type": "record", "name": "p.a.Envelope", "fields": [
        { "name": "before", "type": ["null", "p.a.Value"], "default": null },
        { "name": "after", "type": ["null", "p.a.Value"], "default": null }, { "name": "op", "type": "string" } ] });
    let answer =
        |schema: &Value, references: Value| Some(json!({ "schema": schema.to_string(), "references": references }));
    stub.now().register_as("prices", answer(&price, json!([])));
    stub.now().register_as("rows", answer(&row, json!([reference("n.Price", "prices")])));
    stub.now().register_as("p.a-value", answer(&envelope, json!([reference("p.a.Value", "rows")])));
    stub
}

/// A record with the envelope's id, whose row has a note or NULL there.
fn record(note: Option<&str>) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 0, 3];
    // No row before; a row after: id 1, 5.00.
    bytes.extend([0, 2, 2, 0xe8, 0x07]);
    match note {
        Some(note) => bytes.extend([&[0, u8::try_from(note.len() * 2).unwrap()], note.as_bytes()].concat()),
        None => bytes.push(2),
    }
    bytes.extend([2, b'c']);
    bytes
}

#[tokio::test]
async fn records_of_a_schema_with_references_are_read_by_the_audit() {
    let stub = registry().await;
    let topic = Topic::default();
    topic.write(b"k", Some(&record(Some("x"))));
    topic.write(b"k", Some(&record(None)));
    // Cut off: what the references say is read as strictly as the rest.
    topic.write(b"k", Some(&record(None)[..8]));
    let client = Arc::new(stub.client());
    let ends = topic.visible_ends("p.a").await.unwrap();
    let audit = watch::read_once((client.as_ref(), &topic), "p.a", &ends, |_| {}).await.unwrap();
    let report = audit.reports()["p.a"].clone();
    assert_eq!((report.records, report.unreadable), (3, 1), "{report:?}");
    assert_eq!(report.partitions[0].ops[&Op::Create], 2);
    let [nulls] = report.nulls.as_slice() else { panic!("{report:?}") };
    assert_eq!((nulls.column.as_str(), nulls.nulls), ("note", 1));
    assert_eq!(report.subjects.values().flatten().map(|v| v.subject.as_str()).collect::<Vec<_>>(), ["p.a-value"]);
    // The schemas come in an order in which each knows what those before it define.
    let names: Vec<String> =
        client.schema_by_id(3).await.unwrap().references.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["n.Price", "p.a.Value"]);
}
