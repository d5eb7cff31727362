//! Approvals under attack: each is refused, counted by its cause, and has no effect.

use axum::body::Body;

use super::*;

/// Refused with `cause`, counted once, no decision at the daemon.
fn assert_refused(world: &World, got: &Got, status: u16, cause: &str) {
    assert_eq!((got.status.as_u16(), got.cause().as_str()), (status, cause), "{}", got.text);
    assert_eq!(world.refusals(cause), 1, "counted by cause");
    assert_eq!(world.effects(), 0, "no effect");
}

#[tokio::test]
async fn a_forged_signature_is_refused() {
    let forger = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for (path, body) in [
        (APPROVE, approval()),
        (WEBHOOK, event("rollout.approved")),
        (WEBHOOK, event("rollout.abort")),
        (WEBHOOK, event("rollout.rollback")),
    ] {
        let world = world();
        let got = world.signed(path, &Message { secret: forger, ..Message::new("m1", body) }).await;
        assert_refused(&world, &got, 401, "bad_signature");
        assert_eq!(world.metrics.approvals_total.get(["refused"]), 1);
    }
}

#[tokio::test]
async fn only_who_may_approve_accepts_a_subject_s_history() {
    let body = r#"{"subject": "s-value", "version": 3, "reason": "a mistake", "by": "Ada"}"#;
    let bearer = |token: &str| format!("Bearer {token}");
    let world = world();
    let got = world.send("POST", "/api/v1/baselines", &[("authorization", &bearer(READER))], body.to_owned()).await;
    assert_refused(&world, &got, 403, "wrong_scope");
    let operator = [("authorization", bearer(OPERATOR))];
    let headers: Vec<(&str, &str)> = operator.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for bad in [body.replace("3", "0"), body.replace("a mistake", " "), body.replace("}", ", \"x\": 1}")] {
        let got = world.send("POST", "/api/v1/baselines", &headers, bad).await;
        assert_eq!((got.status.as_u16(), got.cause().as_str()), (400, "malformed"), "{}", got.text);
    }
    let got = world.send("POST", "/api/v1/baselines", &headers, body.to_owned()).await;
    assert_eq!(got.status.as_u16(), 202, "{}", got.text);
    assert_eq!(*world.others.lock().unwrap(), ["baseline s-value@3"]);
}

#[tokio::test]
async fn a_body_changed_on_its_way_is_refused() {
    let world = world();
    let good = Message::new("m1", approval());
    let headers =
        [("webhook-id", "m1"), ("webhook-timestamp", &good.time.to_string()), ("webhook-signature", &good.signature())];
    let got = world.send("POST", APPROVE, &headers, approval().replace("Ada", "Eve")).await;
    assert_refused(&world, &got, 401, "bad_signature");
}

#[tokio::test]
async fn a_signature_for_another_id_is_refused() {
    let world = world();
    let good = Message::new("m1", approval());
    let headers =
        [("webhook-id", "m2"), ("webhook-timestamp", &good.time.to_string()), ("webhook-signature", &good.signature())];
    assert_refused(&world, &world.send("POST", APPROVE, &headers, approval()).await, 401, "bad_signature");
}

#[tokio::test]
async fn an_old_and_an_early_timestamp_are_refused() {
    for (shift, cause) in [(-301, "old_timestamp"), (330, "future_timestamp")] {
        let world = world();
        let mut message = Message::new("m1", event("rollout.approved"));
        message.time += shift;
        assert_refused(&world, &world.signed(WEBHOOK, &message).await, 401, cause);
        let back = self::world();
        let message = Message { body: event("rollout.rollback"), ..message };
        assert_refused(&back, &back.signed(WEBHOOK, &message).await, 401, cause);
    }
}

#[tokio::test]
async fn an_id_that_could_be_read_in_two_ways_is_refused_although_it_is_signed() {
    for id in ["a.b", "m1.1700000000", "a b", &"x".repeat(129)] {
        let world = world();
        let got = world.signed(APPROVE, &Message::new(id, approval())).await;
        assert_refused(&world, &got, 401, "bad_signature");
        assert!(got.text.contains("webhook-id must be"), "{}", got.text);
    }
}

