//! The schema registry over Confluent's REST API, which Apicurio and Karapace speak as well.
//!
//! Rules: a subject is one segment of the path; a 404 counts as "there is none" only when the registry itself says so, not
//! when the address is wrong; what is asked for each second is one request where the registry can do that ([`bulk`]);
//! subjects are named within the context that the address leads into, whatever the registry calls them.

mod bulk;
mod refusal;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::rest::{Answer, Endpoint, Repeat, Rest};
use crate::model::subject;
use crate::port::{PortError, PortResult, RegisteredSchema, Registry, RegistryChecks, RegistryLog};
use bulk::Bulk;

/// Schemas kept by id: a registry gives an id to one text for ever. More than any project reads.
const CACHE_LIMIT: usize = 10_000;
/// Sets of subjects whose way to be asked for is remembered.
const SETS: usize = 2;
/// The context of subjects that name none.
const DEFAULT_CONTEXT: &str = ".";
/// References of one schema, all levels together.
const REFERENCE_LIMIT: usize = 1_000;

/// A schema registry.
pub struct RegistryClient {
    rest: Rest,
    /// Where the address leads.
    context: String,
    /// The topic that the registry keeps its records in.
    topic: Option<String>,
    /// What was seen for the sets of subjects that were asked for last: the watcher's, and planning's.
    bulk: tokio::sync::Mutex<Vec<Bulk>>,
    by_id: Mutex<BTreeMap<u32, RegisteredSchema>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    #[serde(default)]
    subject: String,
    #[serde(default)]
    version: i32,
    #[serde(default)]
    id: u32,
    schema: String,
    schema_type: Option<String>,
    references: Option<Vec<Reference>>,
    metadata: Option<Metadata>,
}

/// What a schema carries besides its text.
#[derive(Default, Deserialize)]
struct Metadata {
    properties: Option<BTreeMap<String, Value>>,
}

impl Metadata {
    fn texts(self) -> BTreeMap<String, String> {
        let text = |(name, value): (String, Value)| Some((name, value.as_str()?.to_owned()));
        self.properties.unwrap_or_default().into_iter().filter_map(text).collect()
    }
}

/// An answer to `GET /config`, for a subject or for all.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    // Read with the one name and written with the other.
    compatibility_level: Option<String>,
    compatibility: Option<String>,
    compatibility_group: Option<String>,
}

/// One of the ids of a GUID.
#[derive(Deserialize)]
struct ContextId {
    #[serde(default)]
    context: String,
    id: u32,
}

/// One of the versions of an id.
#[derive(Deserialize)]
struct OfSubject {
    subject: String,
    version: i32,
}

#[derive(Clone, Deserialize)]
struct Reference {
    name: String,
    subject: String,
    version: i32,
}

impl RegistryClient {
    /// A client; nothing is sent yet.
    pub fn new(endpoint: &Endpoint) -> PortResult<Self> {
        Ok(Self {
            rest: Rest::new("registry", endpoint)?,
            context: subject::context_of(&endpoint.url),
            topic: None,
            bulk: tokio::sync::Mutex::default(),
            by_id: Mutex::default(),
        })
    }

    /// The same, with the topic that the registry keeps its records in.
    pub fn with_topic(mut self, topic: Option<String>) -> Self {
        self.topic = topic;
        self
    }

    /// `None` when the registry says that there is no such thing.
    async fn read(&self, what: &str, parts: &[&str]) -> PortResult<Option<Answer>> {
        let answer = self.rest.get(parts).await?;
        self.unless_missing(what, answer)
    }

    /// The same for a call that not every registry has: one that does not have it has no such thing.
    async fn read_newer(&self, what: &str, parts: &[&str]) -> PortResult<Option<Answer>> {
        let answer = self.rest.get(parts).await?;
        if matches!(answer.status, 404 | 405) { Ok(None) } else { self.unless_missing(what, answer) }
    }

