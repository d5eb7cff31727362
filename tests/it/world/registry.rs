//! The schema registry.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cyanotype::port::{PortResult, RegisteredSchema, Registry};

use super::{Deed, Seat, State, missing};

/// Subjects, versions and levels.
#[derive(Clone, Default)]
pub struct Schemas {
    /// Texts; the id is the place, from 1.
    texts: Vec<String>,
    /// Ids of each subject's versions.
    pub subjects: BTreeMap<String, Vec<u32>>,
    /// Levels that subjects have of their own.
    pub levels: BTreeMap<String, String>,
}

/// Level of a subject without its own.
const GLOBAL: &str = "FULL_TRANSITIVE";

impl Schemas {
    /// The id of `text` in `subject`, registered if need be.
    pub fn register(&mut self, subject: &str, text: &str) -> u32 {
        let place = self.texts.iter().position(|t| t == text).unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.texts.len() - 1
        });
        let id = u32::try_from(place + 1).unwrap();
        let versions = self.subjects.entry(subject.to_owned()).or_default();
        if !versions.contains(&id) {
            versions.push(id);
        }
        id
    }

    /// The text of an id.
    pub fn text(&self, id: u32) -> Option<&String> {
        self.texts.get(usize::try_from(id).unwrap().checked_sub(1)?)
    }

    /// How many versions a subject has.
    pub fn versions(&self, subject: &str) -> i32 {
        i32::try_from(self.subjects.get(subject).map_or(0, Vec::len)).unwrap()
    }
}

impl State {
    /// Forgets a subject and its level.
    pub(super) fn delete_subject(&mut self, subject: &str) {
        self.schemas.subjects.remove(subject);
        self.schemas.levels.remove(subject);
    }
}

#[async_trait]
impl Registry for Seat {
    async fn subjects(&self) -> PortResult<Vec<String>> {
        self.look(|state| Ok(state.schemas.subjects.keys().cloned().collect())).await
    }

    async fn versions(&self, subject: &str) -> PortResult<Vec<i32>> {
        self.look(|state| Ok((1..=state.schemas.versions(subject)).collect())).await
    }

    async fn schema(&self, subject: &str, version: i32) -> PortResult<RegisteredSchema> {
        self.look(|state| {
            let place = usize::try_from(version - 1).unwrap();
            let id = state.schemas.subjects.get(subject).and_then(|v| v.get(place)).copied();
            let id = id.ok_or_else(|| missing("the registry", format!("version {version} of {subject}")))?;
            Ok(registered(state, id, subject, version))
        })
        .await
    }

    async fn schema_by_id(&self, id: u32) -> PortResult<RegisteredSchema> {
        self.look(|state| match state.schemas.text(id) {
            Some(_) => Ok(registered(state, id, "", 0)),
            None => Err(missing("the registry", format!("schema {id}"))),
        })
        .await
    }

    async fn schema_by_guid(&self, guid: &str) -> PortResult<RegisteredSchema> {
        self.look(|_| Err(missing("the registry", format!("schema {guid}")))).await
    }

    async fn versions_of(&self, id: u32) -> PortResult<Vec<(String, i32)>> {
        self.look(|state| {
            let subjects = state.schemas.subjects.iter();
            let numbered = subjects.flat_map(|(subject, ids)| (1..).zip(ids).map(move |(n, id)| (subject, n, *id)));
            Ok(numbered.filter(|(_, _, has)| *has == id).map(|(subject, n, _)| (subject.clone(), n)).collect())
        })
        .await
    }

    async fn level(&self, subject: &str) -> PortResult<String> {
        self.look(|state| Ok(state.schemas.levels.get(subject).map_or(GLOBAL, String::as_str).to_owned())).await
    }

    async fn set_level(&self, subject: &str, level: &str) -> PortResult<()> {
        self.act(Deed::SetLevel { subject: subject.to_owned(), level: level.to_owned() }).await.map(drop)
    }

    async fn register(&self, subject: &str, schema: &str) -> PortResult<()> {
        self.act(Deed::Register { subject: subject.to_owned(), schema: schema.to_owned() }).await.map(drop)
    }

    async fn delete_subject(&self, subject: &str) -> PortResult<()> {
        self.act(Deed::DeleteSubject { subject: subject.to_owned() }).await.map(drop)
    }
}

fn registered(state: &State, id: u32, subject: &str, version: i32) -> RegisteredSchema {
    RegisteredSchema {
        subject: subject.to_owned(),
        version,
        id,
        kind: "AVRO".to_owned(),
        text: state.schemas.text(id).cloned().unwrap_or_default(),
        references: Vec::new(),
        metadata: BTreeMap::new(),
    }
}
