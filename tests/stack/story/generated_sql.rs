//! Statements of a generated project: each is written once and rendered as Flink SQL and as a part of the truth query.
//!
//! Rule: what a statement selects is text that Flink and PostgreSQL read alike, so the truth is the same chain of selects
//! over the source tables.

/// A table in PostgreSQL.
#[derive(Clone, Debug)]
pub struct Source {
    /// Name, without the schema.
    pub name: String,
    /// Columns: name, type in PostgreSQL, type in Flink. The first is the key.
    pub columns: Vec<(String, &'static str, &'static str)>,
}

impl Source {
    /// The reader table.
    pub fn reader(&self) -> String {
        format!("cdc_{}", self.name)
    }

    /// DDL in PostgreSQL, with what Debezium needs.
    pub fn table_sql(&self, schema: &str) -> String {
        let columns: Vec<String> =
            self.columns.iter().map(|(name, kind, _)| format!("{name} {kind} NOT NULL")).collect();
        let key = self.columns.first().map_or("", |(name, _, _)| name);
        let (name, columns) = (&self.name, columns.join(", "));
        format!(
            "CREATE TABLE {schema}.{name} ({columns}, PRIMARY KEY ({key}));
             ALTER TABLE {schema}.{name} REPLICA IDENTITY FULL;\n"
        )
    }

    /// DDL of the reader table.
    pub fn reader_sql(&self, schema: &str) -> String {
        let columns: Vec<(String, String)> =
            self.columns.iter().map(|(name, _, kind)| (name.clone(), (*kind).to_owned())).collect();
        let key = columns.first().map_or("", |(name, _)| name);
        let columns = column_lines(&columns, &[key]);
        let (name, reader) = (&self.name, self.reader());
        format!(
            "-- Reads the change topic of {schema}.{name}.
CREATE TABLE {reader} (
{columns}    PRIMARY KEY ({key}) NOT ENFORCED
) WITH (
    'connector' = 'kafka',
    'topic' = '{schema}.{schema}.{name}',
    'properties.bootstrap.servers' = '${{KAFKA}}',
    'properties.group.id' = '${{TOPIC_PREFIX}}.{reader}',
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'debezium-avro-confluent',
    'debezium-avro-confluent.url' = '${{REGISTRY}}'
);
"
        )
    }

    /// Its part of the truth: the table with the given columns.
    pub fn truth(&self, schema: &str, added: Option<&str>) -> String {
        let columns: Vec<&str> = self.columns.iter().map(|(name, _, _)| name.as_str()).chain(added).collect();
        format!("{} AS (SELECT {} FROM {schema}.{})", self.reader(), columns.join(", "), self.name)
    }
}

/// One selected column.
#[derive(Clone, Debug)]
pub struct Item {
    /// Expression.
    pub value: String,
    /// Name.
    pub name: String,
    /// Type in Flink.
    pub kind: String,
}

/// A statement that writes a table.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Folder under `pipelines`.
    pub layer: &'static str,
    /// Logical name.
    pub logical: String,
    /// Physical name of the first deployment.
    pub physical: String,
    /// Key columns.
    pub key: Vec<String>,
    /// What it selects.
    pub items: Vec<Item>,
    /// From `FROM` on, without the last semicolon.
    pub from: String,
    /// The alias whose added column goes on; `None` where rows are not passed on.
    pub passes: Option<&'static str>,
}

impl Statement {
    /// DDL of the written table.
    pub fn ddl(&self) -> String {
        let columns: Vec<(String, String)> =
            self.items.iter().map(|item| (item.name.clone(), item.kind.clone())).collect();
        let keys: Vec<&str> = self.key.iter().map(String::as_str).collect();
        let (columns, key, name) = (column_lines(&columns, &keys), keys.join(", "), &self.physical);
        format!(
            "CREATE TABLE {name} (
{columns}    PRIMARY KEY ({key}) NOT ENFORCED
) WITH (
    'connector' = 'upsert-kafka',
    'topic' = '${{TOPIC_PREFIX}}.{name}',
    'properties.bootstrap.servers' = '${{KAFKA}}',
    'properties.group.id' = '${{TOPIC_PREFIX}}.{name}',
    'key.format' = 'avro-confluent',
    'key.avro-confluent.url' = '${{REGISTRY}}',
    'value.format' = 'avro-confluent',
    'value.avro-confluent.url' = '${{REGISTRY}}'
);
"
        )
    }

    /// The INSERT.
    pub fn dml(&self) -> String {
        format!("-- Drawn for one run.\nINSERT INTO {}\n{};\n", self.physical, self.select(None))
    }

    /// Its part of the truth, with the added column where it goes on.
    pub fn truth(&self, added: Option<&str>) -> String {
        format!("{} AS ({})", self.physical, self.select(added))
    }

    fn select(&self, added: Option<&str>) -> String {
        let mut lines: Vec<String> =
            self.items.iter().map(|item| format!("    {} AS {}", item.value, item.name)).collect();
        if let (Some(alias), Some(column)) = (self.passes, added) {
            lines.push(format!("    {alias}.{column} AS {column}"));
        }
        format!("SELECT\n{}\n{}", lines.join(",\n"), self.from)
    }

    /// Where its files are, up to the file's kind.
    pub fn file(&self, project: &str, kind: &str) -> String {
        let Self { layer, physical, .. } = self;
        format!("pipelines/{layer}/{project}/{physical}/sql-scripts/{kind}.{physical}.sql")
    }
}

fn column_lines(columns: &[(String, String)], key: &[&str]) -> String {
    let line = |(name, kind): &(String, String)| {
        let not_null = if key.contains(&name.as_str()) { " NOT NULL" } else { "" };
        format!("    {name} {kind}{not_null},\n")
    };
    columns.iter().map(line).collect()
}
