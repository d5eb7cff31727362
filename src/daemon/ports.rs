//! Every port, wired.

use std::sync::Arc;

use crate::port::{Clock, Connectors, Engine, Journal, Notifier, Registry, Repository, Topics};

/// The world. Cheap to clone.
#[derive(Clone)]
pub struct Ports {
    /// Schema registry.
    pub registry: Arc<dyn Registry>,
    /// Kafka.
    pub topics: Arc<dyn Topics>,
    /// Flink.
    pub engine: Arc<dyn Engine>,
    /// Kafka Connect.
    pub connectors: Arc<dyn Connectors>,
    /// The project's files.
    pub repository: Arc<dyn Repository>,
    /// The journal.
    pub journal: Arc<dyn Journal>,
    /// Outgoing webhooks.
    pub notifier: Arc<dyn Notifier>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}
