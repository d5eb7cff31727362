//! What a sink connector does with the records of its topic, as far as its settings tell.
//!
//! Going over and back is exact only at a destination that follows its topic: the last row of a key is the row that is
//! there, and a record without a value deletes it. What is not known to do so is not counted on.

use std::collections::BTreeMap;
use std::fmt;

/// Why a destination cannot be made exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inexact {
    /// Rows are added, not replaced: a topic that is written again is there twice.
    Adds,
    /// Rows are replaced, but never deleted; the setting that would do it.
    KeepsDeleted {
        /// As it would be written: `delete.enabled = true`.
        setting: String,
    },
    /// Where rows go depends on the topic's name; the setting that says where.
    Unpinned {
        /// Its name.
        setting: &'static str,
    },
    /// Nobody knows.
    Unknown {
        /// What is not known, in words.
        why: String,
    },
}

impl fmt::Display for Inexact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Adds => f.write_str("it adds rows and does not replace them"),
            Self::KeepsDeleted { setting } => write!(f, "it does not delete rows: {setting} is not set"),
            Self::Unpinned { setting } => write!(f, "where its rows go depends on the topic's name ({setting})"),
            Self::Unknown { why } => f.write_str(why),
        }
    }
}

/// How the settings of one kind of connector are called.
struct Kind {
    class: &'static str,
    key_mode: &'static str,
    destination: &'static str,
}

/// The sinks whose settings are understood.
const KNOWN: [Kind; 3] = [
    Kind {
        class: "io.debezium.connector.jdbc.JdbcSinkConnector",
        key_mode: "primary.key.mode",
        destination: "collection.name.format",
    },
    Kind {
        class: "io.confluent.connect.jdbc.JdbcSinkConnector",
        key_mode: "pk.mode",
        destination: "table.name.format",
    },
    Kind { class: "io.aiven.connect.jdbc.JdbcSinkConnector", key_mode: "pk.mode", destination: "table.name.format" },
];

/// The topics that a connector with these settings names; a pattern names none.
pub fn topics(config: &BTreeMap<String, String>) -> impl Iterator<Item = &str> {
    let named = config.get("topics").map(String::as_str).unwrap_or_default();
    named.split(',').map(str::trim).filter(|topic| !topic.is_empty())
}

/// Whether the destination of a connector with these settings follows its topic exactly.
///
/// # Errors
/// Why it does not, or is not known to.
pub fn exact(config: &BTreeMap<String, String>) -> Result<(), Inexact> {
    let set = |name: &str| config.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let Some(class) = set("connector.class") else {
        return Err(Inexact::Unknown { why: "it has no connector.class".to_owned() });
    };
    let Some(kind) = KNOWN.iter().find(|kind| kind.class == class) else {
        let name = class.rsplit('.').next().unwrap_or(class);
        return Err(Inexact::Unknown { why: format!("it is not known what {name} does with deletes") });
    };
    if set("transforms").is_some() {
        return Err(Inexact::Unknown { why: "its transforms may drop deletes or send rows elsewhere".to_owned() });
    }
    if set("insert.mode") != Some("upsert") {
        return Err(Inexact::Adds);
    }
    if set("delete.enabled") != Some("true") {
        return Err(Inexact::KeepsDeleted { setting: "delete.enabled = true".to_owned() });
    }
    if set(kind.key_mode) != Some("record_key") {
        return Err(Inexact::KeepsDeleted { setting: format!("{} = record_key", kind.key_mode) });
    }
    match set(kind.destination) {
        Some(table) if !table.contains("${topic}") => Ok(()),
        _ => Err(Inexact::Unpinned { setting: kind.destination }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(settings: &[(&str, &str)]) -> BTreeMap<String, String> {
        settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    const DEBEZIUM: [(&str, &str); 5] = [
        ("connector.class", "io.debezium.connector.jdbc.JdbcSinkConnector"),
        ("insert.mode", "upsert"),
        ("delete.enabled", "true"),
        ("primary.key.mode", "record_key"),
        ("collection.name.format", "w.t"),
    ];

    #[test]
    fn an_upsert_sink_with_deletes_and_a_pinned_table_is_exact() {
        assert_eq!(exact(&config(&DEBEZIUM)), Ok(()));
        for class in ["io.confluent.connect.jdbc.JdbcSinkConnector", "io.aiven.connect.jdbc.JdbcSinkConnector"] {
            let settings = [
                ("connector.class", class),
                ("insert.mode", "upsert"),
                ("delete.enabled", "true"),
                ("pk.mode", "record_key"),
                ("table.name.format", "t"),
            ];
            assert_eq!(exact(&config(&settings)), Ok(()));
        }
    }

    #[test]
    fn whatever_is_missing_or_not_known_is_named() {
        for (name, value, expected) in [
            ("insert.mode", "insert", "it adds rows and does not replace them"),
            ("insert.mode", "", "it adds rows and does not replace them"),
            ("delete.enabled", "false", "it does not delete rows: delete.enabled = true is not set"),
            ("primary.key.mode", "record_value", "it does not delete rows: primary.key.mode = record_key is not set"),
            (
                "collection.name.format",
                "w.${topic}",
                "where its rows go depends on the topic's name (collection.name.format)",
            ),
            ("transforms", "route", "its transforms may drop deletes or send rows elsewhere"),
            ("connector.class", "com.example.LakeSink", "it is not known what LakeSink does with deletes"),
            ("connector.class", "", "it has no connector.class"),
        ] {
            let mut settings = config(&DEBEZIUM);
            settings.insert(name.to_owned(), value.to_owned());
            assert_eq!(exact(&settings).unwrap_err().to_string(), expected, "{name} = {value}");
        }
    }
}
