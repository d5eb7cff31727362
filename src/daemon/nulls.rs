//! What stands on the count of explicit NULLs in nullable columns with a default: what semantics, "Rewriting", asks before such
//! a default may be applied.
//!
//! Rules: the audit counts them, record by record (`validate::audit`). "None was seen" is said only of a topic that was read to the
//! end that it had when planning began, and of which every record could be read.

use std::collections::BTreeMap;

use super::gather;
use super::handle::{Refusal, RefusalCause};
use super::turn::Daemon;
use super::watch::Audit;
use crate::model::manifest::Manifest;
use crate::model::record::{self, Offsets};
use crate::plan::document::NoNulls;
use crate::plan::input::{Evolution, NullCount};
use crate::plan::{Plan, PlanInput};
use crate::port::{PortResult, Topics};
use crate::schema;

/// How long a proposal waits for the count, milliseconds: enough for a record on its way and an audit that is a look behind.
const COUNT_MS: i64 = 10_000;

impl Audit {
    /// Whether `assumed` still holds, as far as the topic is read.
    ///
    /// # Errors
    /// The first column that holds a NULL; or that less was read than `assumed` and `cut` ask for, so that nobody knows.
    fn no_nulls_hold(&self, assumed: &NoNulls, cut: Option<&Offsets>) -> Result<(), Refusal> {
        let topic = &assumed.topic;
        let facts = self.nulls(topic, &assumed.read).unwrap_or_default();
        for column in &assumed.columns {
            let NullCount { records, nulls } = facts.columns.get(column).copied().unwrap_or_default();
            if nulls > 0 {
                let text = format!(
                    "the plan applies the default of column {column} because no record of {topic} held NULL there; \
                     {nulls} of {records} do now: plan again"
                );
                return Err(Refusal::new(RefusalCause::AssumptionsMoved, text));
            }
        }
        if !facts.to_the_end || cut.is_some_and(|cut| !record::reached(&facts.read, cut)) || facts.unread > 0 {
            return Err(match facts.unread {
                0 => {
                    let text = format!("the NULLs in {topic} are not counted to the end yet: ask again in a moment");
                    Refusal::new(RefusalCause::Unchecked, text)
                }
                n => {
                    let text =
                        format!("{n} records of {topic} cannot be read, so nobody knows what they hold: plan again");
                    Refusal::new(RefusalCause::AssumptionsMoved, text)
                }
            });
        }
        Ok(())
    }
}

/// The count that a planning waits for.
#[derive(Clone, Debug)]
pub(super) struct Awaited {
    version: i32,
    since_ms: i64,
    /// The end that each topic had when planning began.
    ends: Ends,
}

/// Ends of topics.
pub type Ends = BTreeMap<String, Offsets>;

/// Puts what was counted beside the other facts on the topics.
pub fn put(input: &mut PlanInput, audit: &Audit, ends: &Ends) {
    for (topic, ends) in ends {
        if let Some(facts) = input.topics.get_mut(topic) {
            facts.nulls = audit.nulls(topic, ends);
        }
    }
}

/// The ends that the topics of `evolution` have now, as far as tables of `manifest` read them.
///
/// # Errors
/// Kafka's.
pub async fn ends(topics: &dyn Topics, manifest: &Manifest, evolution: &Evolution) -> PortResult<Ends> {
    let mut ends = Ends::new();
    for topic in gather::input_topics(manifest).intersection(&evolution.topics) {
        ends.insert(topic.clone(), topics.visible_ends(topic).await?);
    }
    Ok(ends)
}

/// New columns that may be NULL and have, or had, a default.
pub fn uncertain(evolution: &Evolution) -> Vec<&str> {
    let with_default = |a: &&schema::AddedColumn| {
        !a.source_not_null && (a.default_sql.is_some() || a.earlier.iter().any(|d| d.default_sql.is_some()))
    };
    evolution.added.iter().filter(with_default).map(|a| a.name.as_str()).collect()
}

impl Daemon {
    /// The ends up to which NULLs were counted for this evolution; `None` when it is too early to plan it.
    ///
    /// # Errors
    /// Kafka's.
    pub(super) async fn count_nulls(&mut self, evolution: &Evolution) -> PortResult<Option<Ends>> {
        let columns = uncertain(evolution);
        if columns.is_empty() {
            return Ok(Some(Ends::new()));
        }
        let now_ms = self.ports.clock.now_ms();
        let version = evolution.to_version;
        let awaited = match self.counting.get(&evolution.subject).filter(|a| a.version == version) {
            Some(awaited) => awaited.clone(),
            None => {
                let ends = ends(self.ports.topics.as_ref(), &self.ledger.manifest, evolution).await?;
                let awaited = Awaited { version, since_ms: now_ms, ends };
                self.counting.insert(evolution.subject.clone(), awaited.clone());
                awaited
            }
        };
        // The registry has a version before Kafka has the first record of it.
        let counted = awaited.ends.iter().all(|(topic, ends)| {
            let facts = self.audit.nulls(topic, ends).unwrap_or_default();
            let seen = |column: &&str| facts.columns.get(*column).is_some_and(|count| count.records > 0);
            facts.to_the_end && columns.iter().all(seen)
        });
        if counted || now_ms - awaited.since_ms >= COUNT_MS {
            self.counting.remove(&evolution.subject);
            return Ok(Some(awaited.ends));
        }
        Ok(None)
    }

    /// Refuses a plan whose defaults stand on a count that no longer holds, or is not made anew yet after a restart. The
    /// records that evidence was given on must be among the counted ones.
    pub(super) fn no_nulls_hold(&self, plan: &Plan) -> Result<(), Refusal> {
        for assumed in &plan.assumptions.no_nulls {
            let evidence = self.ledger.open().into_iter().filter_map(|r| r.evidence.as_ref());
            let cut = evidence.filter_map(|e| e.cut.get(&assumed.topic)).next_back();
            self.audit.no_nulls_hold(assumed, cut)?;
        }
        Ok(())
    }
}
