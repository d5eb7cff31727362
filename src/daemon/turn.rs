//! The loop: takes what happened, journals it, does what follows.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::{mpsc, watch as channel};
use tokio::task::{AbortHandle, JoinSet};

use super::beside::Outcomes;
use super::handle::{QueuedView, Request, View};
use super::leading::only_while_leading;
use super::nulls::Awaited;
use super::ports::Ports;
use super::settings::Settings;
use super::watch::{self, Audit, Sighting};
use super::{branch, gather, stand_by, view};
use crate::model::effect::Effect;
use crate::port::{Held, PortError};
use crate::rollout::{Event, Ledger, Rollout, Todo, Unreadable, WaitingOn, replay, todo};
use crate::telemetry::Metrics;

/// Time between two looks at the project's files, milliseconds.
const FILES_MS: i64 = 5_000;

/// Why the loop ended.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The journal cannot be written, or another daemon leads.
    #[error("the journal cannot be written")]
    Journal(#[source] PortError),
    /// The journal cannot be replayed.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// An entry has no form in which it could be written.
    #[error("an entry for the journal cannot be written: {0}")]
    Unwritable(String),
}

impl Stopped {
    /// True when this daemon may stand by and lead again: it was overtaken, or Kafka does not answer.
    pub(super) fn passing(&self) -> bool {
        matches!(self, Self::Journal(error) if *error == PortError::Fenced || error.passing())
    }

    /// What a person may do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreadable(Unreadable::Headless) => {
                "set retention.ms and retention.bytes of the journal's topic to -1, so that no more is lost. If a copy of the \
                 topic is left, name that under journal.topic. If none is, name a new topic there; it knows nothing of what \
                 runs, so remove that by hand (jobs, connectors, topics, subjects) before `cyanotype deploy`"
            }
            Self::Unreadable(Unreadable::Entry { .. }) => {
                "a newer version may have written it: start that version, or find out who else writes to the journal's topic"
            }
            Self::Journal(PortError::Refused { .. } | PortError::Garbage { .. }) => {
                "mend what it names, or name another topic under journal.topic: started again it ends in the same way"
            }
            Self::Journal(_) | Self::Unwritable(_) => "start it again: it goes on where it was",
        }
    }
}

/// A sighting that could not be decided yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Later {
    /// What was seen.
    pub sighting: Sighting,
    /// What it waits for, one line.
    pub waits: String,
    /// The rollout whose end it waits for; without one it is decided on again at each look.
    pub behind: Option<String>,
}

impl Later {
    pub(super) fn view(&self) -> QueuedView {
        let Sighting { subject, version, .. } = &self.sighting;
        QueuedView { subject: subject.clone(), version: *version, waiting_on: self.waits.clone() }
    }
}

/// A piece of work that came back: its number, its rollout, and what it came to.
type Finished = (u64, String, Outcomes);

/// The loop and everything that it holds.
pub struct Daemon {
    pub(super) ports: Ports,
    pub(super) settings: Arc<Settings>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) ledger: Ledger,
    pub(super) audit: Arc<Audit>,
    inbox: mpsc::Receiver<Request>,
    pub(super) show: channel::Sender<Arc<View>>,
    pub(super) watched: channel::Sender<BTreeSet<String>>,
    /// What the registry told.
    sightings: mpsc::Receiver<Sighting>,
    /// What records told.
    pub(super) carried: mpsc::Receiver<Sighting>,
    /// Sightings that could not be decided yet, by subject, with what they wait for.
    pub(super) later: BTreeMap<String, Later>,
    /// Counts of NULLs that a planning waits for, by subject.
    pub(super) counting: BTreeMap<String, Awaited>,
    /// The piece of work beside the loop of each rollout, with its number.
    pub(super) working: BTreeMap<String, (u64, AbortHandle)>,
    /// The number of the last piece of work.
    pub(super) last_work: u64,
    /// Tells the effect under way of each rollout that the rollout goes another way.
    pub(super) turned: BTreeMap<String, Arc<AtomicBool>>,
    pub(super) finished: (mpsc::Sender<Finished>, mpsc::Receiver<Finished>),
    pub(super) announced: BTreeSet<String>,
    /// Why a soak that is over by its time goes on, by rollout.
    pub(super) ill: BTreeMap<String, String>,
    /// Whether the project's files are behind what is deployed, and when that was looked at last.
    pub(super) behind: (bool, i64),
    pub(super) started_ms: i64,
    /// Entries since the last snapshot; what came before the last one too while that is not known to be deleted.
    pub(super) unfolded: usize,
    /// Entries to wait for before the next snapshot is tried.
    pub(super) snapshot_after: usize,
    /// They end with this.
    _watchers: JoinSet<()>,
}

