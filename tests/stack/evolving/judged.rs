//! A table of cases, and the answers to each as its cells have them.

use std::collections::{BTreeMap, BTreeSet};

use cyanotype::port::{RegisteredSchema, Registry as _};
use cyanotype::schema::{Assessment, AvroSchema, Direction, Level, assess, parse, row_fields};
use reqwest::Method;
use serde_json::json;

use super::scene::Scene;
use crate::story::failure::{During as _, Outcome, ensure};
use crate::story::http;

/// One line of a file of cases.
#[derive(Debug)]
pub struct Case {
    /// The table's name.
    pub table: String,
    /// What it is made of.
    columns: String,
    alter: String,
    rows: [String; 2],
    /// The line's beginning, for messages.
    line: String,
    /// The cells of each part of the answer.
    wanted: Vec<Vec<String>>,
}

impl Case {
    /// Reads the lines of a file. Their tables are named after it, and have these columns before those that the line says.
    pub fn read(file: &str, name: &str, before: &str) -> Outcome<Vec<Self>> {
        let lines = file.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).skip(1);
        lines.enumerate().map(|(n, line)| Self::line(line, &format!("{name}_{}", n + 1), before)).collect()
    }

    fn line(line: &str, table: &str, before: &str) -> Outcome<Self> {
        let mut parts = line.split("||").map(|part| part.split('|').map(|cell| cell.trim().to_owned()));
        let said: Vec<String> = parts.next().during(line)?.collect();
        let [columns, alter, rows] = said.as_slice() else { return None.during(format!("three cells of `{line}`")) };
        let (first, then) = rows.split_once("->").during(format!("two rows of `{line}`"))?;
        Ok(Self {
            table: table.to_owned(),
            columns: format!("{before}{columns}"),
            alter: alter.replace("t_pkey", &format!("{table}_pkey")),
            rows: [first, then].map(|row| row.trim().to_owned()),
            line: format!("{columns} | {alter} | {rows}"),
            wanted: parts.map(Iterator::collect).collect(),
        })
    }

    /// Makes the table with its first row.
    pub async fn begin(&self, scene: &Scene) -> Outcome {
        let (schema, table) = (scene.name, &self.table);
        let made = format!(
            "CREATE TABLE {schema}.{table} ({}); ALTER TABLE {schema}.{table} REPLICA IDENTITY FULL;
             INSERT INTO {schema}.{table} VALUES ({})",
            self.columns, self.rows[0]
        );
        scene.database.run(&made).await
    }

    /// Alters it, and writes the row after.
    pub async fn go_on(&self, scene: &Scene) -> Outcome {
        let (schema, table) = (scene.name, &self.table);
        let alters: Vec<String> =
            self.alter.split(';').map(|alter| format!("ALTER TABLE {schema}.{table} {alter};")).collect();
        scene.database.run(&alters.concat()).await?;
        scene.database.run(&format!("INSERT INTO {schema}.{table} VALUES ({})", self.rows[1])).await
    }

    /// What differs between the answers of the line and those of the registry and the product.
    pub async fn differs(&self, scene: &Scene, refused: &BTreeSet<String>) -> Outcome<Vec<String>> {
        let topic = scene.topic(&self.table);
        let subjects = ["key", "value"].map(|part| format!("{topic}-{part}"));
        // A line without an answer about the key says that it stays.
        let stays = vec!["same".to_owned()];
        let wanted = if self.wanted.len() == 1 { Some(&stays) } else { None }.into_iter().chain(&self.wanted);
        let mut problems = Vec::new();
        for (subject, wanted) in subjects.iter().zip(wanted) {
            let found = answers(scene, subject, refused).await.during(&self.line)?;
            let found: Vec<String> = found.into_iter().take(wanted.len()).collect();
            if found != *wanted {
                problems.push(format!(
                    "{}\n  wanted {}\n  found  {}",
                    self.line,
                    wanted.join(" | "),
                    found.join(" | ")
                ));
            }
        }
        Ok(problems)
    }
}

