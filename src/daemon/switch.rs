//! Moves a sink connector from one topic to another so that its destination ends equal to the topic that is gone to.
//!
//! The way: stop, mend, go over. *Mending* reads both topics, writes what `validate::repair` answers to a topic of its own,
//! the repair topic, and lets the connector write that one to its end. Then the connector goes to the other topic, from
//! its beginning. Where nothing is to be mended there is no repair topic.
//!
//! Rules: what the connector reads tells how far the move is, so a move that was cut off anywhere goes on from there:
//! - on the topic that it leaves: nothing is mended yet, and a repair topic that is there already is made anew;
//! - on the repair topic: that topic is complete, and nothing of the topic that is left was written since;
//! - on the repair topic of the move that this one takes back: it has written nothing of the topic that is left;
//! - on the topic that it goes to: only what is left behind has to be removed. But once green has served, a connector that
//!   is found on blue's topic may have been put there by a person who mended nothing: then all of it is done.
//!
//! What cannot be mended is said and never passed over: a destination that does not follow its topic, records that
//! cannot be read, a topic that has lost its beginning. The connector is moved all the same.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::execute::{EFFECT_MS, Failed, Run, later, still_leading, tasks_run};
use super::gather::subjects_of;
use crate::model::record::{self, NewRecord, Offsets, TopicSpec};
use crate::model::sink;
use crate::port::{PortError, RecordStream};
use crate::validate::repair::{Arriving, Leaving, Repair, Written};

/// Most records that are written in one call, and most bytes: one call is over within seconds.
const BATCH: usize = 5_000;
const BATCH_BYTES: usize = 8 << 20;
/// The longest name that Kafka takes for a topic.
const LONGEST_NAME: usize = 249;
/// Between a topic's name and its rollout's in the name of a repair topic.
const MARK: &str = ".repair-";
/// The one partition of a repair topic.
const ONLY: i32 = 0;

/// A move.
pub(super) struct Switch<'a> {
    /// The connector.
    pub name: &'a str,
    /// Its settings afterwards, placeholders resolved.
    pub after: &'a BTreeMap<String, String>,
    /// Topic that it leaves.
    pub from: &'a str,
    /// Topic that it goes to.
    pub to: &'a str,
}

/// The repair topic of the connector's move to `to` in this rollout.
pub(super) fn repair_topic(rollout: &str, name: &str, to: &str) -> String {
    let digest = crate::model::verdict::digest_of(&(rollout, name, to));
    let short = digest.trim_start_matches("sha256:").get(..8).unwrap_or_default().to_owned();
    let full = format!("{to}{MARK}{rollout}-{short}");
    if full.len() <= LONGEST_NAME {
        return full;
    }
    let room = LONGEST_NAME - MARK.len() - short.len();
    // Names of topics are ASCII.
    format!("{}{MARK}{short}", to.get(..room).unwrap_or(to))
}

/// True when `topic` is a repair topic of a move to `to`.
pub(super) fn repairs(topic: &str, to: &str) -> bool {
    topic.split_once(MARK).is_some_and(|(before, rest)| {
        !rest.is_empty() && (before == to || (topic.len() == LONGEST_NAME && to.starts_with(before)))
    })
}

