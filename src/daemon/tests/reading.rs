//! Reading topics: what breaks off, and what no job could read past.

use tokio::sync::{mpsc, watch};

use super::*;
use crate::daemon::execute::{Failed, Run, execute};
use crate::daemon::prove;
use crate::daemon::watch::{self as watching, Audit};
use crate::model::parity::{Changelog, ColumnClass, RowRule, TableContract};
use crate::model::verdict::Outcome;

/// A message with schema id 1 and `id`, a small number.
fn row(id: u8) -> Vec<u8> {
    vec![0, 0, 0, 0, 1, id * 2]
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_read_on_where_it_stopped() {
    let contract = TableContract {
        table: "s".to_owned(),
        blue_topic: Some("t.s".to_owned()),
        green_topic: "t.s_v2".to_owned(),
        changelog: Changelog::Append,
        key: Vec::new(),
        columns: BTreeMap::from([("id".to_owned(), ColumnClass::Exact)]),
        rows: RowRule::Same,
    };
    // Blue's stream breaks once and green's twice; a record that is fed twice would be a difference or a duplicate.
    let world = World { values: vec![row(1), row(2)], breaks: Arc::new(AtomicU32::new(3)), ..World::default() };
    let world = Arc::new(world);
    let verdict = prove::compare(&ports(&world), contract.clone(), 60_000).await.unwrap();
    assert_eq!((verdict.outcome, verdict.rows_blue, verdict.rows_green), (Outcome::Pass, 2, 2), "{verdict:?}");
    assert_eq!(world.breaks.load(Ordering::SeqCst), 0);

    // No time is left to ask again: an error, and no verdict on half of the rows.
    let breaking = World { values: vec![row(1), row(2)], breaks: Arc::new(AtomicU32::new(1)), ..World::default() };
    let broken = prove::compare(&ports(&Arc::new(breaking)), contract, 0).await;
    assert!(broken.is_err(), "{broken:?}");
}

/// What looking through a topic that holds `values` comes to.
async fn inspected(values: Vec<Vec<u8>>) -> Result<(), Failed> {
    let world = Arc::new(World { values, ..World::default() });
    let (audit, metrics) = (Arc::new(Audit::default()), Arc::new(Metrics::new().unwrap()));
    let (_topics, watched) = watch::channel(BTreeSet::from(["p.a".to_owned()]));
    let (out, _sightings) = mpsc::channel(64);
    let names = Arc::default();
    let reading =
        tokio::spawn(watching::topics(ports(&world), (metrics, Arc::clone(&audit), names), watched, 100, out));
    let run = Run {
        ports: ports(&world),
        settings: Arc::new(Settings { terms: Terms { catch_up_ms: 60_000, ..settings().terms }, ..settings() }),
        audit,
        rollout: "r".to_owned(),
        prefix: String::new(),
        attempt: 1,
        jobs: BTreeMap::new(),
        job_attempts: BTreeMap::new(),
        turned: Arc::default(),
        served: false,
        gone_over: Arc::default(),
    };
    let outcome = execute(&run, &Effect::InspectTopic { topic: "p.a".to_owned() }).await;
    reading.abort();
    outcome.map(|_| ())
}

#[tokio::test]
async fn a_changelog_with_an_update_without_its_row_before_stops_a_rollout_before_anything_is_made() {
    let event = |text: &str| text.as_bytes().to_vec();
    let fine = event(r#"{"op": "u", "before": {"id": 1}, "after": {"id": 1}}"#);
    let bad = event(r#"{"op": "u", "before": null, "after": {"id": 1}}"#);
    let wrapped = event(r#"{"schema": {}, "payload": {"op": "u", "before": null, "after": {"id": 1}}}"#);
    assert_eq!(inspected(vec![fine.clone(), fine.clone()]).await, Ok(()));
    for bad in [bad, wrapped] {
        let refused = inspected(vec![fine.clone(), bad]).await.unwrap_err().to_string();
        assert!(refused.contains("partition 0, offset 4") && refused.contains("REPLICA IDENTITY FULL"), "{refused}");
    }
    let refused = inspected(vec![fine, event(r#"{"op": "t", "before": null, "after": null}"#)]).await.unwrap_err();
    assert!(refused.to_string().contains("a TRUNCATE of its table (partition 0, offset 4)"), "{refused}");
}
