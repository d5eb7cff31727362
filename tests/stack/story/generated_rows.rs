//! Traffic of a generated project: seeded inserts, updates and deletes in every table.
//!
//! Rule: each operation is one statement and one transaction; pausing waits for the one in hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::case::{Change, Changes};
use super::database::Database;
use super::failure::{Failure, Outcome};
use super::generated_sql::Source;

/// Rows of each table before the operations begin.
const FIRST_ROWS: i64 = 120;
/// Time between operations.
const PERIOD: Duration = Duration::from_millis(50);

/// Where it is written to.
struct State {
    database: Database,
    schema: String,
    sources: Vec<Source>,
    live: Vec<Vec<i64>>,
    next: i64,
    rng: StdRng,
    paused: bool,
    stopped: bool,
    change: Option<Change>,
    failure: Option<String>,
}

/// Running traffic.
pub struct Rows {
    state: Arc<Mutex<State>>,
    total: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Rows {
    /// After `Ok` every table holds its first rows and rows keep changing.
    ///
    /// # Errors
    /// PostgreSQL refuses a row.
    pub async fn start(postgres: &str, schema: &str, sources: &[Source], seed: u64) -> Outcome<Self> {
        let mut state = State {
            database: Database::open(postgres).await?,
            schema: schema.to_owned(),
            sources: sources.to_vec(),
            live: vec![Vec::new(); sources.len()],
            next: 1,
            rng: StdRng::seed_from_u64(seed),
            paused: false,
            stopped: false,
            change: None,
            failure: None,
        };
        for table in 0..sources.len() {
            for _ in 0..FIRST_ROWS {
                state.insert(table).await?;
            }
        }
        let state = Arc::new(Mutex::new(state));
        let total = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(work(Arc::clone(&state), Arc::clone(&total)));
        Ok(Self { state, total, task })
    }
}

async fn work(state: Arc<Mutex<State>>, total: Arc<AtomicU64>) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let mut state = state.lock().await;
        if state.stopped {
            return;
        }
        if state.paused {
            continue;
        }
        if let Err(error) = state.operate().await {
            state.failure = Some(error.to_string());
            return;
        }
        total.fetch_add(1, Ordering::Relaxed);
    }
}

impl State {
    async fn operate(&mut self) -> Outcome {
        let tables = self.sources.len();
        // The first table is the one that evolves: it gets two operations of three.
        let table = if self.rng.random_ratio(2, 3) { 0 } else { self.rng.random_range(0..tables) };
        let live = self.live.get(table).map_or(0, Vec::len);
        match self.rng.random_range(0..10) {
            0..4 => self.insert(table).await,
            4..6 if live > 50 => self.delete(table).await,
            _ if live > 0 => self.update(table).await,
            _ => self.insert(table).await,
        }
    }

    async fn insert(&mut self, table: usize) -> Outcome {
        let Some(source) = self.sources.get(table).cloned() else { return Ok(()) };
        let id = self.next;
        self.next += 1;
        let mut names: Vec<String> = Vec::new();
        let mut values: Vec<String> = Vec::new();
        for (i, (name, kind, _)) in source.columns.iter().enumerate() {
            names.push(name.clone());
            values.push(if i == 0 { id.to_string() } else { self.value(name, kind) });
        }
        if table == 0
            && let Some(change) = self.change.clone()
        {
            values.push(self.real_value(&change));
            names.push(change.column);
        }
        let (schema, table_name) = (&self.schema, &source.name);
        let sql = format!("INSERT INTO {schema}.{table_name} ({}) VALUES ({})", names.join(", "), values.join(", "));
        self.database.run(&sql).await?;
        if let Some(live) = self.live.get_mut(table) {
            live.push(id);
        }
        Ok(())
    }

    async fn update(&mut self, table: usize) -> Outcome {
        let Some(source) = self.sources.get(table).cloned() else { return Ok(()) };
        let Some(id) = self.pick(table) else { return Ok(()) };
        let (name, kind, _) = match source.columns.get(self.rng.random_range(1..source.columns.len())) {
            Some(column) => column.clone(),
            None => return Ok(()),
        };
        let mut set = format!("{name} = {}", self.value(&name, kind));
        if table == 0
            && self.rng.random_bool(0.5)
            && let Some(change) = self.change.clone()
        {
            set.push_str(&format!(", {} = {}", change.column, self.real_value(&change)));
        }
        let (schema, key) = (&self.schema, source.columns.first().map_or("", |(name, _, _)| name));
        self.database.run(&format!("UPDATE {schema}.{} SET {set} WHERE {key} = {id}", source.name)).await
    }

    async fn delete(&mut self, table: usize) -> Outcome {
        let Some(source) = self.sources.get(table).cloned() else { return Ok(()) };
        let Some(id) = self.pick(table) else { return Ok(()) };
        let (schema, key) = (&self.schema, source.columns.first().map_or("", |(name, _, _)| name));
        self.database.run(&format!("DELETE FROM {schema}.{} WHERE {key} = {id}", source.name)).await?;
        if let Some(live) = self.live.get_mut(table) {
            live.retain(|other| *other != id);
        }
        Ok(())
    }

    fn pick(&mut self, table: usize) -> Option<i64> {
        let live = self.live.get(table)?;
        if live.is_empty() {
            return None;
        }
        let at = self.rng.random_range(0..live.len());
        live.get(at).copied()
    }

    /// A value for a column: a reference points at a row of its table, which may be deleted later.
    fn value(&mut self, name: &str, kind: &str) -> String {
        let target = match name {
            "first_ref" => Some(1),
            "second_ref" => Some(2),
            _ => None,
        };
        if let Some(target) = target {
            return self.pick(target).unwrap_or_else(|| self.rng.random_range(1..500)).to_string();
        }
        match kind {
            "text" => format!(
                "'{}-{}'",
                ["ash", "birch", "cedar", "elm"][self.rng.random_range(0..4)],
                self.rng.random_range(0..40)
            ),
            "boolean" => self.rng.random_bool(0.5).to_string(),
            "numeric(10,2)" => format!("{}.{:02}", self.rng.random_range(1..500), self.rng.random_range(0..100)),
            _ => self.rng.random_range(1..30).to_string(),
        }
    }

    fn real_value(&mut self, change: &Change) -> String {
        // A column without a default gets a NULL now and then.
        if change.old_value.is_none() && self.rng.random_ratio(1, 6) {
            return "NULL".to_owned();
        }
        let at = self.rng.random_range(0..change.values.len().max(1));
        change.values.get(at).map_or_else(|| "NULL".to_owned(), |value| format!("'{value}'"))
    }
}

impl Changes for Rows {
    async fn pause(&self) -> Outcome {
        self.state.lock().await.paused = true;
        Ok(())
    }

    async fn resume(&self) -> Outcome {
        self.state.lock().await.paused = false;
        Ok(())
    }

    async fn fill(&self, change: &Change) -> Outcome {
        self.state.lock().await.change = Some(change.clone());
        Ok(())
    }

    fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    async fn stop(self) -> Outcome {
        self.state.lock().await.stopped = true;
        if self.task.await.is_err() {
            return Err(Failure::new("the traffic panicked"));
        }
        match self.state.lock().await.failure.take() {
            None => Ok(()),
            Some(failure) => Err(Failure::new(format!("a change of the traffic failed: {failure}"))),
        }
    }
}
