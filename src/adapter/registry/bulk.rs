//! The newest version of many subjects, for as few requests as the registry allows.
//!
//! Rules: what a registry can do is tried and seen, never taken from its name or its version. One request for all is asked
//! where its answer holds every subject that the registry lists and is not many times larger than what is wanted; otherwise
//! each subject is asked for. A page that repeats is a registry without pages. What was seen is looked into again every
//! [`RENEWED`] looks, when other subjects are wanted, and after a failure.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _};
use serde::Deserialize;

use super::RegistryClient;
use crate::model::subject;
use crate::port::{PortResult, Registry as _};

/// Looks after which the ways to ask are tried anew.
const RENEWED: u32 = 60;
/// Requests at a time where each subject is asked for.
const AT_ONCE: usize = 8;
/// Schemas in a page where all do not fit into one answer: Confluent's largest.
const PAGE: &str = "1000";
/// Pages of one look: more than any registry has.
const PAGES: usize = 10_000;
/// Bytes that an answer may always have, and as many for each subject that is wanted: schemas of change topics have 5 to 20 KiB.
const WORTH: usize = 256 << 10;
const WORTH_EACH: usize = 64 << 10;

/// How the newest versions are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// All at once, in pages of [`PAGE`] or in those that the registry makes.
    Bulk {
        /// What the names of all wanted subjects begin with, if that is sent along.
        prefix: String,
        limited: bool,
    },
    /// One by one.
    Each,
}

/// What was seen of a registry.
#[derive(Default)]
pub(super) struct Bulk {
    wanted: BTreeSet<String>,
    way: Option<Way>,
    looks: u32,
    /// The pages that were read last, by their offset.
    pages: BTreeMap<usize, Page>,
    /// How many schemas there were before the page that brought nothing.
    ended_at: Option<usize>,
}

#[derive(Default)]
struct Page {
    etag: Option<String>,
    entries: Vec<Entry>,
    bytes: usize,
}

#[derive(Clone, Deserialize)]
struct Entry {
    subject: String,
    version: i32,
    #[serde(default)]
    deleted: bool,
}

type Newest = BTreeMap<String, i32>;

impl Bulk {
    /// Whether it is of this set of subjects.
    pub(super) fn is_for(&self, wanted: &BTreeSet<String>) -> bool {
        self.wanted == *wanted
    }

    /// The newest version of each of `wanted` that exists.
    pub(super) async fn latest(&mut self, client: &RegistryClient, wanted: &BTreeSet<String>) -> PortResult<Newest> {
        if wanted.is_empty() {
            return Ok(Newest::new());
        }
        if self.wanted != *wanted || self.looks >= RENEWED {
            *self = Self { wanted: wanted.clone(), ..Self::default() };
        }
        self.looks += 1;
        let outcome = match self.way.clone() {
            None => self.tried(client).await,
            Some(Way::Each) => each(client, wanted).await,
            Some(way) => self.asked(client, &way).await,
        };
        if outcome.is_err() {
            // Another version of the registry may come back.
            *self = Self::default();
        }
        outcome
    }

    /// The first look: which way leads to everything.
    async fn tried(&mut self, client: &RegistryClient) -> PortResult<Newest> {
        let wanted = self.wanted.clone();
        let listed = match client.subjects().await {
            Ok(listed) => listed,
            Err(error) if error.passing() => return Err(error),
            // Who may not list may still look at what is its own.
            Err(_) => return self.settled(client, Way::Each).await,
        };
        let there: BTreeSet<String> = listed.into_iter().filter(|subject| wanted.contains(subject)).collect();
        if there.is_empty() {
            return Ok(Newest::new());
        }
        let prefix = common_prefix(&wanted);
        let prefixes: &[String] = if prefix.is_empty() { &[prefix] } else { &[prefix, String::new()] };
        for prefix in prefixes {
            for limited in [false, true] {
                let way = Way::Bulk { prefix: prefix.clone(), limited };
                // One that came between the two requests is there when it is asked again.
                for _ in 0..2 {
                    self.ended_at = None;
                    let Ok(found) = self.asked(client, &way).await else { break };
                    if there.iter().any(|subject| !found.contains_key(subject)) {
                        continue;
                    }
                    let bytes: usize = self.pages.values().map(|page| page.bytes).sum();
                    let tagged = self.pages.values().all(|page| page.etag.is_some());
                    if bytes <= WORTH + WORTH_EACH * found.len() || tagged {
                        tracing::debug!(?way, bytes, "the registry answers for all subjects at once");
                        self.way = Some(way);
                        return Ok(found);
                    }
                    return self.settled(client, Way::Each).await;
                }
            }
        }
        self.settled(client, Way::Each).await
    }

