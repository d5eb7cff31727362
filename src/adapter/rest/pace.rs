//! How often a service that fails is asked.
//!
//! Rules: what a service asks for in `Retry-After` is done; calls that are made again are few for all callers together, so
//! that a service on its way back is not buried under them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Waits that are waited for within one call; a longer one fails the call.
pub(super) const SHORT: Duration = Duration::from_secs(2);
/// No pause is longer, whatever is asked for: a header of days is a mistake.
const LONGEST: Duration = Duration::from_secs(600);
/// Calls that may be made again within [`WINDOW`].
const REPEATS: u32 = 20;
const WINDOW: Duration = Duration::from_secs(10);

/// When a service may be asked again.
#[derive(Default)]
pub(super) struct Pace {
    not_before: Mutex<Option<Instant>>,
    window: Mutex<Option<(Instant, u32)>>,
}

impl Pace {
    /// True while the service has asked to be left alone.
    pub(super) fn paused(&self) -> bool {
        let until = *self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// Leaves the service alone for so long.
    pub(super) fn pause(&self, wait: Duration) {
        *self.not_before.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + wait.min(LONGEST));
    }

    /// True when one more call may be made again.
    pub(super) fn repeat(&self) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let (began, made) = window.filter(|(began, _)| now.duration_since(*began) < WINDOW).unwrap_or((now, 0));
        *window = Some((began, made + 1));
        made < REPEATS
    }
}

/// `Retry-After`: seconds, or a date.
pub(super) fn retry_after(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let left = at.as_millisecond().saturating_sub(jiff::Timestamp::now().as_millisecond());
    Some(Duration::from_millis(u64::try_from(left).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        assert_eq!(retry_after(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO), "long over");
        let later = retry_after("Thu, 06 Nov 2994 08:49:37 GMT");
        assert!(later.is_some_and(|wait| wait > LONGEST), "{later:?}");
        for wrong in ["", "soon", "-1", "1.5"] {
            assert_eq!(retry_after(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn repeats_are_few_for_all_callers_together() {
        let pace = Pace::default();
        let allowed = (0..10 * REPEATS).filter(|_| pace.repeat()).count();
        assert_eq!(allowed, usize::try_from(REPEATS).unwrap());
    }

    #[test]
    fn a_pause_ends() {
        let pace = Pace::default();
        assert!(!pace.paused());
        pace.pause(Duration::from_secs(3600));
        assert!(pace.paused());
        pace.pause(Duration::ZERO);
        assert!(!pace.paused());
    }
}
