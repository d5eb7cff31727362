//! When a version became known: by the registry, and by the first record that carries its id.
//!
//! Rules: only versions that were news count, so that a restart, which reads all records again, measures nothing. Kafka's time of
//! the record counts where it has one. The clocks of the machines are taken to agree.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::Sighting;
use crate::validate::audit::Version;

/// When versions became known, in milliseconds since 1970.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    known: Mutex<BTreeMap<Version, Arrival>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Arrival {
    /// It was no version that had been looked at before.
    news: bool,
    registry_ms: Option<i64>,
    record_ms: Option<i64>,
    told: bool,
}

/// How far apart the two were.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Apart {
    /// What came first: `registry` or `record`.
    pub first: &'static str,
    /// Seconds from the first to the other.
    pub seconds: f64,
}

impl Arrivals {
    fn note(&self, version: Version, note: impl FnOnce(&mut Arrival)) -> Option<Apart> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let arrival = known.entry(version).or_default();
        note(arrival);
        let (Some(registry), Some(record), true, false) =
            (arrival.registry_ms, arrival.record_ms, arrival.news, arrival.told)
        else {
            return None;
        };
        arrival.told = true;
        let first = if record < registry { "record" } else { "registry" };
        Some(Apart { first, seconds: record.abs_diff(registry) as f64 / 1000.0 })
    }

    /// The registry told of a version; `news` if it was not looked at before.
    pub(crate) fn registry(&self, Sighting { subject, version, at_ms }: &Sighting, news: bool) -> Option<Apart> {
        self.note(Version { subject: subject.clone(), version: *version }, |arrival| {
            arrival.news |= news;
            arrival.registry_ms.get_or_insert(*at_ms);
        })
    }

    /// A record told of a version that was not looked at before.
    pub(crate) fn news(&self, subject: &str, version: i32) {
        self.note(Version { subject: subject.to_owned(), version }, |arrival| arrival.news = true);
    }

    /// The first record with a version came.
    pub(crate) fn record(&self, version: Version, at_ms: i64) -> Option<Apart> {
        self.note(version, |arrival| {
            arrival.record_ms.get_or_insert(at_ms);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(at_ms: i64) -> Sighting {
        Sighting { subject: "s".to_owned(), version: 2, at_ms }
    }

    fn version() -> Version {
        Version { subject: "s".to_owned(), version: 2 }
    }

    #[test]
    fn what_came_first_is_told_with_how_long_the_other_took() {
        let arrivals = Arrivals::default();
        assert_eq!(arrivals.registry(&sighting(1_000), true), None);
        assert_eq!(arrivals.record(version(), 3_500), Some(Apart { first: "registry", seconds: 2.5 }));
        let arrivals = Arrivals::default();
        assert_eq!(arrivals.record(version(), 1_000), None);
        arrivals.news("s", 2);
        assert_eq!(arrivals.registry(&sighting(1_250), false), Some(Apart { first: "record", seconds: 0.25 }));
    }

    #[test]
    fn it_is_told_once_and_only_of_news() {
        let arrivals = Arrivals::default();
        assert_eq!(arrivals.record(version(), 1_000), None);
        assert_eq!(arrivals.registry(&sighting(9_000), false), None, "it was looked at before");
        assert!(arrivals.registry(&sighting(9_500), true).is_some());
        assert_eq!(arrivals.registry(&sighting(9_900), true), None);
        assert_eq!(arrivals.record(version(), 9_900), None);
    }
}
