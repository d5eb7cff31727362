//! The adapters against services that refuse, break, lie or are not there.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use tokio::net::TcpListener;

use super::connect::ConnectClient;
use super::flink_gateway::FlinkEngine;
use super::registry::RegistryClient;
use super::rest::{Auth, Endpoint};
use super::webhook::{WebhookNotifier, WebhookSettings};
use crate::model::job::JobText;
use crate::port::{Connectors, Engine, Notifier, OutgoingEvent, PortError, Registry};

/// One request that a fake service got.
#[derive(Clone, Debug)]
struct Seen {
    line: String,
    headers: HeaderMap,
    body: String,
}

/// A service that answers as told and remembers what it was asked.
struct Fake {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Fake {
    /// `answer` gets `METHOD /path?query` and how often this line was asked before.
    async fn new(answer: impl Fn(&str, usize) -> (u16, String) + Clone + Send + Sync + 'static) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::clone(&seen);
        let app = Router::new().fallback(async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let line = format!("{method} {uri}");
            let body = String::from_utf8(body.to_vec()).unwrap();
            let mut log = log.lock().unwrap();
            let before = log.iter().filter(|s| s.line == line).count();
            log.push(Seen { line: line.clone(), headers, body });
            let (status, text) = answer(&line, before);
            (StatusCode::from_u16(status).unwrap(), text)
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, seen }
    }

    /// Always the same.
    async fn constant(status: u16, body: &'static str) -> Self {
        Self::new(move |_, _| (status, body.to_owned())).await
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::new(format!("http://{}/base", self.address))
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|s| s.line).collect()
    }

    fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|l| *l == line).count()
    }
}

/// An address where nobody listens.
async fn nobody() -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Endpoint::new(format!("http://me:hunter2@{}", listener.local_addr().unwrap()))
}

/// One call of each adapter.
async fn each(endpoint: &Endpoint) -> Vec<PortError> {
    let registry = RegistryClient::new(endpoint).unwrap();
    let connect = ConnectClient::new(endpoint).unwrap();
    let flink = FlinkEngine::new(endpoint, endpoint).unwrap();
    vec![
        registry.versions("s").await.unwrap_err(),
        connect.config("c").await.unwrap_err(),
        flink.jobs().await.unwrap_err(),
        flink.explain(&job()).await.unwrap_err(),
    ]
}

fn job() -> JobText {
    JobText {
        name: "j".into(),
        settings: BTreeMap::new(),
        ddl: vec!["CREATE TABLE a".into()],
        insert: "INSERT INTO b SELECT 1".into(),
    }
}

const ID: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn nobody_there_is_said_at_once_and_without_the_password() {
    let endpoint = nobody().await;
    let start = Instant::now();
    for error in each(&endpoint).await {
        assert!(error.passing(), "{error}");
        let text = error.to_string();
        assert!(text.contains("127.0.0.1") && text.contains("refused"), "{text}");
        assert!(!text.contains("hunter2") && !text.contains("me:"), "{text}");
    }
    assert!(start.elapsed() < Duration::from_secs(8), "four calls took {:?}", start.elapsed());
}

