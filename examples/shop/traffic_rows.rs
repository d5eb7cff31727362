//! The statements under the shop's operations: one transaction, its keys, its rows, its tally.
//!
//! Rules:
//! - Values travel as text and are cast by the statement, so decimals and times stay exact.
//! - Rows are picked in key order by a drawn fraction: no list of rows is kept here that could
//!   differ from the table.

use std::collections::BTreeMap;

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use tokio_postgres::types::{FromSql, ToSql};
use tokio_postgres::{Client, Error, Transaction};

use super::{Extras, TABLES, TableCounts};

/// Changes of one transaction by table.
pub(super) type Tally = BTreeMap<&'static str, TableCounts>;

pub(super) const TEXT: &str = "{}::text";
pub(super) const BIGINT: &str = "{}::text::bigint";
pub(super) const INTEGER: &str = "{}::text::integer";
pub(super) const NUMERIC: &str = "{}::text::numeric";
pub(super) const BOOLEAN: &str = "{}::text::boolean";
/// Milliseconds since 1970 as a time without zone.
pub(super) const TIME: &str = "(timestamp '1970-01-01' + {}::text::bigint * interval '1 millisecond')::timestamp(3)";

/// A column, the expression that makes its value from a text parameter `{}`, and the text.
pub(super) type Field<'a> = (&'a str, &'a str, Option<String>);

pub(super) fn field<'a>(column: &'a str, kind: &'a str, value: impl ToString) -> Field<'a> {
    (column, kind, Some(value.to_string()))
}

/// The next free keys and the shop's clock. Keys burnt by a rolled-back operation stay unused.
#[derive(Debug)]
pub(super) struct Ids {
    pub(super) customer: i64,
    pub(super) product: i64,
    pub(super) order: i64,
    pub(super) item: i64,
    pub(super) event: i64,
    pub(super) clock: i64,
}

impl Ids {
    /// Goes on after the rows that are there. Events outlive their orders, so they know best
    /// which order ids were used.
    pub(super) async fn load(client: &Client) -> Result<Ids, Error> {
        let row = client
            .query_one(
                "SELECT (SELECT coalesce(max(customer_id), 0) FROM shop.customers),
                        (SELECT coalesce(max(product_id), 0) FROM shop.products),
                        greatest((SELECT coalesce(max(order_id), 0) FROM shop.orders),
                                 (SELECT coalesce(max(order_id), 0) FROM shop.outbox)),
                        (SELECT coalesce(max(item_id), 0) FROM shop.order_items),
                        (SELECT coalesce(max(event_id), 0) FROM shop.outbox),
                        (1000 * extract(epoch FROM greatest(
                            timestamp '2026-01-01',
                            (SELECT max(created_at) FROM shop.customers),
                            (SELECT max(ordered_at) FROM shop.orders),
                            (SELECT max(added_at) FROM shop.order_items),
                            (SELECT max(occurred_at) FROM shop.outbox))))::bigint",
                &[],
            )
            .await?;
        Ok(Ids {
            customer: row.try_get(0)?,
            product: row.try_get(1)?,
            order: row.try_get(2)?,
            item: row.try_get(3)?,
            event: row.try_get(4)?,
            clock: row.try_get(5)?,
        })
    }
}

/// One open transaction. Every method says by `false` that it found nothing to change.
pub(super) struct Shop<'a> {
    tx: Transaction<'a>,
    pub(super) rng: &'a mut StdRng,
    pub(super) ids: &'a mut Ids,
    extras: &'a Extras,
    tally: Tally,
}