impl Daemon {
    /// Waits until it leads, replays the journal, and starts the watchers.
    ///
    /// # Errors
    /// When the journal cannot be led or read.
    pub async fn lead(
        ports: Ports,
        settings: Arc<Settings>,
        metrics: Arc<Metrics>,
        inbox: mpsc::Receiver<Request>,
        show: channel::Sender<Arc<View>>,
    ) -> Result<Self, Stopped> {
        let ports = only_while_leading(ports, &metrics);
        let Held { entries, shortened } = stand_by::wait_to_lead(&ports, &metrics).await?;
        let ledger = replay(&entries, shortened)?;
        tracing::info!(entries = entries.len(), rollouts = ledger.rollouts.len(), "leads; journal replayed");
        metrics.leader.set([], 1.0);
        let (watched, topics) = channel::channel(BTreeSet::new());
        let (seen, sightings) = mpsc::channel(64);
        let (first, carried) = mpsc::channel(64);
        let audit = Arc::new(Audit::default());
        let poll = settings.poll_ms;
        let mut watchers = JoinSet::new();
        let names = Arc::clone(&settings.subjects);
        if let Some(place) = ports.registry.log() {
            let from = (Arc::clone(&ports.topics), Arc::clone(&ports.clock));
            watchers.spawn(watch::log(place, from, Arc::clone(&names), topics.clone(), seen.clone()));
        }
        let beside =
            |metrics: &Arc<Metrics>, audit: &Arc<Audit>| (Arc::clone(metrics), Arc::clone(audit), Arc::clone(&names));
        watchers.spawn(watch::registry(ports.clone(), beside(&metrics, &audit), topics.clone(), poll, seen));
        watchers.spawn(watch::topics(ports.clone(), beside(&metrics, &audit), topics, poll, first));
        let started_ms = ports.clock.now_ms();
        Ok(Self {
            ports,
            settings,
            metrics,
            ledger,
            audit,
            inbox,
            show,
            watched,
            sightings,
            carried,
            later: BTreeMap::new(),
            counting: BTreeMap::new(),
            working: BTreeMap::new(),
            last_work: 0,
            turned: BTreeMap::new(),
            finished: mpsc::channel(64),
            announced: BTreeSet::new(),
            ill: BTreeMap::new(),
            behind: (true, i64::MIN),
            started_ms,
            unfolded: entries.len(),
            snapshot_after: 0,
            _watchers: watchers,
        })
    }

    /// Turns until the journal is lost: why it stopped.
    pub async fn turn(&mut self) -> Stopped {
        match self.turn_on().await {
            Err(stopped) => stopped,
            Ok(never) => match never {},
        }
    }

    async fn turn_on(&mut self) -> Result<Infallible, Stopped> {
        self.pick_up().await?;
        let mut tick = tokio::time::interval(Duration::from_millis(self.settings.poll_ms));
        loop {
            self.watch_inputs();
            self.drive().await?;
            self.fold_history().await?;
            self.publish();
            tokio::select! {
                Some(request) = self.inbox.recv() => self.answer(request).await?,
                Some((number, rollout, outcome)) = self.finished.1.recv() => {
                    self.came_back(number, &rollout, outcome).await?;
                }
                Some(sighting) = self.sightings.recv() => {
                    let news = self.is_news(&sighting);
                    if let Some(apart) = self.audit.arrivals.registry(&sighting, news) {
                        self.metrics.first_record_lag_seconds.observe([apart.first], apart.seconds);
                    }
                    self.sighted(sighting).await?;
                }
                Some(sighting) = self.carried.recv() => {
                    if self.is_news(&sighting) {
                        tracing::info!(subject = sighting.subject, version = sighting.version, "a record told of a version");
                        self.audit.arrivals.news(&sighting.subject, sighting.version);
                    }
                    self.sighted(sighting).await?;
                }
                _ = tick.tick() => {
                    if !self.ports.journal.leading() {
                        return Err(Stopped::Journal(PortError::Fenced));
                    }
                    self.look_at_files().await;
                    self.look_again().await?;
                }
            }
        }
    }

    /// Ends what runs beside the loop, as a crash would, and gives back the way to the outside.
    pub(super) fn given_up(self) -> (mpsc::Receiver<Request>, channel::Sender<Arc<View>>) {
        for (_, task) in self.working.values() {
            task.abort();
        }
        (self.inbox, self.show)
    }

