//! Going back: before the promotion by a signed event, after it by command or by a signed event. Rows keep changing all the
//! time.

use std::time::{Duration, Instant};

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use serde_json::json;

use super::answer::Rollout;
use super::case::{Change, DecidedBy, Fact, Project};
use super::failure::{During as _, Failure, Look, Outcome, ensure, until};
use super::flink::Baseline;
use super::http;
use super::kafka::{Committed, Record};
use super::narrator::Narrator;
use super::proof::{self, When};
use super::run::Run;
use super::tale;

/// How long blue stays warm here: the test rolls back long before.
const SOAK_SECONDS: u64 = 900;
/// How long green may take until it awaits approval.
const GREEN: Duration = Duration::from_secs(600);
/// How long a promotion, or going back, may take.
const MOVE: Duration = Duration::from_secs(240);
/// How long a record may need to the warehouse.
const ARRIVE: Duration = Duration::from_secs(60);
/// A key that no row of the source has.
const NOBODY: i64 = 9_000_000_001;

/// Tells it on what serves now.
///
/// # Errors
/// The first thing that did not come true.
pub async fn tell<P: Project>(run: &mut Run<P>, narrator: &mut dyn Narrator) -> Outcome {
    if run.daemon.is_some() {
        run.stop().await?;
    }
    run.configure(SOAK_SECONDS)?;
    run.serve().await?;
    equals_blue(run, narrator).await?;
    let before = blue(run).await?;

    let first = run.case().change.clone();
    before_the_promotion(run, &first, &before, narrator).await?;
    after_the_promotion(run, &first.another(1), &before, narrator).await
}

/// Given up while it awaits approval: green is removed, blue never noticed.
async fn before_the_promotion<P: Project>(
    run: &mut Run<P>,
    change: &Change,
    before: &Blue,
    narrator: &mut dyn Narrator,
) -> Outcome {
    let rollout = tale::evolve(run, change, narrator).await?;
    let rollout = run.daemon()?.reach(&rollout.id, &["awaiting_approval"], GREEN, narrator).await?;
    let (id, digest) = decided_on(&rollout)?;

    narrator.stage("Nothing is promoted yet: there is nothing to roll back");
    let said = run.binary.run(&["rollback", &id, "--by", "story"], MOVE, narrator).await?;
    ensure(said.code == Some(1) && said.all().contains("nothing has been promoted"), || {
        format!(
            "`cyanotype rollback` must be refused before the promotion; it ended with {:?}:\n{}",
            said.code,
            said.all()
        )
    })?;

    narrator.stage("Given up by a signed event");
    let url = format!("{}/api/v1/webhooks/decision", run.daemon()?.url);
    let event =
        |evidence: &str| json!({"type": "rollout.abort", "data": {"rollout": id, "evidence": evidence, "by": "story"}});
    let other = event(&format!("sha256:{}", "0".repeat(64)));
    for (what, reply, wanted) in [
        ("a wish signed with another key", run.approver.forge(&url, &event(&digest)).await?, 401),
        ("a wish signed ten minutes ago", run.approver.send_old(&url, &event(&digest)).await?, 401),
        ("a wish on other evidence", run.approver.send(&url, &other).await?, 409),
    ] {
        let status = reply.status.as_u16();
        ensure(status == wanted, || format!("{what} must be answered {wanted}, it was {status}: {}", reply.text))?;
    }
    let state = run.daemon()?.rollout(&id).await?.state;
    ensure(state == "awaiting_approval", || format!("refused wishes moved the rollout to {state}"))?;
    run.approver.send(&url, &event(&digest)).await?.accept(&[]).during("the signed wish to abort")?;
    run.daemon()?.ends_as(&id, "aborted", MOVE).await?;
    green_is_gone(run, narrator).await?;
    blue_never_noticed(run, before, narrator).await?;
    let fact = fact(run)?;
    let columns = columns(run, &fact).await?;
    ensure(!columns.contains(&change.column), || {
        format!("{} has column {}, although green was never promoted", fact.warehouse, change.column)
    })?;
    equals_blue(run, narrator).await
}