#[tokio::test]
async fn timestamps_of_any_form_are_refused_without_a_panic() {
    let times = ["", "-9223372036854775808", "9223372036854775807", "99999999999999999999", "now", "1.5", "+1"];
    let signature = Message::new("m1", approval()).signature();
    for time in times {
        let world = world();
        let headers = [("webhook-id", "m1"), ("webhook-timestamp", time), ("webhook-signature", &signature)];
        assert_refused(&world, &world.send("POST", APPROVE, &headers, approval()).await, 401, "bad_signature");
    }
    let world = world();
    let got = world.send("POST", WEBHOOK, &[("webhook-signature", "v1,abc")], approval()).await;
    assert_refused(&world, &got, 401, "bad_signature");
}

#[tokio::test]
async fn the_same_delivery_again_gets_the_first_answer_and_has_no_second_effect() {
    for (path, body) in [(APPROVE, approval()), (WEBHOOK, event("rollout.approved"))] {
        let world = world();
        let first = world.signed(path, &Message::new("m1", body.clone())).await;
        assert_eq!(first.status, 200, "{}", first.text);
        // A retry is signed anew: another timestamp, perhaps another secret.
        let mut retry = Message::new("m1", body);
        retry.time += 7;
        retry.secret = NEXT_SECRET;
        let again = world.signed(path, &retry).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text));
        assert_eq!(world.effects(), 1);
        let count = |outcome| world.metrics.approvals_total.get([outcome]);
        assert_eq!((count("approved"), count("repeated"), count("refused")), (1, 1, 0));
    }
}

#[tokio::test]
async fn a_refusal_is_repeated_too() {
    let world = world();
    let mut body: Value = serde_json::from_str(&approval()).unwrap();
    body["evidence"] = format!("sha256:{}", "0".repeat(64)).into();
    let body = body.to_string();
    for _ in 0..2 {
        let got = world.signed(APPROVE, &Message::new("m1", body.clone())).await;
        assert_eq!((got.status.as_u16(), got.cause().as_str()), (409, "evidence_mismatch"));
    }
    assert_eq!(world.effects(), 1, "the daemon was asked once");
}

#[tokio::test]
async fn the_same_id_with_another_body_is_refused() {
    let world = world();
    assert_eq!(world.signed(WEBHOOK, &Message::new("m1", event("rollout.approved"))).await.status, 200);
    let got = world.signed(WEBHOOK, &Message::new("m1", event("rollout.rejected"))).await;
    assert_eq!((got.status.as_u16(), got.cause().as_str()), (409, "replay_mismatch"));
    assert_eq!((world.refusals("replay_mismatch"), world.effects()), (1, 1));
}

#[tokio::test]
async fn a_signed_rejection_cannot_be_sent_as_an_approval() {
    let world = world();
    let rejection = approval().replace("\"approve\"", "\"reject\"");
    let got = world.signed(APPROVE, &Message::new("m1", rejection.clone())).await;
    assert_refused(&world, &got, 400, "malformed");
    let silent = serde_json::json!({ "evidence": evidence().digest(), "by": "Ada" }).to_string();
    let got = world.signed(APPROVE, &Message::new("m2", silent)).await;
    assert_eq!((got.status.as_u16(), got.cause().as_str()), (400, "malformed"));
    assert_eq!(world.effects(), 0);
    assert_eq!(world.signed(REJECT, &Message::new("m3", rejection)).await.status, 200);
}

#[tokio::test]
async fn a_wish_to_go_back_cannot_be_sent_as_an_approval_or_without_evidence() {
    let world_a = world();
    for word in ["abort", "rollback"] {
        let body = approval().replace("\"approve\"", &format!("\"{word}\""));
        let got = world_a.signed(APPROVE, &Message::new(word, body)).await;
        assert_eq!((got.status.as_u16(), got.cause().as_str()), (400, "malformed"));
    }
    assert_eq!(world_a.effects(), 0);
    for kind in ["rollout.abort", "rollout.rollback"] {
        let world = world();
        let silent = serde_json::json!({ "type": kind, "data": { "rollout": "r1", "by": "Ada" } }).to_string();
        let got = world.signed(WEBHOOK, &Message::new("m1", silent)).await;
        assert_refused(&world, &got, 400, "missing_evidence");
    }
}