/// Moves the connector. After `Ok` it has written the whole of the topic that it went to; what people should know of the
/// mending comes back.
///
/// # Errors
/// See [`Failed`].
pub(super) async fn switch(run: &Run, switch: &Switch<'_>, until: i64) -> Result<Option<String>, Failed> {
    let (ports, Switch { name, after, from, to }) = (&run.ports, switch);
    if ports.topics.describe(to).await?.is_none() {
        return Err(Failed::Wrong(format!("topic {to} does not exist: connector {name} stays where it is")));
    }
    let Some(now) = ports.connectors.config(name).await? else {
        return Err(Failed::Wrong(format!(
            "connector {name} does not exist any more: make it again with the settings that it had"
        )));
    };
    let own = repair_topic(&run.rollout, name, to);
    let taken_back = repair_topic(&run.rollout, name, from);
    let mut unmended = sink::exact(after).err().map(|why| why.to_string());
    let on = now.get("topics").cloned().unwrap_or_default();
    if on != *to || (run.served && !run.gone_over.load(Ordering::SeqCst)) {
        if on == own {
            write_to_the_end(run, name, &own, until).await?;
        }
        ports.connectors.stop(name).await?;
        if on != own && on != taken_back && unmended.is_none() {
            match mend(run, switch, &own, until).await.or_else(refused)? {
                Mended::Nothing => {}
                Mended::Written => {
                    let first = BTreeMap::from([(ONLY, Some(0))]);
                    ports.connectors.set_offsets(name, &own, &first).await?;
                    let mut meanwhile = (*after).clone();
                    meanwhile.insert("topics".to_owned(), own.clone());
                    ports.connectors.configure(name, &meanwhile).await?;
                    write_to_the_end(run, name, &own, until).await?;
                    ports.connectors.stop(name).await?;
                }
                Mended::Not(why) => unmended = Some(why),
            }
        }
        // Old rows change with a new column, so it is written from its beginning (semantics, "Sinks and going back").
        let first = ports.topics.beginnings(to).await?;
        let offsets = first.into_iter().map(|(p, offset)| (p, Some(offset))).collect();
        ports.connectors.set_offsets(name, to, &offsets).await?;
        ports.connectors.configure(name, after).await?;
        run.gone_over.store(true, Ordering::SeqCst);
    }
    forget(run, name, &[&own, &taken_back]).await?;
    write_to_the_end(run, name, to, until).await?;
    let told = match unmended {
        Some(why) => {
            tracing::error!(connector = *name, topic = *to, why, "the destination was not mended");
            Some(format!("connector {name} went to {to}; its destination was NOT mended: {why}"))
        }
        None => what_was_mended(run, name, to, &own).await?,
    };
    for topic in [&own, &taken_back] {
        remove(run, topic).await?;
    }
    Ok(told)
}

/// What became of mending.
enum Mended {
    /// There was nothing to do.
    Nothing,
    /// The repair topic holds what is to be written.
    Written,
    /// It cannot be done: why.
    Not(String),
}

/// A refusal, such as a missing permission, leaves the destination as it is: to serve comes first.
fn refused(failed: Failed) -> Result<Mended, Failed> {
    match failed {
        Failed::Port(PortError::Fenced) => Err(failed),
        Failed::Port(error) if !error.passing() => Ok(Mended::Not(error.to_string())),
        other => Err(other),
    }
}

/// Reads both topics and puts the repair into its topic. The connector must be stopped.
async fn mend(run: &Run, switch: &Switch<'_>, own: &str, until: i64) -> Result<Mended, Failed> {
    let (ports, Switch { name, from, to, .. }) = (&run.ports, switch);
    if ports.topics.describe(from).await?.is_none() {
        return Ok(Mended::Not(format!("topic {from}, which it leaves, does not exist any more")));
    }
    // What is not in it may be true all the same: deleting those rows would lose them.
    for topic in [to, from] {
        if ports.topics.beginnings(topic).await?.values().any(|first| *first > 0) {
            return Ok(Mended::Not(format!("topic {topic} has lost its first records")));
        }
    }
    let arriving = match arriving(run, to, until).await? {
        Ok(arriving) => arriving,
        Err(why) => return Ok(Mended::Not(why)),
    };
    let position = ports.topics.committed(&group(name), from).await?.unwrap_or_default();
    let repair = match leaving(run, arriving.leaving(), from, &position, until).await? {
        Ok(leaving) => leaving.repair(),
        Err(why) => return Ok(Mended::Not(why)),
    };
    remove(run, own).await?;
    if repair.records.is_empty() {
        return Ok(Mended::Nothing);
    }
    let columns: Vec<&str> = repair.columns.iter().map(String::as_str).collect();
    tracing::info!(
        connector = *name,
        from = *from,
        to = *to,
        removed = repair.removed,
        rewritten = repair.rewritten,
        cleared = repair.cleared,
        columns = columns.join(", "),
        "the destination is mended before the connector goes over"
    );
    let config = [("cleanup.policy", "delete"), ("retention.ms", "-1"), ("retention.bytes", "-1")];
    let mut config: BTreeMap<String, String> = config.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    if let Some(largest) =
        ports.topics.describe(from).await?.and_then(|spec| spec.config.get("max.message.bytes").cloned())
    {
        config.insert("max.message.bytes".to_owned(), largest);
    }
    ports.topics.create(&TopicSpec { name: own.to_owned(), partitions: 1, config }).await?;
    register(run, own, &repair).await?;
    for batch in batches(&repair.records) {
        still_leading(run)?;
        ports.topics.write(own, batch).await?;
    }
    Ok(Mended::Written)
}