impl<'a> Shop<'a> {
    pub(super) async fn begin(
        client: &'a mut Client,
        rng: &'a mut StdRng,
        ids: &'a mut Ids,
        extras: &'a Extras,
    ) -> Result<Shop<'a>, Error> {
        let tx = client.transaction().await?;
        // Every table is in the tally, so that "no change" is a zero and not a gap.
        let tally = TABLES.iter().map(|table| (*table, TableCounts::default())).collect();
        Ok(Shop { tx, rng, ids, extras, tally })
    }

    pub(super) async fn commit(self) -> Result<Tally, Error> {
        self.tx.commit().await?;
        Ok(self.tally)
    }

    pub(super) async fn count(&mut self, table: &str) -> Result<i64, Error> {
        self.tx.query_one(&format!("SELECT count(*) FROM shop.{table}"), &[]).await?.try_get(0)
    }

    /// The first column of the one row that the query with parameter `id` gives.
    pub(super) async fn one<T>(&self, sql: &str, id: i64) -> Result<T, Error>
    where
        T: for<'r> FromSql<'r>,
    {
        self.tx.query_one(sql, &[&id]).await?.try_get(0)
    }

    /// One of the keys that the query gives, each equally likely.
    pub(super) async fn pick(&mut self, keys: &str) -> Result<Option<i64>, Error> {
        let sql = format!(
            "WITH k (id) AS MATERIALIZED ({keys}) SELECT id FROM k ORDER BY id
              OFFSET floor($1::float8 * (SELECT count(*) FROM k))::bigint LIMIT 1"
        );
        let fraction: f64 = self.rng.random();
        match self.tx.query_opt(&sql, &[&fraction]).await? {
            Some(row) => row.try_get(0).map(Some),
            None => Ok(None),
        }
    }

    pub(super) async fn insert(&mut self, table: &'static str, fields: Vec<Field<'_>>) -> Result<bool, Error> {
        let extras = self.extras;
        let added = self.added(extras, table);
        let all: Vec<_> = fields.iter().chain(&added).collect();
        let columns: Vec<_> = all.iter().map(|f| f.0).collect();
        let values: Vec<_> = all.iter().zip(1..).map(|(f, n)| parameter(f.1, n)).collect();
        let (columns, values) = (columns.join(", "), values.join(", "));
        let sql = format!("INSERT INTO shop.{table} ({columns}) VALUES ({values})");
        let texts: Vec<_> = all.iter().map(|f| &f.2 as &(dyn ToSql + Sync)).collect();
        let rows = self.tx.execute(&sql, &texts).await?;
        self.tally.entry(table).or_default().inserts += rows;
        Ok(rows > 0)
    }

    pub(super) async fn update(
        &mut self,
        table: &'static str,
        key: &str,
        id: i64,
        fields: Vec<Field<'_>>,
    ) -> Result<bool, Error> {
        let extras = self.extras;
        let added = if self.rng.random_bool(0.5) { self.added(extras, table) } else { Vec::new() };
        let all: Vec<_> = fields.iter().chain(&added).collect();
        let sets: Vec<_> = all.iter().zip(2..).map(|(f, n)| format!("{} = {}", f.0, parameter(f.1, n))).collect();
        let sql = format!("UPDATE shop.{table} SET {} WHERE {key} = $1", sets.join(", "));
        let mut texts: Vec<&(dyn ToSql + Sync)> = vec![&id];
        texts.extend(all.iter().map(|f| &f.2 as &(dyn ToSql + Sync)));
        let rows = self.tx.execute(&sql, &texts).await?;
        self.tally.entry(table).or_default().updates += rows;
        Ok(rows > 0)
    }

    pub(super) async fn delete(&mut self, table: &'static str, key: &str, id: i64) -> Result<bool, Error> {
        let sql = format!("DELETE FROM shop.{table} WHERE {key} = $1");
        let rows = self.tx.execute(&sql, &[&id]).await?;
        self.tally.entry(table).or_default().deletes += rows;
        Ok(rows > 0)
    }

    /// A drawn value for each column that was added to the table.
    fn added<'e>(&mut self, extras: &'e Extras, table: &str) -> Vec<Field<'e>> {
        let columns = extras.get(table).into_iter().flatten();
        columns.map(|e| (e.column.as_str(), e.kind.as_str(), e.values.choose(self.rng).cloned())).collect()
    }
}

/// `{}` in the expression becomes the parameter; a bare type name becomes a cast to it.
fn parameter(kind: &str, number: usize) -> String {
    if kind.contains("{}") { kind.replace("{}", &format!("${number}")) } else { format!("${number}::text::{kind}") }
}
