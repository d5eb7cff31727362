//! The calls that only look, the page, and what is true of every answer.

use super::*;
use crate::daemon::handle::{HistoryView, RefusedView, TopicReport};

#[tokio::test]
async fn ready_means_leading_and_replayed() {
    assert_eq!(world().get("/healthz").await.status, 200);
    assert_eq!(world().get("/readyz").await.status, 200);
    for view in [View { leading: false, ..view() }, View { replayed: false, ..view() }] {
        let got = world_with(view, auth()).get("/readyz").await;
        assert_eq!((got.status.as_u16(), got.json()["ready"].as_bool()), (503, Some(false)));
    }
}

#[tokio::test]
async fn rollouts_are_listed_and_shown_whole() {
    let world = world();
    let listed = world.get("/api/v1/rollouts").await.json();
    assert_eq!(listed["rollouts"][0]["id"], "r1");
    assert_eq!(listed["rollouts"][0]["outcome"], "pass");
    assert!(listed["rollouts"][0].get("plan").is_none(), "plans are large");
    let shown = world.get("/api/v1/rollouts/r1").await.json();
    let back: RolloutView = serde_json::from_value(shown).unwrap();
    assert_eq!(back, view().rollouts[0]);
    assert_eq!(back.evidence.unwrap().digest(), back.evidence_digest.unwrap());
    assert_eq!(world.get("/api/v1/rollouts/r9").await.cause(), "unknown_rollout");
    assert_eq!(world.get("/api/v1/rollouts/%ff").await.cause(), "not_found");
    let status = world.get("/api/v1/status").await.json();
    assert_eq!((status["env"].as_str(), status["leading"].as_bool()), (Some("dev"), Some(true)));
    assert!(world.get("/api/v1/manifest").await.json()["tables"].is_object());
    assert!(world.get("/api/v1/jobs").await.json()["jobs"].is_object());
}

#[tokio::test]
async fn what_input_topics_hold_is_listed_and_shown() {
    let report = TopicReport { topic: "p.a".to_owned(), records: 7, unreadable: 1, ..TopicReport::default() };
    let topics = [("p.a".to_owned(), Arc::new(report.clone()))].into();
    let world = world_with(View { topics, ..view() }, auth());
    let listed = world.get("/api/v1/topics").await.json();
    let short = serde_json::json!({ "topic": "p.a", "records": 7, "unreadable": 1, "updates_without_before": 0 });
    assert_eq!(listed, serde_json::json!({ "topics": [short] }));
    let shown: TopicReport = serde_json::from_value(world.get("/api/v1/topics/p.a").await.json()).unwrap();
    assert_eq!(shown, report);
    assert_eq!(world.get("/api/v1/topics/p.b").await.cause(), "not_found");
}

