//! Plays a scene: a daemon in a world, and people who look at it.

use std::sync::Arc;
use std::time::Duration;

use cyanotype::daemon::gather;
use cyanotype::daemon::handle::{Handle, View};
use cyanotype::daemon::settings::Settings;
use cyanotype::daemon::turn::{Daemon, Stopped};
use cyanotype::telemetry::Metrics;
use tokio::task::JoinHandle;

use super::project;
use super::scene::{Act, LIMIT, Scene, states};
use crate::world::{Keep, Loss, Moment, Seat, State, World};

/// How long the world goes on after the end: for what is done beside the loop, and for jobs and connectors.
const REST: Duration = Duration::from_secs(6);
/// Most acts of people in one scene.
const MOST_ACTS: usize = 20;

/// How a scene ended.
pub struct Ended {
    /// Everything outside of the daemon.
    pub state: State,
    /// Every moment on the way, if they were kept.
    pub moments: Vec<Moment>,
}

/// Plays `scene` from `state` to its end, with a new daemon.
///
/// # Errors
/// What did not come true, one line.
pub fn play(scene: &Scene, state: State, keep: Keep) -> Result<Ended, String> {
    runtime().block_on(async {
        let world = World::new(state, keep);
        let daemon = start(&world, scene).await?;
        people(scene, &world, &daemon.0).await?;
        daemon.1.abort();
        Ok(Ended { state: world.kept(), moments: world.moments() })
    })
}

/// Plays `scene`; then the first daemon loses the lead and goes on, and another one takes it.
///
/// # Errors
/// What did not come true, one line.
pub fn play_with_takeover(scene: &Scene, state: State, loss: Loss) -> Result<Ended, String> {
    runtime().block_on(async {
        let world = World::new(state, Keep::End);
        let lost = world.take_lead_away(loss);
        let (first, old) = start(&world, scene).await?;
        tokio::select! {
            biased;
            () = lost.notified() => {}
            played = people(scene, &world, &first) => return Err(format!("it ended before the lead was lost: {played:?}")),
        }
        let (second, new) = start(&world, scene).await?;
        people(scene, &world, &second).await?;
        // Whoever has lost the lead ends by itself, within two looks.
        let patience = Duration::from_millis(2 * settings(scene).poll_ms);
        match tokio::time::timeout(patience, old).await {
            Ok(Ok(Stopped::Journal(_))) => {}
            other => return Err(format!("the daemon that lost the lead did not end with that: {other:?}")),
        }
        new.abort();
        Ok(Ended { state: world.kept(), moments: Vec::new() })
    })
}

/// Time stands still while somebody works, and jumps when everybody waits. Dropping it drops every task of a daemon.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

fn settings(scene: &Scene) -> Settings {
    let mut settings = project::settings();
    (scene.settings)(&mut settings);
    settings
}

type Running = (Handle, JoinHandle<Stopped>);

async fn start(world: &Arc<World>, scene: &Scene) -> Result<Running, String> {
    let (handle, inbox, show) = Handle::new(8, View::default());
    let metrics = Arc::new(Metrics::new().map_err(|e| e.to_string())?);
    let daemon = Daemon::lead(Seat::take(world).ports(), Arc::new(settings(scene)), metrics, inbox, show);
    let mut daemon = daemon.await.map_err(|e| format!("the daemon does not lead: {e}"))?;
    Ok((handle, tokio::spawn(async move { daemon.turn().await })))
}

/// People look, and act, until the scene is over.
async fn people(scene: &Scene, world: &Arc<World>, handle: &Handle) -> Result<(), String> {
    let mut looking = handle.view.clone();
    let ports = Seat::onlooker(world).ports();
    let settings = settings(scene);
    let (mut acts, began) = (0, tokio::time::Instant::now());
    loop {
        let view = looking.borrow_and_update().clone();
        let act = {
            let mut state = world.now();
            let act = view.replayed.then(|| (scene.next)(&view, &state)).flatten();
            if let Some(Act::World(change)) = &act {
                change(&mut state);
                state.worked_ms = None;
            }
            act
        };
        let nothing = act.is_none();
        if let Some(act) = act {
            acts += 1;
            if acts > MOST_ACTS {
                return Err(format!("people act again and again: {:?}", states(&view)));
            }
            act.perform(handle, &ports, &settings).await.map_err(|refusal| format!("refused: {refusal}"))?;
        }
        if nothing && view.replayed && over(scene, &view, &world.now()) {
            tokio::time::sleep(REST).await;
            return Ok(());
        }
        if nothing {
            let looked = tokio::time::timeout(LIMIT, looking.changed()).await;
            let why = || format!("{:?} after {}", states(&view), world.now().journal.tail());
            looked
                .map_err(|_| format!("nothing happens any more: {}", why()))?
                .map_err(|_| format!("the daemon ended: {}", why()))?;
            if began.elapsed() > LIMIT {
                return Err(format!("it does not come to its end: {}", why()));
            }
        }
    }
}

/// Every rollout is where it shall be, and every version of what is deployed was looked at.
fn over(scene: &Scene, view: &View, state: &State) -> bool {
    let looked_at = |subject: &String| {
        let ledger = &state.journal.ledger;
        ledger.looked_at.get(subject).max(ledger.manifest.subjects.get(subject)).copied()
    };
    let watched = gather::input_topics(&state.journal.ledger.manifest);
    let deployed = |subject: &&String| gather::topic_of(subject).is_some_and(|topic| watched.contains(topic));
    let inputs = state.schemas.subjects.keys().filter(deployed);
    states(view) == scene.end && inputs.into_iter().all(|s| looked_at(s) == Some(state.schemas.versions(s)))
}
