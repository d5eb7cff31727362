//! Answers to requests from outside: apply a plan, decide, go back. And what the loop decides on a sighting.

use std::time::Duration;

use serde::Deserialize;

use super::append::AppendError;
use super::back::{Back, going_back, names};
use super::gather;
use super::handle::{BaselineRequest, Decision, DecisionRequest, Refusal, RefusalCause, Reply, Request};
use super::standing;
use super::turn::{Daemon, Later, Stopped};
use super::watch::Sighting;
use crate::model::verdict::{Evidence, Outcome, digest_of};
use crate::plan::Plan;
use crate::plan::document::Assumptions;
use crate::plan::standing::Files;
use crate::port::PortResult;
use crate::rollout::event::{Body, without_work};
use crate::rollout::{Approval, Delivery, Event, Illegal, Kind, NewRollout, Rollout, State, Terms};

/// How long looking at what a plan stands on may take: the loop waits for it.
const LOOK_LIMIT: Duration = Duration::from_secs(15);

/// Answers `request`; every request gets exactly one answer.
pub(super) async fn answer(daemon: &mut Daemon, request: Request) -> Result<(), Stopped> {
    let (result, reply) = match request {
        Request::Apply { plan, reply } => (daemon.apply(plan).await, reply),
        Request::Decide { decision, reply } => (daemon.decide(decision).await, reply),
        Request::Baseline { baseline, reply } => (daemon.baseline(baseline).await, reply),
        Request::Revalidate { rollout, by, via, reply } => (daemon.revalidate(&rollout, &by, &via).await, reply),
        Request::Abort { rollout, by, via, reply } => (daemon.go_back(&rollout, &by, &via, Back::GiveUp).await, reply),
        Request::RollBack { rollout, by, via, reply } => {
            (daemon.go_back(&rollout, &by, &via, Back::RollBack).await, reply)
        }
    };
    // Who was answered may look at once: what the answer speaks of must be there to see.
    daemon.publish();
    let answered = match result {
        Ok(answered) => Ok(answered),
        Err(Refused::Refusal(refusal)) => Err(refusal),
        Err(Refused::Stopped(stopped)) => {
            let text = "the journal cannot be written: the outcome is not known";
            // Who asked may be gone.
            let _ = reply.send(Err(Refusal::new(RefusalCause::NotLeading, text)));
            return Err(stopped);
        }
    };
    let _ = reply.send(answered);
    Ok(())
}

/// A no, or the end of the loop.
pub(super) enum Refused {
    Refusal(Refusal),
    Stopped(Stopped),
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<AppendError> for Refused {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Stopped(stopped) => Self::Stopped(stopped),
            AppendError::Refused(error) => Self::Refusal(Refusal::new(RefusalCause::Invalid, error.to_string())),
            AppendError::Illegal(illegal) => {
                let cause = match &illegal {
                    Illegal::State { .. } => RefusalCause::WrongState,
                    Illegal::Evidence { .. } => RefusalCause::EvidenceMismatch,
                    Illegal::Existence { .. } => RefusalCause::UnknownRollout,
                };
                Self::Refusal(Refusal::new(cause, illegal.to_string()))
            }
        }
    }
}

