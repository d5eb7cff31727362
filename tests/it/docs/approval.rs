//! The signed approval of `docs/api.md`, sent by its own lines to the real API.

use std::process::Command;
use std::sync::{Arc, Mutex};

use cyanotype::daemon::handle::{Decision, DecisionRequest, Handle, Reply, Request, View};
use cyanotype::telemetry::Metrics;
use cyanotype::web::{self, AuthSettings};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const OTHER: &str = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";
const ROLLOUT: &str = "evolution-2-mhx3k";

/// The lines of the fence `sh approve`.
fn script() -> String {
    let fences = super::fences("docs/api.md");
    let fence = fences.iter().find(|f| f.has("sh") && f.has("approve")).expect("docs/api.md has a fence `sh approve`");
    fence.lines.join("\n")
}

/// Runs the lines; whether they succeeded, and what they printed.
async fn send(address: std::net::SocketAddr, secret: &str, evidence: &str) -> (bool, String) {
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", &script()]);
    command.env("URL", format!("http://{address}")).env("no_proxy", "127.0.0.1");
    command.env("ROLLOUT", ROLLOUT).env("EVIDENCE", evidence).env("SECRET", secret);
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let printed = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    (done.status.success(), printed)
}

fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success())
        || Command::new(program).arg("version").output().is_ok_and(|o| o.status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_lines_approve_and_a_wrong_secret_does_not() {
    if let Some(missing) = ["bash", "curl", "openssl", "od"].into_iter().find(|p| !installed(p)) {
        eprintln!("not run: {missing} is not installed");
        return;
    }
    let view = View { leading: true, replayed: true, ..View::default() };
    let (handle, mut inbox, _show) = Handle::new(4, view);
    let asked: Arc<Mutex<Vec<DecisionRequest>>> = Arc::default();
    let seen = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Some(request) = inbox.recv().await {
            let Request::Decide { decision, reply } = request else { continue };
            let rollout = decision.rollout.clone();
            seen.lock().unwrap().push(decision);
            let _ = reply.send(Ok(Reply { rollout, state: "promoting".to_owned(), message: "approved".to_owned() }));
        }
    });
    let auth = AuthSettings::default().webhook_secret("chat", SECRET).unwrap();
    let app = web::router(handle, auth, Arc::new(Metrics::new().unwrap()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });

    let evidence = format!("sha256:{}", "5a".repeat(32));
    let (done, printed) = send(address, OTHER, &evidence).await;
    assert!(!done && printed.contains("bad_signature"), "{printed}");
    assert_eq!(asked.lock().unwrap().len(), 0);

    let (done, printed) = send(address, SECRET, &evidence).await;
    assert!(done && printed.contains("\"promoting\""), "{printed}");
    // Sent again, as after a lost answer: the same answer, no second decision.
    let (done, printed) = send(address, SECRET, &evidence).await;
    assert!(done && printed.contains("\"promoting\""), "{printed}");
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].rollout.as_str(), asked[0].decision), (ROLLOUT, Decision::Approve));
    assert_eq!((asked[0].evidence.as_str(), asked[0].via.as_str()), (evidence.as_str(), "webhook chat"));
}
