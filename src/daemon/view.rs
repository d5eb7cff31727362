//! The ledger as the outside sees it.

use std::sync::Arc;

use super::handle::{HistoryView, RefusedView, RolloutKind, RolloutView, View};
use crate::rollout::ledger::Refused;
use crate::rollout::{Kind, Ledger, Rollout, Todo, todo};

/// A snapshot of `ledger`.
pub fn of(ledger: &Ledger, frame: View) -> View {
    let mut rollouts: Vec<RolloutView> = ledger.rollouts.values().map(|r| rollout(ledger, r)).collect();
    rollouts.sort_by(|a, b| (b.created_ms, &b.id).cmp(&(a.created_ms, &a.id)));
    let newest = |r: &&Refused| ledger.looked_at.get(&r.subject).is_none_or(|seen| *seen <= r.version);
    let refused = ledger.refused.iter().rev().filter(newest).map(|r| RefusedView {
        subject: r.subject.clone(),
        version: r.version,
        reasons: r.reasons.clone(),
        at_ms: r.at_ms,
    });
    View {
        manifest: ledger.manifest.clone(),
        jobs: ledger.jobs.clone(),
        rollouts,
        refused: refused.collect(),
        first_seen: ledger.first_seen.clone(),
        baselines: ledger.baselines.clone(),
        ..frame
    }
}

fn rollout(ledger: &Ledger, r: &Rollout) -> RolloutView {
    RolloutView {
        id: r.id.clone(),
        title: r.title.clone(),
        kind: match r.kind {
            Kind::Deploy => RolloutKind::Deploy,
            Kind::Evolution => RolloutKind::Evolution,
            Kind::Change => RolloutKind::Change,
            Kind::Adopt => RolloutKind::Adopt,
            Kind::Undeploy => RolloutKind::Undeploy,
        },
        state: r.state.name().to_owned(),
        ended: r.state.ended(),
        waiting_on: overtaken(ledger, r).unwrap_or_else(|| waiting_on(r)),
        since_ms: r.since_ms,
        created_ms: r.created_ms,
        plan_digest: r.plan_digest.clone(),
        plan: Arc::clone(&r.plan),
        evidence: r.evidence.clone(),
        outcome: r.outcome(),
        evidence_digest: r.decided_on(),
        history: r
            .history
            .iter()
            .map(|s| HistoryView { at_ms: s.at_ms, state: s.state.name().to_owned(), note: s.note.clone() })
            .collect(),
        error: r.error.clone(),
    }
}

/// Why no approval of it would be taken: a version that was refused came after the one that it was made for.
pub fn overtaken(ledger: &Ledger, r: &Rollout) -> Option<String> {
    if !r.state.can_be_superseded() {
        return None;
    }
    r.planned_for().into_iter().find_map(|(subject, version)| {
        let newer = ledger.overtaken(&subject, version)?;
        Some(format!(
            "{subject} to be at version {version} again: version {newer} was refused, and no approval is taken meanwhile"
        ))
    })
}

/// What it waits on, one line; empty when it is over.
pub fn waiting_on(r: &Rollout) -> String {
    if r.state.ended() {
        return String::new();
    }
    match todo(r) {
        Todo::AllowStaging => "its turn".to_owned(),
        Todo::Run { effect, .. } => effect.title(),
        Todo::CatchUp => "green to hold the same input as blue".to_owned(),
        Todo::Validate => "both outputs to be read and compared".to_owned(),
        Todo::Wait(what) => what.to_string(),
    }
}
