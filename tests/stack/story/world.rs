//! Where everything is: the addresses of the local stack.
//!
//! Rules: ports come from the variables that `./x stack` knows, else they are the defaults; everything is on 127.0.0.1.

use std::collections::BTreeMap;

use super::failure::{Failure, Outcome};

/// The stack's addresses.
#[derive(Clone, Debug)]
pub struct World {
    /// Broker.
    pub kafka: String,
    /// Registry, Confluent's API.
    pub registry: String,
    /// Registry, its own API for the converters.
    pub registry_own: String,
    /// Kafka Connect.
    pub connect: String,
    /// Flink's REST interface.
    pub flink: String,
    /// SQL Gateway.
    pub gateway: String,
    /// Prometheus.
    pub prometheus: String,
    /// Port of PostgreSQL.
    pub postgres_port: u16,
    /// Port that Prometheus scrapes: the daemon must listen on it.
    pub daemon_port: u16,
}

impl World {
    /// The stack that the environment describes.
    ///
    /// # Errors
    /// A variable that holds no port.
    pub fn from_env() -> Outcome<Self> {
        let url = |port: u16, path: &str| format!("http://127.0.0.1:{port}{path}");
        let registry = port("REGISTRY", 18081)?;
        Ok(Self {
            kafka: format!("127.0.0.1:{}", port("KAFKA", 19092)?),
            registry: url(registry, "/apis/ccompat/v7"),
            registry_own: url(registry, "/apis/registry/v2"),
            connect: url(port("CONNECT", 18083)?, ""),
            flink: url(port("FLINK", 18088)?, ""),
            gateway: url(port("SQL_GATEWAY", 18084)?, ""),
            prometheus: url(port("PROMETHEUS", 19090)?, ""),
            postgres_port: port("POSTGRES", 15432)?,
            daemon_port: port("DAEMON", 18080)?,
        })
    }

    /// How PostgreSQL is reached.
    pub fn postgres(&self) -> String {
        format!("postgresql://postgres:postgres@127.0.0.1:{}/postgres", self.postgres_port)
    }

    /// Values of the placeholders in connectors, without `TOPIC_PREFIX`.
    pub fn variables(&self) -> BTreeMap<String, String> {
        let values = [
            ("KAFKA", self.kafka.clone()),
            ("REGISTRY", self.registry.clone()),
            ("REGISTRY_APICURIO", self.registry_own.clone()),
            ("POSTGRES_HOST", "127.0.0.1".to_owned()),
            ("POSTGRES_PORT", self.postgres_port.to_string()),
            ("POSTGRES_USER", "postgres".to_owned()),
            ("POSTGRES_PASSWORD", "postgres".to_owned()),
            ("POSTGRES_DB", "postgres".to_owned()),
        ];
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn port(name: &str, default: u16) -> Outcome<u16> {
    let variable = format!("CYANOTYPE_PORT_{name}");
    match std::env::var(&variable) {
        Ok(text) if !text.trim().is_empty() => {
            text.trim().parse().map_err(|_| Failure::new(format!("{variable}={text} is not a port")))
        }
        _ => Ok(default),
    }
}

/// `text` with every `${NAME}` replaced.
///
/// # Errors
/// A placeholder without a value.
pub fn fill(text: &str, values: &BTreeMap<String, String>) -> Outcome<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, tail) =
            after.split_once('}').ok_or_else(|| Failure::new(format!("`${{{after}` has no closing brace")))?;
        let value = values.get(name).ok_or_else(|| Failure::new(format!("${{{name}}} has no value")))?;
        out.push_str(before);
        out.push_str(value);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}
