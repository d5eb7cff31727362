//! Tables of PostgreSQL, one connector for all of them, and what arrives of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cyanotype::adapter::kafka::{KafkaSettings, KafkaTopics};
use cyanotype::adapter::registry::RegistryClient;
use cyanotype::adapter::rest::Endpoint;
use cyanotype::daemon::watch::{self, Audit};
use cyanotype::model::record::Offsets;
use cyanotype::port::{Registry as _, Topics as _};
use cyanotype::validate::audit::TopicReport;

use crate::story::connect::{Connect, Connector};
use crate::story::database::Database;
use crate::story::failure::{During as _, Failure, Look, Outcome, ensure, until};
use crate::story::generated_connect::source;
use crate::story::generated_sql::Source;
use crate::story::http;
use crate::story::kafka::Kafka;
use crate::story::world::{World, fill};

/// How long changes of many tables may need to their topics, a connector that stops several times included.
const ARRIVE: Duration = Duration::from_secs(180);

/// The stack, and a name for everything that is made on it.
pub struct Scene {
    /// Schema in PostgreSQL, topic prefix, publication and slot.
    pub name: &'static str,
    /// PostgreSQL.
    pub database: Database,
    /// Topics as the product reads them.
    pub topics: KafkaTopics,
    /// The registry as the product reads it.
    pub registry: RegistryClient,
    /// For what the product does not ask of the registry.
    pub http: reqwest::Client,
    /// Addresses.
    pub world: World,
    /// Topics as they are.
    pub kafka: Kafka,
    connect: Connect,
}

impl Scene {
    /// Lets `tell` play on an empty scene, and removes what it made.
    pub async fn play(name: &'static str, tell: impl AsyncFnOnce(&Self) -> Outcome) -> Outcome {
        let (world, http) = (World::from_env()?, http::client()?);
        let kafka = KafkaSettings { brokers: world.kafka.clone(), properties: BTreeMap::new() };
        let scene = Self {
            name,
            database: Database::open(&world.postgres()).await.during("is the stack up? `./x stack status` tells")?,
            topics: KafkaTopics::new(kafka).during("Kafka")?,
            registry: RegistryClient::new(&Endpoint::new(&world.registry)).during("the registry")?,
            connect: Connect::new(&http, &world.connect),
            kafka: Kafka::new(&world.kafka),
            http,
            world,
        };
        scene.clean().await?;
        let told = tell(&scene).await;
        let cleaned = scene.clean().await;
        told.and(cleaned)
    }

    /// The topic of a table.
    pub fn topic(&self, table: &str) -> String {
        format!("{0}.{0}.{table}", self.name)
    }

    fn connector(&self) -> String {
        format!("{}-source", self.name)
    }

    /// Publishes the tables and starts a connector that streams them.
    pub async fn stream(&self, tables: impl IntoIterator<Item = &str>, settings: &[(&str, &str)]) -> Outcome {
        let table = |name: &str| Source { name: name.to_owned(), columns: Vec::new() };
        let tables: Vec<Source> = tables.into_iter().map(table).collect();
        let (connector, publication) = source(self.name, &tables);
        self.database.run(&publication).await?;
        let mut connector = Connector::read(&fill(&connector, &self.world.variables())?)?;
        let own = [("time.precision.mode", "adaptive"), ("topic.creation.default.partitions", "1")];
        let settings = own.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        connector.config.extend(settings);
        self.connect.create(&connector).await
    }

    /// Waits until each topic holds so many records. A connector that the registry refuses a schema is helped as people do
    /// it: the subject's level becomes NONE, and the connector is restarted. The subjects that it stopped at.
    pub async fn arrived(&self, wanted: &BTreeMap<String, i64>) -> Outcome<BTreeSet<String>> {
        let mut refused = BTreeSet::new();
        let mut missing: BTreeMap<&String, i64> = wanted.iter().map(|(topic, records)| (topic, *records)).collect();
        until("the changes to be in their topics", ARRIVE, async || {
            if let Some(failure) = self.connect.failures(&self.connector()).await?.first() {
                let Some(subject) = self.refused_in(failure).await? else {
                    return Ok(Look::There(Err(Failure::new(format!("the connector failed: {failure}")))));
                };
                // One that is known was the reason before the restart that goes on.
                if !refused.contains(&subject) {
                    self.registry.set_level(&subject, "NONE").await.during("the level")?;
                    self.connect.restart(&self.connector()).await?;
                    refused.insert(subject);
                }
            }
            let mut open = BTreeMap::new();
            for (topic, records) in &missing {
                if self.records(topic).await? < *records {
                    open.insert(*topic, *records);
                }
            }
            missing = open;
            Ok(if missing.is_empty() { Look::There(Ok(())) } else { Look::NotYet(format!("not in {missing:?}")) })
        })
        .await??;
        Ok(refused)
    }