/// Rolled back through the soak: the warehouse says what blue says, with NULL in what green added.
async fn after_the_promotion<P: Project>(
    run: &mut Run<P>,
    change: &Change,
    before: &Blue,
    narrator: &mut dyn Narrator,
) -> Outcome {
    let rollout = tale::evolve(run, change, narrator).await?;
    let rollout = run.daemon()?.reach(&rollout.id, &["awaiting_approval"], GREEN, narrator).await?;
    let (id, digest) = decided_on(&rollout)?;
    run.approve(&rollout).await?.accept(&[]).during("the signed approval")?;
    run.daemon()?.reach(&id, &["soaking"], MOVE, narrator).await?;

    narrator.stage("Green serves, with rows that blue does not have");
    proof::sinks_read_green(run, narrator).await?;
    let fact = fact(run)?;
    let added = [run.case().change.column.clone(), change.column.clone()];
    for column in &added {
        let filled = count(run, &format!("SELECT count(*) FROM {} WHERE {column} IS NOT NULL", fact.warehouse)).await?;
        ensure(filled > 0, || {
            format!("{}.{column} is NULL everywhere: going back would show nothing", fact.warehouse)
        })?;
    }
    let key = only_green_writes(run, &fact).await?;
    let there = format!("SELECT count(*) FROM {} WHERE {key} = {NOBODY}", fact.warehouse);
    until("the row that only green has to be in the warehouse", ARRIVE, async || {
        Ok(if count(run, &there).await? == 1 { Look::There(()) } else { Look::NotYet("it is not there".to_owned()) })
    })
    .await?;

    let began = Instant::now();
    match run.case().decided_by {
        DecidedBy::Call => {
            narrator.stage("cyanotype rollback");
            let said = run.binary.run(&["rollback", &id, "--by", "story"], MOVE, narrator).await?;
            ensure(said.code == Some(0), || {
                format!("`cyanotype rollback` ended with {:?}:\n{}", said.code, said.all())
            })?;
        }
        DecidedBy::Event => {
            narrator.stage("Rolled back by a signed event");
            let url = format!("{}/api/v1/webhooks/decision", run.daemon()?.url);
            let event = json!({"type": "rollout.rollback", "data": {"rollout": id, "evidence": digest, "by": "story"}});
            run.approver.send(&url, &event).await?.accept(&[]).during("the signed wish to roll back")?;
        }
    }
    run.daemon()?.ends_as(&id, "rolled_back", MOVE).await?;
    narrator.say(&format!("rolled back after {:.1} s", began.elapsed().as_secs_f64()));

    let left = count(run, &there).await?;
    ensure(left == 0, || format!("the row that only green wrote is still in {}", fact.warehouse))?;
    equals_blue(run, narrator).await?;
    let columns = columns(run, &fact).await?;
    for column in &added {
        ensure(columns.contains(column), || format!("{}.{column} is gone, it must be NULL", fact.warehouse))?;
        let filled = count(run, &format!("SELECT count(*) FROM {} WHERE {column} IS NOT NULL", fact.warehouse)).await?;
        ensure(filled == 0, || format!("{filled} rows of {} still have a value in {column}", fact.warehouse))?;
    }
    narrator.say(&format!("the row that only green wrote is gone; {} are NULL everywhere", added.join(" and ")));
    blue_serves(run, narrator).await?;
    green_is_gone(run, narrator).await?;
    blue_never_noticed(run, before, narrator).await?;
    history_tells(run, &id, narrator).await
}

fn decided_on(rollout: &Rollout) -> Outcome<(String, String)> {
    Ok((rollout.id.clone(), rollout.evidence_digest.clone().during("the digest of the evidence")?))
}

fn fact<P: Project>(run: &Run<P>) -> Outcome<Fact> {
    run.case().facts.first().cloned().during("a fact")
}

async fn equals_blue<P: Project>(run: &Run<P>, narrator: &mut dyn Narrator) -> Outcome {
    proof::while_paused(run, async || proof::facts_are_true(run, When::Before, narrator).await).await
}

/// Blue as it was before green came.
struct Blue {
    jobs: Baseline,
    committed: Committed,
}

async fn blue<P: Project>(run: &Run<P>) -> Outcome<Blue> {
    let jobs = tale::baseline(run).await?;
    let names: Vec<String> = jobs.values().map(|(job, _)| format!("{}.", job.name)).collect();
    let groups = run.kafka.groups(&names).await?;
    let ours = |topic: &String| run.case().belongings.topics.iter().any(|prefix| topic.starts_with(prefix.as_str()));
    let topics = run.kafka.topics().await?.into_iter().filter(ours).collect();
    Ok(Blue { jobs, committed: run.kafka.committed(groups, topics).await? })
}