#[tokio::test]
async fn a_signed_decision_on_other_evidence_is_refused_by_the_daemon() {
    let world = world();
    let mut body: Value = serde_json::from_str(&approval()).unwrap();
    body["evidence"] = format!("sha256:{}", "a".repeat(64)).into();
    let got = world.signed(APPROVE, &Message::new("m1", body.to_string())).await;
    assert_eq!((got.status.as_u16(), got.cause().as_str()), (409, "evidence_mismatch"));
    assert_eq!(world.refusals("evidence_mismatch"), 1);
}

#[tokio::test]
async fn no_token_an_unknown_one_and_a_wrong_scope_are_refused() {
    let world_a = world();
    assert_refused(&world_a, &world_a.send("POST", APPROVE, &[], approval()).await, 401, "unauthenticated");
    for token in ["", "operator-token-012345678", "operator-token-01234567890", "nobody-knows-this-token"] {
        let world = world();
        assert_refused(&world, &world.with_token(APPROVE, token, approval()).await, 401, "unauthenticated");
    }
    for path in [APPROVE, REJECT, ROLLBACK, "/api/v1/rollouts/r1/abort", "/api/v1/rollouts"] {
        let world = world();
        let got = world.with_token(path, READER, approval()).await;
        assert_refused(&world, &got, 403, "wrong_scope");
        assert!(got.text.contains("`reader`") && !got.text.contains(READER), "{}", got.text);
    }
}

#[tokio::test]
async fn a_signature_opens_decisions_only() {
    for path in ["/api/v1/rollouts", ROLLBACK, "/api/v1/rollouts/r1/abort", "/api/v1/rollouts/r1/revalidate"] {
        let world = world();
        assert_refused(&world, &world.signed(path, &Message::new("m1", approval())).await, 401, "unauthenticated");
        assert!(world.others.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_token_does_not_open_the_webhook() {
    let world = world();
    let got = world.with_token(WEBHOOK, OPERATOR, event("rollout.approved")).await;
    assert_refused(&world, &got, 401, "unauthenticated");
}

#[tokio::test]
async fn without_settings_nothing_can_be_changed() {
    let world = world_with(view(), AuthSettings::default());
    assert_eq!(world.with_token(APPROVE, OPERATOR, approval()).await.cause(), "unauthenticated");
    assert_eq!(world.signed(APPROVE, &Message::new("m1", approval())).await.cause(), "bad_signature");
    assert_eq!(world.effects(), 0);
}

#[tokio::test]
async fn a_decision_without_evidence_is_refused() {
    let bodies = [
        serde_json::json!({ "by": "Ada", "decision": "approve" }),
        serde_json::json!({ "by": "Ada", "decision": "approve", "evidence": null }),
        serde_json::json!({ "by": "Ada", "decision": "approve", "evidence": "" }),
        serde_json::json!({ "by": "Ada", "decision": "approve", "evidence": "sha256:12" }),
        serde_json::json!({ "by": "Ada", "decision": "approve", "evidence": format!("sha256:{}", "A".repeat(64)) }),
    ];
    for body in bodies {
        let world_a = world();
        let got = world_a.with_token(APPROVE, OPERATOR, body.to_string()).await;
        assert_refused(&world_a, &got, 400, "missing_evidence");
        let world_b = world();
        let got = world_b.signed(APPROVE, &Message::new("m1", body.to_string())).await;
        assert_refused(&world_b, &got, 400, "missing_evidence");
    }
}

#[tokio::test]
async fn an_oversized_body_is_refused_with_and_without_a_declared_length() {
    let large = "x".repeat(64 * 1024 + 1);
    for path in [APPROVE, REJECT, ROLLBACK, "/api/v1/rollouts/r1/abort"] {
        let world = world();
        assert_refused(&world, &world.with_token(path, OPERATOR, large.clone()).await, 413, "too_large");
    }
    let world_a = world();
    assert_refused(&world_a, &world_a.signed(WEBHOOK, &Message::new("m1", large.clone())).await, 413, "too_large");
    let world_b = world();
    let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 4096]));
    let got = world_b.with_token(APPROVE, OPERATOR, Body::from_stream(endless)).await;
    assert_refused(&world_b, &got, 413, "too_large");
}

