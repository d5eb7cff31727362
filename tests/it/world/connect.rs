//! Kafka Connect: sink connectors that copy their topic into the warehouse, upserts by key.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cyanotype::model::record::Offsets;
use cyanotype::port::{ConnectorStatus, Connectors, PortResult};

use super::kafka::{Slot, id_of};
use super::state::Trouble;
use super::{Deed, Seat, State, missing};

/// A connector.
#[derive(Clone)]
pub struct Connector {
    /// Settings.
    pub config: BTreeMap<String, String>,
    /// True while it is stopped.
    pub stopped: bool,
}

impl Connector {
    /// The table that it writes.
    pub fn table(&self) -> &str {
        self.config.get("collection.name.format").map_or("", String::as_str)
    }

    /// The topic that it reads.
    pub fn topic(&self) -> &str {
        self.config.get("topics").map_or("", String::as_str)
    }
}

/// The consumer group of a connector.
pub fn group(name: &str) -> String {
    format!("connect-{name}")
}

impl State {
    /// Lets every running connector copy what there is.
    pub(super) fn run_connectors(&mut self) {
        let running: Vec<(String, Connector)> =
            self.connectors.iter().filter(|(_, c)| !c.stopped).map(|(n, c)| (n.clone(), c.clone())).collect();
        for (name, connector) in running {
            let topic = connector.topic().to_owned();
            if self.has(Trouble::SinkFails(topic.clone())) {
                continue;
            }
            let Some(source) = self.topics.get(&topic) else { continue };
            let committed = self.groups.entry(group(&name)).or_default().entry(topic.clone()).or_default();
            let table = self.warehouse.entry(connector.table().to_owned()).or_default();
            for (partition, offset, slot) in source.from(&committed.clone()) {
                let Slot::Record(key, value) = slot else { continue };
                let Some(id) = id_of(key.as_ref().map(|(_, k)| k)) else { continue };
                match value.as_ref().and_then(|(_, body)| body.row()) {
                    // A column that the record does not have keeps its value, as in an upsert by name.
                    Some(row) => table.entry(id).or_default().extend(row.clone()),
                    None => {
                        table.remove(&id);
                    }
                }
                committed.insert(partition, offset + 1);
            }
        }
    }

    pub(super) fn connector(&mut self, name: &str) -> PortResult<&mut Connector> {
        self.connectors.get_mut(name).ok_or_else(|| missing("Connect", format!("connector {name}")))
    }
}

#[async_trait]
impl Connectors for Seat {
    async fn config(&self, name: &str) -> PortResult<Option<BTreeMap<String, String>>> {
        self.look(|state| Ok(state.connectors.get(name).map(|c| c.config.clone()))).await
    }

    async fn all(&self) -> PortResult<BTreeMap<String, BTreeMap<String, String>>> {
        self.look(|state| Ok(state.connectors.iter().map(|(n, c)| (n.clone(), c.config.clone())).collect())).await
    }

    async fn configure(&self, name: &str, config: &BTreeMap<String, String>) -> PortResult<()> {
        self.act(Deed::Configure { name: name.to_owned(), config: config.clone() }).await.map(drop)
    }

    async fn status(&self, name: &str) -> PortResult<Option<ConnectorStatus>> {
        self.look(|state| {
            let Some(connector) = state.connectors.get(name) else { return Ok(None) };
            let fails = state.has(Trouble::SinkFails(connector.topic().to_owned()));
            let task = if fails { "FAILED" } else { "RUNNING" };
            let (object, tasks) = match connector.stopped {
                true => ("STOPPED", Vec::new()),
                false => ("RUNNING", vec![task.to_owned()]),
            };
            let failure = (fails && !connector.stopped).then(|| "the warehouse refuses".to_owned());
            Ok(Some(ConnectorStatus { state: object.to_owned(), tasks, failure }))
        })
        .await
    }

    async fn stop(&self, name: &str) -> PortResult<()> {
        self.act(Deed::Stop { name: name.to_owned() }).await.map(drop)
    }

    async fn resume(&self, name: &str) -> PortResult<()> {
        self.act(Deed::Resume { name: name.to_owned() }).await.map(drop)
    }

    async fn restart(&self, name: &str) -> PortResult<()> {
        self.act(Deed::Restart { name: name.to_owned() }).await.map(drop)
    }

    async fn offsets(&self, name: &str) -> PortResult<BTreeMap<String, Offsets>> {
        self.look(|state| {
            state.connector(name)?;
            Ok(state.groups.get(&group(name)).cloned().unwrap_or_default())
        })
        .await
    }

    async fn set_offsets(&self, name: &str, topic: &str, offsets: &BTreeMap<i32, Option<i64>>) -> PortResult<()> {
        let deed = Deed::SetOffsets { name: name.to_owned(), topic: topic.to_owned(), offsets: offsets.clone() };
        self.act(deed).await.map(drop)
    }

    async fn delete(&self, name: &str) -> PortResult<()> {
        self.act(Deed::DeleteConnector { name: name.to_owned() }).await.map(drop)
    }
}