/// Cuts records into pieces of bounded size, in their order.
fn batches(records: &[NewRecord]) -> Vec<&[NewRecord]> {
    let (mut batches, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (i, record) in records.iter().enumerate() {
        let size = record.key.len() + record.value.as_ref().map_or(0, Vec::len);
        if i > start && (i - start >= BATCH || bytes + size > BATCH_BYTES) {
            batches.extend(records.get(start..i));
            (start, bytes) = (i, 0);
        }
        bytes += size;
    }
    batches.extend(records.get(start..).filter(|rest| !rest.is_empty()));
    batches
}

/// Some converters look a schema up in the subject of the topic that they read, whatever id the record has.
async fn register(run: &Run, own: &str, repair: &Repair) -> Result<(), Failed> {
    let registry = &run.ports.registry;
    let ([keys, values], [value_subject, key_subject]) = (repair.schema_ids(), subjects_of(own));
    for (subject, ids) in [(value_subject, values), (key_subject, keys)] {
        for id in ids {
            let schema = registry.schema_by_id(id).await?;
            let registered = match schema.references.is_empty() {
                true => registry.register(&subject, &schema.text).await,
                false => Err(PortError::Missing { system: "registry", what: "way to hand on references".to_owned() }),
            };
            match registered {
                // Converters that go by the id alone do without, and the connector's tasks tell of any other.
                Err(error @ (PortError::Refused { .. } | PortError::Missing { .. } | PortError::Garbage { .. })) => {
                    tracing::warn!(subject, id, %error, "the schema is not registered for the repair topic");
                }
                done => done?,
            }
        }
    }
    Ok(())
}

/// Reads the topic that is gone to; `Err` within says why it cannot be told what is live there.
async fn arriving(run: &Run, topic: &str, until: i64) -> Result<Result<Arriving, String>, Failed> {
    let mut arriving = Arriving::new();
    let mut stream = whole(run, topic).await?;
    while let Some(batch) = stream.next_batch().await? {
        go_on(run, until, topic)?;
        for record in &batch {
            for id in arriving.missing_schemas(record) {
                let schema = run.ports.registry.schema_by_id(id).await?;
                if let Err(error) = arriving.add_schema(id, &schema.text, &schema.references) {
                    return Ok(Err(format!("topic {topic}: {error}: {}", error.cause)));
                }
            }
            if let Err(fault) = arriving.feed(record) {
                let at = format!("record {} in partition {} of topic {topic}", record.offset, record.partition);
                return Ok(Err(format!("{at} cannot be read: {fault}")));
            }
        }
    }
    Ok(Ok(arriving))
}

/// Reads the topic that is left, which the connector has written up to `position`.
async fn leaving(
    run: &Run,
    mut leaving: Leaving,
    topic: &str,
    position: &Offsets,
    until: i64,
) -> Result<Result<Leaving, String>, Failed> {
    let mut stream = whole(run, topic).await?;
    while let Some(batch) = stream.next_batch().await? {
        go_on(run, until, topic)?;
        for record in &batch {
            for id in leaving.missing_schemas(record) {
                let schema = run.ports.registry.schema_by_id(id).await?;
                if let Err(error) = leaving.add_schema(id, &schema.text, &schema.references) {
                    return Ok(Err(format!("topic {topic}: {error}: {}", error.cause)));
                }
            }
            let before = position.get(&record.partition).is_some_and(|position| record.offset < *position);
            let written = if before { Written::Yes } else { Written::Perhaps };
            if let Err(fault) = leaving.feed(record, written) {
                let at = format!("record {} in partition {} of topic {topic}", record.offset, record.partition);
                return Ok(Err(format!("{at} cannot be read: {fault}")));
            }
        }
    }
    Ok(Ok(leaving))
}

/// Every record of a topic up to its visible end.
async fn whole(run: &Run, topic: &str) -> Result<Box<dyn RecordStream>, Failed> {
    let ends = run.ports.topics.visible_ends(topic).await?;
    Ok(run.ports.topics.read(topic, &Offsets::new(), &ends).await?)
}

/// Whether reading may go on.
fn go_on(run: &Run, until: i64, topic: &str) -> Result<(), Failed> {
    still_leading(run)?;
    if run.turned.load(Ordering::SeqCst) {
        return Err(Failed::Wrong(format!("the rollout goes another way: topic {topic} is not read through")));
    }
    if run.ports.clock.now_ms() >= until {
        return Err(Failed::Wrong(format!("topic {topic} could not be read through in time")));
    }
    Ok(())
}

fn group(name: &str) -> String {
    format!("connect-{name}")
}

/// Lets the connector run until it has written everything that `topic` holds now, and its tasks are well.
async fn write_to_the_end(run: &Run, name: &str, topic: &str, until: i64) -> Result<(), Failed> {
    let ports = &run.ports;
    ports.connectors.resume(name).await?;
    let start_by = until.min(ports.clock.now_ms() + EFFECT_MS);
    tasks_run(run, name, start_by).await?;
    let ends = ports.topics.visible_ends(topic).await?;
    let first = ports.topics.beginnings(topic).await?;
    let target: Offsets = ends.into_iter().filter(|(p, end)| *end > first.get(p).copied().unwrap_or(0)).collect();
    loop {
        let have = ports.topics.committed(&group(name), topic).await?.unwrap_or_default();
        if record::reached(&have, &target) {
            return Ok(());
        }
        let behind = record::behind(&have, &target);
        tasks_run(run, name, until.min(ports.clock.now_ms() + EFFECT_MS)).await?;
        later(run, until, || format!("connector {name} is still {behind} records behind on {topic}")).await?;
    }
}

/// Makes the connector forget where it was in repair topics; it is stopped for it if it knows of one.
async fn forget(run: &Run, name: &str, topics: &[&String]) -> Result<(), Failed> {
    let connectors = &run.ports.connectors;
    let known = connectors.offsets(name).await?;
    for topic in topics {
        let Some(offsets) = known.get(*topic) else { continue };
        if run.ports.topics.describe(topic).await?.is_none() {
            // Kafka forgets the offsets of a topic that is gone by itself, in its own time.
            continue;
        }
        connectors.stop(name).await?;
        let none = offsets.keys().map(|p| (*p, None)).collect();
        connectors.set_offsets(name, topic, &none).await?;
    }
    Ok(())
}

/// What the repair topic made the connector write, for people; nothing when there is none.
async fn what_was_mended(run: &Run, name: &str, to: &str, own: &str) -> Result<Option<String>, Failed> {
    if run.ports.topics.describe(own).await?.is_none() {
        return Ok(None);
    }
    let (mut deleted, mut cleared) = (0_u64, 0_u64);
    let mut stream = whole(run, own).await?;
    while let Some(batch) = stream.next_batch().await? {
        for record in batch {
            match record.value {
                None => deleted += 1,
                Some(_) => cleared += 1,
            }
        }
    }
    let text = format!(
        "connector {name} went to {to}; at its destination before that: rows deleted {deleted}, rows given NULL in columns \
         that the topic lacks {cleared}"
    );
    Ok(Some(text))
}

/// After `Ok` neither the repair topic nor its subjects are there.
async fn remove(run: &Run, topic: &str) -> Result<(), Failed> {
    if run.ports.topics.describe(topic).await?.is_none() {
        return Ok(());
    }
    // The topic last: while it is there, a next run finds what is left of it.
    for subject in subjects_of(topic) {
        run.ports.registry.delete_subject(&subject).await?;
    }
    Ok(run.ports.topics.delete(topic).await?)
}
