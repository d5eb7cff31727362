//! Who leads: the member of the group that holds the journal's one partition.
//!
//! Rules: the group only elects, it reads and commits nothing; a leader keeps the partition when another daemon joins
//! (cooperative assignment); each time the partition is given counts as a new term; after a term was lost to another
//! writer the daemon leaves the group and joins again, so that it cannot take its old term for a new one; a daemon that
//! stood still for as long as its session lasts has lost the lead, before it hears of that.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use tokio::sync::watch;

use crate::adapter::kafka::{Clients, Context, code_of, passing};
use crate::port::{PortError, PortResult};

/// How long Kafka waits for a sign of life before it gives the partition to another daemon.
const SESSION_MS: &str = "8000";
/// The same: who has not looked at the group for so long does not know who leads.
const SESSION: Duration = Duration::from_millis(8000);
/// How often a sign of life is sent.
const HEARTBEAT_MS: &str = "2000";
/// How often the thread looks up from polling.
const TICK: Duration = Duration::from_millis(100);

/// How long to poll between two looks at the group.
const LOOK: Duration = Duration::from_millis(20);
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

struct Orders {
    stop: AtomicBool,
    rejoin: AtomicBool,
    /// When the thread last looked at the group.
    looked: Mutex<Instant>,
}

impl Orders {
    fn new() -> Self {
        let (stop, rejoin) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { stop, rejoin, looked: Mutex::new(Instant::now()) }
    }

    fn look(&self) {
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// True when the thread stood still for so long that others may have been elected.
    fn stood_still(&self) -> bool {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).elapsed() >= SESSION
    }
}

impl Election {
    /// Joins the group `group` on the topic.
    pub(super) fn join(clients: &Clients, topic: &str, group: &str) -> PortResult<Self> {
        let (tell, standing) = watch::channel(Standing::default());
        let context = Member { inner: clients.context(), tell, topic: topic.to_owned() };
        let me = format!("{}-{}", clients.configured("client.id").unwrap_or("cyanotype"), unique());
        let ours = [
            ("group.id", group),
            ("client.id", me.as_str()),
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
        let orders = Arc::new(Orders::new());
        let thread = Thread {
            clients: clients.clone(),
            consumer,
            orders: Arc::clone(&orders),
            topic: topic.to_owned(),
            group: group.to_owned(),
            me: me.clone(),
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
        standing.held && standing.term == term && !self.orders.stood_still()
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

    /// Leaves the group for good. On return it has left, or could not in time: then the others wait for the session to end.
    pub(super) async fn leave(&self) {
        self.orders.stop.store(true, Ordering::SeqCst);
        let mut standing = self.standing.clone();
        // The thread's end closes the channel.
        let ended = async { while standing.changed().await.is_ok() {} };
        if tokio::time::timeout(LEAVE * 2, ended).await.is_err() {
            tracing::warn!("the journal's election was not left in time");
        }
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
    group: String,
    /// The client id, which the group lists its members with.
    me: String,
}

impl Thread {
    fn run(self) {
        while !self.orders.stop.load(Ordering::SeqCst) {
            if self.orders.stood_still() {
                tracing::warn!(
                    group = self.group,
                    "this daemon stood still for longer than its session: the lead is lost"
                );
                self.lose();
                self.orders.rejoin.store(true, Ordering::SeqCst);
            }
            if self.orders.rejoin.load(Ordering::SeqCst) {
                self.give_back();
                if let Err(error) = self.consumer.subscribe(&[&self.topic]) {
                    self.trouble(&error);
                }
                self.orders.rejoin.store(false, Ordering::SeqCst);
            }
            self.orders.look();
            match self.consumer.poll(TICK) {
                // Nothing is read here: the partition is paused as soon as it is given.
                None | Some(Ok(_)) => {}
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(error)) => self.trouble(&error),
            }
        }
        self.give_back();
    }

    /// Leaves the group. A consumer that is closed without this can forget to, and everybody waits for its session to end.
    fn give_back(&self) {
        self.lose();
        self.consumer.unsubscribe();
        let until = Instant::now() + LEAVE;
        while Instant::now() < until && (self.assigned() || self.listed()) {
            let _ = self.consumer.poll(LOOK);
        }
    }

    fn assigned(&self) -> bool {
        self.consumer.assignment().is_ok_and(|list| list.count() > 0)
    }

    /// True unless the group is known not to list this member.
    fn listed(&self) -> bool {
        let Ok(list) = self.consumer.fetch_group_list(Some(&self.group), LEAVE) else { return true };
        let mut members = list.groups().iter().flat_map(|group| group.members());
        members.any(|member| member.client_id() == self.me)
    }

    fn lose(&self) {
        self.consumer.context().tell.send_modify(|standing| standing.held = false);
    }

    fn trouble(&self, error: &KafkaError) {
        let told = self.clients.error(format!("to join group `{}`", self.group), error);
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

/// A name that no other member has.
fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("{}-{nanos:x}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_did_not_look_for_as_long_as_a_session_lasts_has_lost_the_lead() {
        let orders = Orders::new();
        assert!(!orders.stood_still());
        let long_ago = Instant::now().checked_sub(SESSION).unwrap();
        *orders.looked.lock().unwrap() = long_ago;
        assert!(orders.stood_still());
        orders.look();
        assert!(!orders.stood_still());
    }
}
