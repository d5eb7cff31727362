//! What records tell: schemas named by a GUID, versions that the registry has not told of yet, subjects of other names.

use std::collections::BTreeMap;
use std::sync::Arc;

use apache_avro::types::Value;

use super::nulls::{Source, TOPIC, daemon, held, read_all};
use crate::daemon::watch::{self, Sighting};
use crate::model::record::{SchemaHeaders, SchemaId};
use crate::port::Topics as _;
use crate::validate::audit::Version;

const GUID: &str = "cc0e0e0e-53c1-4a1a-8f1a-000000000001";

fn id(id: i64) -> Option<Vec<(&'static str, Value)>> {
    Some(vec![("id", Value::Long(id))])
}

#[tokio::test]
async fn a_record_whose_header_holds_a_guid_is_read_and_named() {
    let guid = SchemaId::try_from(GUID.to_owned()).unwrap();
    let SchemaId::Guid(number) = guid else { panic!("{guid}") };
    let source = Arc::new(Source { guids: BTreeMap::from([(GUID.to_owned(), 1)]), ..Source::new() });
    source.change(1, "c", id(1));
    let bare = source.records.lock().unwrap()[0].value.clone().map(|value| value[5..].to_vec());
    let header = |number: u128| {
        let value = Some([&[1][..], &number.to_be_bytes()].concat());
        Some(Box::new(SchemaHeaders { key: None, value }))
    };
    source.put_with(bare.clone(), header(number));
    // A GUID that the registry does not know.
    source.put_with(bare, header(5));
    let ends = source.visible_ends(TOPIC).await.unwrap();
    let audit = watch::read_once((source.as_ref(), source.as_ref()), TOPIC, &ends, |_| {}).await.unwrap();
    let report = audit.reports()[TOPIC].clone();
    assert_eq!((report.records, report.unreadable), (3, 1), "{report:?}");
    assert!(report.partitions[0].first_unreadable[0].reason.contains("the registry has no schema with GUID"));
    let version = || vec![Version { subject: "p.a-value".to_owned(), version: 1 }];
    let named = [(SchemaId::Number(1), version()), (guid, version()), (SchemaId::Guid(5), Vec::new())];
    assert_eq!(report.subjects, BTreeMap::from(named));
}

#[tokio::test]
async fn a_schema_that_a_record_brings_is_news_and_only_the_newest() {
    let source = Arc::new(Source::new());
    source.change(1, "r", id(1));
    source.change(2, "c", Some(vec![("id", Value::Long(1)), ("note", Value::Union(1, Box::new(Value::Null)))]));
    let (mut daemon, _) = daemon(&source, held()).await;
    read_all(&daemon, &source).await;
    let told = daemon.carried.recv().await.unwrap();
    assert_eq!(told, Sighting { subject: "p.a-value".to_owned(), version: 2, at_ms: 0 });
    assert!(daemon.is_news(&told) && !daemon.is_news(&Sighting { version: 1, ..told }));
    // Version 1, which the first record has, would be taken for one that came back.
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert!(daemon.carried.try_recv().is_err());
}

#[tokio::test]
async fn the_registrys_news_and_the_first_record_are_brought_together() {
    let source = Arc::new(Source::new());
    source.change(2, "c", Some(vec![("id", Value::Long(1)), ("note", Value::Union(1, Box::new(Value::Null)))]));
    let (mut daemon, _) = daemon(&source, held()).await;
    let metrics = Arc::clone(&daemon.metrics);
    let measured =
        || ["registry", "record"].map(|first| metrics.first_record_lag_seconds.count([first])).iter().sum::<u64>();
    let seen = async {
        while measured() == 0 {
            tokio::task::yield_now().await;
        }
        // Neither comes again, however often both are looked at.
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    };
    let limit = std::time::Duration::from_secs(20);
    tokio::select! {
        stopped = daemon.turn() => panic!("{stopped}"),
        () = seen => {}
        () = tokio::time::sleep(limit) => panic!("it is not measured"),
    }
    assert_eq!(measured(), 1);
}

#[tokio::test]
async fn a_subject_of_another_name_is_found_by_what_records_carry() {
    let source = Arc::new(Source { subject: Some("shop.Order"), ..Source::new() });
    source.change(2, "c", Some(vec![("id", Value::Long(1)), ("note", Value::Union(1, Box::new(Value::Null)))]));
    let (mut daemon, _) = daemon(&source, held()).await;
    assert!(daemon.settings.subjects.topics_of("shop.Order").is_empty());
    read_all(&daemon, &source).await;
    let told = daemon.carried.recv().await.unwrap();
    assert_eq!((told.subject.as_str(), told.version), ("shop.Order", 2));
    assert_eq!(daemon.settings.subjects.topics_of("shop.Order"), [TOPIC.to_owned()].into());
    assert!(daemon.settings.subjects.of(TOPIC).contains(&"shop.Order".to_owned()));
}
