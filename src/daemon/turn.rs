//! The loop: takes what happened, journals it, does what follows.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

use super::execute::{self, Done, Failed, Run, Tries};
#[cfg(debug_assertions)]
use super::failpoint::{self, When};
use super::handle::{QueuedView, Request, View};
use super::hold::{self, NotHeld, Wait};
use super::leading::only_while_leading;
use super::nulls::Awaited;
use super::ports::Ports;
use super::prove::{self, Broken, Proof};
use super::settings::Settings;
use super::watch::{Audit, Sighting};
use super::{branch, gather, view};
use crate::model::effect::Effect;
use crate::model::verdict::{Evidence, Outcome};
use crate::plan::Plan;
use crate::port::{Held, OutgoingEvent, Place, PortError};
use crate::rollout::event::Body;
use crate::rollout::{Entry, Event, Illegal, Ledger, Rollout, State, Todo, Unreadable, WaitingOn, replay, todo};
use crate::telemetry::Metrics;

/// Time between two looks at the project's files, milliseconds.
const FILES_MS: i64 = 5_000;
/// The longest that a single call of a leader that was cut off can still take effect, milliseconds: a call's own time-out
/// is 60 s at most, and between calls a daemon looks whether it still leads.
const LATE_CALL_MS: i64 = 65_000;
/// Pauses between tries to reach Kafka at the start.
const FIRST_PAUSE_MS: u64 = 500;
const LONGEST_PAUSE_MS: u64 = 10_000;

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
    fn passing(&self) -> bool {
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

/// What a piece of work beside the loop came to.
#[derive(Debug)]
enum Outcomes {
    Effect { key: String, seconds: f64, result: Result<Done, Failed> },
    CaughtUp(Result<(), NotHeld>),
    Proven { seconds: f64, result: Box<Result<Evidence, Broken>> },
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
    fn view(&self) -> QueuedView {
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
    show: watch::Sender<Arc<View>>,
    watched: watch::Sender<BTreeSet<String>>,
    sightings: mpsc::Receiver<Sighting>,
    /// Sightings that could not be decided yet, by subject, with what they wait for.
    pub(super) later: BTreeMap<String, Later>,
    /// Counts of NULLs that a planning waits for, by subject.
    pub(super) counting: BTreeMap<String, Awaited>,
    /// The piece of work beside the loop of each rollout, with its number.
    working: BTreeMap<String, (u64, AbortHandle)>,
    /// The number of the last piece of work.
    last_work: u64,
    /// Tells the effect under way of each rollout that the rollout goes another way.
    turned: BTreeMap<String, Arc<AtomicBool>>,
    finished: (mpsc::Sender<Finished>, mpsc::Receiver<Finished>),
    announced: BTreeSet<String>,
    /// Whether the project's files are behind what is deployed, and when that was looked at last.
    behind: (bool, i64),
    started_ms: i64,
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
        show: watch::Sender<Arc<View>>,
    ) -> Result<Self, Stopped> {
        let ports = only_while_leading(ports, &metrics);
        let Held { entries, shortened } = wait_to_lead(&ports, &metrics).await?;
        let ledger = replay(&entries, shortened)?;
        tracing::info!(entries = entries.len(), rollouts = ledger.rollouts.len(), "leads; journal replayed");
        metrics.leader.set([], 1.0);
        let (watched, topics) = watch::channel(BTreeSet::new());
        let (seen, sightings) = mpsc::channel(64);
        let audit = Arc::new(Audit::default());
        let poll = settings.poll_ms;
        let mut watchers = JoinSet::new();
        watchers.spawn(super::watch::registry(ports.clone(), Arc::clone(&metrics), topics.clone(), poll, seen));
        watchers.spawn(super::watch::topics(ports.clone(), Arc::clone(&metrics), Arc::clone(&audit), topics, poll));
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
            later: BTreeMap::new(),
            counting: BTreeMap::new(),
            working: BTreeMap::new(),
            last_work: 0,
            turned: BTreeMap::new(),
            finished: mpsc::channel(64),
            announced: BTreeSet::new(),
            behind: (true, i64::MIN),
            started_ms,
            unfolded: entries.len(),
            snapshot_after: 0,
            _watchers: watchers,
        })
    }

    /// Turns until the journal is lost.
    ///
    /// # Errors
    /// Why it stopped.
    pub async fn run(mut self) -> Result<(), Stopped> {
        Err(self.turn().await)
    }

    /// As [`Daemon::run`]: why it stopped.
    async fn turn(&mut self) -> Stopped {
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
                Some(sighting) = self.sightings.recv() => self.sighted(sighting).await?,
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
    fn given_up(self) -> (mpsc::Receiver<Request>, watch::Sender<Arc<View>>) {
        for (_, task) in self.working.values() {
            task.abort();
        }
        (self.inbox, self.show)
    }

    /// Journals `body`, then folds it in. After `Ok`, a restart knows it.
    pub(super) async fn append(&mut self, body: Body) -> Result<(), AppendError> {
        self.append_at(body).await.map(|_| ())
    }

    /// Does what [`Daemon::append`] does, and answers with the place before the entry.
    pub(super) async fn append_at(&mut self, body: Body) -> Result<Place, AppendError> {
        if !self.ports.journal.leading() {
            return Err(AppendError::Stopped(Stopped::Journal(PortError::Fenced)));
        }
        let entry = Entry { at_ms: self.ports.clock.now_ms(), body };
        let mut after = self.ledger.clone();
        after.apply(&entry)?;
        let bytes = serde_json::to_vec(&entry).map_err(|e| Stopped::Unwritable(e.to_string()))?;
        #[cfg(debug_assertions)]
        failpoint::reached(When::Before, &self.ledger, &entry);
        let place = self.ports.journal.append(&bytes).await.map_err(|error| match error {
            // Such as an entry that is larger than the topic takes: the journal is as it was.
            PortError::Refused { .. } => AppendError::Refused(error),
            other => AppendError::Stopped(Stopped::Journal(other)),
        })?;
        #[cfg(debug_assertions)]
        failpoint::reached(When::After, &self.ledger, &entry);
        if let Body::Rollout { id, .. } | Body::Delivered { id, .. } = &entry.body {
            self.count_transition(id, &after);
        }
        self.ledger = after;
        self.unfolded += 1;
        Ok(place)
    }

    /// Journals an event of a rollout that the loop itself found; one that no longer fits is dropped and said so.
    async fn happened(&mut self, rollout: &str, what: Event) -> Result<(), Stopped> {
        match self.append(Body::Rollout { id: rollout.to_owned(), what }).await {
            Ok(()) => Ok(()),
            Err(AppendError::Illegal(illegal)) => {
                tracing::info!(rollout, %illegal, "came too late");
                Ok(())
            }
            Err(AppendError::Refused(error)) => Err(Stopped::Journal(error)),
            Err(AppendError::Stopped(stopped)) => Err(stopped),
        }
    }

    fn count_transition(&self, id: &str, after: &Ledger) {
        let before = self.ledger.rollouts.get(id).map(|r| r.history.len()).unwrap_or(0);
        let Some(rollout) = after.rollouts.get(id) else { return };
        for (n, step) in rollout.history.iter().enumerate().skip(before) {
            let last = n.checked_sub(1).and_then(|n| rollout.history.get(n)).map(|s| s.state);
            if last == Some(step.state) {
                // A remark on the way: what an effect did.
                continue;
            }
            self.metrics.rollout_transitions_total.inc([step.state.name()]);
            tracing::info!(rollout = id, state = step.state.name(), note = step.note, "rollout moved");
        }
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

    /// Shows the ledger as it is now.
    pub(super) fn publish(&self) {
        let now_ms = self.ports.clock.now_ms();
        let mut counts: BTreeMap<State, (u32, i64)> = BTreeMap::new();
        for rollout in self.ledger.rollouts.values() {
            let (count, oldest) = counts.entry(rollout.state).or_insert((0, 0));
            *count += 1;
            if !rollout.state.ended() {
                *oldest = (*oldest).max(now_ms - rollout.since_ms);
            }
        }
        for state in State::ALL {
            let (count, oldest_ms) = counts.get(&state).copied().unwrap_or((0, 0));
            self.metrics.rollouts.set([state.name()], f64::from(count));
            self.metrics.rollout_state_seconds.set([state.name()], oldest_ms as f64 / 1000.0);
        }
        let frame = View {
            env: self.settings.env.clone(),
            leading: self.ports.journal.leading(),
            replayed: true,
            started_ms: self.started_ms,
            now_ms,
            ahead: self.ledger.manifest.ahead.clone().filter(|_| self.behind.0),
            queued: self.later.values().map(Later::view).collect(),
            subjects_watched: (self.watched.borrow().len() * 2) as u64,
            ..View::default()
        };
        self.show.send_replace(Arc::new(view::of(&self.ledger, frame)));
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
            Todo::Wait(WaitingOn::Soak { until_ms }) if now_ms >= until_ms && self.green_is_well(rollout).await => {
                self.happened(&rollout.id, Event::SoakOver).await?;
                Ok(true)
            }
            Todo::Wait(_) => Ok(false),
        }
    }

    /// Whether every green job runs and completes checkpoints: blue is not retired while one does not.
    async fn green_is_well(&mut self, rollout: &Rollout) -> bool {
        for job in rollout.jobs.values() {
            let ill = match self.ports.engine.health(&job.id).await {
                Ok(health) if health.state == "RUNNING" && health.checkpoints_since_exception > 0 => continue,
                Ok(health) => format!("it is {}", health.state),
                Err(error) => error.to_string(),
            };
            if self.announced.insert(format!("{} {ill}", job.name)) {
                tracing::error!(
                    rollout = rollout.id,
                    job = job.name,
                    ill,
                    "blue is not retired: a green job is not well; roll back, or mend it"
                );
            }
            return false;
        }
        true
    }

    async fn start_effect(&mut self, rollout: &Rollout, effect: &Effect, attempted: u32) -> Result<(), Stopped> {
        let key = effect.key();
        let forward = matches!(rollout.state, State::Staging | State::Promoting | State::Retiring);
        if forward
            && attempted == 0
            && let Err(failed) = execute::precheck(&self.ports, effect).await
        {
            if matches!(&failed, Failed::Port(error) if error.passing()) {
                tracing::warn!(rollout = rollout.id, effect = key, error = %failed, "cannot look first; looked at again");
                return Ok(());
            }
            return self.happened(&rollout.id, Event::EffectFailed { key, reason: failed.to_string() }).await;
        }
        if rollout.intent_ms < self.started_ms && self.ports.clock.now_ms() < rollout.intent_ms + late_call_ms() {
            // The leader before this one may still be at it: looked at again with the next turn.
            return Ok(());
        }
        let attempt = match effect {
            Effect::StartJob { job } => {
                let name = |attempt| execute::name_of(&self.settings, &rollout.id, &job.table, attempt);
                match execute::attempt_of(&self.ports, name, attempted).await {
                    Ok(attempt) => attempt,
                    Err(error) => {
                        tracing::warn!(rollout = rollout.id, %error, "Flink does not answer; asked again");
                        return Ok(());
                    }
                }
            }
            _ => attempted.max(1),
        };
        self.happened(&rollout.id, Event::EffectIntended { key: key.clone(), attempt }).await?;
        let run = Run {
            ports: self.ports.clone(),
            settings: Arc::clone(&self.settings),
            audit: Arc::clone(&self.audit),
            rollout: rollout.id.clone(),
            attempt,
            jobs: self.ledger.jobs.clone(),
            job_attempts: started(rollout),
            turned: Arc::default(),
        };
        self.turned.insert(rollout.id.clone(), Arc::clone(&run.turned));
        let effect = effect.clone();
        self.beside(&rollout.id, async move {
            let begin = std::time::Instant::now();
            let result = execute::execute(&run, &effect).await;
            Outcomes::Effect { key, seconds: begin.elapsed().as_secs_f64(), result }
        });
        Ok(())
    }

    fn start_catch_up(&mut self, rollout: &Rollout, now_ms: i64) {
        let (ports, metrics) = (self.ports.clone(), Arc::clone(&self.metrics));
        let (hops, jobs) = (rollout.work.hops.clone(), self.ledger.jobs.clone());
        let until_ms = now_ms + rollout.terms.catch_up_ms;
        self.beside(&rollout.id, async move {
            let caught_up = async {
                let cut = hold::ends(&ports, &hold::root_topics(&hops, &jobs)).await?;
                let wait = Wait { ports: &ports, metrics: &metrics, hops: &hops, jobs: &jobs, until_ms };
                hold::hold(wait, &cut).await.map(|_| ())
            };
            Outcomes::CaughtUp(caught_up.await)
        });
    }

    fn start_proof(&mut self, rollout: &Rollout) {
        let proof = Proof {
            ports: self.ports.clone(),
            settings: Arc::clone(&self.settings),
            metrics: Arc::clone(&self.metrics),
            audit: Arc::clone(&self.audit),
            rollout: rollout.clone(),
            jobs: self.ledger.jobs.clone(),
        };
        self.beside(&rollout.id, async move {
            let begin = std::time::Instant::now();
            let result = Box::new(prove::prove(&proof).await);
            Outcomes::Proven { seconds: begin.elapsed().as_secs_f64(), result }
        });
    }

    fn beside(&mut self, rollout: &str, work: impl Future<Output = Outcomes> + Send + 'static) {
        self.last_work += 1;
        let (number, id, finished) = (self.last_work, rollout.to_owned(), self.finished.0.clone());
        let task = tokio::spawn(async move {
            let outcome = work.await;
            // The loop is gone when this fails: a restart looks at the world again.
            let _ = finished.send((number, id, outcome)).await;
        });
        self.working.insert(rollout.to_owned(), (number, task.abort_handle()));
    }

    /// Stops looking and comparing for a rollout; an effect under way is never cut off, but what only waits gives up.
    pub(super) fn turn_away(&mut self, rollout: &Rollout) {
        if let Some(turned) = self.turned.remove(&rollout.id) {
            turned.store(true, Ordering::SeqCst);
        }
        if matches!(rollout.state, State::CatchingUp | State::Validating)
            && let Some((_, task)) = self.working.remove(&rollout.id)
        {
            task.abort();
        }
    }

    async fn came_back(&mut self, number: u64, rollout: &str, outcome: Outcomes) -> Result<(), Stopped> {
        if self.working.get(rollout).is_none_or(|(now, _)| *now != number) {
            // It was stopped when it had just ended: something else is under way by now.
            return Ok(());
        }
        self.working.remove(rollout);
        match outcome {
            Outcomes::Effect { key, seconds, result } => {
                let kind = key.split(':').next().unwrap_or("").replace('-', "_");
                self.metrics.effect_duration_seconds.observe([&kind], seconds);
                match result {
                    Ok(Done { job, note }) => {
                        self.metrics.effects_total.inc([&kind, "done"]);
                        self.happened(rollout, Event::EffectDone { key, job, note }).await
                    }
                    Err(failed) => {
                        self.metrics.effects_total.inc([&kind, "failed"]);
                        tracing::error!(rollout, effect = key, error = %failed, "effect failed");
                        self.happened(rollout, Event::EffectFailed { key, reason: failed.to_string() }).await
                    }
                }
            }
            Outcomes::CaughtUp(Ok(())) => self.happened(rollout, Event::CaughtUp).await,
            Outcomes::CaughtUp(Err(why)) => {
                self.happened(rollout, Event::CatchUpFailed { reason: why.to_string() }).await
            }
            Outcomes::Proven { seconds, result } => {
                self.metrics.validation_duration_seconds.observe([], seconds);
                self.proven(rollout, *result).await
            }
        }
    }

    async fn proven(&mut self, rollout: &str, result: Result<Evidence, Broken>) -> Result<(), Stopped> {
        match result {
            Ok(evidence) => {
                let outcome = match evidence.outcome {
                    Outcome::Pass => "pass",
                    Outcome::Undecided => "undecided",
                    Outcome::Fail => "fail",
                };
                self.metrics.validation_outcomes_total.inc([outcome]);
                for table in &evidence.tables {
                    self.metrics.duplicates_found_total.add([], table.duplicates.values().sum());
                    self.metrics.differences_found_total.add([], table.missing + table.extra + table.different);
                }
                self.happened(rollout, Event::Validated { evidence: Box::new(evidence) }).await
            }
            Err(broken) => {
                self.metrics.validation_outcomes_total.inc(["undecided"]);
                self.happened(rollout, Event::ValidationBroken { reason: broken.to_string() }).await
            }
        }
    }

    /// Tells the outside that evidence waits for a decision. The id is the evidence's own, so a repeat is known as one.
    fn announce(&self, rollout: &Rollout) {
        let digest = rollout.evidence_digest().unwrap_or_default();
        let base = format!("{}/api/v1/rollouts/{}", self.settings.url, rollout.id);
        self.notify(
            format!("{}-{}", rollout.id, digest.trim_start_matches("sha256:").get(..16).unwrap_or("")),
            "rollout.awaiting_approval",
            serde_json::json!({
                "env": self.settings.env,
                "rollout": rollout.id,
                "title": rollout.title,
                "evidence_digest": digest,
                "evidence": rollout.evidence,
                "links": {
                    "show": base,
                    "approve": format!("{base}/approve"),
                    "reject": format!("{base}/reject"),
                    "rollback": format!("{base}/rollback"),
                },
            }),
        );
    }

    /// Puts the green texts on a branch of the project, beside the loop; what cannot be put there is logged.
    pub(super) fn propose_branch(&self, plan: &Plan) {
        let Some(branch) = branch::name(plan) else { return };
        let (repository, plan) = (Arc::clone(&self.ports.repository), plan.clone());
        let settings = Arc::clone(&self.settings);
        tokio::spawn(async move {
            match branch::propose(repository.as_ref(), &plan, &branch, &settings.public_vars).await {
                Ok(Some(proposed)) => tracing::info!(branch = proposed, "green's statements are on a branch"),
                Ok(None) => {
                    tracing::info!("the project is in no git repository: green's statements are in the plan only")
                }
                Err(error) => tracing::warn!(branch, %error, "green's statements could not be put on a branch"),
            }
        });
    }

    /// Sends an event beside the loop; a receiver that does not take it is logged.
    pub(super) fn notify(&self, id: String, kind: &str, data: serde_json::Value) {
        let at_ms = self.ports.clock.now_ms();
        let body = serde_json::json!({"type": kind, "timestamp_ms": at_ms, "data": data}).to_string();
        let event = OutgoingEvent { id, kind: kind.to_owned(), at_ms, body };
        let notifier = Arc::clone(&self.ports.notifier);
        tokio::spawn(async move {
            if let Err(error) = notifier.notify(&event).await {
                tracing::warn!(event = event.id, %error, "event could not be delivered");
            }
        });
    }

    pub(super) async fn answer(&mut self, request: Request) -> Result<(), Stopped> {
        super::answer::answer(self, request).await
    }
}

