//! Connect.

use super::Fake;
use crate::adapter::connect::ConnectClient;
use crate::port::Connectors;

#[tokio::test]
async fn a_cluster_that_balances_is_asked_again() {
    let answer = |_: &str, before: usize| match before {
        0 => (409, r#"{"error_code":409,"message":"rebalance in progress"}"#.into()),
        _ => (202, String::new()),
    };
    let fake = Fake::new(answer).await;
    ConnectClient::new(&fake.endpoint()).unwrap().resume("c d").await.unwrap();
    assert_eq!(fake.lines(), vec!["PUT /base/connectors/c%20d/resume"; 2]);
}

#[tokio::test]
async fn a_stop_waits_until_the_tasks_are_gone() {
    let states = [
        r#"{"connector":{"state":"RUNNING"},"tasks":[{"id":0,"state":"RUNNING"}]}"#,
        r#"{"connector":{"state":"STOPPED"},"tasks":[{"id":0,"state":"RUNNING"}]}"#,
        r#"{"connector":{"state":"STOPPED"},"tasks":[]}"#,
    ];
    let answer = move |line: &str, before: usize| match line.starts_with("PUT") {
        true => (204, String::new()),
        false => (200, states[before.min(2)].to_owned()),
    };
    let fake = Fake::new(answer).await;
    ConnectClient::new(&fake.endpoint()).unwrap().stop("c").await.unwrap();
    assert_eq!(fake.count("GET /base/connectors/c/status"), 3);
}

#[tokio::test]
async fn offsets_that_were_not_taken_are_an_error() {
    let kept = r#"{"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":{"kafka_offset":5}}]}"#;
    let fake = Fake::constant(200, kept).await;
    let connect = ConnectClient::new(&fake.endpoint()).unwrap();
    let outcome = connect.set_offsets("c", "t", &[(0, Some(5)), (1, Some(2))].into()).await;
    assert!(outcome.as_ref().is_err_and(|e| e.to_string().contains("partition 1 is none")), "{outcome:?}");
    let outcome = connect.set_offsets("c", "t", &[(0, None)].into()).await;
    assert!(outcome.as_ref().is_err_and(|e| e.to_string().contains("partition 0 is 5")), "{outcome:?}");
    let sent: Vec<String> = fake.seen().into_iter().filter(|s| s.line.starts_with("PATCH")).map(|s| s.body).collect();
    let partition = |p: i32| format!(r#""partition":{{"kafka_partition":{p},"kafka_topic":"t"}}"#);
    assert_eq!(
        sent,
        [
            format!(r#"{{"offsets":[{{"offset":{{"kafka_offset":2}},{}}}]}}"#, partition(1)),
            format!(r#"{{"offsets":[{{"offset":null,{}}}]}}"#, partition(0)),
        ]
    );
    connect.set_offsets("c", "t", &[(0, Some(5)), (1, None)].into()).await.expect("they are so already");
}

#[tokio::test]
async fn a_secret_setting_is_not_repeated() {
    let fake = Fake::constant(400, r#"{"error_code":400,"message":"Invalid value s3cr3t for x"}"#).await;
    let config = [("database.password".to_owned(), "s3cr3t".to_owned())].into();
    let error = ConnectClient::new(&fake.endpoint()).unwrap().configure("c", &config).await.unwrap_err();
    assert_eq!(error.to_string(), "Connect refused PUT config of connector `c`: HTTP 400: Invalid value *** for x");
}

#[tokio::test]
async fn a_failed_connector_without_tasks_says_why() {
    let fake = Fake::constant(
        200,
        r#"{"connector":{"state":"FAILED","trace":"a.b.XException: no\n\tat a"},"tasks":[{"id":0,"state":"UNASSIGNED"}]}"#,
    )
    .await;
    let status = ConnectClient::new(&fake.endpoint()).unwrap().status("c").await.unwrap().unwrap();
    assert_eq!(
        (status.tasks.as_slice(), status.failure.as_deref()),
        (&["UNASSIGNED".into()][..], Some("a.b.XException: no"))
    );
}

#[tokio::test]
async fn every_connector_is_listed_with_its_settings() {
    let all = r#"{"a":{"info":{"name":"a","config":{"topics":"t","empty":null},"tasks":[],"type":"sink"}}}"#;
    let fake = Fake::constant(200, all).await;
    let all = ConnectClient::new(&fake.endpoint()).unwrap().all().await.unwrap();
    assert_eq!(all["a"], [("topics".to_owned(), "t".to_owned())].into());
    assert_eq!(fake.lines(), ["GET /base/connectors?expand=info"]);
    let starting = Fake::constant(404, "<html>").await;
    let error = ConnectClient::new(&starting.endpoint()).unwrap().all().await.unwrap_err();
    assert!(error.passing(), "{error}");
}