#[tokio::test]
async fn refusals_are_told_from_outages() {
    for (status, passing, tries) in [(400, false, 1), (401, false, 1), (403, false, 1), (500, false, 3), (503, true, 3)]
    {
        let fake = Fake::constant(status, r#"{"error_code":7,"message":"because of x"}"#).await;
        let error = RegistryClient::new(&fake.endpoint()).unwrap().subjects().await.unwrap_err();
        assert_eq!(error.passing(), passing, "{error}");
        assert!(error.to_string().contains(&format!("HTTP {status}, code 7")), "{error}");
        assert!(error.to_string().contains("because of x"), "{error}");
        assert_eq!(fake.lines(), vec!["GET /base/subjects"; tries]);
    }
    let fake = Fake::constant(500, r#"{"error_code":50002,"message":"store is slow"}"#).await;
    let error = RegistryClient::new(&fake.endpoint()).unwrap().subjects().await.unwrap_err();
    assert!(error.passing(), "{error}");
}

#[tokio::test]
async fn a_hiccup_is_outlived() {
    let answer = |_: &str, before: usize| if before < 2 { (500, "x".into()) } else { (200, "[3,1,2]".into()) };
    let fake = Fake::new(answer).await;
    let registry = RegistryClient::new(&fake.endpoint()).unwrap();
    assert_eq!(registry.versions("s").await.unwrap(), [1, 2, 3]);
    assert_eq!(fake.count("GET /base/subjects/s/versions"), 3);
}

#[tokio::test]
async fn garbage_is_called_garbage() {
    for body in ["", "<html>hello", "null", "{\"a\":", "[{}]", "\u{0}\u{1}", "7"] {
        let fake = Fake::new(move |_, _| (200, body.to_owned())).await;
        for error in each(&fake.endpoint()).await {
            assert!(matches!(error, PortError::Garbage { .. }), "{body:?}: {error:?}");
            assert!(!error.to_string().contains('\n') && error.to_string().chars().count() < 500, "{error}");
        }
    }
}

#[tokio::test]
async fn a_404_of_something_else_is_not_nothing() {
    for body in
        ["", "<html>not here</html>", r#"{"error":"no route"}"#, r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#]
    {
        let fake = Fake::new(move |_, _| (404, body.to_owned())).await;
        let registry = RegistryClient::new(&fake.endpoint()).unwrap();
        assert!(matches!(registry.versions("s").await, Err(PortError::Refused { .. })), "{body}");
        assert!(matches!(registry.delete_subject("s").await, Err(PortError::Refused { .. })), "{body}");
        let connect = ConnectClient::new(&fake.endpoint()).unwrap();
        assert!(matches!(connect.config("c").await, Err(PortError::Refused { .. })), "{body}");
        assert!(matches!(connect.delete("c").await, Err(PortError::Refused { .. })), "{body}");
        let flink = FlinkEngine::new(&fake.endpoint(), &fake.endpoint()).unwrap();
        assert!(matches!(flink.health(ID).await, Err(PortError::Refused { .. })), "{body}");
        assert!(matches!(flink.cancel(ID).await, Err(PortError::Refused { .. })), "{body}");
    }
}

#[tokio::test]
async fn credentials_go_out_in_a_header_and_come_back_in_no_error() {
    let auths = [
        (Auth::Bearer("t0ken-t0ken".into()), "Bearer t0ken-t0ken", "t0ken-t0ken"),
        (Auth::Basic { user: "me".into(), password: "hunter2".into() }, "Basic bWU6aHVudGVyMg==", "hunter2"),
    ];
    for (auth, header, secret) in auths {
        let echo = Fake::new(move |_, _| (403, format!(r#"{{"message":"no entry with {secret}"}}"#))).await;
        let endpoint = Endpoint { auth: Some(auth), ..echo.endpoint() };
        for error in each(&endpoint).await {
            assert!(!error.to_string().contains(secret), "{error}");
            assert!(error.to_string().contains("HTTP 403"), "{error}");
        }
        assert!(echo.seen().iter().all(|s| s.headers["authorization"] == header && !s.line.contains(secret)));
        assert!(!format!("{endpoint:?}").contains(secret));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let fake = Fake::constant(302, "").await;
    let error = RegistryClient::new(&fake.endpoint()).unwrap().subjects().await.unwrap_err();
    assert!(error.to_string().contains("it redirects"), "{error}");
    assert_eq!(fake.lines().len(), 1);
}

// ---- registry ----

#[tokio::test]
async fn a_level_that_cannot_be_set_yet_is_missing() {
    let none = r#"{"error_code":40401,"message":"no subject"}"#;
    let fake = Fake::constant(404, none).await;
    let outcome = RegistryClient::new(&fake.endpoint()).unwrap().set_level("s", "FULL").await;
    assert!(matches!(outcome, Err(PortError::Missing { .. })), "{outcome:?}");
    // Takes it and forgets it; takes it and keeps another.
    let forgets = move |line: &str, _: usize| match line.starts_with("PUT") {
        true => (200, r#"{"compatibility":"FULL"}"#.into()),
        false => (404, none.into()),
    };
    let outcome = RegistryClient::new(&Fake::new(forgets).await.endpoint()).unwrap().set_level("s", "FULL").await;
    assert!(matches!(outcome, Err(PortError::Missing { .. })), "{outcome:?}");
    let other = Fake::constant(200, r#"{"compatibilityLevel":"NONE"}"#).await;
    let outcome = RegistryClient::new(&other.endpoint()).unwrap().set_level("s", "FULL").await;
    assert!(matches!(outcome, Err(PortError::Refused { .. })), "{outcome:?}");
}

#[tokio::test]
async fn versions_are_one_request_and_ids_are_asked_once() {
    let answer = |line: &str, _: usize| match line.contains("/ids/") {
        true => (200, r#"{"schema":"\"int\""}"#.into()),
        false => (200, "[1]".into()),
    };
    let fake = Fake::new(answer).await;
    let registry = RegistryClient::new(&fake.endpoint()).unwrap();
    for _ in 0..3 {
        registry.versions("s").await.unwrap();
        let schema = registry.schema_by_id(7).await.unwrap();
        assert_eq!((schema.id, schema.kind.as_str(), schema.text.as_str()), (7, "AVRO", "\"int\""));
    }
    assert_eq!(fake.count("GET /base/subjects/s/versions"), 3);
    assert_eq!(fake.count("GET /base/schemas/ids/7"), 1);
}

#[tokio::test]
async fn references_in_a_circle_come_to_an_end() {
    let answer = |line: &str, _: usize| {
        let (subject, next) = if line.contains("/a/") { ("a", "b") } else { ("b", "a") };
        let refs = format!(r#"[{{"name":"n.{next}","subject":"{next}","version":1}}]"#);
        (200, format!(r#"{{"subject":"{subject}","version":1,"id":1,"schema":"{subject}","references":{refs}}}"#))
    };
    let fake = Fake::new(answer).await;
    let schema = RegistryClient::new(&fake.endpoint()).unwrap().schema("a", 1).await.unwrap();
    assert_eq!(schema.references, [("n.a".to_owned(), "a".to_owned()), ("n.b".to_owned(), "b".to_owned())]);
}

// ---- Flink ----

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

// ---- Connect ----

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

// ---- webhooks ----

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn event() -> OutgoingEvent {
    OutgoingEvent { id: "msg_1".into(), kind: "rollout.done".into(), at_ms: 0, body: r#"{"a":"ü"}"#.into() }
}

fn notifier(fake: &Fake) -> WebhookNotifier {
    let url = format!("http://{}/hook/t0ken", fake.address);
    let notifier = WebhookNotifier::new(Some(&WebhookSettings { url, secret: SECRET.into() })).unwrap();
    notifier.hasty(Duration::from_millis(10))
}

#[tokio::test]
async fn a_webhook_is_signed_and_repeated_until_it_is_taken() {
    let fake = Fake::new(|_, before| if before < 3 { (500, String::new()) } else { (204, String::new()) }).await;
    notifier(&fake).notify(&event()).await.unwrap();
    let seen = fake.seen();
    assert_eq!(seen.len(), 4);
    let receiver = standardwebhooks::Webhook::new(SECRET).unwrap();
    for request in &seen {
        assert_eq!(request.line, "POST /hook/t0ken");
        assert_eq!((request.headers["webhook-id"].to_str().unwrap(), request.body.as_str()), ("msg_1", r#"{"a":"ü"}"#));
        assert_eq!(request.headers["content-type"], "application/json");
        receiver.verify(request.body.as_bytes(), &request.headers).unwrap();
        assert!(receiver.verify(b"{}", &request.headers).is_err());
    }
}

#[tokio::test]
async fn a_webhook_that_is_refused_is_not_repeated() {
    let fake = Fake::constant(410, "gone").await;
    let error = notifier(&fake).notify(&event()).await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }), "{error:?}");
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn a_webhook_is_given_up_after_five_tries_and_its_address_not_told() {
    let fake = Fake::constant(503, "").await;
    let error = notifier(&fake).notify(&event()).await.unwrap_err();
    assert!(error.passing() && !error.to_string().contains("t0ken"), "{error}");
    assert_eq!(fake.seen().len(), 5);
    let away = Fake { address: TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap(), ..fake };
    let error = notifier(&away).notify(&event()).await.unwrap_err();
    assert!(error.passing() && !error.to_string().contains("t0ken"), "{error}");
}

#[tokio::test]
async fn without_a_receiver_every_event_is_delivered() {
    WebhookNotifier::new(None).unwrap().notify(&event()).await.unwrap();
}

#[tokio::test]
async fn a_wrong_receiver_is_turned_away() {
    for (url, secret) in
        [("hook", SECRET), ("ftp://x/", SECRET), ("http://x/", "whsec_"), ("http://x/", "whsec_%%%"), ("http://x/", "")]
    {
        let settings = WebhookSettings { url: url.into(), secret: secret.into() };
        let error = WebhookNotifier::new(Some(&settings)).err().expect("it is wrong").to_string();
        assert!(error.starts_with("webhook receiver refused its "), "{error}");
        assert_eq!(format!("{settings:?}"), "WebhookSettings(***)");
    }
}
