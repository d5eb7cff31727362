//! Traffic: rows of the shop's database that keep changing while something else is measured.
//!
//! Rules:
//! - One task and one connection make all changes, one transaction an operation. The operations are
//!   drawn from a seeded generator: the same seed on the same rows gives the same changes.
//! - Every table gets inserts, updates and deletes, except the outbox, which only grows.
//! - What the application promises holds after every commit: foreign keys, no pair
//!   `(order_id, line_no)` used twice, event ids that only rise, amounts as exact decimals.
//! - Times are the shop's own clock, which starts where the rows end and moves with each operation.
//! - A failed operation is rolled back, counted and kept as the last error; the task connects again
//!   and goes on. It ends by itself only after [`GIVE_UP`] without one success.
//!
//! The file stands alone: give it to a crate with tokio, tokio-postgres 0.7 and rand 0.9 by
//! `#[path = "…/examples/shop/traffic.rs"] mod traffic;`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_postgres::{Client, NoTls};

#[path = "traffic_ops.rs"]
mod ops;
#[path = "traffic_rows.rs"]
mod rows;

/// How long operations may fail in a row before the traffic ends with the last error.
pub const GIVE_UP: Duration = Duration::from_mins(1);

/// The tables that the traffic changes, all in schema `shop`.
pub const TABLES: [&str; 5] = ["customers", "products", "orders", "order_items", "outbox"];

/// Committed changes of one table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableCounts {
    /// Rows inserted.
    pub inserts: u64,
    /// Rows updated.
    pub updates: u64,
    /// Rows deleted.
    pub deletes: u64,
}

/// What the traffic did so far. Only committed changes are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Changes by table name, without the schema. The first rows are counted too.
    pub tables: BTreeMap<&'static str, TableCounts>,
    /// Operations that failed and were rolled back.
    pub failed: u64,
    /// The last failure, if there was one.
    pub last_error: Option<String>,
}

impl Counts {
    /// All committed changes of all tables.
    pub fn total(&self) -> u64 {
        self.tables.values().map(|t| t.inserts + t.updates + t.deletes).sum()
    }

    fn add(&mut self, more: &BTreeMap<&'static str, TableCounts>) {
        for (table, more) in more {
            let sum = self.tables.entry(table).or_default();
            sum.inserts += more.inserts;
            sum.updates += more.updates;
            sum.deletes += more.deletes;
        }
    }
}

/// Why the traffic could not do what was asked.
#[derive(Debug)]
pub enum TrafficError {
    /// PostgreSQL refused the connection or a statement.
    Database(tokio_postgres::Error),
    /// The column to fill does not exist in that table of schema `shop`.
    UnknownColumn {
        /// The table asked for.
        table: String,
        /// The column asked for.
        column: String,
    },
    /// A column was to be filled from no values, or the rate was zero.
    Empty(&'static str),
    /// The task is gone; the text is its last error.
    Ended(String),
}

impl fmt::Display for TrafficError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(error) => f.write_str(&explain(error)),
            Self::UnknownColumn { table, column } => {
                write!(f, "shop.{table} has no column {column}: add it before the traffic fills it")
            }
            Self::Empty(what) => write!(f, "{what} must not be empty or zero"),
            Self::Ended(why) => write!(f, "the traffic has ended: {why}"),
        }
    }
}

impl std::error::Error for TrafficError {}

impl From<tokio_postgres::Error> for TrafficError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

/// The text of the server's answer; the error's own `Display` says only "db error".
fn explain(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("postgres: {db}"),
        None => format!("postgres: {error}"),
    }
}

/// A column that was added while the traffic ran, and the values to write into it.
#[derive(Clone, Debug)]
struct Extra {
    column: String,
    kind: String,
    values: Vec<String>,
}

/// Added columns by table name.
type Extras = BTreeMap<String, Vec<Extra>>;

enum Command {
    Pause(oneshot::Sender<()>),
    Resume(oneshot::Sender<()>),
    SetColumn { table: String, column: String, values: Vec<String>, reply: oneshot::Sender<Result<(), TrafficError>> },
}

/// A running traffic. Dropping it ends the task after the operation in hand.
pub struct Traffic {
    commands: mpsc::Sender<Command>,
    counts: Arc<Mutex<Counts>>,
    task: JoinHandle<()>,
}

impl Traffic {
    /// After `Ok` the schema holds at least the first few hundred rows and changes arrive at about
    /// `ops_per_second`, each touching one row or a few. Rows of an earlier run are taken over.
    pub async fn start(pg_url: &str, seed: u64, ops_per_second: u32) -> Result<Traffic, TrafficError> {
        if ops_per_second == 0 {
            return Err(TrafficError::Empty("the rate"));
        }
        let mut worker = Worker {
            url: pg_url.to_owned(),
            client: connect(pg_url).await?,
            rng: StdRng::seed_from_u64(seed),
            extras: Extras::new(),
            counts: Arc::default(),
        };
        let mut ids = rows::Ids::load(&worker.client).await?;
        let first = ops::first_rows(&mut worker.client, &mut worker.rng, &mut ids).await?;
        worker.note(Ok(first));

        let (commands, inbox) = mpsc::channel(8);
        let counts = Arc::clone(&worker.counts);
        // An interval of zero would panic.
        let period = Duration::from_secs(1) / ops_per_second.min(10_000);
        let task = tokio::spawn(worker.run(ids, inbox, period));
        Ok(Traffic { commands, counts, task })
    }

