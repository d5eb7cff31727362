//! The time of the machine.
//!
//! Rules: nothing else in the crate's shell asks the machine for the time when a [`Clock`] is at hand, so that a test can
//! put another one in its place.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

use crate::port::Clock;

/// The machine's clock and the runtime's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        now_ms()
    }

    async fn sleep_ms(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// Milliseconds since 1970; 0 on a machine whose clock stands before that.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_as_long_as_asked() {
        let start = tokio::time::Instant::now();
        SystemClock.sleep_ms(1_500).await;
        assert_eq!(start.elapsed(), Duration::from_millis(1_500));
    }

    #[test]
    fn counts_milliseconds_since_1970() {
        // 2025 and 2100: seconds or microseconds would lie outside.
        assert!((1_735_689_600_000..4_102_444_800_000).contains(&SystemClock.now_ms()));
    }
}
