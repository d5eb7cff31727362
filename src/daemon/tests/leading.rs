//! The lead, lost and won again.

use super::*;
use crate::daemon::leading::only_while_leading;
use crate::daemon::stand_by::lead_and_stand_by;

/// Lets the daemon turn until its view is as wanted.
async fn shown(handle: &Handle, wanted: impl Fn(&View) -> bool) {
    let mut view = handle.view.clone();
    let seen = view.wait_for(|view| wanted(view));
    tokio::time::timeout(std::time::Duration::from_secs(60), seen).await.expect("the view must come").unwrap();
}

#[tokio::test]
async fn a_daemon_that_lost_the_lead_stands_by_and_leads_again_without_a_restart() {
    let world = Arc::new(World { held: one_reader(Vec::new()), ..World::default() });
    let (handle, inbox, show) = Handle::new(1, View::default());
    let (settings, metrics) = (Settings { poll_ms: 20, ..settings() }, Arc::new(Metrics::new().unwrap()));
    let settings = Arc::new(settings);
    let turning = tokio::spawn(lead_and_stand_by(ports(&world), settings, metrics, inbox, show));
    shown(&handle, |view| view.leading && view.replayed).await;
    assert_eq!(world.led.load(Ordering::SeqCst), 1);

    world.lost.store(true, Ordering::SeqCst);
    shown(&handle, |view| view.leading && view.replayed && world.led.load(Ordering::SeqCst) == 2).await;
    // It answers as before: the way to it is the same.
    let refused = handle.abort("nothing".to_owned(), "me".to_owned(), "token ops".to_owned()).await.unwrap_err();
    assert_eq!(refused.cause, crate::daemon::handle::RefusalCause::UnknownRollout);
    assert!(!turning.is_finished());
    turning.abort();
}

#[tokio::test]
async fn every_failed_call_is_counted_for_its_system_and_a_thing_that_is_not_there_is_no_failure() {
    let world = Arc::new(World { silent: AtomicU32::new(2), ..World::default() });
    let metrics = Arc::new(Metrics::new().unwrap());
    let ports = only_while_leading(ports(&world), &metrics);
    for _ in 0..3 {
        let _ = ports.topics.committed("g", "t.s").await;
    }
    assert_eq!(metrics.port_errors_total.get(["kafka"]), 2);
    *world.job_state.lock().unwrap() = Some(None);
    assert!(ports.engine.health("1").await.is_err());
    world.lost.store(true, Ordering::SeqCst);
    assert_eq!(ports.engine.cancel("1").await, Err(PortError::Fenced));
    let flink = ["flink", "sql_gateway", "other"].map(|system| metrics.port_errors_total.get([system]));
    assert_eq!(flink, [0, 0, 0]);
}
