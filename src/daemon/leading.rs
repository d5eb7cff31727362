//! Ports of a daemon that changes the world only while it leads.
//!
//! Rules: Kafka fences the journal, and nothing else knows who leads; so whoever has lost the lead refuses its own calls
//! here, each of them, also between two calls of one effect. What only looks is passed on. What remains is the one call
//! that was under way when the lead was lost. Each failed call of these ports is counted here, and nowhere else; only the
//! journal counts for itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;

use super::ports::Ports;
use crate::model::job::{JobHealth, JobRef, JobShape, JobText};
use crate::model::record::{NewRecord, Offsets, RawRecord, TopicSpec};
use crate::port::{
    ConnectorStatus, Connectors, Engine, Journal, Notifier, OutgoingEvent, PortError, PortResult, ProjectFile,
    RecordStream, RegisteredSchema, Registry, RegistryChecks, RegistryLog, Repository, Topics,
};
use crate::telemetry::Metrics;

/// The same ports, whose changing calls are refused with [`PortError::Fenced`] when the journal says that another leads;
/// failed calls are counted in `metrics`.
pub fn only_while_leading(ports: Ports, metrics: &Arc<Metrics>) -> Ports {
    let journal = (&ports.journal, metrics);
    Ports {
        registry: guarded(&ports.registry, journal),
        topics: guarded(&ports.topics, journal),
        engine: guarded(&ports.engine, journal),
        connectors: guarded(&ports.connectors, journal),
        repository: guarded(&ports.repository, journal),
        notifier: guarded(&ports.notifier, journal),
        journal: Arc::clone(&ports.journal),
        clock: ports.clock,
    }
}

/// A port, and who knows whether it may be used.
struct Guarded<P: ?Sized> {
    port: Arc<P>,
    journal: Arc<dyn Journal>,
    metrics: Arc<Metrics>,
}

fn guarded<P: ?Sized>(port: &Arc<P>, (journal, metrics): (&Arc<dyn Journal>, &Arc<Metrics>)) -> Arc<Guarded<P>> {
    Arc::new(Guarded { port: Arc::clone(port), journal: Arc::clone(journal), metrics: Arc::clone(metrics) })
}

impl<P: ?Sized> Guarded<P> {
    fn to_change(&self) -> PortResult<&P> {
        if self.journal.leading() { Ok(&self.port) } else { Err(PortError::Fenced) }
    }

    fn counted<T>(&self, answer: PortResult<T>) -> PortResult<T> {
        counted(&self.metrics, answer)
    }
}

/// Records on their way.
struct Counted {
    stream: Box<dyn RecordStream>,
    metrics: Arc<Metrics>,
}

#[async_trait]
impl RecordStream for Counted {
    async fn next_batch(&mut self) -> PortResult<Option<Vec<RawRecord>>> {
        counted(&self.metrics, self.stream.next_batch().await)
    }
}

/// Counts the answer if the system failed; a thing that is not there is an answer like any other.
fn counted<T>(metrics: &Metrics, answer: PortResult<T>) -> PortResult<T> {
    if let Err(
        PortError::Unreachable { system, .. } | PortError::Refused { system, .. } | PortError::Garbage { system, .. },
    ) = &answer
    {
        metrics.port_errors_total.inc([system]);
    }
    answer
}

#[async_trait]
impl Registry for Guarded<dyn Registry> {
    async fn subjects(&self) -> PortResult<Vec<String>> {
        self.counted(self.port.subjects().await)
    }
    async fn latest(&self, subjects: &BTreeSet<String>) -> PortResult<BTreeMap<String, i32>> {
        self.counted(self.port.latest(subjects).await)
    }
    async fn mode(&self, subject: &str) -> PortResult<Option<String>> {
        self.counted(self.port.mode(subject).await)
    }
    fn log(&self) -> Option<RegistryLog> {
        self.port.log()
    }
    async fn versions(&self, subject: &str) -> PortResult<Vec<i32>> {
        self.counted(self.port.versions(subject).await)
    }
    async fn schema(&self, subject: &str, version: i32) -> PortResult<RegisteredSchema> {
        self.counted(self.port.schema(subject, version).await)
    }
    async fn schema_by_id(&self, id: u32) -> PortResult<RegisteredSchema> {
        self.counted(self.port.schema_by_id(id).await)
    }
    async fn schema_by_guid(&self, guid: &str) -> PortResult<RegisteredSchema> {
        self.counted(self.port.schema_by_guid(guid).await)
    }
    async fn versions_of(&self, id: u32) -> PortResult<Vec<(String, i32)>> {
        self.counted(self.port.versions_of(id).await)
    }
    async fn level(&self, subject: &str) -> PortResult<String> {
        self.counted(self.port.level(subject).await)
    }
    async fn checks(&self, subject: &str) -> PortResult<RegistryChecks> {
        self.counted(self.port.checks(subject).await)
    }
    async fn set_level(&self, subject: &str, level: &str) -> PortResult<()> {
        self.counted(self.to_change()?.set_level(subject, level).await)
    }
    async fn register(&self, subject: &str, schema: &str) -> PortResult<()> {
        self.counted(self.to_change()?.register(subject, schema).await)
    }
    async fn delete_subject(&self, subject: &str) -> PortResult<()> {
        self.counted(self.to_change()?.delete_subject(subject).await)
    }
}