impl Daemon {
    async fn apply(&mut self, document: serde_json::Value) -> Result<Reply, Refused> {
        let plan: Plan = serde_json::from_value(document)
            .map_err(|e| Refusal::new(RefusalCause::Invalid, format!("this is not a plan: {e}")))?;
        let digest = plan.digest();
        if let Some(known) = self.ledger.rollouts.values().find(|r| r.plan_digest == digest && !r.state.ended()) {
            let message = "this plan is a rollout already".to_owned();
            return Ok(Reply { rollout: known.id.clone(), state: known.state.name().to_owned(), message });
        }
        if plan.format != Plan::FORMAT || plan.env != self.settings.env {
            let text = format!("the plan is for environment {}, this daemon serves {}", plan.env, self.settings.env);
            return Err(Refusal::new(RefusalCause::Invalid, text).into());
        }
        let Some(kind) = Kind::of_plan(&plan.kind) else {
            let text = format!("there is no plan of kind `{}`", plan.kind);
            return Err(Refusal::new(RefusalCause::Invalid, text).into());
        };
        if plan.is_empty() {
            return Err(Refusal::new(RefusalCause::Invalid, "the plan does nothing").into());
        }
        if let Some(busy) = self.ledger.open().first() {
            let text = format!("rollout {} is {}: wait for its end or abort it", busy.id, busy.state);
            return Err(Refusal::new(RefusalCause::Conflict, text).into());
        }
        let written = self.ledger.manifest.written().into_iter();
        let written = written.map(|(table, topic)| (table.to_owned(), topic.to_owned()));
        let jobs = self.ledger.jobs.values().map(|job| (job.table.clone(), job.topic.clone()));
        let running = written.chain(jobs).collect();
        let connectors = self.ledger.manifest.connectors.keys().map(String::as_str).collect();
        if let Some(effect) = plan.work.overreach(kind.reach(), &running, &connectors) {
            let text = format!("the plan would {effect}, which is not its to do: no planner makes such a plan");
            return Err(Refusal::new(RefusalCause::Invalid, text).into());
        }
        if plan.assumptions.standing.is_none() {
            let text =
                "the plan was made without a look at the systems: make it with `cyanotype plan` against this daemon";
            return Err(Refusal::new(RefusalCause::Invalid, text).into());
        }
        self.assumptions_hold(&plan, Files::OfAnotherFolder).await?;
        // It may have been made beside another copy of the files: from now on this daemon's copy counts.
        let standing = within(standing::look(&self.ports, &self.settings, &plan)).await?;
        let assumptions = Assumptions { standing: Some(standing), ..plan.assumptions };
        let id = self.propose(Plan { assumptions, ..plan }).await?;
        Ok(Reply { rollout: id, state: State::Proposed.name().to_owned(), message: "proposed".to_owned() })
    }

    /// Whether everything that the plan takes for granted is still so.
    async fn assumptions_hold(&self, plan: &Plan, files: Files) -> Result<(), Refusal> {
        let moved = |text: String| Err(Refusal::new(RefusalCause::AssumptionsMoved, text));
        if plan.assumptions.manifest != digest_of(&self.ledger.manifest) {
            return moved("what is deployed has changed since the plan was made: plan again".to_owned());
        }
        let other = |(table, id): &(&String, &String)| self.ledger.jobs.get(*table).is_none_or(|job| job.id != **id);
        if let Some((table, _)) = plan.assumptions.jobs.iter().find(other) {
            return moved(format!("`{table}` has another job since the plan was made: plan again"));
        }
        for (subject, version) in &plan.assumptions.subjects {
            self.subject_holds(subject, *version)?;
        }
        self.no_nulls_hold(plan)?;
        let Some(stood_on) = &plan.assumptions.standing else { return Ok(()) };
        let now = within(standing::look(&self.ports, &self.settings, plan)).await?;
        match stood_on.moved(&now, files).as_slice() {
            [] => Ok(()),
            lines => moved(format!("{}: undo it, or plan again", lines.join("; "))),
        }
    }

    /// Whether no version after `version` is known that some statement may see.
    fn subject_holds(&self, subject: &str, version: i32) -> Result<(), Refusal> {
        if let Some(later) = self.later.get(subject).filter(|later| later.sighting.version > version) {
            let (newer, waits) = (later.sighting.version, &later.waits);
            let text = format!("subject {subject} has version {newer}, which is not judged yet: it waits for {waits}");
            return Err(Refusal::new(RefusalCause::Unchecked, text));
        }
        match self.ledger.overtaken(subject, version) {
            Some(newer) => {
                let text = format!("subject {subject} has version {newer} now, the plan is for {version}: plan again");
                Err(Refusal::new(RefusalCause::AssumptionsMoved, text))
            }
            None => Ok(()),
        }
    }

    /// Journals a new rollout for `plan`; its id.
    pub(super) async fn propose(&mut self, plan: Plan) -> Result<String, AppendError> {
        let kind = Kind::of_plan(&plan.kind).unwrap_or(Kind::Change);
        let id = format!("{}-{}-{}", plan.kind, self.ledger.proposed + 1, base36(self.ports.clock.now_ms()));
        let new = NewRollout {
            id: id.clone(),
            kind,
            title: plan.title.clone(),
            plan_digest: plan.digest(),
            work: plan.work.clone(),
            terms: Terms {
                // Nothing stands by that could be gone back to.
                ask_before_staging: self.settings.terms.ask_before_staging || kind == Kind::Undeploy,
                ..self.settings.terms.clone()
            },
            plan: without_work(serde_json::to_value(&plan).unwrap_or_default()),
        };
        self.append(Body::Rollout { id: id.clone(), what: Event::Proposed(Box::new(new)) }).await?;
        self.propose_branch(&plan);
        Ok(id)
    }