/// The jobs are the ones that were there before, none of them ever restarted, and what they have read went on from where it
/// was.
async fn blue_never_noticed<P: Project>(run: &Run<P>, before: &Blue, narrator: &mut dyn Narrator) -> Outcome {
    let after = blue(run).await?;
    for (table, (job, exceptions)) in &before.jobs {
        let (now, since) = after.jobs.get(table).during(format!("the job of {table}"))?;
        ensure(now.id == job.id, || format!("the job of {table} was {} and is {}", job.id, now.id))?;
        ensure(since == exceptions, || format!("the job of {table} had {} exceptions since", since - exceptions))?;
    }
    let mut further = 0;
    for (place, offset) in &before.committed {
        let now = after.committed.get(place).during(format!("what was committed at {place:?}"))?;
        ensure(now >= offset, || format!("{place:?} was at {offset} and is back at {now}"))?;
        further += usize::from(now > offset);
    }
    ensure(further > 0, || format!("none of {} offsets of blue went on", before.committed.len()))?;
    let (jobs, offsets) = (before.jobs.len(), before.committed.len());
    narrator.say(&format!("{jobs} jobs are the same and never restarted; none of their {offsets} offsets went back"));
    Ok(())
}

/// No job, topic or subject of green is left, and nothing that was made on the way back.
async fn green_is_gone<P: Project>(run: &Run<P>, narrator: &mut dyn Narrator) -> Outcome {
    let case = run.case();
    let live = run.flink.live(&case.job_prefix).await?;
    let topics = run.kafka.topics().await?;
    let subjects = http::get(&run.http, &format!("{}/subjects", run.world.registry)).await?.to_string();
    for table in &case.cascade {
        let (green, topic) = (&table.green, case.topic(&table.green));
        ensure(live.iter().all(|job| !job.writes(green)), || format!("a job of {green} still runs"))?;
        ensure(!topics.contains(&topic), || format!("topic {topic} still exists"))?;
        for part in ["key", "value"] {
            let subject = format!("{topic}-{part}");
            ensure(!subjects.contains(&format!("\"{subject}\"")), || format!("subject {subject} still exists"))?;
        }
    }
    let left = |name: &str| name.starts_with(&case.topic_prefix) && name.contains(".repair-");
    ensure(!topics.iter().any(|topic| left(topic)), || format!("a repair topic is left: {topics:?}"))?;
    ensure(!subjects.contains(&format!("{}.repair-", fact_topic(run)?)), || {
        format!("a repair subject is left: {subjects}")
    })?;
    narrator.say("green's jobs, topics and subjects are gone");
    Ok(())
}

fn fact_topic<P: Project>(run: &Run<P>) -> Outcome<String> {
    let fact = fact(run)?;
    let table = run.case().cascade.iter().find(|table| table.logical == fact.table).during("the fact's table")?;
    Ok(run.case().topic(&table.blue))
}

/// Manifest and connectors are blue's, and the connectors remember nothing of the way.
async fn blue_serves<P: Project>(run: &mut Run<P>, narrator: &mut dyn Narrator) -> Outcome {
    let manifest = run.daemon()?.json("/api/v1/manifest").await?;
    for table in &run.case().cascade {
        let physical = &manifest["tables"][&table.logical]["physical"];
        ensure(physical == table.blue.as_str(), || {
            format!("the deployed manifest says that {} is {physical}, it must be {}", table.logical, table.blue)
        })?;
    }
    let (fact, topic) = (fact(run)?, fact_topic(run)?);
    let config = run.connect.config(&fact.connector).await?.during(format!("connector {}", fact.connector))?;
    let reads = config.get("topics").cloned().unwrap_or_default();
    ensure(reads == topic, || format!("connector {} reads {reads}, it must read {topic}", fact.connector))?;
    let url = format!("{}/connectors/{}/offsets", run.world.connect, fact.connector);
    let offsets = http::get(&run.http, &url).await?.to_string();
    ensure(!offsets.contains(".repair-"), || {
        format!("connector {} remembers a repair topic: {offsets}", fact.connector)
    })?;
    narrator.say(&format!("{} reads {topic} again", fact.connector));
    Ok(())
}

