//! Flink.

use std::time::{Duration, Instant};

use super::{Fake, ID, job};
use crate::adapter::flink_gateway::FlinkEngine;
use crate::port::{Engine, PortError};

/// A gateway whose statements end in `last`; `NOT_READY` comes first.
async fn gateway(last: (u16, &'static str)) -> Fake {
    Fake::new(move |line, before| {
        let answer = |text: &str| (200, text.to_owned());
        match line {
            "POST /base/v1/sessions" => answer(r#"{"sessionHandle":"S"}"#),
            l if l.ends_with("/statements") => answer(&format!(r#"{{"operationHandle":"O{before}"}}"#)),
            l if l.contains("/O1/") && before == 0 => answer(r#"{"resultType":"NOT_READY"}"#),
            l if l.contains("/O1/") => (last.0, last.1.to_owned()),
            l if l.contains("/result/") => answer(r#"{"resultType":"EOS"}"#),
            _ => answer(r#"{"status":"RUNNING"}"#),
        }
    })
    .await
}

#[tokio::test]
async fn a_session_is_closed_and_an_insert_is_sent_once_whatever_comes() {
    let good = r#"{"resultType":"PAYLOAD","jobID":"0123456789abcdef0123456789abcdef","results":{"data":[]},"nextResultUri":"/x"}"#;
    let bad = r#"{"errors":["Internal server error.","a.b.XException: it will not do\n\tat a.b.C(C.java:1)"]}"#;
    let lost =
        r#"{"errors":["","Caused by: a.SqlGatewayException: Session 'S' does not exist.\n\tat a.b.C(C.java:1)"]}"#;
    for (status, last) in
        [(200, good), (500, bad), (500, lost), (200, "nonsense"), (200, r#"{"resultType":"PAYLOAD"}"#)]
    {
        let fake = gateway((status, last)).await;
        let flink = FlinkEngine::new(&fake.endpoint(), &fake.endpoint()).unwrap();
        let outcome = flink.start(&job()).await;
        match last {
            l if l == good => {
                let started = outcome.unwrap();
                assert_eq!((started.id.as_str(), started.name.as_str(), started.state.as_str()), (ID, "j", "RUNNING"));
            }
            l if l == bad => {
                let error = outcome.unwrap_err();
                assert_eq!(error.to_string(), "SQL gateway refused `INSERT INTO b SELECT`: it will not do");
            }
            l if l == lost => assert!(outcome.unwrap_err().passing()),
            _ => assert!(matches!(outcome, Err(PortError::Garbage { .. })), "{outcome:?}"),
        }
        assert_eq!(fake.count("DELETE /base/v1/sessions/S"), 1, "{last}");
        let sent: Vec<String> =
            fake.seen().into_iter().filter(|s| s.line.ends_with("/statements")).map(|s| s.body).collect();
        assert_eq!(sent, [r#"{"statement":"CREATE TABLE a"}"#, r#"{"statement":"INSERT INTO b SELECT 1"}"#], "{last}");
        let opened = fake.seen().into_iter().find(|s| s.line == "POST /base/v1/sessions").unwrap();
        assert_eq!(opened.body, r#"{"properties":{"pipeline.name":"j"}}"#);
    }
}

#[tokio::test]
async fn a_statement_that_broke_is_not_sent_again() {
    let answer = |line: &str, _: usize| match line {
        "POST /base/v1/sessions" => (200, r#"{"sessionHandle":"S"}"#.into()),
        l if l.ends_with("/statements") => (502, "a proxy".into()),
        _ => (200, "{}".into()),
    };
    let fake = Fake::new(answer).await;
    let error = FlinkEngine::new(&fake.endpoint(), &fake.endpoint()).unwrap().start(&job()).await.unwrap_err();
    assert!(error.passing(), "{error}");
    assert_eq!(fake.count("POST /base/v1/sessions/S/statements"), 1);
    assert_eq!(fake.count("DELETE /base/v1/sessions/S"), 1);
}

#[tokio::test]
async fn a_session_whose_caller_went_away_is_closed() {
    let waits = |line: &str, _: usize| match line {
        "POST /base/v1/sessions" => (200, r#"{"sessionHandle":"S"}"#.into()),
        l if l.ends_with("/statements") => (200, r#"{"operationHandle":"O"}"#.into()),
        l if l.contains("/result/") => (200, r#"{"resultType":"NOT_READY"}"#.into()),
        _ => (200, "{}".into()),
    };
    let fake = Fake::new(waits).await;
    let flink = FlinkEngine::new(&fake.endpoint(), &fake.endpoint()).unwrap();
    let gone = tokio::time::timeout(Duration::from_millis(500), flink.start(&job())).await;
    assert!(gone.is_err());
    let deadline = Instant::now() + Duration::from_secs(10);
    while fake.count("DELETE /base/v1/sessions/S") == 0 {
        assert!(Instant::now() < deadline, "{:?}", fake.lines());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn checkpoints_count_from_the_last_exception_on() {
    let answer = |line: &str, _: usize| {
        let text = match line.rsplit('/').next().unwrap() {
            "checkpoints" => {
                r#"{"counts":{"completed":40},"history":[
                {"id":43,"status":"IN_PROGRESS","trigger_timestamp":260},{"id":42,"status":"COMPLETED","trigger_timestamp":250},
                {"id":41,"status":"FAILED","trigger_timestamp":240},{"id":40,"status":"COMPLETED","trigger_timestamp":201},
                {"id":39,"status":"COMPLETED","trigger_timestamp":200},{"id":38,"status":"COMPLETED","trigger_timestamp":100}]}"#
            }
            l if l.starts_with("exceptions") => {
                r#"{"exceptionHistory":{"entries":[
                {"exceptionName":"x","stacktrace":"a.b.JobException: Recovery is suppressed by NoRestart\n\tat a.b(C.java:1)","timestamp":200,
                 "concurrentExceptions":[{"stacktrace":"a.b.YException: the row is wrong\n\tat a.b(C.java:1)"}]},
                {"exceptionName":"x","stacktrace":"a.b.ZException: older","timestamp":90,"concurrentExceptions":[]}],"truncated":false}}"#
            }
            _ => r#"{"state":"RUNNING","start-time":50}"#,
        };
        (200, text.to_owned())
    };
    let fake = Fake::new(answer).await;
    let health = FlinkEngine::new(&fake.endpoint(), &fake.endpoint()).unwrap().health(ID).await.unwrap();
    assert_eq!((health.checkpoints, health.checkpoints_since_exception, health.exceptions), (40, 2, 2));
    assert_eq!((health.state.as_str(), health.started_ms), ("RUNNING", 50));
    assert_eq!(health.last_exception.as_deref(), Some("the row is wrong"));
}

#[tokio::test]
async fn a_cancel_waits_for_the_end() {
    let states = ["RUNNING", "CANCELLING", "CANCELED"];
    let answer = move |line: &str, before: usize| match line.starts_with("PATCH") {
        true => (202, "{}".into()),
        false => (200, format!(r#"{{"status":"{}"}}"#, states[before.min(2)])),
    };
    let fake = Fake::new(answer).await;
    FlinkEngine::new(&fake.endpoint(), &fake.endpoint()).unwrap().cancel(ID).await.unwrap();
    assert_eq!(fake.count(&format!("GET /base/jobs/{ID}/status")), 3);
    assert_eq!(fake.count(&format!("PATCH /base/jobs/{ID}?mode=cancel")), 1);
}

#[tokio::test]
async fn a_running_job_says_what_it_does_and_how_far_its_sources_have_read() {
    let fake = Fake::new(|line, _| {
        let answer = |text: &str| (200, text.to_owned());
        match line.trim_start_matches("GET /base/jobs/0123456789abcdef0123456789abcdef") {
            "/plan" => answer(
                r#"{"plan":{"nodes":[{"description":"[1]:TableSourceScan(table=[[c, d, t]], fields=[a])<br/>+- u[2]: Writer<br/>"}]}}"#,
            ),
            "" => answer(r#"{"state":"RUNNING","start-time":1,"vertices":[{"id":"v"}]}"#),
            "/vertices/v/metrics" => answer(
                r#"[{"id":"0.Source__t[1].KafkaSourceReader.topic.p_t.partition.0.currentOffset"},{"id":"0.numRecordsIn"}]"#,
            ),
            line if line.starts_with("/vertices/v/metrics?get=0.Source__t") => answer(
                r#"[{"id":"0.Source__t[1].KafkaSourceReader.topic.p_t.partition.0.currentOffset","value":"41"}]"#,
            ),
            _ => (404, r#"{"errors":["org.apache.flink.runtime.messages.FlinkJobNotFoundException: no"]}"#.to_owned()),
        }
    })
    .await;
    let flink = FlinkEngine::new(&fake.endpoint(), &fake.endpoint()).unwrap();
    let shape = flink.running(ID).await.unwrap();
    assert_eq!((shape.reads, shape.writes), (vec!["t".to_owned()], vec!["u".to_owned()]));
    assert_eq!(flink.positions(ID, "t", "p.t").await.unwrap(), Some([(0, 42)].into()));
    assert_eq!(flink.positions(ID, "t", "other").await.unwrap(), None);
    assert_eq!(flink.positions(ID, "other", "p.t").await.unwrap(), None);
    let unknown = flink.running("../../config").await.unwrap_err();
    assert!(matches!(unknown, PortError::Missing { .. }), "{unknown:?}");
}