#[async_trait]
impl Topics for Guarded<dyn Topics> {
    async fn describe(&self, topic: &str) -> PortResult<Option<TopicSpec>> {
        self.counted(self.port.describe(topic).await)
    }
    async fn create(&self, spec: &TopicSpec) -> PortResult<()> {
        self.counted(self.to_change()?.create(spec).await)
    }
    async fn delete(&self, topic: &str) -> PortResult<()> {
        self.counted(self.to_change()?.delete(topic).await)
    }
    async fn beginnings(&self, topic: &str) -> PortResult<Offsets> {
        self.counted(self.port.beginnings(topic).await)
    }
    async fn visible_ends(&self, topic: &str) -> PortResult<Offsets> {
        self.counted(self.port.visible_ends(topic).await)
    }
    async fn ends(&self, topic: &str) -> PortResult<Offsets> {
        self.counted(self.port.ends(topic).await)
    }
    async fn committed(&self, group: &str, topic: &str) -> PortResult<Option<Offsets>> {
        self.counted(self.port.committed(group, topic).await)
    }
    async fn readers(&self, topic: &str) -> PortResult<Vec<String>> {
        self.counted(self.port.readers(topic).await)
    }
    async fn delete_group(&self, group: &str) -> PortResult<()> {
        self.counted(self.to_change()?.delete_group(group).await)
    }
    async fn write(&self, topic: &str, records: &[NewRecord]) -> PortResult<()> {
        self.counted(self.to_change()?.write(topic, records).await)
    }
    async fn read(&self, topic: &str, from: &Offsets, to: &Offsets) -> PortResult<Box<dyn RecordStream>> {
        let stream = self.counted(self.port.read(topic, from, to).await)?;
        Ok(Box::new(Counted { stream, metrics: Arc::clone(&self.metrics) }))
    }
}

/// Planning a statement opens a session, so it counts as a change.
#[async_trait]
impl Engine for Guarded<dyn Engine> {
    async fn explain(&self, job: &JobText) -> PortResult<String> {
        self.counted(self.to_change()?.explain(job).await)
    }
    async fn shape(&self, job: &JobText) -> PortResult<JobShape> {
        self.counted(self.to_change()?.shape(job).await)
    }
    async fn running(&self, id: &str) -> PortResult<JobShape> {
        self.counted(self.port.running(id).await)
    }
    async fn topics_read(&self, id: &str, topics: &BTreeSet<String>) -> PortResult<(BTreeSet<String>, bool)> {
        self.counted(self.port.topics_read(id, topics).await)
    }
    async fn positions(&self, id: &str, table: &str, topic: &str) -> PortResult<Option<Offsets>> {
        self.counted(self.port.positions(id, table, topic).await)
    }
    async fn start(&self, job: &JobText) -> PortResult<JobRef> {
        self.counted(self.to_change()?.start(job).await)
    }
    async fn find(&self, name: &str) -> PortResult<Vec<JobRef>> {
        self.counted(self.port.find(name).await)
    }
    async fn jobs(&self) -> PortResult<Vec<JobRef>> {
        self.counted(self.port.jobs().await)
    }
    async fn health(&self, id: &str) -> PortResult<JobHealth> {
        self.counted(self.port.health(id).await)
    }
    async fn cancel(&self, id: &str) -> PortResult<()> {
        self.counted(self.to_change()?.cancel(id).await)
    }
}

#[async_trait]
impl Connectors for Guarded<dyn Connectors> {
    async fn config(&self, name: &str) -> PortResult<Option<BTreeMap<String, String>>> {
        self.counted(self.port.config(name).await)
    }
    async fn all(&self) -> PortResult<BTreeMap<String, BTreeMap<String, String>>> {
        self.counted(self.port.all().await)
    }
    async fn configure(&self, name: &str, config: &BTreeMap<String, String>) -> PortResult<()> {
        self.counted(self.to_change()?.configure(name, config).await)
    }
    async fn status(&self, name: &str) -> PortResult<Option<ConnectorStatus>> {
        self.counted(self.port.status(name).await)
    }
    async fn stop(&self, name: &str) -> PortResult<()> {
        self.counted(self.to_change()?.stop(name).await)
    }
    async fn resume(&self, name: &str) -> PortResult<()> {
        self.counted(self.to_change()?.resume(name).await)
    }
    async fn restart(&self, name: &str) -> PortResult<()> {
        self.counted(self.to_change()?.restart(name).await)
    }
    async fn offsets(&self, name: &str) -> PortResult<BTreeMap<String, Offsets>> {
        self.counted(self.port.offsets(name).await)
    }
    async fn set_offsets(&self, name: &str, topic: &str, offsets: &BTreeMap<i32, Option<i64>>) -> PortResult<()> {
        self.counted(self.to_change()?.set_offsets(name, topic, offsets).await)
    }
    async fn delete(&self, name: &str) -> PortResult<()> {
        self.counted(self.to_change()?.delete(name).await)
    }
}

#[async_trait]
impl Repository for Guarded<dyn Repository> {
    async fn files(&self) -> PortResult<Vec<ProjectFile>> {
        self.counted(self.port.files().await)
    }
    async fn files_at(&self, revision: &str) -> PortResult<Vec<ProjectFile>> {
        self.counted(self.port.files_at(revision).await)
    }
    async fn commit(&self, revision: &str) -> PortResult<Option<String>> {
        self.counted(self.port.commit(revision).await)
    }
    async fn propose(&self, branch: &str, files: &[ProjectFile], message: &str) -> PortResult<Option<String>> {
        self.counted(self.to_change()?.propose(branch, files, message).await)
    }
}

#[async_trait]
impl Notifier for Guarded<dyn Notifier> {
    async fn notify(&self, event: &OutgoingEvent) -> PortResult<()> {
        self.counted(self.to_change()?.notify(event).await)
    }
}