/// Leads, and stands by again whenever the lead is lost, until something is in the way that does not pass.
pub async fn lead_and_stand_by(
    ports: Ports,
    settings: Arc<Settings>,
    metrics: Arc<Metrics>,
    mut inbox: mpsc::Receiver<Request>,
    mut show: watch::Sender<Arc<View>>,
) -> Stopped {
    loop {
        let led = Daemon::lead(ports.clone(), Arc::clone(&settings), Arc::clone(&metrics), inbox, show).await;
        let mut daemon = match led {
            Ok(daemon) => daemon,
            Err(stopped) => return stopped,
        };
        let stopped = daemon.turn().await;
        (inbox, show) = daemon.given_up();
        if !stopped.passing() {
            return stopped;
        }
        metrics.leader.set([], 0.0);
        show.send_modify(|view| {
            let view = Arc::make_mut(view);
            (view.leading, view.replayed) = (false, false);
        });
        tracing::warn!(error = %std::error::Error::source(&stopped).map_or(stopped.to_string(), ToString::to_string), "the lead is lost: stands by");
    }
}

/// See [`LATE_CALL_MS`]; tests that kill a daemon say another time.
fn late_call_ms() -> i64 {
    #[cfg(debug_assertions)]
    if let Some(chosen) = failpoint::late_call_ms() {
        return chosen;
    }
    LATE_CALL_MS
}

