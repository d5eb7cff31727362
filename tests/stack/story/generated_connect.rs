//! Connectors of a generated project.

use super::generated_sql::{Source, Statement};

const CONVERTERS: &str = r#"
    "key.converter": "io.apicurio.registry.utils.converter.AvroConverter",
    "key.converter.apicurio.registry.url": "${REGISTRY_APICURIO}",
    "key.converter.apicurio.registry.as-confluent": "true",
    "key.converter.apicurio.registry.use-id": "contentId",
    "key.converter.apicurio.registry.headers.enabled": "false",
    "key.converter.apicurio.registry.auto-register": "true",
    "key.converter.apicurio.registry.artifact-resolver-strategy": "io.apicurio.registry.serde.strategy.TopicIdStrategy",
    "value.converter": "io.apicurio.registry.utils.converter.AvroConverter",
    "value.converter.apicurio.registry.url": "${REGISTRY_APICURIO}",
    "value.converter.apicurio.registry.as-confluent": "true",
    "value.converter.apicurio.registry.use-id": "contentId",
    "value.converter.apicurio.registry.headers.enabled": "false",
    "value.converter.apicurio.registry.auto-register": "true",
    "value.converter.apicurio.registry.artifact-resolver-strategy": "io.apicurio.registry.serde.strategy.TopicIdStrategy"
"#;

/// The Debezium connector, and the publication that it reads.
pub fn source(schema: &str, sources: &[Source]) -> (String, String) {
    let tables: Vec<String> = sources.iter().map(|source| format!("{schema}.{}", source.name)).collect();
    let publication = format!("CREATE PUBLICATION {schema} FOR TABLE {};", tables.join(", "));
    let json = format!(
        r#"{{"name": "{schema}-source", "config": {{
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "tasks.max": "1",
    "database.hostname": "${{POSTGRES_HOST}}",
    "database.port": "${{POSTGRES_PORT}}",
    "database.user": "${{POSTGRES_USER}}",
    "database.password": "${{POSTGRES_PASSWORD}}",
    "database.dbname": "${{POSTGRES_DB}}",
    "plugin.name": "pgoutput",
    "slot.name": "{schema}",
    "publication.name": "{schema}",
    "publication.autocreate.mode": "disabled",
    "topic.prefix": "{schema}",
    "table.include.list": "{}",
    "snapshot.mode": "initial",
    "decimal.handling.mode": "precise",
    "time.precision.mode": "connect",
    "topic.creation.default.replication.factor": "-1",
    "topic.creation.default.partitions": "2",
    "topic.creation.default.cleanup.policy": "delete",
    "topic.creation.default.retention.ms": "-1",{CONVERTERS}}}}}"#,
        tables.join(",")
    );
    (json, publication)
}

/// The sink connector of the fact.
pub fn sink(schema: &str, fact: &Statement) -> String {
    format!(
        r#"{{"name": "{schema}-sink", "config": {{
    "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
    "tasks.max": "1",
    "topics": "${{TOPIC_PREFIX}}.{}",
    "consumer.override.isolation.level": "read_committed",
    "connection.url": "jdbc:postgresql://${{POSTGRES_HOST}}:${{POSTGRES_PORT}}/${{POSTGRES_DB}}",
    "connection.username": "${{POSTGRES_USER}}",
    "connection.password": "${{POSTGRES_PASSWORD}}",
    "collection.name.format": "{schema}_wh.{}",
    "insert.mode": "upsert",
    "delete.enabled": "true",
    "primary.key.mode": "record_key",
    "primary.key.fields": "{}",
    "schema.evolution": "basic",
    "use.time.zone": "UTC",{CONVERTERS}}}}}"#,
        fact.physical,
        fact.logical,
        fact.key.join(",")
    )
}
