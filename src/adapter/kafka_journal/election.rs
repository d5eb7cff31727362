//! Who leads: the member of the group that holds the journal's one partition.
//!
//! Rules: the group only elects, it reads and commits nothing; a leader keeps the partition when another daemon joins
//! (cooperative assignment); each time the partition is given counts as a new term; after a term was lost to another
//! writer the daemon leaves the group and joins again, so that it cannot take its old term for a new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use tokio::sync::watch;

use crate::adapter::kafka::{Clients, Context, code_of, passing};
use crate::port::{PortError, PortResult};

/// How long Kafka waits for a sign of life before it gives the partition to another daemon.
const SESSION_MS: &str = "8000";
/// How often a sign of life is sent.
const HEARTBEAT_MS: &str = "2000";
/// How often the thread looks up from polling.
const TICK: Duration = Duration::from_millis(100);

/// How long giving the partition back may take.
const LEAVE: Duration = Duration::from_secs(5);

/// Where this daemon stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    /// How often the partition was given to this daemon.
    pub(super) term: u64,
    /// True while it holds the partition.
    pub(super) held: bool,
    /// Why it cannot take part, when waiting does not help.
    pub(super) trouble: Option<PortError>,
}

/// Takes part in the election until it is dropped.
pub(super) struct Election {
    standing: watch::Receiver<Standing>,
    orders: Arc<Orders>,
}

#[derive(Default)]
struct Orders {
    stop: AtomicBool,
    rejoin: AtomicBool,
}

impl Election {
    /// Joins the group `group` on the topic.
    pub(super) fn join(clients: &Clients, topic: &str, group: &str) -> PortResult<Self> {
        let (tell, standing) = watch::channel(Standing::default());
        let context = Member { inner: clients.context(), tell, topic: topic.to_owned() };
        let ours = [
            ("group.id", group),
            ("group.protocol", "classic"),
            ("partition.assignment.strategy", "cooperative-sticky"),
            ("session.timeout.ms", SESSION_MS),
            ("heartbeat.interval.ms", HEARTBEAT_MS),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "latest"),
            ("allow.auto.create.topics", "false"),
        ];
        let consumer: BaseConsumer<Member> = clients.make(&ours, context)?;
        let what = || format!("to join group `{group}`");
        consumer.subscribe(&[topic]).map_err(|e| clients.error(what(), &e))?;
        let orders = Arc::new(Orders::default());
        let thread = Thread {
            clients: clients.clone(),
            consumer,
            orders: Arc::clone(&orders),
            topic: topic.to_owned(),
            what: what(),
        };
        std::thread::Builder::new()
            .name("journal-election".to_owned())
            .spawn(move || thread.run())
            .map_err(|e| clients.refused(what(), format!("no thread for it: {e}")))?;
        Ok(Self { standing, orders })
    }

    /// True while this daemon holds the partition in this term.
    pub(super) fn holds(&self, term: u64) -> bool {
        let standing = self.standing.borrow();
        standing.held && standing.term == term
    }

    /// Waits until this daemon holds the partition; answers with the term.
    pub(super) async fn held(&self) -> PortResult<u64> {
        let mut standing = self.standing.clone();
        let gone = PortError::Fenced;
        let now = standing.wait_for(|s| (s.held && !self.leaving()) || s.trouble.is_some()).await.map_err(|_| gone)?;
        match &now.trouble {
            Some(trouble) => Err(trouble.clone()),
            None => Ok(now.term),
        }
    }

    /// Leaves the group and joins again: the term ends at once for [`Election::held`].
    pub(super) fn rejoin(&self) {
        self.orders.rejoin.store(true, Ordering::SeqCst);
    }

    fn leaving(&self) -> bool {
        self.orders.rejoin.load(Ordering::SeqCst)
    }
}

impl Drop for Election {
    fn drop(&mut self) {
        // The thread leaves the group, so that the next leader does not have to wait for the session to end.
        self.orders.stop.store(true, Ordering::SeqCst);
    }
}

struct Thread {
    clients: Clients,
    consumer: BaseConsumer<Member>,
    orders: Arc<Orders>,
    topic: String,
    what: String,
}

impl Thread {
    fn run(self) {
        while !self.orders.stop.load(Ordering::SeqCst) {
            if self.orders.rejoin.load(Ordering::SeqCst) {
                self.leave();
                if let Err(error) = self.consumer.subscribe(&[&self.topic]) {
                    self.trouble(&error);
                }
                self.orders.rejoin.store(false, Ordering::SeqCst);
            }
            match self.consumer.poll(TICK) {
                // Nothing is read here: the partition is paused as soon as it is given.
                None | Some(Ok(_)) => {}
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(error)) => self.trouble(&error),
            }
        }
        self.lose();
    }

    fn leave(&self) {
        self.lose();
        self.consumer.unsubscribe();
        // The partition is given back while polling. Joining before that could pass for never having left.
        let until = Instant::now() + LEAVE;
        while Instant::now() < until && self.consumer.assignment().is_ok_and(|list| list.count() > 0) {
            let _ = self.consumer.poll(TICK);
        }
    }

    fn lose(&self) {
        self.consumer.context().tell.send_modify(|standing| standing.held = false);
    }

    fn trouble(&self, error: &KafkaError) {
        let told = self.clients.error(self.what.as_str(), error);
        let code = code_of(error);
        let fatal = matches!(error, KafkaError::MessageConsumptionFatal(_));
        let barred = matches!(code, Some(Code::GroupAuthorizationFailed | Code::TopicAuthorizationFailed));
        if !fatal && !barred {
            if code.is_none_or(|code| !passing(code)) {
                tracing::warn!(error = %told, "the journal's election met an error");
            }
            return;
        }
        self.consumer.context().tell.send_modify(|standing| {
            standing.held = false;
            standing.trouble = Some(told);
        });
    }
}

/// Hears what the group decides.
struct Member {
    inner: Context,
    tell: watch::Sender<Standing>,
    topic: String,
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, log_message: &str) {
        self.inner.log(level, fac, log_message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.inner.error(error, reason);
    }

    fn stats_raw(&self, _: &[u8]) {}
}

impl ConsumerContext for Member {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let lost = match rebalance {
            Rebalance::Assign(_) => consumer.assignment_lost(),
            Rebalance::Revoke(list) => list.find_partition(&self.topic, 0).is_some() || consumer.assignment_lost(),
            Rebalance::Error(_) => true,
        };
        if lost {
            self.tell.send_modify(|standing| standing.held = false);
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Assign(list) = rebalance else { return };
        if list.find_partition(&self.topic, 0).is_none() {
            return;
        }
        if let Err(error) = consumer.pause(list) {
            tracing::debug!(%error, "the journal's partition could not be paused");
        }
        self.tell.send_modify(|standing| {
            standing.held = true;
            standing.term += 1;
        });
    }
}