    fn unless_missing(&self, what: &str, answer: Answer) -> PortResult<Option<Answer>> {
        match answer.ok() {
            true => Ok(Some(answer)),
            false if refusal::is_missing(&answer) => Ok(None),
            false => Err(self.refusal(what, &answer)),
        }
    }

    fn refusal(&self, what: &str, answer: &Answer) -> PortError {
        refusal::with_way_out(self.rest.refusal(what, answer), answer)
    }

    fn json<T: serde::de::DeserializeOwned>(&self, what: &str, answer: &Answer) -> PortResult<T> {
        if answer.ok() { self.rest.json(what, answer) } else { Err(self.refusal(what, answer)) }
    }

    async fn version(&self, subject: &str, version: i32) -> PortResult<Found> {
        let what = format!("GET version {version} of subject `{subject}`");
        // What is deleted softly can still be what a statement was written for, or what another schema refers to.
        let (parts, deleted) = (["subjects", subject, "versions", &version.to_string()], [("deleted", "true")]);
        let answer = self.rest.call(Method::GET, &parts, &deleted, None, Repeat::Free).await?;
        let answer = self
            .unless_missing(&what, answer)?
            .ok_or_else(|| self.rest.missing(format!("version {version} of subject `{subject}`")))?;
        self.json(&what, &answer)
    }

    /// Texts that `references` lead to, each after those that it needs itself.
    async fn resolve(&self, references: Vec<Reference>) -> PortResult<Vec<(String, String)>> {
        enum Step {
            Open(Reference),
            Close(String, String),
        }
        let mut texts = Vec::new();
        let mut seen = BTreeSet::new();
        let mut todo: Vec<Step> = references.into_iter().rev().map(Step::Open).collect();
        while let Some(step) = todo.pop() {
            match step {
                Step::Close(name, text) => texts.push((name, text)),
                Step::Open(reference) => {
                    if !seen.insert((reference.subject.clone(), reference.version)) {
                        continue;
                    }
                    if seen.len() > REFERENCE_LIMIT {
                        let reason = format!("it leads to more than {REFERENCE_LIMIT} other schemas");
                        return Err(self.rest.garbage("the references of a schema", reason));
                    }
                    let found = self.version(&reference.subject, reference.version).await?;
                    todo.push(Step::Close(reference.name, found.schema));
                    todo.extend(found.references.unwrap_or_default().into_iter().rev().map(Step::Open));
                }
            }
        }
        Ok(texts)
    }

    async fn registered(&self, found: Found) -> PortResult<RegisteredSchema> {
        Ok(RegisteredSchema {
            subject: found.subject,
            version: found.version,
            id: found.id,
            kind: found.schema_type.filter(|k| !k.is_empty()).unwrap_or_else(|| "AVRO".into()),
            text: found.schema,
            references: self.resolve(found.references.unwrap_or_default()).await?,
            metadata: found.metadata.map(Metadata::texts).unwrap_or_default(),
        })
    }

    /// What is set at one place; `None` when nothing is.
    async fn own_checks(
        &self,
        what: &str,
        parts: &[&str],
        query: &[(&str, &str)],
    ) -> PortResult<Option<RegistryChecks>> {
        let answer = self.rest.call(Method::GET, parts, query, None, Repeat::Free).await?;
        let Some(answer) = self.unless_missing(what, answer)? else { return Ok(None) };
        let found: Config = self.json(what, &answer)?;
        let said = |word: Option<String>| word.filter(|word| !word.is_empty());
        let level = said(found.compatibility_level).or(said(found.compatibility));
        Ok(Some(RegistryChecks { level, group: said(found.compatibility_group) }))
    }

    /// The level at one place; `None` when none is set there.
    async fn own_level(&self, what: &str, parts: &[&str]) -> PortResult<Option<String>> {
        Ok(self.own_checks(what, parts, &[]).await?.and_then(|checks| checks.level))
    }
}

