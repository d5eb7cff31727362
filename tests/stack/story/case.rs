//! What a story is about: a project, the change that is made to its source, and what must be true in the end.

use super::failure::Outcome;
use super::place::Place;

/// A table that a statement writes, before and after the evolution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Logical name.
    pub logical: String,
    /// Physical name of the first deployment.
    pub blue: String,
    /// Physical name after the evolution; the same as `blue` outside the cascade.
    pub green: String,
}

impl Table {
    /// A table that the evolution replaces: no suffix becomes `_v2`.
    pub fn replaced(logical: &str) -> Self {
        Self { logical: logical.to_owned(), blue: logical.to_owned(), green: format!("{logical}_v2") }
    }

    /// A table that the evolution leaves alone.
    pub fn kept(logical: &str) -> Self {
        Self { logical: logical.to_owned(), blue: logical.to_owned(), green: logical.to_owned() }
    }
}

/// The column that is added at the source.
#[derive(Clone, Debug)]
pub struct Change {
    /// Table in PostgreSQL, with its schema.
    pub table: String,
    /// Subject of its change topic's values.
    pub subject: String,
    /// Column.
    pub column: String,
    /// Type and constraints as SQL, such as `text NOT NULL DEFAULT 'basic'`.
    pub definition: String,
    /// What rows written before the change hold, as text; `None` is NULL.
    pub old_value: Option<String>,
    /// Values that the traffic writes from then on.
    pub values: Vec<String>,
}

impl Change {
    /// Another column of the same table: `extra_1`, `extra_2` and so on.
    #[must_use]
    pub fn another(&self, number: usize) -> Self {
        Self {
            column: format!("extra_{number}"),
            definition: "text NOT NULL DEFAULT 'old'".to_owned(),
            old_value: Some("old".to_owned()),
            values: vec!["new".to_owned(), "newer".to_owned()],
            ..self.clone()
        }
    }
}

/// A fact with a table in the warehouse.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Logical name.
    pub table: String,
    /// The sink connector that writes it.
    pub connector: String,
    /// Table in PostgreSQL, with its schema.
    pub warehouse: String,
    /// The query that says what it must hold, before the change.
    pub before: String,
    /// And after it.
    pub after: String,
}

/// A green table that may have the new column.
#[derive(Clone, Debug)]
pub struct Carried {
    /// Logical name.
    pub table: String,
    /// The query that says what key and column must be.
    pub truth: String,
    /// Whether it must have the column, or has it only if the plan carries it there.
    pub need: Need,
}

/// Whether a green table must have the new column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It must: what lies behind it needs the column.
    Must,
    /// The column is of no use behind it.
    May,
}

/// A fact that is an append-only topic.
#[derive(Clone, Debug)]
pub struct Appended {
    /// Topic.
    pub topic: String,
    /// The query that says which records it must hold; times as milliseconds since 1970.
    pub truth: String,
}

/// Everything that a run makes outside of its folder; all names begin with one of these.
#[derive(Clone, Debug, Default)]
pub struct Belongings {
    /// Connectors.
    pub connectors: Vec<String>,
    /// What topics and subjects begin with.
    pub topics: Vec<String>,
    /// Replication slots.
    pub slots: Vec<String>,
    /// Publications.
    pub publications: Vec<String>,
    /// Schemas.
    pub schemas: Vec<String>,
}

/// Which of the two ways a signed approval takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidedBy {
    /// A signed call of `/api/v1/rollouts/{id}/approve`.
    Call,
    /// A signed event to `/api/v1/webhooks/decision`.
    Event,
}

/// A project with its evolution.
#[derive(Clone, Debug)]
pub struct Case {
    /// Name of the story.
    pub name: String,
    /// What jobs and groups begin with.
    pub job_prefix: String,
    /// Topic of the journal.
    pub journal: String,
    /// Value of `TOPIC_PREFIX`.
    pub topic_prefix: String,
    /// Makes the tables.
    pub schema_sql: String,
    /// Source connectors as JSON with placeholders.
    pub sources: Vec<String>,
    /// Topics that the sources write.
    pub inputs: Vec<String>,
    /// What is changed.
    pub change: Change,
    /// Written tables that become green.
    pub cascade: Vec<Table>,
    /// Written tables that stay.
    pub outside: Vec<Table>,
    /// How the approval comes.
    pub decided_by: DecidedBy,
    /// Facts in the warehouse.
    pub facts: Vec<Fact>,
    /// Green tables that have the column; every other one must not.
    pub carried: Vec<Carried>,
    /// A fact that is a topic.
    pub appended: Option<Appended>,
    /// What is removed in the end.
    pub belongings: Belongings,
}

impl Case {
    /// The topic of a physical table.
    pub fn topic(&self, physical: &str) -> String {
        format!("{}.{physical}", self.topic_prefix)
    }
}

/// Rows that keep changing.
pub trait Changes {
    /// After `Ok` nothing changes any more until [`Changes::resume`].
    async fn pause(&self) -> Outcome;
    /// After `Ok` rows change again.
    async fn resume(&self) -> Outcome;
    /// After `Ok` the change's column is filled with real values.
    async fn fill(&self, change: &Change) -> Outcome;
    /// Committed changes so far.
    fn total(&self) -> u64;
    /// After `Ok` nothing changes any more, and no change had failed.
    async fn stop(self) -> Outcome;
}

/// A project that can be brought up.
pub trait Project {
    /// Its traffic.
    type Traffic: Changes;
    /// What it is and what must come true.
    fn case(&self) -> &Case;
    /// Writes its files.
    fn lay_out(&self, place: &Place) -> Outcome;
    /// After `Ok` every table holds rows and rows keep changing.
    async fn start(&self, postgres: &str) -> Outcome<Self::Traffic>;
}
