//! Fail points: the process is killed as hard as by `kill -9`, or stopped as by SIGSTOP, right before or right after a
//! named entry of the journal.
//!
//! Compiled into builds with debug assertions only, never into a release. `CYANOTYPE_FAILPOINT` chooses one:
//!
//! ```text
//! ACTION:WHEN:STATE:EVENT[=KEY][#N]
//! ```
//!
//! `ACTION` is `kill` or `stop`; `WHEN` is `before` or `after` the entry is appended; `STATE` is the rollout's state until then and `EVENT` what happened,
//! both as the journal names them; `KEY` is what an effect's key begins with; `N` which of them since the process began, 1
//! unless given. `kill:after:staging:effect_intended=start-job#2` kills it when the second job is about to be started,
//! `kill:before:promoting:effect_done=move-connector` when a connector has been moved and nobody knows yet.
//!
//! `CYANOTYPE_LATE_CALL_MS` is how long a new leader waits for the last call of the old one, so that a test need not.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::rollout::event::Body;
use crate::rollout::{Entry, Ledger};

const VARIABLE: &str = "CYANOTYPE_FAILPOINT";
const LATE: &str = "CYANOTYPE_LATE_CALL_MS";

/// On which side of the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Before,
    After,
}

/// What happens there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Kill,
    Stop,
}

#[derive(Debug, PartialEq, Eq)]
struct Point {
    action: Action,
    when: When,
    state: String,
    event: String,
    key: String,
    number: u32,
}

/// Kills or stops the process if this is the chosen point; `ledger` does not hold `entry` yet.
pub(super) fn reached(when: When, ledger: &Ledger, entry: &Entry) {
    static CHOSEN: OnceLock<Option<Point>> = OnceLock::new();
    static SEEN: AtomicU32 = AtomicU32::new(0);
    let Some(point) = CHOSEN.get_or_init(chosen) else { return };
    if point.when == when && is_at(point, ledger, entry) && SEEN.fetch_add(1, Ordering::SeqCst) + 1 == point.number {
        tracing::error!(?point, "fail point");
        match point.action {
            Action::Kill => std::process::abort(),
            Action::Stop => stop(),
        }
    }
}

/// How long a new leader waits for the last call of the old one, if that is chosen.
pub(super) fn late_call_ms() -> Option<i64> {
    std::env::var(LATE).ok()?.parse().ok()
}

/// On return somebody has let the process go on.
fn stop() {
    let process = std::process::id().to_string();
    if std::process::Command::new("kill").args(["-STOP", &process]).status().is_err() {
        std::process::abort();
    }
}

fn is_at(point: &Point, ledger: &Ledger, entry: &Entry) -> bool {
    let (Body::Rollout { id, what } | Body::Delivered { id, what, .. }) = &entry.body else { return false };
    let event = serde_json::to_value(what).unwrap_or_default();
    let field = |name: &str| event.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let state = ledger.rollouts.get(id).map_or("", |r| r.state.name());
    state == point.state && field("event") == point.event && field("key").starts_with(&point.key)
}

fn chosen() -> Option<Point> {
    let text = std::env::var(VARIABLE).ok()?;
    let point = parse(&text);
    if point.is_none() {
        tracing::error!("{VARIABLE}={text} is not ACTION:WHEN:STATE:EVENT[=KEY][#N]");
        std::process::abort();
    }
    point
}

fn parse(text: &str) -> Option<Point> {
    let (text, number) = match text.rsplit_once('#') {
        Some((rest, number)) => (rest, number.parse().ok().filter(|n| *n > 0)?),
        None => (text, 1),
    };
    let (text, key) = text.split_once('=').unwrap_or((text, ""));
    let mut parts = text.split(':').map(str::to_owned);
    let action = match parts.next()?.as_str() {
        "kill" => Action::Kill,
        "stop" => Action::Stop,
        _ => return None,
    };
    let when = match parts.next()?.as_str() {
        "before" => When::Before,
        "after" => When::After,
        _ => return None,
    };
    let point = Point { action, when, state: parts.next()?, event: parts.next()?, key: key.to_owned(), number };
    parts.next().is_none().then_some(point)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_named_by_its_entry() {
        let point = |action, when, words: [&str; 3], number| {
            let [state, event, key] = words.map(str::to_owned);
            Some(Point { action, when, state, event, key, number })
        };
        assert_eq!(
            parse("stop:after:validating:validated"),
            point(Action::Stop, When::After, ["validating", "validated", ""], 1)
        );
        assert_eq!(
            parse("kill:before:promoting:effect_done=move-connector:c:t.a#2"),
            point(Action::Kill, When::Before, ["promoting", "effect_done", "move-connector:c:t.a"], 2)
        );
        let wrong =
            ["", "kill", "kill:after:a", "after:a:b", "kill:during:a:b", "kill:after:a:b:c", "kill:after:a:b#0"];
        for wrong in wrong {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