#[async_trait]
impl Registry for RegistryClient {
    async fn subjects(&self) -> PortResult<Vec<String>> {
        let what = "GET /subjects";
        let answer = self.rest.get(&["subjects"]).await?;
        let all: Vec<String> = self.json(what, &answer)?;
        Ok(all.iter().filter_map(|name| subject::within(&self.context, name)).map(str::to_owned).collect())
    }

    async fn latest(&self, subjects: &BTreeSet<String>) -> PortResult<BTreeMap<String, i32>> {
        let mut known = self.bulk.lock().await;
        let found = known.iter().position(|bulk| bulk.is_for(subjects));
        let mut bulk = found.map(|place| known.remove(place)).unwrap_or_default();
        let latest = bulk.latest(self, subjects).await;
        known.insert(0, bulk);
        known.truncate(SETS);
        latest
    }

    async fn mode(&self, subject: &str) -> PortResult<Option<String>> {
        let what = format!("GET mode of subject `{subject}`");
        for parts in [&["mode", subject][..], &["mode"][..]] {
            let answer = self.rest.get(parts).await?;
            // Without one of its own, or without modes at all: Apicurio answers with nothing then.
            if matches!(answer.status, 204 | 404 | 405) {
                continue;
            }
            let value: Value = self.json(&what, &answer)?;
            return Ok(value.get("mode").and_then(Value::as_str).map(str::to_owned));
        }
        Ok(None)
    }

    fn log(&self) -> Option<RegistryLog> {
        self.topic.clone().map(|topic| RegistryLog { topic, context: self.context.clone() })
    }

    async fn versions(&self, subject: &str) -> PortResult<Vec<i32>> {
        let what = format!("GET versions of subject `{subject}`");
        let Some(answer) = self.read(&what, &["subjects", subject, "versions"]).await? else { return Ok(Vec::new()) };
        let mut versions: Vec<i32> = self.json(&what, &answer)?;
        versions.sort_unstable();
        Ok(versions)
    }

    async fn schema(&self, subject: &str, version: i32) -> PortResult<RegisteredSchema> {
        let found = self.version(subject, version).await?;
        if found.id == 0 || found.version != version {
            let what = format!("GET version {version} of subject `{subject}`");
            return Err(self.rest.garbage(&what, "its version is not the one asked for, or it has no id"));
        }
        // An alias is answered under the name of its target.
        self.registered(Found { subject: subject.to_owned(), ..found }).await
    }

    async fn schema_by_id(&self, id: u32) -> PortResult<RegisteredSchema> {
        let kept = self.by_id.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        if let Some(schema) = kept {
            return Ok(schema);
        }
        let what = format!("GET schema id {id}");
        let answer = self.read(&what, &["schemas", "ids", &id.to_string()]).await?;
        let answer = answer.ok_or_else(|| self.rest.missing(format!("schema with id {id}")))?;
        let found: Found = self.json(&what, &answer)?;
        let schema = self.registered(Found { subject: String::new(), version: 0, id, ..found }).await?;
        let mut by_id = self.by_id.lock().unwrap_or_else(PoisonError::into_inner);
        if by_id.len() >= CACHE_LIMIT {
            by_id.clear();
        }
        by_id.insert(id, schema.clone());
        Ok(schema)
    }

    async fn schema_by_guid(&self, guid: &str) -> PortResult<RegisteredSchema> {
        let what = format!("GET schema with GUID {guid}");
        let answer = self.read_newer(&what, &["schemas", "guids", guid]).await?;
        let answer = answer.ok_or_else(|| self.rest.missing(format!("schema with GUID {guid}")))?;
        let found: Found = self.rest.json(&what, &answer)?;
        // A GUID is told without the ids that it has here, one for each context.
        let what = format!("GET ids of GUID {guid}");
        let ids: Vec<ContextId> = match self.read_newer(&what, &["schemas", "guids", guid, "ids"]).await? {
            Some(answer) => self.rest.json(&what, &answer)?,
            None => Vec::new(),
        };
        let id = ids.iter().find(|of| of.context == DEFAULT_CONTEXT).or(ids.first()).map_or(0, |of| of.id);
        self.registered(Found { subject: String::new(), version: 0, id, ..found }).await
    }

