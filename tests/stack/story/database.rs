//! PostgreSQL: the shop's side, and the warehouse against its truth.

use std::collections::BTreeMap;

use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::failure::{During as _, Outcome};

/// A row as text, column by column; `None` is NULL.
pub type Row = BTreeMap<String, Option<String>>;

/// A connection.
pub struct Database {
    client: Client,
}

/// How a warehouse table differs from its truth.
#[derive(Debug, Default)]
pub struct Difference {
    /// Rows that the truth has.
    pub rows: u64,
    /// Rows that only the truth has.
    pub missing: u64,
    /// Rows that only the warehouse has.
    pub extra: u64,
    /// A few of them.
    pub samples: Vec<String>,
}

impl Difference {
    /// True when there is none.
    pub fn none(&self) -> bool {
        self.missing == 0 && self.extra == 0
    }
}

impl Database {
    /// After `Ok` statements can be sent.
    ///
    /// # Errors
    /// PostgreSQL does not answer or refuses.
    pub async fn open(url: &str) -> Outcome<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.during("connecting to PostgreSQL")?;
        // Ends with the client; a failure of the connection reaches the next statement as its error.
        tokio::spawn(connection);
        Ok(Self { client })
    }

    /// Runs statements.
    ///
    /// # Errors
    /// PostgreSQL refuses one.
    pub async fn run(&self, sql: &str) -> Outcome {
        self.client.batch_execute(sql).await.during(format!("running `{}`", start_of(sql)))
    }

    /// Rows of a query, as text.
    ///
    /// # Errors
    /// PostgreSQL refuses it.
    pub async fn rows(&self, sql: &str) -> Outcome<Vec<Row>> {
        let messages = self.client.simple_query(sql).await.during(format!("asking `{}`", start_of(sql)))?;
        let mut rows = Vec::new();
        for message in messages {
            if let SimpleQueryMessage::Row(row) = message {
                let cell = |(i, column): (usize, &tokio_postgres::SimpleColumn)| {
                    (column.name().to_owned(), row.get(i).map(str::to_owned))
                };
                rows.push(row.columns().iter().enumerate().map(cell).collect());
            }
        }
        Ok(rows)
    }

    /// Compares a table with the query that says what it must hold, in one snapshot, by the query's column names.
    ///
    /// # Errors
    /// The table or one of the columns does not exist.
    pub async fn compare(&self, table: &str, truth: &str) -> Outcome<Difference> {
        let prepared = self.client.prepare(truth).await.during(format!("reading the truth of {table}"))?;
        let columns: Vec<String> = prepared.columns().iter().map(|c| format!("\"{}\"", c.name())).collect();
        let columns = columns.join(", ");
        let sql = format!(
            "WITH truth AS MATERIALIZED ({truth}),
             held AS MATERIALIZED (SELECT {columns} FROM {table}),
             missing AS (SELECT * FROM truth EXCEPT ALL SELECT * FROM held),
             extra AS (SELECT * FROM held EXCEPT ALL SELECT * FROM truth)
             SELECT 'rows' AS what, (SELECT count(*) FROM truth)::text AS value
             UNION ALL SELECT 'missing', (SELECT count(*) FROM missing)::text
             UNION ALL SELECT 'extra', (SELECT count(*) FROM extra)::text
             UNION ALL SELECT 'sample', s FROM (
                 (SELECT 'only the truth has ' || missing::text AS s FROM missing LIMIT 3)
                 UNION ALL (SELECT 'only {table} has ' || extra::text FROM extra LIMIT 3)) AS samples"
        );
        let mut difference = Difference::default();
        for row in self.rows(&sql).await? {
            let cell = |name: &str| row.get(name).cloned().flatten().unwrap_or_default();
            let number = || cell("value").parse().during(format!("counting rows of {table}"));
            match cell("what").as_str() {
                "rows" => difference.rows = number()?,
                "missing" => difference.missing = number()?,
                "extra" => difference.extra = number()?,
                _ => difference.samples.push(cell("value")),
            }
        }
        Ok(difference)
    }

    /// Drops a replication slot, its publication and schemas, as far as they exist.
    ///
    /// # Errors
    /// The slot is still in use, or PostgreSQL refuses.
    pub async fn forget(&self, slots: &[String], publications: &[String], schemas: &[String]) -> Outcome {
        for slot in slots {
            let sql = format!(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{slot}'"
            );
            self.rows(&sql).await?;
        }
        for publication in publications {
            self.run(&format!("DROP PUBLICATION IF EXISTS \"{publication}\"")).await?;
        }
        for schema in schemas {
            self.run(&format!("SET client_min_messages = warning; DROP SCHEMA IF EXISTS \"{schema}\" CASCADE")).await?;
        }
        Ok(())
    }
}

fn start_of(sql: &str) -> String {
    let text: Vec<&str> = sql.split_whitespace().collect();
    text.join(" ").chars().take(120).collect()
}