    async fn settled(&mut self, client: &RegistryClient, way: Way) -> PortResult<Newest> {
        tracing::debug!("the registry is asked for each subject");
        self.pages.clear();
        self.way = Some(way);
        each(client, &self.wanted).await
    }

    /// Asks for all at once.
    async fn asked(&mut self, client: &RegistryClient, way: &Way) -> PortResult<Newest> {
        let Way::Bulk { prefix, limited } = way else { return each(client, &self.wanted).await };
        let mut before = std::mem::take(&mut self.pages);
        let mut taken: BTreeSet<(String, i32)> = BTreeSet::new();
        let mut newest = Newest::new();
        let mut offset = 0;
        for _ in 0..PAGES {
            let page = page(client, prefix, *limited, offset, before.remove(&offset)).await?;
            let fresh = page.entries.iter().filter(|e| taken.insert((e.subject.clone(), e.version))).count();
            if fresh == 0 {
                self.ended_at = Some(offset);
                // An empty registry has one page, which is asked for again.
                if offset == 0 {
                    self.pages.insert(offset, page);
                }
                break;
            }
            for Entry { subject, version, .. } in page.entries.iter().filter(|e| !e.deleted) {
                if let Some(name) = subject::within(&client.context, subject)
                    && self.wanted.contains(name)
                {
                    let newest = newest.entry(name.to_owned()).or_insert(*version);
                    *newest = (*newest).max(*version);
                }
            }
            let next = offset + page.entries.len();
            self.pages.insert(offset, page);
            offset = next;
            // It ended here before. Should a registry make pages of just this size, the next renewal sees it.
            if self.ended_at == Some(offset) {
                break;
            }
        }
        Ok(newest)
    }
}

/// One page; what is still as it was is taken from `before`.
async fn page(
    client: &RegistryClient,
    prefix: &str,
    limited: bool,
    offset: usize,
    before: Option<Page>,
) -> PortResult<Page> {
    let what = "GET /schemas";
    let from = offset.to_string();
    let mut query = vec![("latestOnly", "true"), ("deleted", "false")];
    query.extend((!prefix.is_empty()).then_some(("subjectPrefix", prefix)));
    query.extend((offset > 0).then_some(("offset", from.as_str())));
    query.extend(limited.then_some(("limit", PAGE)));
    let etag = before.as_ref().and_then(|page| page.etag.as_deref());
    let answer = client.rest.get_unless(&["schemas"], &query, etag).await?;
    match before {
        Some(before) if answer.status == 304 => Ok(before),
        _ => {
            let entries: Vec<Entry> = client.json(what, &answer)?;
            Ok(Page { bytes: answer.body.len(), etag: answer.etag, entries })
        }
    }
}

async fn each(client: &RegistryClient, wanted: &BTreeSet<String>) -> PortResult<Newest> {
    let asked = wanted.iter().cloned().map(|subject| async move {
        let versions = client.versions(&subject).await?;
        PortResult::Ok(versions.last().map(|newest| (subject, *newest)))
    });
    let told: Vec<Option<(String, i32)>> = futures::stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(told.into_iter().flatten().collect())
}

/// What all names begin with.
fn common_prefix(names: &BTreeSet<String>) -> String {
    let (Some(first), Some(last)) = (names.first(), names.last()) else { return String::new() };
    // Names are in order, so what the first and the last share, all share.
    first.chars().zip(last.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_share_is_where_they_begin() {
        let shared = |names: &[&str]| common_prefix(&names.iter().map(|n| (*n).to_owned()).collect());
        assert_eq!(shared(&["shop.a-key", "shop.a-value", "shop.öl-value"]), "shop.");
        assert_eq!(shared(&["ä1", "ä2"]), "ä");
        assert_eq!(shared(&["a", "b"]), "");
        assert_eq!(shared(&["a"]), "a");
        assert_eq!(shared(&[]), "");
    }
}