/// Waits until this daemon leads; Kafka that does not answer is waited for as well.
async fn wait_to_lead(ports: &Ports, metrics: &Metrics) -> Result<Held, Stopped> {
    let mut pause_ms = FIRST_PAUSE_MS;
    loop {
        match ports.journal.lead().await {
            Ok(held) => return Ok(held),
            Err(error) if error.passing() => {
                metrics.port_errors_total.inc(["kafka"]);
                tracing::warn!(%error, "waiting for Kafka before this daemon can lead");
                ports.clock.sleep_ms(pause_ms).await;
                pause_ms = (pause_ms * 2).min(LONGEST_PAUSE_MS);
            }
            Err(error) => return Err(Stopped::Journal(error)),
        }
    }
}

/// Why something was not journaled.
#[derive(Debug, thiserror::Error)]
pub(super) enum AppendError {
    /// It does not fit.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// The journal does not take it, and is as it was.
    #[error(transparent)]
    Refused(PortError),
    /// The loop must end.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Tries of starting each table's job.
fn started(rollout: &Rollout) -> BTreeMap<String, Tries> {
    let tries = rollout.work.staging.iter().filter_map(|effect| {
        let Effect::StartJob { job } = effect else { return None };
        let groups = job.reads.iter().filter_map(|read| read.group.clone()).collect();
        Some((job.table.clone(), Tries { attempts: rollout.attempts(&effect.key()), groups }))
    });
    tries.collect()
}