#[tokio::test]
async fn a_malformed_body_is_refused_with_a_plain_message() {
    let digest = evidence().digest();
    let deep = "[".repeat(20_000);
    let bodies = [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        deep,
        "\u{0}".to_owned(),
        format!("{{\"evidence\":\"{digest}\"}}"),
        format!("{{\"evidence\":\"{digest}\",\"by\":\"  \"}}"),
        format!("{{\"evidence\":\"{digest}\",\"by\":\"a\\nb\"}}"),
        format!("{{\"evidence\":\"{digest}\",\"by\":\"Ada\",\"aproved\":true}}"),
        format!("{{\"evidence\":\"{digest}\",\"by\":\"Ada\",\"rollout\":\"r2\"}}"),
        format!("{{\"evidence\":\"{digest}\",\"by\":\"Ada\",\"decision\":\"reject\"}}"),
        format!("{{\"evidence\":\"{digest}\",\"by\":\"{}\"}}", "a".repeat(201)),
        format!("{{\"evidence\":\"{digest}\",\"by\":\"Ada\",\"comment\":\"{}\"}}", "a".repeat(4_001)),
    ];
    for body in bodies {
        let world = world();
        assert_refused(&world, &world.with_token(APPROVE, OPERATOR, body).await, 400, "malformed");
    }
    let world_a = world();
    assert_refused(&world_a, &world_a.with_token(APPROVE, OPERATOR, vec![0xff, 0xfe]).await, 400, "malformed");
    let world_b = world();
    let got = world_b.signed(WEBHOOK, &Message::new("m1", event("rollout.cancelled"))).await;
    assert_refused(&world_b, &got, 400, "malformed");
    let world_c = world();
    let broken = futures::stream::iter([Ok(vec![b'{']), Err(std::io::Error::other("gone"))]);
    let got = world_c.with_token(APPROVE, OPERATOR, Body::from_stream(broken)).await;
    assert_refused(&world_c, &got, 400, "malformed");
}

#[tokio::test]
async fn refusals_are_logged_by_cause_and_without_secrets() {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    // For the whole process: a subscriber of one thread misses events whose interest another thread has decided on.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let world = world();
    let message = Message::new("m1", approval());
    let (time, signature) = (message.time.to_string(), message.signature());
    world.with_token(APPROVE, "a-token-that-nobody-knows", approval()).await;
    world.with_token(APPROVE, READER, approval()).await;
    world.with_token(APPROVE, OPERATOR, "{\"evidence\":[],\"by\":\"a-secret-in-a-body\"}").await;
    world.with_token(APPROVE, OPERATOR, "{\"decision\":\"a-secret-in-a-body\"}").await;
    let headers = [("webhook-id", "m2"), ("webhook-timestamp", time.as_str()), ("webhook-signature", &signature)];
    world.send("POST", APPROVE, &headers, approval()).await;
    world.with_token(APPROVE, OPERATOR, approval()).await;
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for part in ["unauthenticated", "wrong_scope", "bad_signature", "malformed", "decision taken"] {
        assert!(log.contains(part), "{part} is not logged:\n{log}");
    }
    let digits = signature.trim_start_matches("v1,");
    for secret in ["a-token-that-nobody-knows", READER, OPERATOR, "a-secret-in-a-body", digits, &SECRET[6..]] {
        assert!(!log.contains(secret), "{secret} is logged:\n{log}");
    }
}

#[test]
fn every_cause_can_be_counted() {
    for cause in Cause::ALL {
        assert!(crate::telemetry::families::REFUSALS.contains(&cause.name()), "{}", cause.name());
    }
    assert_eq!(Cause::ALL.len(), crate::telemetry::families::REFUSALS.len());
    for cause in RefusalCause::ALL {
        assert!(Cause::ALL.contains(&Cause::Daemon(cause)), "{cause}");
    }
}