    async fn versions_of(&self, id: u32) -> PortResult<Vec<(String, i32)>> {
        let what = format!("GET versions of schema id {id}");
        let Some(answer) = self.read_newer(&what, &["schemas", "ids", &id.to_string(), "versions"]).await? else {
            return Ok(Vec::new());
        };
        let mut found: Vec<OfSubject> = self.rest.json(&what, &answer)?;
        found.sort_by(|a, b| (&a.subject, a.version).cmp(&(&b.subject, b.version)));
        Ok(found.into_iter().map(|of| (of.subject, of.version)).collect())
    }

    async fn level(&self, subject: &str) -> PortResult<String> {
        let what = format!("GET level of subject `{subject}`");
        if let Some(level) = self.own_level(&what, &["config", subject]).await? {
            return Ok(level);
        }
        let global = self.own_level("GET /config", &["config"]).await?;
        global.ok_or_else(|| self.rest.missing("global compatibility level"))
    }

    async fn checks(&self, subject: &str) -> PortResult<RegistryChecks> {
        let what = format!("GET level of subject `{subject}`");
        let own = self.own_checks(&what, &["config", subject], &[("defaultToGlobal", "true")]).await?;
        match own {
            Some(own) if own.level.is_some() => return Ok(own),
            _ => {}
        }
        // A subject's settings replace the global ones; only the level has a default.
        let global = self.own_checks("GET /config", &["config"], &[]).await?.unwrap_or_default();
        Ok(match own {
            Some(own) => RegistryChecks { level: global.level, ..own },
            None => global,
        })
    }

    async fn set_level(&self, subject: &str, level: &str) -> PortResult<()> {
        let what = format!("PUT level {level} of subject `{subject}`");
        let parts = ["config", subject];
        let body = json!({ "compatibility": level });
        let answer = self.rest.call(Method::PUT, &parts, &[], Some(&body), Repeat::Free).await?;
        if self.unless_missing(&what, answer)?.is_none() {
            return Err(self.rest.missing(format!("subject `{subject}` whose level could be set")));
        }
        // Some registries take a level for a subject without versions and forget it.
        match self.own_level(&what, &parts).await? {
            Some(now) if now.eq_ignore_ascii_case(level) => Ok(()),
            Some(now) => Err(self.rest.refused(what, format!("the level is {now} afterwards"))),
            None => Err(self.rest.missing(format!("subject `{subject}` whose level could be set"))),
        }
    }

    async fn register(&self, subject: &str, schema: &str) -> PortResult<()> {
        let what = format!("POST a schema to subject `{subject}`");
        let body = json!({ "schema": schema });
        let parts = ["subjects", subject, "versions"];
        let answer = self.rest.call(Method::POST, &parts, &[], Some(&body), Repeat::Free).await?;
        if answer.ok() { Ok(()) } else { Err(self.refusal(&what, &answer)) }
    }

    async fn delete_subject(&self, subject: &str) -> PortResult<()> {
        let what = format!("DELETE subject `{subject}`");
        for query in [&[][..], &[("permanent", "true")][..]] {
            let answer = self.rest.call(Method::DELETE, &["subjects", subject], query, None, Repeat::Free).await?;
            self.unless_missing(&what, answer)?;
        }
        // A level that was set before the first version would outlive the subject and bind its next life.
        let answer = self.rest.call(Method::DELETE, &["config", subject], &[], None, Repeat::Free).await?;
        match answer.status {
            // A registry without this call keeps no level of its own for a subject that is gone.
            405 => Ok(()),
            _ => self.unless_missing(&what, answer).map(drop),
        }
    }
}