    async fn decide(&mut self, request: DecisionRequest) -> Result<Reply, Refused> {
        if let Some(given) = self.given_before(&request)? {
            return Ok(given);
        }
        let rollout = self.ledger.rollouts.get(&request.rollout).cloned().ok_or_else(|| unknown(&request.rollout))?;
        // Journals of before hold an approval's delivery here alone.
        if let Some(given) = rollout.approval.as_ref().filter(|a| a.delivery == request.delivery) {
            return Ok(self.reply(&rollout.id, &format!("decided by {} before", given.by)));
        }
        match request.decision {
            Decision::Approve | Decision::Reject => self.may_be_decided(&rollout, &request).await?,
            // It holds for what was seen, however old that is: going back is the safe side.
            Decision::Abort | Decision::Rollback => names(&request, &rollout)?,
        }
        let by = format!("{} ({})", request.by, request.via);
        let approval = Approval {
            evidence: request.evidence.clone(),
            by: by.clone(),
            comment: request.comment.clone(),
            delivery: request.delivery.clone(),
        };
        let (what, message) = match request.decision {
            Decision::Approve if rollout.state == State::Proposed => {
                (Event::StagingAllowed { by }, begins(rollout.kind))
            }
            Decision::Reject if rollout.state == State::Proposed => {
                (Event::AbortAsked { by, reason: "rejected".to_owned() }, "rejected: nothing was done")
            }
            Decision::Approve => (Event::Approved(approval), "approved: it is being promoted"),
            Decision::Reject => (Event::Rejected(approval), "rejected: green is being removed"),
            Decision::Abort => going_back(&rollout, Back::GiveUp, by, request.comment)?,
            Decision::Rollback => going_back(&rollout, Back::RollBack, by, request.comment)?,
        };
        let id = rollout.id.clone();
        self.append(match request.content {
            Some(content) => {
                let delivery = Delivery { id: request.delivery, content, message: message.to_owned() };
                Body::Delivered { id, what, delivery }
            }
            None => Body::Rollout { id, what },
        })
        .await?;
        if matches!(request.decision, Decision::Abort | Decision::Rollback) {
            self.turn_away(&rollout);
        }
        Ok(self.reply(&rollout.id, message))
    }

    /// Whether a yes or a no can be given on what the request names.
    async fn may_be_decided(&self, rollout: &Rollout, request: &DecisionRequest) -> Result<(), Refusal> {
        let now_ms = self.ports.clock.now_ms();
        let expired = |e: &Evidence| e.outcome == Outcome::Pass && now_ms >= e.expires_ms;
        if matches!(rollout.state, State::AwaitingApproval | State::Unproven)
            && rollout.evidence.as_ref().is_some_and(expired)
        {
            return Err(Refusal::new(RefusalCause::Expired, "the evidence has expired: validate again"));
        }
        if !matches!(rollout.state, State::AwaitingApproval | State::Proposed) {
            return Ok(());
        }
        let digest = rollout.decided_on().unwrap_or_default();
        if digest != request.evidence {
            return Err(mismatch(request, &digest));
        }
        if request.decision == Decision::Approve {
            let unread = |e| format!("what the plan of {} stands on cannot be read: {e}", rollout.id);
            let plan: Plan = Plan::deserialize(&*rollout.plan)
                .map_err(|e| Refusal::new(RefusalCause::AssumptionsMoved, unread(e)))?;
            self.assumptions_hold(&plan, Files::Same).await?;
            self.green_stands(rollout).await?;
        }
        Ok(())
    }

