//! The lead, lost and won again.

use super::*;
use crate::daemon::turn::lead_and_stand_by;

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
