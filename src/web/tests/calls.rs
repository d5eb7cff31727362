//! Calls that are let in reach the daemon with everything that it journals.

use super::*;
use crate::daemon::handle::Decision;

#[tokio::test]
async fn a_token_with_the_scope_approves() {
    let world = world();
    let body = serde_json::json!({ "evidence": evidence().digest(), "by": " Ada ", "comment": "looks right" });
    let got = world.with_token(APPROVE, OPERATOR, body.to_string()).await;
    assert_eq!((got.status.as_u16(), got.json()["state"].as_str()), (200, Some("promoting")), "{}", got.text);
    let decision = world.decisions.lock().unwrap().pop().unwrap();
    assert_eq!((decision.rollout.as_str(), decision.decision), ("r1", Decision::Approve));
    assert_eq!((decision.by.as_str(), decision.via.as_str()), ("Ada", "token operator"));
    assert_eq!((decision.evidence, decision.comment.as_deref()), (evidence().digest(), Some("looks right")));
    assert_eq!(world.metrics.approvals_total.get(["approved"]), 1);
}

#[tokio::test]
async fn each_call_with_a_token_is_a_delivery_of_its_own() {
    let world = world();
    for _ in 0..2 {
        assert_eq!(world.with_token(APPROVE, OPERATOR, approval()).await.status, 200);
    }
    let decisions = world.decisions.lock().unwrap();
    assert_ne!(decisions[0].delivery, decisions[1].delivery);
    assert!(decisions.iter().all(|decision| decision.delivery.contains('.')), "no webhook-id can look like it");
}

#[tokio::test]
async fn a_signature_with_either_secret_decides() {
    for (secret, name) in [(SECRET, "webhook old"), (NEXT_SECRET, "webhook new")] {
        for (kind, decision, outcome) in [
            ("rollout.approved", Decision::Approve, "approved"),
            ("rollout.rejected", Decision::Reject, "rejected"),
            ("rollout.abort", Decision::Abort, "aborted"),
            ("rollout.rollback", Decision::Rollback, "rolled_back"),
        ] {
            let world = world();
            let got = world.signed(WEBHOOK, &Message { secret, ..Message::new("m1", event(kind)) }).await;
            assert_eq!(got.status, 200, "{}", got.text);
            let asked = world.decisions.lock().unwrap().pop().unwrap();
            assert_eq!((asked.decision, asked.delivery.as_str(), asked.via.as_str()), (decision, "m1", name));
            assert_eq!(asked.evidence, evidence().digest());
            assert!(asked.content.is_some(), "the journal keeps what was said");
            assert_eq!(world.metrics.approvals_total.get([outcome]), 1);
        }
    }
}

#[tokio::test]
async fn one_good_signature_among_several_is_enough() {
    let world = world();
    let message = Message::new("m1", approval());
    let several = format!("v1a,abc v1,bm90IHRoaXM= {}", message.signature());
    let time = message.time.to_string();
    let headers = [("webhook-id", "m1"), ("webhook-timestamp", time.as_str()), ("webhook-signature", &several)];
    assert_eq!(world.send("POST", APPROVE, &headers, approval()).await.status, 200);
}

#[tokio::test]
async fn the_daemon_s_refusals_keep_their_cause() {
    let world = world();
    let got = world.with_token("/api/v1/rollouts/r9/approve", OPERATOR, approval()).await;
    assert_eq!((got.status.as_u16(), got.cause().as_str()), (404, "unknown_rollout"));
    assert_eq!(world.metrics.approvals_total.get(["refused"]), 1);
}

#[tokio::test]
async fn a_plan_is_applied_and_must_be_an_object() {
    let world = world();
    let got = world.with_token("/api/v1/rollouts", OPERATOR, "{\"id\":\"p1\"}").await;
    assert_eq!((got.status.as_u16(), got.json()["rollout"].as_str()), (202, Some("r2")));
    assert_eq!(*world.others.lock().unwrap(), ["apply {\"id\":\"p1\"}"]);
    assert_eq!(world.with_token("/api/v1/rollouts", OPERATOR, "[1]").await.cause(), "malformed");
    let large = format!("{{\"sql\":\"{}\"}}", "x".repeat(1024 * 1024));
    assert_eq!(world.with_token("/api/v1/rollouts", OPERATOR, large).await.status, 202, "plans may be large");
    let too_large = "x".repeat(128 * 1024 * 1024 + 1);
    assert_eq!(world.with_token("/api/v1/rollouts", OPERATOR, too_large).await.cause(), "too_large");
}

#[tokio::test]
async fn a_new_validation_says_who_asked() {
    let world = world();
    assert_eq!(world.with_token("/api/v1/rollouts/r1/revalidate", OPERATOR, "{\"by\":\"Ada\"}").await.status, 202);
    assert_eq!(*world.others.lock().unwrap(), ["revalidate r1 by Ada via token operator"]);
}

#[tokio::test]
async fn an_abort_and_a_roll_back_say_who_asked() {
    let world = world();
    assert_eq!(world.with_token("/api/v1/rollouts/r1/abort", OPERATOR, "").await.status, 202);
    assert_eq!(world.with_token("/api/v1/rollouts/r1/abort", OPERATOR, "{\"by\":\"Ada\"}").await.status, 202);
    assert_eq!(world.with_token(ROLLBACK, OPERATOR, "{\"by\":\"Ada\"}").await.status, 202);
    let expected = [
        "abort r1 by operator via token operator",
        "abort r1 by Ada via token operator",
        "roll back r1 by Ada via token operator",
    ];
    assert_eq!(*world.others.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_stand_by_takes_nothing_and_a_repeat_reaches_the_leader_later() {
    let stand_by = world_with(View { leading: false, ..view() }, auth());
    let got = stand_by.signed(WEBHOOK, &Message::new("m1", event("rollout.approved"))).await;
    assert_eq!((got.status.as_u16(), got.cause().as_str()), (503, "not_leading"));
    assert_eq!(got.headers.get("retry-after").unwrap(), "5");
    assert_eq!(stand_by.effects(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_does_not_answer_is_not_waited_for_without_end() {
    let (handle, inbox, _show) = Handle::new(8, view());
    let metrics = Arc::new(Metrics::new().unwrap());
    let silent = World {
        router: router(handle, auth(), Arc::clone(&metrics)),
        metrics,
        decisions: Arc::default(),
        others: Arc::default(),
    };
    let got = silent.with_token(APPROVE, OPERATOR, approval()).await;
    assert_eq!((got.status.as_u16(), got.cause().as_str()), (504, "no_answer"));
    drop(inbox);
}