    /// Tells the watchers what is deployed now.
    pub(super) fn watch_inputs(&self) {
        let mut topics = gather::input_topics(&self.ledger.manifest);
        // Those of a first deployment are looked through before anything is made.
        let staged = self.ledger.open().into_iter().flat_map(|r| &r.work.staging);
        topics.extend(staged.filter_map(|effect| match effect {
            Effect::InspectTopic { topic } => Some(topic.clone()),
            _ => None,
        }));
        self.watched.send_if_modified(|now| {
            let changed = *now != topics;
            *now = topics;
            changed
        });
    }

    /// Looks, now and then, whether the branch with green's statements has been merged into the files.
    async fn look_at_files(&mut self) {
        let now_ms = self.ports.clock.now_ms();
        if self.ledger.manifest.ahead.is_none() || now_ms.saturating_sub(self.behind.1) < FILES_MS {
            return;
        }
        let behind = match self.ports.repository.files().await {
            Ok(files) => branch::is_behind(&files, &self.ledger.manifest, &self.settings.public_vars),
            // Nobody knows, so it is said that they may be.
            Err(_) => true,
        };
        self.behind = (behind, now_ms);
    }

    async fn sighted(&mut self, sighting: Sighting) -> Result<(), Stopped> {
        let waits = "its turn".to_owned();
        self.later.insert(sighting.subject.clone(), Later { sighting, waits, behind: None });
        self.look_again().await
    }

    async fn look_again(&mut self) -> Result<(), Stopped> {
        for (subject, later) in std::mem::take(&mut self.later) {
            let open = |id: &String| self.ledger.rollouts.get(id).is_some_and(|r| !r.state.ended());
            if later.behind.as_ref().is_some_and(open) {
                self.later.insert(subject, later);
                continue;
            }
            if let Some(again) = self.decide_on(later.sighting).await? {
                self.later.insert(subject, again);
            }
        }
        Ok(())
    }

    /// Starts what is to be done for every open rollout.
    async fn drive(&mut self) -> Result<(), Stopped> {
        // Each round takes one step for each rollout; a step that changes the ledger may open the next one.
        loop {
            let open: Vec<Rollout> = self.ledger.open().into_iter().cloned().collect();
            let mut moved = false;
            for rollout in open {
                if !self.working.contains_key(&rollout.id) {
                    moved |= self.step(&rollout).await?;
                }
            }
            if !moved {
                return Ok(());
            }
        }
    }

    /// One step; true when the ledger changed.
    async fn step(&mut self, rollout: &Rollout) -> Result<bool, Stopped> {
        let now_ms = self.ports.clock.now_ms();
        match todo(rollout) {
            Todo::AllowStaging => {
                if self.ledger.busy().is_some() {
                    return Ok(false);
                }
                let by = "policy".to_owned();
                self.happened(&rollout.id, Event::StagingAllowed { by }).await?;
                Ok(true)
            }
            Todo::Run { effect, attempted } => {
                self.start_effect(rollout, &effect, attempted).await?;
                Ok(false)
            }
            Todo::CatchUp => {
                self.start_catch_up(rollout, now_ms);
                Ok(false)
            }
            Todo::Validate => {
                self.start_proof(rollout);
                Ok(false)
            }
            Todo::Wait(WaitingOn::Approval { evidence, until_ms }) if now_ms < until_ms => {
                if view::overtaken(&self.ledger, rollout).is_none() && self.announced.insert(evidence) {
                    self.announce(rollout);
                }
                Ok(false)
            }
            Todo::Wait(WaitingOn::Approval { .. }) => {
                self.happened(&rollout.id, Event::EvidenceExpired).await?;
                Ok(true)
            }
            Todo::Wait(WaitingOn::Soak { until_ms }) if now_ms >= until_ms => self.may_retire(rollout).await,
            Todo::Wait(_) => Ok(false),
        }
    }

    /// Ends the soak if green is well; true when the ledger changed. Why not is told once, and shown as long as it is so.
    async fn may_retire(&mut self, rollout: &Rollout) -> Result<bool, Stopped> {
        let Some(ill) = self.not_well(rollout).await else {
            self.ill.remove(&rollout.id);
            self.happened(&rollout.id, Event::SoakOver).await?;
            return Ok(true);
        };
        if self.ill.get(&rollout.id) != Some(&ill) {
            tracing::error!(rollout = rollout.id, ill, "blue is not retired: mend it, or roll back");
            self.ill.insert(rollout.id.clone(), ill);
        }
        Ok(false)
    }

    pub(super) async fn answer(&mut self, request: Request) -> Result<(), Stopped> {
        super::answer::answer(self, request).await
    }
}
