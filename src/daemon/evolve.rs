//! What the loop decides on a sighting: refuse the version, propose a rollout for it, wait, or note that nobody sees it.
//!
//! Rules: a version is journaled as looked at after its rollout is proposed, so that a stop in between loses nothing; what
//! cannot be decided comes back with what it waits for; a newer version ends the rollouts of an older one that do not serve.

use super::append::AppendError;
use super::gather::{self, Seen};
use super::turn::{Daemon, Later, Stopped};
use super::watch::Sighting;
use super::{nulls, standing};
use crate::diagnostic::Diagnostic;
use crate::plan::input::Evolution;
use crate::plan::{self, Cause};
use crate::port::PortError;
use crate::rollout::event::{Body, Notice};
use crate::rollout::{Event, Rollout};

impl Daemon {
    /// Whether this version was not looked at before.
    pub(super) fn is_news(&self, Sighting { subject, version, .. }: &Sighting) -> bool {
        let deployed = self.ledger.manifest.subjects.get(subject).copied();
        deployed.max(self.ledger.looked_at.get(subject).copied()).is_some_and(|known| *version > known)
    }

    /// Decides on every version that came since the last one that was handled, up to the one that was seen, in their order;
    /// it comes back when it cannot be decided yet.
    ///
    /// A version that can be planned is planned together with those before it. One that cannot is refused by itself: those
    /// before it are planned all the same, and first, so that a stop in between does not lose them.
    pub(super) async fn decide_on(&mut self, sighting: Sighting) -> Result<Option<Later>, Stopped> {
        let Sighting { subject, version, .. } = &sighting;
        let deployed = self.ledger.manifest.subjects.get(subject).copied();
        let looked_at = self.ledger.looked_at.get(subject).copied();
        let Some(known) = deployed.max(looked_at) else {
            self.journal(Body::Watched { subject: subject.clone(), version: *version }).await?;
            return Ok(None);
        };
        let refused = looked_at.filter(|seen| version < seen && self.ledger.is_refused(subject, *seen));
        if *version <= known && refused.is_none() {
            return Ok(None);
        }
        let later = |waits: String| Ok(Some(Later { sighting: sighting.clone(), waits, behind: None }));
        let not_yet = |error: PortError| {
            tracing::warn!(subject, version, %error, "version cannot be judged yet; looked at again");
            later(error.to_string())
        };
        let there = match self.ports.registry.versions(subject).await {
            Ok(there) => there,
            Err(error) => return not_yet(error),
        };
        if let Some(seen) = refused {
            // A node of the registry that is behind says the same as a version that was deleted.
            if !there.contains(&seen) {
                tracing::info!(
                    subject,
                    version,
                    "the refused version is deleted: what was planned before it holds again"
                );
                self.accept(subject, *version, Notice::Taken).await?;
            }
            return Ok(None);
        }
        if there.last().is_some_and(|newest| newest < version) {
            return later(format!("the registry to have version {version}"));
        }
        let from = deployed.or_else(|| self.ledger.first_seen.get(subject).copied()).unwrap_or(known);
        let baseline = self.ledger.baselines.get(subject).copied();
        let mut plannable = None;
        let mut refused = Vec::new();
        for version in there.into_iter().filter(|v| *v > known && v <= version) {
            match gather::assess(&self.ports, &self.settings, subject, baseline, (from, version)).await {
                Ok(Seen::Evolved(evolution)) => plannable = Some(evolution),
                Ok(Seen::Refused(reasons)) => refused.push((version, reasons)),
                Err(error) => return not_yet(error),
            }
        }
        let upto = plannable.as_ref().map_or(i32::MAX, |evolution| evolution.to_version);
        let (before, after): (Vec<_>, Vec<_>) = refused.into_iter().partition(|(version, _)| *version < upto);
        for (version, reasons) in before {
            self.refuse(subject, version, reasons).await?;
        }
        if let Some(evolution) = plannable
            && let Some(waiting) = self.decide_on_one(&sighting, from, evolution).await?
        {
            return Ok(Some(waiting));
        }
        for (version, reasons) in after {
            self.refuse(subject, version, reasons).await?;
        }
        Ok(None)
    }