    /// The first answer, when the same delivery was acted on before.
    fn given_before(&self, request: &DecisionRequest) -> Result<Option<Reply>, Refusal> {
        let Some(given) = self.ledger.deliveries.get(&request.delivery) else { return Ok(None) };
        if request.content.as_ref() != Some(&given.delivery.content) {
            let text = "this webhook-id came before with another content";
            return Err(Refusal::new(RefusalCause::ReplayMismatch, text));
        }
        Ok(Some(Reply {
            rollout: given.rollout.clone(),
            state: given.state.name().to_owned(),
            message: given.delivery.message.clone(),
        }))
    }

    async fn revalidate(&mut self, id: &str, by: &str, via: &str) -> Result<Reply, Refused> {
        if !self.ledger.rollouts.contains_key(id) {
            return Err(unknown(id).into());
        }
        let by = format!("{by} ({via})");
        self.append(Body::Rollout { id: id.to_owned(), what: Event::Revalidate { by } }).await?;
        Ok(self.reply(id, "both outputs are read and compared again"))
    }

    async fn baseline(&mut self, request: BaselineRequest) -> Result<Reply, Refused> {
        let BaselineRequest { subject, version, reason, by, via } = request;
        let watched = gather::input_topics(&self.ledger.manifest);
        if self.settings.subjects.topics_of(&subject).is_disjoint(&watched) {
            let text = format!("no deployed table reads the topic of subject {subject}");
            return Err(Refusal::new(RefusalCause::Invalid, text).into());
        }
        let versions = within(self.ports.registry.versions(&subject)).await?;
        let Some(newest) = versions.last().copied().filter(|_| versions.contains(&version)) else {
            let text = format!("the registry has no version {version} of subject {subject}");
            return Err(Refusal::new(RefusalCause::Invalid, text).into());
        };
        let by = format!("{by} ({via})");
        self.append(Body::Baseline { subject: subject.clone(), version, by, reason }).await?;
        let sighting = Sighting { subject: subject.clone(), version: newest, at_ms: self.ports.clock.now_ms() };
        let waits = "its turn".to_owned();
        self.later.insert(subject.clone(), Later { sighting, waits, behind: None });
        let message =
            format!("history of {subject} counts from version {version} on; version {newest} is looked at again");
        Ok(Reply { rollout: String::new(), state: String::new(), message })
    }

    pub(super) fn reply(&self, id: &str, message: &str) -> Reply {
        let state = self.ledger.rollouts.get(id).map(|r| r.state.name()).unwrap_or("");
        Reply { rollout: id.to_owned(), state: state.to_owned(), message: message.to_owned() }
    }
}

/// What a yes to a proposal leads to, in words.
fn begins(kind: Kind) -> &'static str {
    match kind {
        Kind::Undeploy => "approved: it is being taken down",
        Kind::Adopt => "approved: it is being taken over",
        Kind::Deploy | Kind::Evolution | Kind::Change => "approved: green is being staged",
    }
}

/// What the world answers, within the time that the loop can wait.
pub(super) async fn within<T>(asked: impl Future<Output = PortResult<T>>) -> Result<T, Refusal> {
    let unchecked = |why: String| {
        let text = format!("it cannot be seen whether what the plan stands on has moved: {why}");
        Refusal::new(RefusalCause::Unchecked, text)
    };
    match tokio::time::timeout(LOOK_LIMIT, asked).await {
        Ok(answer) => answer.map_err(|error| unchecked(error.to_string())),
        Err(_) => Err(unchecked(format!("no answer within {} s", LOOK_LIMIT.as_secs()))),
    }
}

pub(super) fn mismatch(request: &DecisionRequest, digest: &str) -> Refusal {
    let text = format!("the decision names {}, it is about {digest}", request.evidence);
    Refusal::new(RefusalCause::EvidenceMismatch, text)
}

pub(super) fn unknown(id: &str) -> Refusal {
    Refusal::new(RefusalCause::UnknownRollout, format!("there is no rollout {id}: see `cyanotype status`"))
}

/// A number in lower-case base 36: short ids that sort by time.
fn base36(number: i64) -> String {
    let mut rest = number.unsigned_abs();
    let mut digits = Vec::new();
    while rest > 0 || digits.is_empty() {
        let digit = u32::try_from(rest % 36).ok().and_then(|d| char::from_digit(d, 36));
        digits.extend(digit);
        rest /= 36;
    }
    digits.into_iter().rev().collect()
}