/// The rollout's history says what was done at the destination.
async fn history_tells<P: Project>(run: &mut Run<P>, id: &str, narrator: &mut dyn Narrator) -> Outcome {
    let rollout = run.daemon()?.json(&format!("/api/v1/rollouts/{id}")).await?;
    let steps = rollout["history"].as_array().during("the history")?;
    let mut notes = steps.iter().filter_map(|step| step["note"].as_str());
    let topic = fact_topic(run)?;
    let back = notes.find(|note| note.contains(&format!("went to {topic};")));
    let back = back.during(format!("what the history says of {topic}: {steps:?}"))?;
    ensure(!back.contains("NOT mended") && !back.contains("rows deleted 0") && !back.ends_with("lacks 0"), || {
        format!("the history says: {back}")
    })?;
    narrator.say(back);
    Ok(())
}

async fn count<P: Project>(run: &Run<P>, sql: &str) -> Outcome<u64> {
    let rows = run.database.rows(sql).await?;
    let cell = rows.first().and_then(|row| row.values().next().cloned().flatten()).during(sql)?;
    cell.parse().during(sql)
}

/// Columns of the fact's table.
async fn columns<P: Project>(run: &Run<P>, fact: &Fact) -> Outcome<Vec<String>> {
    let (schema, table) = fact.warehouse.split_once('.').during("a table with a schema")?;
    let sql = format!(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = '{schema}' AND table_name = '{table}'"
    );
    let rows = run.database.rows(&sql).await?;
    Ok(rows.into_iter().filter_map(|row| row.into_values().next().flatten()).collect())
}

/// Writes a row to green's topic that no statement would write; the name of the key's column.
async fn only_green_writes<P: Project>(run: &Run<P>, fact: &Fact) -> Outcome<String> {
    let table = run.case().cascade.iter().find(|table| table.logical == fact.table).during("the fact's table")?;
    let topic = run.case().topic(&table.green);
    let records = run.kafka.read(&topic).await?;
    let whole = |record: &Record| Some((record.key.clone()?, record.value.clone()?));
    let (key, value) = records.iter().rev().find_map(whole).during("a row of green")?;
    let (key_schema, mut fields) = decoded(run, &key).await?;
    let (name, id) = fields.first_mut().during("a column of the fact's key")?;
    *id = Value::Long(NOBODY);
    let name = name.clone();
    let (value_schema, mut row) = decoded(run, &value).await?;
    for (_, cell) in row.iter_mut().filter(|(column, _)| *column == name) {
        *cell = Value::Long(NOBODY);
    }
    let key = encoded(&key, &key_schema, fields)?;
    let value = encoded(&value, &value_schema, row)?;
    send(&run.world.kafka, &topic, &key, &value)?;
    Ok(name)
}

async fn decoded<P: Project>(run: &Run<P>, bytes: &[u8]) -> Outcome<(Schema, Vec<(String, Value)>)> {
    let [0, a, b, c, d, body @ ..] = bytes else { return Err(Failure::new("a record in another format")) };
    let id = u32::from_be_bytes([*a, *b, *c, *d]);
    let answer = http::get(&run.http, &format!("{}/schemas/ids/{id}", run.world.registry)).await?;
    let schema = Schema::parse_str(answer["schema"].as_str().unwrap_or_default()).during(format!("schema {id}"))?;
    let value = GenericDatumReader::builder(&schema)
        .build()
        .and_then(|reader| reader.read_value(&mut &body[..]))
        .during("decoding a record")?;
    match value {
        Value::Record(fields) => Ok((schema, fields)),
        other => Err(Failure::new(format!("a record that holds {other:?}"))),
    }
}

fn encoded(like: &[u8], schema: &Schema, fields: Vec<(String, Value)>) -> Outcome<Vec<u8>> {
    // As it was decoded: resolving it against its own schema refuses short decimals.
    let record = Value::Record(fields);
    let datum = GenericDatumWriter::builder(schema)
        .build()
        .and_then(|writer| writer.write_value_to_vec(record))
        .during("encoding a record")?;
    Ok([like.get(..5).unwrap_or_default(), &datum].concat())
}

fn send(brokers: &str, topic: &str, key: &[u8], value: &[u8]) -> Outcome {
    let producer: ThreadedProducer<DefaultProducerContext> =
        ClientConfig::new().set("bootstrap.servers", brokers).create().during("a producer")?;
    producer
        .send(BaseRecord::to(topic).key(key).payload(value))
        .map_err(|(error, _)| error)
        .during("a record for green")?;
    producer.flush(Duration::from_secs(10)).during("a record for green")
}