    /// After `Ok` every insert into the table writes one of `values` into the column, and about half
    /// of the updates do. Values are PostgreSQL text, cast to the column's type.
    pub async fn set_column(&self, table: &str, column: &str, values: Vec<String>) -> Result<(), TrafficError> {
        if values.is_empty() {
            return Err(TrafficError::Empty("the list of values"));
        }
        let (reply, answer) = oneshot::channel();
        let (table, column) = (table.to_owned(), column.to_owned());
        self.send(Command::SetColumn { table, column, values, reply }, answer).await?
    }

    /// After `Ok` no change is in flight and none follows until [`Traffic::resume`].
    pub async fn pause(&self) -> Result<(), TrafficError> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Pause(reply), answer).await
    }

    /// After `Ok` changes arrive again.
    pub async fn resume(&self) -> Result<(), TrafficError> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Resume(reply), answer).await
    }

    /// What was committed so far.
    pub fn counts(&self) -> Counts {
        lock(&self.counts).clone()
    }

    /// After `Ok` the operation in hand is committed, the connection is closed and nothing changes
    /// any more. `Err` if the traffic had ended by itself before.
    pub async fn stop(self) -> Result<Counts, TrafficError> {
        let ended_before = self.commands.is_closed();
        drop(self.commands);
        let joined = self.task.await;
        let counts = lock(&self.counts).clone();
        if ended_before || joined.is_err() {
            return Err(TrafficError::Ended(counts.last_error.unwrap_or_default()));
        }
        Ok(counts)
    }

    async fn send<T>(&self, command: Command, answer: oneshot::Receiver<T>) -> Result<T, TrafficError> {
        if self.commands.send(command).await.is_ok()
            && let Ok(answer) = answer.await
        {
            return Ok(answer);
        }
        Err(TrafficError::Ended(self.counts().last_error.unwrap_or_default()))
    }
}

struct Worker {
    url: String,
    client: Client,
    rng: StdRng,
    extras: Extras,
    counts: Arc<Mutex<Counts>>,
}

impl Worker {
    async fn run(mut self, mut ids: rows::Ids, mut inbox: mpsc::Receiver<Command>, period: Duration) {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut paused = false;
        let mut good = Instant::now();
        loop {
            // The operation runs outside of the select, so no command can cut it in two.
            let command = tokio::select! {
                biased;
                command = inbox.recv() => match command {
                    Some(command) => Some(command),
                    None => return,
                },
                _ = ticks.tick(), if !paused => None,
            };
            match command {
                Some(Command::Pause(reply)) => {
                    paused = true;
                    let _ = reply.send(());
                }
                Some(Command::Resume(reply)) => {
                    paused = false;
                    good = Instant::now();
                    let _ = reply.send(());
                }
                Some(Command::SetColumn { table, column, values, reply }) => {
                    let _ = reply.send(self.set_column(table, column, values).await);
                }
                None => {
                    let done = self.operate(&mut ids).await;
                    if done.is_ok() {
                        good = Instant::now();
                    }
                    self.note(done);
                    if good.elapsed() > GIVE_UP {
                        return;
                    }
                }
            }
        }
    }

    async fn operate(&mut self, ids: &mut rows::Ids) -> Result<rows::Tally, TrafficError> {
        if self.client.is_closed() {
            self.client = connect(&self.url).await?;
        }
        Ok(ops::operation(&mut self.client, &mut self.rng, ids, &self.extras).await?)
    }

    async fn set_column(&mut self, table: String, column: String, values: Vec<String>) -> Result<(), TrafficError> {
        if self.client.is_closed() {
            self.client = connect(&self.url).await?;
        }
        // Names come back quoted, so that they can stand in a statement.
        let found = self
            .client
            .query_opt(
                "SELECT quote_ident(attname), format_type(atttypid, atttypmod) FROM pg_attribute
                  WHERE attrelid = to_regclass('shop.' || quote_ident($1)) AND attname = $2
                    AND attnum > 0 AND NOT attisdropped",
                &[&table, &column],
            )
            .await?;
        let Some(found) = found else {
            return Err(TrafficError::UnknownColumn { table, column });
        };
        let extra = Extra { column: found.try_get(0)?, kind: found.try_get(1)?, values };
        let extras = self.extras.entry(table).or_default();
        extras.retain(|e| e.column != extra.column);
        extras.push(extra);
        Ok(())
    }

    fn note(&self, done: Result<rows::Tally, TrafficError>) {
        let mut counts = lock(&self.counts);
        match done {
            Ok(tally) => counts.add(&tally),
            Err(error) => {
                counts.failed += 1;
                counts.last_error = Some(error.to_string());
            }
        }
    }
}

async fn connect(url: &str) -> Result<Client, TrafficError> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // Ends with the client; a failure of the connection reaches the next statement as its error.
    tokio::spawn(connection);
    Ok(client)
}

fn lock(counts: &Mutex<Counts>) -> std::sync::MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}