/// The cells: what became of the new schema at BACKWARD, what the registry says of it at FORWARD, our verdict on the data,
/// and the columns that are other ones in Flink.
async fn answers(scene: &Scene, subject: &str, refused: &BTreeSet<String>) -> Outcome<[String; 4]> {
    let versions = scene.registry.versions(subject).await.during("the versions")?;
    if versions.len() == 1 {
        let word = if subject.ends_with("-key") && lost_key(scene, subject).await? { "no key" } else { "same" };
        return Ok([word, "", "", ""].map(str::to_owned));
    }
    ensure(versions == [1, 2], || format!("{subject} must have two versions, it has {versions:?}"))?;
    let (old, new) = (version(scene, subject, 1).await?, version(scene, subject, 2).await?);
    let [old_schema, new_schema] = [&old, &new].map(|version| parse(&version.text, &version.references));
    let (old_schema, new_schema) = (old_schema.during("version 1")?, new_schema.during("version 2")?);
    let assessed = |level| assess(level, subject.ends_with("-key"), &new_schema, &[(1, old_schema.clone())]);
    let word = |takes: bool| if takes { "taken" } else { "409" }.to_owned();
    for level in [Level::Forward, Level::Backward] {
        let (ours, theirs) = (assessed(level).registry.is_compatible(), takes(scene, subject, level, &new).await?);
        ensure(ours == theirs, || format!("{subject} at {level}: we say {ours}, the registry says {theirs}"))?;
    }
    let full = assessed(Level::Full);
    let fails = |direction| full.registry.failures.iter().any(|failure| failure.direction == direction);
    let registered = !refused.contains(subject);
    ensure(registered != fails(Direction::Backward), || {
        format!("{subject} was registered: {registered}, and we say of it: {full}")
    })?;
    let columns = columns(&old_schema, &new_schema, &full);
    Ok([word(registered), word(!fails(Direction::Forward)), full.data.to_string(), columns])
}

/// Whether the newest record beside the subject has no key, which the audit of the topic then tells.
async fn lost_key(scene: &Scene, subject: &str) -> Outcome<bool> {
    let topic = subject.trim_end_matches("-key");
    let is_lost = scene.kafka.read(topic).await?.pop().during("a record")?.key.is_none();
    let (audit, _) = scene.audit(topic).await?;
    let seen = audit.seen(topic).without_key;
    ensure(seen == is_lost.then_some((0, 1)), || {
        format!("{topic} lost its key: {is_lost}, and the audit says {seen:?}")
    })?;
    Ok(is_lost)
}

async fn version(scene: &Scene, subject: &str, version: i32) -> Outcome<RegisteredSchema> {
    scene.registry.schema(subject, version).await.during("a version")
}

/// Whether the registry would take the schema after version 1 at this level, which becomes the subject's.
async fn takes(scene: &Scene, subject: &str, level: Level, new: &RegisteredSchema) -> Outcome<bool> {
    scene.registry.set_level(subject, &level.to_string()).await.during("the level")?;
    let url = format!("{}/compatibility/subjects/{subject}/versions/1", scene.world.registry);
    let answer = http::call(&scene.http, Method::POST, &url, Some(&json!({ "schema": new.text }))).await?.json()?;
    answer["is_compatible"].as_bool().during("the registry's answer")
}

/// The columns of a table that come, go or are other ones.
fn columns(old: &AvroSchema, new: &AvroSchema, assessed: &Assessment) -> String {
    let types = |schema| row_fields(schema).into_iter().map(|f| (f.name, f.flink)).collect::<Vec<_>>();
    let (old, now) = (types(old), types(new).into_iter().collect::<BTreeMap<_, _>>());
    let stays_or_goes = old.iter().filter_map(|(name, was)| match now.get(name) {
        None => Some(format!("- `{name}` {was}")),
        Some(is) if is == was => None,
        Some(is) => Some(format!("`{name}` {was} -> {is}")),
    });
    let added = assessed.added.iter().map(|column| format!("+ {column}"));
    stays_or_goes.chain(added).collect::<Vec<_>>().join(", ")
}
