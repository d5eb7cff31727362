//! Decisions under attack, on a daemon with a rollout that awaits one: each is refused by its cause, counted, logged without
//! a secret, and moves nothing. A delivery that comes again gets its first answer.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::steps;
use crate::story::approver::{self, Delivery};
use crate::story::case::Change;
use crate::story::failure::{During as _, Failure, Outcome, ensure};
use crate::story::generated::Generated;
use crate::story::http::Reply;
use crate::story::narrator::Narrator;
use crate::story::run::Run;
use crate::story::tale;

/// How long green may take to come up, or a promotion to its end.
const GREEN: Duration = Duration::from_secs(240);
/// A token that may look, and no more.
const VIEWER: &str = "CYANOTYPE_STORY_VIEWER_TOKEN";
/// How long blue stays warm.
const SOAK_SECONDS: u64 = 2;

type Story = Run<Generated>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_under_attack_move_nothing() -> Outcome {
    steps::tell("attacked", Generated::draw(steps::SMALL, 2)?, async |run, narrator| told(run, narrator).await).await
}

async fn told(run: &mut Story, narrator: &mut dyn Narrator) -> Outcome {
    let viewer = approver::key();
    run.binary.environment.push((VIEWER.to_owned(), viewer.clone()));
    configure(run, 3_600)?;
    tale::begin(run, narrator).await?;
    tale::deploy(run, narrator).await?;
    let change = run.case().change.clone();
    let (id, digest) = awaits(run, &change, narrator).await?;
    refused(run, &id, &digest, &viewer, narrator).await?;
    again_and_again(run, &id, &digest, narrator).await?;
    too_late(run, &change, narrator).await?;
    no_secret_is_logged(run, &viewer, narrator)
}

/// The configuration, with the viewer's token and this time to decide.
fn configure(run: &Story, expires_seconds: u64) -> Outcome {
    run.configure(SOAK_SECONDS)?;
    let viewer = format!("tokens = [{{ name = \"viewer\", secret = {{ env = {VIEWER:?} }}, scopes = [\"read\"] }}, ");
    steps::amend(run, "tokens = [", &viewer)?;
    steps::amend(run, "approval_expires_seconds = 3600", &format!("approval_expires_seconds = {expires_seconds}"))
}

/// A rollout that awaits approval, and the digest of its evidence.
async fn awaits(run: &mut Story, change: &Change, narrator: &mut dyn Narrator) -> Outcome<(String, String)> {
    let rollout = tale::evolve(run, change, narrator).await?;
    let rollout = run.daemon()?.reach(&rollout.id, &["awaiting_approval"], GREEN, narrator).await?;
    Ok((rollout.id, rollout.evidence_digest.during("the digest of the evidence")?))
}

/// Why calls are refused before anything is decided.
const CAUSES: [&str; 9] = [
    "bad_signature",
    "old_timestamp",
    "evidence_mismatch",
    "missing_evidence",
    "malformed",
    "too_large",
    "unknown_rollout",
    "unauthenticated",
    "wrong_scope",
];

/// One call that must be refused: what it is, its answer, and the status and cause that it must have.
type Try = (&'static str, Reply, u16, &'static str);

async fn refused(run: &mut Story, id: &str, digest: &str, viewer: &str, narrator: &mut dyn Narrator) -> Outcome {
    narrator.stage("Refused, counted by cause, without effect");
    let url = format!("{}/api/v1/rollouts/{id}/approve", run.daemon()?.url);
    let event_url = format!("{}/api/v1/webhooks/decision", run.daemon()?.url);
    let before = history(run, id).await?;
    let mut counted = refusals(run).await?;

    let body = approver::approval(id, digest);
    let with = |field: &str, value: Value| {
        let mut changed = body.clone();
        changed[field] = value;
        changed
    };
    let signed = |text: String| Ok(Delivery { text, ..Delivery::new(&body)? });
    let other = format!("sha256:{}", "0".repeat(64));
    let approver = &run.approver;
    let post = async |token: Option<&str>| {
        let mut call = run.http.request(Method::POST, &url).json(&body);
        if let Some(token) = token {
            call = call.bearer_auth(token);
        }
        let answer = call.send().await.during(&url)?;
        Outcome::Ok(Reply { status: answer.status(), text: answer.text().await.during(&url)? })
    };
    let tries: Vec<Try> = vec![
        ("another key", approver.forge(&url, &body).await?, 401, "bad_signature"),
        (
            "another key, as an event",
            approver.forge(&event_url, &approver::approved_event(id, digest)).await?,
            401,
            "bad_signature",
        ),
        ("signed ten minutes ago", approver.send_old(&url, &body).await?, 401, "old_timestamp"),
        ("other evidence", approver.send(&url, &approver::approval(id, &other)).await?, 409, "evidence_mismatch"),
        ("no evidence", approver.send(&url, &with("evidence", json!(""))).await?, 400, "missing_evidence"),
        (
            "a rejection sent as an approval",
            approver.send(&url, &with("decision", json!("reject"))).await?,
            400,
            "malformed",
        ),
        ("half a body", approver.deliver(&url, &signed(body.to_string()[..40].to_owned())?).await?, 400, "malformed"),
        (
            "a body of 100 KiB",
            approver.send(&url, &with("comment", json!("x".repeat(100 << 10)))).await?,
            413,
            "too_large",
        ),
        (
            "an id of no rollout",
            approver.send(&event_url, &approver::approved_event("evolution-9-nobody", digest)).await?,
            404,
            "unknown_rollout",
        ),
        ("no token", post(None).await?, 401, "unauthenticated"),
        ("a token that nobody gave", post(Some(&approver::key())).await?, 401, "unauthenticated"),
        ("a token that may only look", post(Some(viewer)).await?, 403, "wrong_scope"),
    ];
    for (what, reply, status, cause) in tries {
        steps::is_refused(&reply, status, cause, &[]).during(what)?;
        *counted.entry(cause.to_owned()).or_default() += 1;
        narrator.say(&format!("{what}: {status} {cause}"));
    }
    ensure(CAUSES.iter().all(|cause| counted.contains_key(*cause)), || {
        format!("not each cause was tried: {counted:?}")
    })?;
    let now = refusals(run).await?;
    ensure(now == counted, || format!("counted by cause it must be {counted:?}, it is {now:?}"))?;
    let after = history(run, id).await?;
    ensure(after == before, || format!("what was refused moved the rollout: {after:?}"))
}