    /// Decides on a version that can be planned, from the one that the deployed text was written for.
    async fn decide_on_one(
        &mut self,
        sighting: &Sighting,
        from: i32,
        evolution: Box<Evolution>,
    ) -> Result<Option<Later>, Stopped> {
        let Sighting { subject, at_ms, .. } = sighting;
        let version = &evolution.to_version.clone();
        let baseline = self.ledger.baselines.get(subject).copied();
        let later = |waits: String| Ok(Some(Later { sighting: sighting.clone(), waits, behind: None }));
        if let Some(planned) = self.planned_for(subject).filter(|planned| *planned > from && planned < version) {
            let range = (planned, *version);
            match gather::assess(&self.ports, &self.settings, subject, baseline, range).await {
                Ok(Seen::Evolved(since)) if plan::evolve::unnoticed(&since) => {
                    self.metrics.evolutions_total.inc(["no_impact"]);
                    self.accept(subject, *version, Notice::NotTaken).await?;
                    tracing::info!(subject, version, planned, "no difference to the version that is planned for");
                    return Ok(None);
                }
                Ok(_) => {}
                Err(error) => return later(error.to_string()),
            }
        }
        let ends = match self.count_nulls(&evolution).await {
            Ok(Some(ends)) => ends,
            Ok(None) => {
                let topics: Vec<&str> = evolution.topics.iter().map(String::as_str).collect();
                return later(format!("the NULLs in {} to be counted", topics.join(", ")));
            }
            Err(error) => {
                tracing::warn!(subject, version, %error, "version cannot be planned yet; looked at again");
                return later(error.to_string());
            }
        };
        let manifest = self.ledger.manifest.clone();
        let input =
            match gather::input(&self.ports, Some(&self.audit), &self.settings, manifest, Cause::Evolution(evolution))
                .await
            {
                Ok(mut input) => {
                    nulls::put(&mut input, &self.audit, &ends);
                    input
                }
                Err(error) => {
                    tracing::warn!(subject, version, %error, "version cannot be planned yet; looked at again");
                    return later(error.to_string());
                }
            };
        let planned = plan::plan(&input);
        if planned.plan.is_some() && !self.ledger.open().is_empty() {
            // Planned on top of what the open rollout leaves behind.
            self.supersede(subject, *version).await?;
            let Some(rollout) = self.ledger.open().first().map(|rollout| rollout.id.clone()) else {
                return later("its turn".to_owned());
            };
            let waits = format!("the end of rollout {rollout}");
            return Ok(Some(Later { sighting: sighting.clone(), waits, behind: Some(rollout) }));
        }
        match planned.plan {
            Some(plan) => {
                let plan = match standing::settle(&self.ports, &self.settings, plan).await {
                    Ok(plan) => plan,
                    Err(error) => {
                        tracing::warn!(subject, version, %error, "version cannot be planned yet; looked at again");
                        return later(error.to_string());
                    }
                };
                // The proposal first: a version that was looked at is never planned again, so a stop in between would lose it.
                match self.propose(plan).await {
                    Ok(_) | Err(AppendError::Illegal(_)) => {}
                    Err(AppendError::Refused(error)) => {
                        let reason = format!("its plan cannot be journaled: {error}");
                        self.refuse(subject, *version, vec![reason]).await?;
                        return Ok(None);
                    }
                    Err(AppendError::Stopped(stopped)) => return Err(stopped),
                }
                self.accept(subject, *version, Notice::Taken).await?;
                self.metrics.evolutions_total.inc(["accepted"]);
                let seconds = (self.ports.clock.now_ms() - at_ms) as f64 / 1000.0;
                self.metrics.proposal_seconds.observe([], seconds);
                tracing::info!(subject, version, seconds, "evolution proposed");
            }
            None if plan::project::broken(&planned.diagnostics) => {
                let reasons = planned.diagnostics.iter().map(one_line).collect();
                self.refuse(subject, *version, reasons).await?;
            }
            None => {
                self.metrics.evolutions_total.inc(["no_impact"]);
                self.accept(subject, *version, Notice::NotTaken).await?;
                tracing::info!(subject, version, "evolution without notice on any statement");
            }
        }
        Ok(None)
    }

    /// The newest version of `subject` that an open rollout was made for.
    fn planned_for(&self, subject: &str) -> Option<i32> {
        self.ledger.open().into_iter().filter_map(|rollout| rollout.planned_for().remove(subject)).max()
    }

    /// Ends the open rollouts that were made for an older version of `subject` and do not serve yet: no approval of theirs
    /// could be given any more.
    async fn supersede(&mut self, subject: &str, version: i32) -> Result<(), Stopped> {
        let overtaken = |rollout: &&Rollout| {
            let older = rollout.planned_for().get(subject).is_some_and(|planned| *planned < version);
            rollout.state.can_be_superseded() && older
        };
        let overtaken: Vec<Rollout> = self.ledger.open().into_iter().filter(overtaken).cloned().collect();
        for rollout in overtaken {
            tracing::info!(rollout = rollout.id, subject, version, "rollout is superseded");
            let what = Event::Superseded { by: format!("{subject} version {version}") };
            self.journal(Body::Rollout { id: rollout.id.clone(), what }).await?;
            self.turn_away(&rollout);
        }
        Ok(())
    }

    pub(super) async fn accept(&mut self, subject: &str, version: i32, notice: Notice) -> Result<(), Stopped> {
        self.metrics.subject_versions_seen_total.inc([]);
        let (subject, refused) = (subject.to_owned(), Vec::new());
        self.journal(Body::Evolution { subject, version, refused, notice }).await
    }

    async fn refuse(&mut self, subject: &str, version: i32, reasons: Vec<String>) -> Result<(), Stopped> {
        self.metrics.subject_versions_seen_total.inc([]);
        tracing::warn!(subject, version, reasons = reasons.join("; "), "evolution refused: nothing is deployed");
        self.metrics.evolutions_total.inc(["refused"]);
        let (subject_of, notice, refused) = (subject.to_owned(), Notice::Taken, reasons.clone());
        self.journal(Body::Evolution { subject: subject_of, version, refused, notice }).await?;
        self.tell_refused(subject, version, &reasons);
        Ok(())
    }

    /// Tells the outside of a refused version. The id is the version's own, so a repeat is known as one.
    pub(super) fn tell_refused(&self, subject: &str, version: i32, reasons: &[String]) {
        let data = serde_json::json!({
            "env": self.settings.env, "subject": subject, "version": version, "reasons": reasons,
        });
        self.notify(format!("refused-{subject}-{version}"), "evolution.refused", data);
    }

    /// Journals an entry that always fits.
    async fn journal(&mut self, body: Body) -> Result<(), Stopped> {
        match self.append(body).await {
            Ok(()) | Err(AppendError::Illegal(_)) => Ok(()),
            Err(AppendError::Refused(error)) => Err(Stopped::Journal(error)),
            Err(AppendError::Stopped(stopped)) => Err(stopped),
        }
    }
}

fn one_line(diagnostic: &Diagnostic) -> String {
    format!("{}: {}", diagnostic.code, diagnostic.message)
}
