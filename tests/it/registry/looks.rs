//! How the newest versions are asked for: what a registry can do is tried, and an idle look costs as little as it allows.

use std::collections::{BTreeMap, BTreeSet};

use cyanotype::adapter::registry::RegistryClient;
use cyanotype::adapter::rest::Endpoint;
use cyanotype::daemon::gather;
use cyanotype::daemon::subjects::Subjects;
use cyanotype::port::{PortError, Registry};

use super::stub::{Bulk, Can, Mood, Stub};

/// More looks than it takes to try the ways to ask anew.
const LOOKS: usize = 70;

fn wanted(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn newest(of: &[(&str, i32)]) -> BTreeMap<String, i32> {
    of.iter().map(|(name, version)| ((*name).to_owned(), *version)).collect()
}

#[tokio::test]
async fn an_idle_look_is_one_request() {
    let confluent = Can::confluent();
    for can in [
        confluent.clone(),
        Can::karapace(),
        Can { etags: true, ..confluent.clone() },
        Can { latest_only: false, ..confluent.clone() },
        Can { pages: false, ..confluent.clone() },
        Can { prefix: false, ..confluent.clone() },
        Can { modes: false, ..confluent },
    ] {
        let stub = Stub::new(can.clone(), &["shop.a-key", "shop.a-value", "shop.b-value", "other"]).await;
        let (client, all) = (stub.client(), wanted(&["shop.a-key", "shop.a-value", "shop.b-key", "shop.b-value"]));
        let mut expected = newest(&[("shop.a-key", 1), ("shop.a-value", 1), ("shop.b-value", 1)]);
        assert_eq!(client.latest(&all).await.unwrap(), expected, "{can:?}");
        stub.asked();
        assert_eq!(client.latest(&all).await.unwrap(), expected, "{can:?}");
        let asked = stub.asked();
        assert_eq!(asked.len(), 1, "{can:?} {asked:?}");
        // A version more is seen at the next look, and idle looks after it are one request again.
        expected.insert("shop.a-value".to_owned(), stub.now().register("shop.a-value"));
        for _ in 0..2 {
            stub.asked();
            assert_eq!(client.latest(&all).await.unwrap(), expected, "{can:?}");
        }
        assert_eq!(stub.asked().len(), 1, "{can:?}");
    }
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let stub = Stub::new(Can { etags: true, page: 2, ..Can::confluent() }, &["a", "b", "c", "d", "e"]).await;
    let (client, all) = (stub.client(), wanted(&["a", "b", "c", "d", "e"]));
    for _ in 0..3 {
        client.latest(&all).await.unwrap();
    }
    let named = stub.now().asked.iter().filter(|(_, headers)| headers.contains_key("if-none-match")).count();
    assert_eq!(named, 6, "three pages at each look but the first");
    stub.now().register("c");
    assert_eq!(client.latest(&all).await.unwrap()["c"], 2);
}

#[tokio::test]
async fn a_registry_without_an_answer_for_all_is_asked_for_each() {
    for bulk in [Bulk::Empty, Bulk::Status(404), Bulk::Status(405), Bulk::Status(403), Bulk::Garbage] {
        let stub = Stub::new(Can { bulk, ..Can::apicurio() }, &["a-key", "a-value", "b-value"]).await;
        let (client, all) = (stub.client(), wanted(&["a-key", "a-value", "b-key", "b-value"]));
        for version in [1, 2] {
            let expected = newest(&[("a-key", 1), ("a-value", version), ("b-value", 1)]);
            stub.asked();
            assert_eq!(client.latest(&all).await.unwrap(), expected, "{bulk:?}");
            stub.now().register("a-value");
        }
        let asked = stub.asked();
        assert!(asked.len() == 4 && asked.iter().all(|line| line.ends_with("/versions")), "{bulk:?} {asked:?}");
    }
}

#[tokio::test]
async fn who_may_not_list_subjects_still_looks_at_his_own() {
    let stub = Stub::new(Can { listing: false, ..Can::confluent() }, &["a-value"]).await;
    assert_eq!(stub.client().latest(&wanted(&["a-key", "a-value"])).await.unwrap(), newest(&[("a-value", 1)]));
}

#[tokio::test]
async fn pages_neither_lose_nor_repeat() {
    let names: Vec<String> = (0..7).map(|n| format!("s{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for page in 1..=8 {
        for pages in [true, false] {
            let page = if pages { page } else { usize::MAX };
            let stub = Stub::new(Can { page, pages, ..Can::confluent() }, &names).await;
            let client = stub.client();
            let late = wanted(&[&names[..], &["s8", "s9"]].concat());
            assert_eq!(client.latest(&late).await.unwrap().len(), 7, "page {page}");
            for _ in 0..2 {
                assert_eq!(client.latest(&late).await.unwrap().len(), 7, "page {page}");
            }
            // Also where all that was there filled a page: it takes some looks then.
            stub.now().register("s8");
            stub.now().register("s9");
            let mut looks = 0;
            while client.latest(&late).await.unwrap().len() < 9 {
                looks += 1;
                assert!(looks < LOOKS, "page {page}: never seen");
            }
            assert!(looks == 0 || pages && page <= 7, "page {page}: {looks} looks");
        }
    }
}

#[tokio::test]
async fn a_subject_that_comes_between_two_requests_is_there() {
    let stub = Stub::new(Can::confluent(), &["s1", "s2"]).await;
    let (client, both) = (stub.client(), wanted(&["s1", "s2"]));
    // Listed, and then not among all: it is asked once more.
    stub.now().late = 1;
    assert_eq!(client.latest(&both).await.unwrap().len(), 2);
    stub.asked();
    assert_eq!(client.latest(&both).await.unwrap().len(), 2);
    assert_eq!(stub.asked(), ["GET /schemas?latestOnly=true&deleted=false&subjectPrefix=s"]);
}

#[tokio::test]
async fn while_nothing_of_what_is_wanted_is_there_only_the_list_is_asked_for() {
    let stub = Stub::new(Can::confluent(), &["s1"]).await;
    let client = stub.client();
    assert_eq!(client.latest(&wanted(&["x1", "x2"])).await.unwrap().len(), 0);
    assert_eq!(stub.asked(), ["GET /subjects"]);
    assert_eq!(client.latest(&BTreeSet::new()).await.unwrap().len(), 0);
    assert_eq!(stub.asked().len(), 0);
}

#[tokio::test]
async fn deleted_versions_do_not_count() {
    for can in [Can::confluent(), Can::karapace(), Can::apicurio()] {
        let stub = Stub::new(can.clone(), &["a-value", "a-value", "a-value", "b-value"]).await;
        let (client, all) = (stub.client(), wanted(&["a-value", "b-value"]));
        assert_eq!(client.latest(&all).await.unwrap(), newest(&[("a-value", 3), ("b-value", 1)]), "{can:?}");
        stub.now().delete("a-value", 3);
        assert_eq!(client.latest(&all).await.unwrap(), newest(&[("a-value", 2), ("b-value", 1)]), "{can:?}");
        assert_eq!(client.versions("a-value").await.unwrap(), [1, 2]);
        stub.now().delete("b-value", 1);
        assert_eq!(client.latest(&all).await.unwrap(), newest(&[("a-value", 2)]), "{can:?}");
        // What a statement was written for can be read all the same.
        assert_eq!(client.schema("a-value", 3).await.unwrap().version, 3);
        assert!(matches!(client.schema("a-value", 4).await, Err(PortError::Missing { .. })));
    }
}

#[tokio::test]
async fn an_address_that_leads_into_a_context_has_its_own_subjects_and_ids() {
    for can in [Can::confluent(), Can::karapace(), Can::apicurio()] {
        let stub = Stub::new(can, &["a-value", ":.eu:a-value", ":.eu:a-value", ":.us:b-value"]).await;
        let within = |context: &str| RegistryClient::new(&Endpoint::new(format!("{}/{context}", stub.url))).unwrap();
        let eu = within("contexts/.eu");
        assert_eq!(eu.subjects().await.unwrap(), ["a-value"]);
        let all = wanted(&["a-value", "b-value"]);
        for _ in 0..2 {
            assert_eq!(eu.latest(&all).await.unwrap(), newest(&[("a-value", 2)]));
        }
        assert_eq!(eu.schema("a-value", 2).await.unwrap().subject, "a-value");
        assert!(eu.schema_by_id(3).await.is_ok());
        assert!(matches!(eu.schema_by_id(1).await, Err(PortError::Missing { .. })), "an id of the default context");
        assert_eq!(within("contexts/:.us:").latest(&all).await.unwrap(), newest(&[("b-value", 1)]));
        assert_eq!(within("").latest(&all).await.unwrap(), newest(&[("a-value", 1)]));
    }
}

#[tokio::test]
async fn a_large_registry_is_not_read_for_two_subjects() {
    let stub = Stub::new(Can::karapace(), &["a-value", "z-value"]).await;
    stub.now().size = 2_000;
    for n in 0..2_000 {
        stub.now().register(&format!("other{n}-value"));
    }
    let (client, two) = (stub.client(), wanted(&["a-value", "z-value"]));
    assert_eq!(client.latest(&two).await.unwrap().len(), 2);
    stub.asked();
    assert_eq!(client.latest(&two).await.unwrap().len(), 2);
    let asked = stub.asked();
    assert!(asked.len() == 2 && asked.iter().all(|line| line.ends_with("/versions")), "{asked:?}");
    // With a name for each state, nothing is sent twice, so it may be as large as it is.
    stub.now().can.etags = true;
    let client = stub.client();
    for _ in 0..2 {
        stub.asked();
        assert_eq!(client.latest(&two).await.unwrap().len(), 2);
    }
    assert_eq!(stub.asked().len(), 1);
}

#[tokio::test]
async fn another_registry_that_comes_back_is_tried_anew() {
    let stub = Stub::new(Can::confluent(), &["a-value"]).await;
    let (client, all) = (stub.client(), wanted(&["a-key", "a-value"]));
    client.latest(&all).await.unwrap();
    stub.now().mood = Mood::Down;
    assert!(client.latest(&all).await.unwrap_err().passing());
    stub.now().mood = Mood::Well;
    stub.now().can = Can::apicurio();
    assert_eq!(client.latest(&all).await.unwrap(), newest(&[("a-value", 1)]));
}

#[tokio::test]
async fn a_mode_is_told_where_there_are_modes() {
    let stub = Stub::new(Can::confluent(), &["a-value"]).await;
    stub.now().mode = "READONLY";
    assert_eq!(stub.client().mode("a-value").await.unwrap().as_deref(), Some("READONLY"));
    stub.now().can.modes = false;
    assert_eq!(stub.client().mode("a-value").await.unwrap(), None);
}

#[tokio::test]
async fn what_the_watcher_asks_for_and_what_planning_asks_for_are_one_request_each() {
    let stub = Stub::new(Can::confluent(), &["shop.a-value", "shop.b-value"]).await;
    let client = stub.client();
    let (watched, topics) = (wanted(&["shop.a-value", "shop.a-key"]), wanted(&["shop.a", "shop.b"]));
    for look in 0..3 {
        stub.asked();
        assert_eq!(client.latest(&watched).await.unwrap(), newest(&[("shop.a-value", 1)]));
        let planned = gather::versions(&client, &Subjects::default(), &topics).await.unwrap();
        assert_eq!(planned, newest(&[("shop.a-value", 1), ("shop.b-value", 1)]));
        let asked = stub.asked();
        assert!(look == 0 || asked.len() == 2, "{asked:?}");
    }
}