/// The approval comes again and again: at once, with another body, after the rollout's end, and to the next daemon.
async fn again_and_again(run: &mut Story, id: &str, digest: &str, narrator: &mut dyn Narrator) -> Outcome {
    narrator.stage("The same delivery gets its first answer, and has no second effect");
    let url = format!("{}/api/v1/rollouts/{id}/approve", run.daemon()?.url);
    let delivery = Delivery::new(&approver::approval(id, digest))?;
    let first = run.approver.deliver(&url, &delivery).await?;
    ensure(first.status.is_success(), || format!("the approval must be taken: {} {}", first.status, first.text))?;
    let same = async |run: &Story, when: &str| {
        let again = run.approver.deliver(&url, &delivery).await?;
        ensure((again.status, &again.text) == (first.status, &first.text), || {
            format!("{when} it must get `{}`, it got {} `{}`", first.text, again.status, again.text)
        })
    };
    same(run, "at once").await?;
    let other =
        Delivery { text: approver::approval(id, digest).to_string().replace("pass", "PASS"), ..delivery.clone() };
    steps::is_refused(&run.approver.deliver(&url, &other).await?, 409, "replay_mismatch", &[])
        .during("the same id with another body")?;

    run.daemon()?.reach(id, &["done"], GREEN, narrator).await?;
    let before = history(run, id).await?;
    let approved = before
        .iter()
        .filter(|step| {
            step["state"] == "promoting" && step["note"].as_str().is_some_and(|note| note.contains("approved"))
        })
        .count();
    ensure(approved == 1, || format!("it must have been approved once: {before:?}"))?;
    same(run, "after the end").await?;
    run.stop().await?;
    run.serve().await?;
    same(run, "from another daemon").await?;
    steps::is_refused(&run.approver.deliver(&url, &other).await?, 409, "replay_mismatch", &[])
        .during("another daemon")?;
    ensure(history(run, id).await? == before, || "a delivery that came again moved the rollout".to_owned())?;
    narrator.say("the first answer at once, after the end, and from another daemon; another body is refused");
    Ok(())
}

/// An approval of evidence that has expired.
async fn too_late(run: &mut Story, change: &Change, narrator: &mut dyn Narrator) -> Outcome {
    run.stop().await?;
    configure(run, 1)?;
    run.serve().await?;
    let known = tale::ids(run).await?;
    tale::add_column(run, &change.another(1)).await?;
    let rollout = steps::new_rollout(run, &known).await?;
    narrator.stage("Too late");
    let rollout = run.daemon()?.reach(&rollout.id, &["unproven"], GREEN, narrator).await?;
    ensure(rollout.why().contains("expired"), || format!("it must say that it expired: {}", rollout.why()))?;
    steps::is_refused(&run.approve(&rollout).await?, 409, "expired", &[]).during("an approval after the expiry")?;
    narrator.say("an approval after the expiry: 409 expired");
    Ok(())
}

/// The rollout's history.
async fn history(run: &mut Story, id: &str) -> Outcome<Vec<Value>> {
    let rollout = run.daemon()?.json(&format!("/api/v1/rollouts/{id}")).await?;
    rollout["history"].as_array().cloned().during("the rollout's history")
}

/// Refusals that the daemon counted, by cause.
async fn refusals(run: &mut Story) -> Outcome<std::collections::BTreeMap<String, u64>> {
    let metrics = run.daemon()?.get("/metrics").await?.text;
    let lines = metrics.lines().filter_map(|line| line.strip_prefix("cyanotype_api_refusals_total{cause=\""));
    let counts = lines.filter_map(|line| line.split_once("\"} ")).filter(|(_, count)| *count != "0");
    counts.map(|(cause, count)| Ok((cause.to_owned(), count.parse().during(count)?))).collect()
}

/// Every refusal is in the log with its cause, and neither key, token nor signature is.
fn no_secret_is_logged(run: &Story, viewer: &str, narrator: &mut dyn Narrator) -> Outcome {
    let daemon = run.daemon.as_ref().ok_or_else(|| Failure::new("the daemon was not started"))?;
    let log = std::fs::read_to_string(&daemon.log).during("the daemon's log")?;
    for cause in CAUSES.iter().chain(&["replay_mismatch", "expired"]) {
        ensure(log.contains(&format!("cause=\"{cause}\"")), || format!("the log must name {cause}"))?;
    }
    let mut secrets: Vec<String> = run.approver.environment().into_iter().map(|(_, value)| value).collect();
    secrets.push(viewer.to_owned());
    for secret in secrets {
        let digits = secret.trim_start_matches("whsec_");
        ensure(!log.contains(digits), || "the log holds a secret".to_owned())?;
    }
    ensure(!log.contains("v1,"), || "the log holds a signature".to_owned())?;
    narrator.say("the log names every cause and holds no secret");
    Ok(())
}
