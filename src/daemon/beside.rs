//! What runs beside the loop, one piece for each rollout: effects, catching up, validations; and what comes back of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::execute::{self, Done, Failed, Run, Tries};
#[cfg(debug_assertions)]
use super::failpoint;
use super::handle::RefusalCause;
use super::hold::{self, NotHeld, Wait};
use super::prove::{self, Broken, Proof};
use super::turn::{Daemon, Stopped};
use crate::model::effect::Effect;
use crate::model::verdict::{Evidence, Outcome};
use crate::rollout::{Event, Rollout, State};

/// The longest that a single call of a leader that was cut off can still take effect, milliseconds: a call's own time-out
/// is 60 s at most, and between calls a daemon looks whether it still leads.
const LATE_CALL_MS: i64 = 65_000;

/// What a piece of work beside the loop came to.
#[derive(Debug)]
pub(super) enum Outcomes {
    Effect { key: String, seconds: f64, result: Result<Done, Failed> },
    CaughtUp(Result<(), NotHeld>),
    Proven { seconds: f64, result: Box<Result<Evidence, Broken>> },
}

impl Daemon {
    pub(super) async fn start_effect(
        &mut self,
        rollout: &Rollout,
        effect: &Effect,
        attempted: u32,
    ) -> Result<(), Stopped> {
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
        if forward
            && attempted == 0
            && matches!(effect, Effect::MoveConnector { .. })
            && let Err(refusal) = self.green_stands(rollout).await
        {
            if refusal.cause == RefusalCause::Unchecked {
                tracing::warn!(rollout = rollout.id, effect = key, why = refusal.message, "waits before it moves");
                return Ok(());
            }
            return self.happened(&rollout.id, Event::EffectFailed { key, reason: refusal.message }).await;
        }
        if rollout.intent_ms < self.started_ms && self.ports.clock.now_ms() < rollout.intent_ms + late_call_ms() {
            // The leader before this one may still be at it: looked at again with the next turn.
            return Ok(());
        }
        let attempt = match effect {
            Effect::StartJob { job } => {
                let prefix = rollout.terms.prefix.as_deref().unwrap_or(&self.settings.prefix);
                let name = |attempt| execute::name_of(prefix, &rollout.id, &job.table, attempt);
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
            prefix: rollout.terms.prefix.clone().unwrap_or_else(|| self.settings.prefix.clone()),
            attempt,
            jobs: self.ledger.jobs.clone(),
            job_attempts: started(rollout),
            turned: Arc::default(),
            served: !forward && rollout.history.iter().any(|step| step.state == State::Soaking),
            gone_over: Arc::default(),
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

    pub(super) fn start_catch_up(&mut self, rollout: &Rollout, now_ms: i64) {
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

    pub(super) fn start_proof(&mut self, rollout: &Rollout) {
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

    pub(super) async fn came_back(&mut self, number: u64, rollout: &str, outcome: Outcomes) -> Result<(), Stopped> {
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
}

/// See [`LATE_CALL_MS`]; tests that kill a daemon say another time.
fn late_call_ms() -> i64 {
    #[cfg(debug_assertions)]
    if let Some(chosen) = failpoint::late_call_ms() {
        return chosen;
    }
    LATE_CALL_MS
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
