//! Reading the journal's topic: whole entries, from the first that is left or from a place on.
//!
//! Rules: what is not committed is not there; what is read was not shortened meanwhile, or it is read again.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};

use super::Shared;
use super::parts::{Assembly, Begins};
use crate::adapter::kafka::{CALL, Context, Records};
use crate::model::record::Offsets;
use crate::port::{PortError, PortResult};

/// How long a reader waits for a transaction that is being decided.
const DECIDED: Duration = Duration::from_secs(3);
/// How long to wait between two looks at it.
const LOOK: Duration = Duration::from_millis(10);

/// What was read of the journal.
pub(super) struct Entries {
    /// Every whole entry, oldest first.
    pub(super) all: Vec<Vec<u8>>,
    /// The first offset that is left.
    pub(super) low: i64,
    /// Up to here that is all there is.
    pub(super) end: i64,
}

impl Shared {
    /// Waits until every transaction that is in the journal now is decided, or [`DECIDED`] is over: Kafka answers a commit
    /// a moment before readers see it. Who opened the writer need not wait, opening does.
    pub(super) fn decided(&self) -> PortResult<()> {
        let mut reader = self.readers.lease()?;
        let ids = reader.ids(&self.topic)?;
        let ours = [("isolation.level", "read_uncommitted"), ("allow.auto.create.topics", "false")];
        let undecided: BaseConsumer<Context> = self.clients().make(&ours, self.clients().context())?;
        let what = || format!("for the end of journal `{}`", self.topic);
        let end = undecided.fetch_watermarks(&self.topic, 0, CALL).map_err(|e| self.clients().error(what(), &e))?.1;
        let patience = Instant::now() + DECIDED;
        reader.until(patience + CALL);
        while Instant::now() < patience && reader.highs(&self.topic, &ids)?.get(&0).is_none_or(|high| *high < end) {
            std::thread::sleep(LOOK);
        }
        reader.done();
        Ok(())
    }

    /// The first offset that is left, and the one that nothing visible is at or after.
    fn bounds(&self) -> PortResult<(i64, i64)> {
        let reader = self.readers.lease()?;
        let ids = reader.ids(&self.topic)?;
        let of = |offsets: Offsets| offsets.get(&0).copied().unwrap_or(0);
        let bounds = (of(reader.lows(&self.topic, &ids)?), of(reader.highs(&self.topic, &ids)?));
        reader.done();
        Ok(bounds)
    }

    /// Reads from `from`, or from the first offset that is left, to the end.
    pub(super) fn entries(&self, from: Option<i64>) -> PortResult<Entries> {
        let (mut low, mut end) = self.bounds()?;
        loop {
            let read = self.assemble(from, low, end);
            let now = self.bounds()?;
            if now.0 == low {
                return Ok(Entries { all: read?, low, end });
            }
            // It was shortened meanwhile, as by a leader of before that wrote a snapshot and is still at it.
            (low, end) = now;
        }
    }

    fn assemble(&self, from: Option<i64>, low: i64, end: i64) -> PortResult<Vec<Vec<u8>>> {
        let begins = if from.is_some() { Begins::BehindAnEntry } else { Begins::AtTheFirst };
        let (from, to) = (Offsets::from([(0, from.unwrap_or(low))]), Offsets::from([(0, end)]));
        let garbage = |reason| PortError::Garbage {
            system: "Kafka",
            what: format!("the reading of journal `{}`", self.topic),
            reason,
        };
        let mut records = Records::start(&self.readers, &self.topic, &from, &to)?;
        let mut assembly = Assembly::new(begins);
        while let Some(batch) = records.next()? {
            batch.into_iter().try_for_each(|record| assembly.take(record)).map_err(garbage)?;
        }
        assembly.whole().map_err(garbage)
    }
}