#[tokio::test]
async fn looking_can_be_made_to_need_a_token() {
    let world = world_with(view(), auth().reads(ReadAccess::Token));
    for path in [
        "/",
        "/api/v1/status",
        "/api/v1/manifest",
        "/api/v1/jobs",
        "/api/v1/topics",
        "/api/v1/rollouts",
        "/api/v1/rollouts/r1",
    ] {
        assert_eq!(world.get(path).await.cause(), "unauthenticated", "{path}");
        let with = |token| [("authorization", format!("Bearer {token}"))];
        for (token, status) in [(READER, 200), (OPERATOR, 403)] {
            let [(name, value)] = with(token);
            assert_eq!(world.send("GET", path, &[(name, &value)], "").await.status, status, "{path}");
        }
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(world.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_as_json() {
    let world = world();
    let got = world.get("/api/v2/nothing").await;
    assert_eq!((got.status.as_u16(), got.cause().as_str()), (404, "not_found"));
    let got = world.get(APPROVE).await;
    assert_eq!((got.status.as_u16(), got.cause().as_str()), (405, "method_not_allowed"));
    let got = world.send("DELETE", "/api/v1/rollouts/r1", &[], "").await;
    assert_eq!(got.cause(), "method_not_allowed");
}

#[tokio::test]
async fn requests_are_counted_by_route_and_not_by_what_is_in_the_path() {
    let world = world();
    for path in ["/api/v1/rollouts/a", "/api/v1/rollouts/b", "/x", "/y"] {
        world.get(path).await;
    }
    let count = |path| world.metrics.http_requests_total.get([path, "404"]);
    assert_eq!((count("/api/v1/rollouts/{id}"), count("other")), (2, 2));
    let text = world.get("/metrics").await;
    assert_eq!(text.headers.get("content-type").unwrap(), "text/plain; version=0.0.4; charset=utf-8");
    assert!(text.text.contains("cyanotype_rollouts{state=\"awaiting_approval\"} 1"), "{}", text.text);
    assert!(text.text.contains("cyanotype_leader 1"), "{}", text.text);
}

#[tokio::test]
async fn the_page_escapes_everything_and_loads_nothing_from_elsewhere() {
    let evil = |n: u32| format!("\"'><script>alert({n})</script>&");
    let mut rollout = rollout("r1", "awaiting_approval");
    rollout.id = evil(1);
    rollout.title = evil(2);
    rollout.state = evil(3);
    rollout.waiting_on = evil(4);
    rollout.error = Some(evil(5));
    rollout.evidence_digest = Some(evil(6));
    rollout.history = vec![HistoryView { at_ms: 0, state: evil(7), note: evil(8) }];
    let mut evidence = evidence();
    evidence.reason = evil(9);
    evidence.tables[0].table = evil(10);
    evidence.tables[0].reason = evil(11);
    evidence.tables[0].samples = vec![evil(12)];
    rollout.evidence = Some(evidence);
    let mut waiting = rollout.clone();
    waiting.state = "awaiting_approval".to_owned();
    let mut ended = rollout.clone();
    ended.ended = true;
    let mut view = View { env: evil(13), rollouts: vec![rollout, waiting, ended], ..view() };
    view.refused = vec![RefusedView { subject: evil(14), version: 3, reasons: vec![evil(15)], at_ms: 0 }];
    view.ahead = Some(evil(16));
    let got = world_with(view, auth()).get("/").await;
    assert_eq!(got.status, 200);
    for n in 1..=16 {
        assert!(got.text.contains(&format!("&lt;script&gt;alert({n})&lt;/script&gt;")), "{n} is not shown");
    }
    assert!(!got.text.contains("<script"), "{}", got.text);
    assert!(!got.text.contains("\"'>"), "{}", got.text);
    assert!(!got.text.contains("://"), "no address of elsewhere");
    let policy = got.headers.get("content-security-policy").unwrap().to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
}

#[tokio::test]
async fn the_page_shows_the_verdict_and_what_is_waited_for() {
    let world = world();
    let got = world.get("/").await;
    for part in ["fct_orders", "1200", "waits for: a yes or a no", "cyanotype approve r1", &evidence().digest()] {
        assert!(got.text.contains(part), "{part}\n{}", got.text);
    }
    for (path, kind) in [("/style.css", "text/css"), ("/favicon.svg", "image/svg"), ("/favicon.ico", "image/svg")] {
        let got = world.get(path).await;
        assert_eq!(got.status, 200, "{path}");
        assert!(got.headers.get("content-type").unwrap().to_str().unwrap().starts_with(kind), "{path}");
        assert!(!got.text.is_empty());
    }
    let idle = world_with(View { rollouts: Vec::new(), ..view() }, auth()).get("/").await;
    assert!(idle.text.contains("Nothing is under way"), "{}", idle.text);
}

#[test]
fn the_api_page_names_every_route_and_every_cause() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/api.md")).unwrap();
    for cause in Cause::ALL {
        let row = format!("| `{}` | {} |", cause.name(), cause.status().as_u16());
        assert!(page.contains(&row), "docs/api.md has no row `{row}`");
    }
    let source = include_str!("../mod.rs");
    let routes = source.lines().filter_map(|line| line.trim().strip_prefix(".route(\"")?.split('"').next());
    let routes: Vec<&str> = routes.collect();
    assert!(routes.len() > 10, "the routes were not found");
    for route in routes {
        assert!(page.contains(&format!("`{route}`")), "docs/api.md does not name `{route}`");
    }
    for scope in Scope::ALL {
        assert!(page.contains(&format!("`{}`", scope.name())), "docs/api.md does not name the scope {}", scope.name());
    }
}

#[test]
fn every_effect_has_its_place_in_the_metrics() {
    use crate::model::effect::Effect;
    use crate::model::job::JobSpec;
    use crate::telemetry::families::EFFECTS;

    let (name, config) = (String::new, BTreeMap::new);
    let job = JobSpec {
        table: name(),
        settings: config(),
        ddl: Vec::new(),
        insert: name(),
        reads: Vec::new(),
        topic: name(),
        exactly_once: false,
    };
    let effects = [
        Effect::CreateTopic { topic: name(), like: None, partitions: 1, config: config() },
        Effect::InspectTopic { topic: name() },
        Effect::CopySubjectLevel { subject: name(), like: name() },
        Effect::Explain { job: job.clone() },
        Effect::StartJob { job },
        Effect::CancelJob { table: name() },
        Effect::CreateConnector { name: name(), config: config() },
        Effect::DeleteConnector { name: name() },
        Effect::MoveConnector { name: name(), before: config(), after: config(), from: name(), to: name() },
        Effect::DeleteTopic { topic: name() },
        Effect::SetManifest { before: Box::default(), after: Box::default() },
    ];
    let words = effects.iter().filter_map(|effect| effect.key().split(':').next().map(|word| word.replace('-', "_")));
    assert_eq!(words.collect::<Vec<_>>(), EFFECTS);
}