    /// The subject whose new schema the registry refused, if that is why a task failed.
    async fn refused_in(&self, failure: &str) -> Outcome<Option<String>> {
        let refusal = failure.lines().find(|line| line.contains("Incompatible artifact")).unwrap_or_default();
        Ok(self.subjects().await?.into_iter().find(|subject| refusal.contains(&format!(" {subject} "))))
    }

    /// Waits until the topic of the table holds so many records.
    pub async fn arrive(&self, table: &str, records: i64) -> Outcome {
        let stopped = self.arrived(&BTreeMap::from([(self.topic(table), records)])).await?;
        ensure(stopped.is_empty(), || format!("the connector was stopped at {stopped:?}"))
    }

    /// Restarts the connector, and waits until it streams again.
    pub async fn restart(&self) -> Outcome {
        let slot = format!("SELECT active_pid FROM pg_replication_slots WHERE slot_name = '{}'", self.name);
        let before = self.database.rows(&slot).await?;
        self.connect.restart(&self.connector()).await?;
        until("the connector to stream again", Duration::from_secs(60), async || {
            let now = self.database.rows(&slot).await?;
            let streams = now != before && now.iter().flat_map(|row| row.values()).any(Option::is_some);
            Ok(if streams { Look::There(()) } else { Look::NotYet(format!("its slot is used by {now:?}")) })
        })
        .await
    }

    /// Records that the topic holds.
    pub async fn records(&self, topic: &str) -> Outcome<i64> {
        Ok(self.ends(topic).await?.values().sum())
    }

    async fn ends(&self, topic: &str) -> Outcome<Offsets> {
        self.topics.visible_ends(topic).await.during("the ends")
    }

    /// What the product sees in the topic.
    pub async fn audit(&self, topic: &str) -> Outcome<(Audit, Offsets)> {
        let ends = self.ends(topic).await?;
        let audit = watch::read_once((&self.registry, &self.topics), topic, &ends, |_| {}).await.during("the audit")?;
        Ok((audit, ends))
    }

    /// What the product says of the topic of a table.
    pub async fn report(&self, table: &str) -> Outcome<Arc<TopicReport>> {
        let topic = self.topic(table);
        let (audit, _) = self.audit(&topic).await?;
        audit.reports().remove(&topic).during("the report")
    }

    /// Subjects of the tables.
    pub async fn subjects(&self) -> Outcome<Vec<String>> {
        let all = self.registry.subjects().await.during("the subjects")?;
        Ok(all.into_iter().filter(|subject| subject.starts_with(&self.topic(""))).collect())
    }

    /// The versions of each subject.
    pub async fn versions(&self) -> Outcome<BTreeMap<String, Vec<i32>>> {
        let mut versions = BTreeMap::new();
        for subject in self.subjects().await? {
            let of_it = self.registry.versions(&subject).await.during("the versions")?;
            versions.insert(subject, of_it);
        }
        Ok(versions)
    }

    async fn clean(&self) -> Outcome {
        self.connect.remove(&self.connector()).await?;
        let names = [self.name.to_owned()];
        until("the slot to be free", Duration::from_secs(30), async || {
            self.database.forget(&names, &names, &names).await?;
            Ok(Look::There(()))
        })
        .await?;
        let prefix = self.topic("");
        let topics: Vec<String> = self.kafka.topics().await?.into_iter().filter(|t| t.starts_with(&prefix)).collect();
        self.kafka.delete_topics(&topics).await?;
        for subject in self.subjects().await? {
            self.registry.delete_subject(&subject).await.during("a subject")?;
        }
        let left = self.subjects().await?;
        ensure(left.is_empty(), || format!("subjects are left: {left:?}"))
    }
}
