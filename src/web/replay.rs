//! Deliveries that came before: the same id and content gets the first answer again, without a second effect.
//!
//! Rules: an id stands for one content for as long as it is remembered; a delivery is acted on by a task of its own, so that a
//! sender that hangs up does not stop it half-way and one that repeats at once waits for the same answer; an answer that
//! says "try later" is not kept. Memory is bounded and ends with the process: the daemon journals id and
//! content of what it acted on.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use sha2::{Digest as _, Sha256};

use super::refusal::{Cause, Refused};
use crate::daemon::handle::Reply;

/// Deliveries that are remembered. Only a holder of a secret can add one.
const CAPACITY: usize = 10_000;

/// What a delivery is answered with.
pub(super) type Answer = Result<Reply, Refused>;

/// A digest of everything that a delivery says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content([u8; 32]);

impl Content {
    /// The digest of what was sent to `target`.
    pub fn of(target: &str, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update((target.len() as u64).to_be_bytes());
        hash.update(target);
        hash.update(body);
        Self(hash.finalize().into())
    }

    /// As the journal has it.
    pub fn hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Whether a delivery is new.
#[derive(Clone, Debug)]
pub(super) enum Seen {
    /// It was acted on.
    First(Answer),
    /// It was not: this is the first answer.
    Again(Answer),
    /// It was not: the id belongs to another content.
    Different,
}

/// What is remembered.
#[derive(Default)]
pub(super) struct Replay {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    by_id: HashMap<String, Entry>,
    oldest_first: VecDeque<String>,
}

struct Entry {
    content: Content,
    answer: Shared<BoxFuture<'static, Answer>>,
}

impl Replay {
    /// The answer to the delivery `id`; `act` runs only if it is new.
    pub async fn answer<F>(&self, id: &str, content: Content, act: impl FnOnce() -> F) -> Seen
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let (answer, first) = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            match known.by_id.get(id) {
                Some(entry) if entry.content != content => return Seen::Different,
                Some(entry) if !passed(entry) => (entry.answer.clone(), false),
                _ => (known.start(id, content, act()), true),
            }
        };
        let answer = answer.await;
        if first { Seen::First(answer) } else { Seen::Again(answer) }
    }
}

impl Known {
    fn start(
        &mut self,
        id: &str,
        content: Content,
        act: impl Future<Output = Answer> + Send + 'static,
    ) -> Shared<BoxFuture<'static, Answer>> {
        let task = tokio::spawn(act);
        let failed = |_| Err(Refused::new(Cause::NoAnswer, "the delivery could not be handled"));
        let answer = async move { task.await.unwrap_or_else(failed) }.boxed().shared();
        if self.by_id.insert(id.to_owned(), Entry { content, answer: answer.clone() }).is_none() {
            self.oldest_first.push_back(id.to_owned());
        }
        if self.by_id.len() > CAPACITY {
            self.forget_one();
        }
        answer
    }

    /// Forgets the oldest delivery that is answered; one that is still being acted on stays.
    fn forget_one(&mut self) {
        for _ in 0..self.oldest_first.len() {
            let Some(id) = self.oldest_first.pop_front() else { return };
            if self.by_id.get(&id).is_some_and(|entry| entry.answer.peek().is_none()) {
                self.oldest_first.push_back(id);
                continue;
            }
            self.by_id.remove(&id);
            return;
        }
    }
}

/// True when the answer was "try later".
fn passed(entry: &Entry) -> bool {
    matches!(entry.answer.peek(), Some(Err(refused)) if refused.cause.passing())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn yes() -> Answer {
        Ok(Reply { rollout: "r1".to_owned(), state: "promoting".to_owned(), message: "approved".to_owned() })
    }

    #[tokio::test]
    async fn two_deliveries_at_once_have_one_effect() {
        let replay = Arc::new(Replay::default());
        let effects = Arc::new(AtomicUsize::new(0));
        let (open, gate) = tokio::sync::watch::channel(());
        let calls: Vec<_> = (0..8)
            .map(|_| {
                let (replay, effects, mut gate) = (Arc::clone(&replay), Arc::clone(&effects), gate.clone());
                tokio::spawn(async move {
                    let act = || async move {
                        let _ = gate.changed().await;
                        effects.fetch_add(1, Ordering::SeqCst);
                        yes()
                    };
                    replay.answer("m1", Content::of("t", b"b"), act).await
                })
            })
            .collect();
        open.send(()).unwrap();
        let mut firsts = 0;
        for call in calls {
            match call.await.unwrap() {
                Seen::First(Ok(_)) => firsts += 1,
                Seen::Again(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((firsts, effects.load(Ordering::SeqCst)), (1, 1));
    }

    #[tokio::test]
    async fn a_sender_that_hangs_up_does_not_stop_the_effect_or_cause_a_second_one() {
        let replay = Replay::default();
        let effects = Arc::new(AtomicUsize::new(0));
        let (open, mut gate) = tokio::sync::watch::channel(());
        let counted = Arc::clone(&effects);
        let act = || async move {
            let _ = gate.changed().await;
            counted.fetch_add(1, Ordering::SeqCst);
            yes()
        };
        assert!(replay.answer("m1", Content::of("t", b"b"), act).now_or_never().is_none());
        open.send(()).unwrap();
        let second = replay.answer("m1", Content::of("t", b"b"), || async { panic!("a second effect") }).await;
        assert!(matches!(second, Seen::Again(Ok(_))), "{second:?}");
        assert_eq!(effects.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn try_later_is_not_kept_but_the_id_stays_bound() {
        let replay = Replay::default();
        let later = || async { Err(Refused::new(Cause::NoAnswer, "later")) };
        assert!(matches!(replay.answer("m1", Content::of("t", b"b"), later).await, Seen::First(Err(_))));
        let other = replay.answer("m1", Content::of("t", b"c"), || async { yes() }).await;
        assert!(matches!(other, Seen::Different), "{other:?}");
        let again = replay.answer("m1", Content::of("t", b"b"), || async { yes() }).await;
        assert!(matches!(again, Seen::First(Ok(_))), "{again:?}");
    }

    #[tokio::test]
    async fn memory_is_bounded_and_the_oldest_goes_first() {
        let replay = Replay::default();
        for n in 0..=CAPACITY {
            replay.answer(&format!("m{n}"), Content::of("t", b"b"), || async { yes() }).await;
        }
        assert_eq!(replay.known.lock().unwrap().by_id.len(), CAPACITY);
        let newest = replay.answer(&format!("m{CAPACITY}"), Content::of("t", b"c"), || async { yes() }).await;
        assert!(matches!(newest, Seen::Different), "{newest:?}");
        let oldest = replay.answer("m0", Content::of("t", b"c"), || async { yes() }).await;
        assert!(matches!(oldest, Seen::First(_)), "{oldest:?}");
    }

    #[test]
    fn target_and_body_cannot_be_shifted_into_each_other() {
        assert_ne!(Content::of("ab", b"c"), Content::of("a", b"bc"));
    }
}
