//! Kills on the real services: the daemon is killed at named entries of its journal, or stopped while another one takes over,
//! and the rollouts end as if nothing had been.
//!
//! Rules: fail points end the process exactly there (`src/daemon/failpoint.rs`); whoever goes on knows the journal alone;
//! in the end nothing was made twice, and nothing is left that nobody knows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use cyanotype::adapter::kafka_journal::{JournalSettings, read_all};
use cyanotype::rollout::event::Body;
use cyanotype::rollout::{Entry, Event};

use crate::held::{signal, stopped, with_point};
use crate::steps;
use crate::story::case::Change;
use crate::story::daemon::Binary;
use crate::story::failure::{During as _, Look, Outcome, ensure, until};
use crate::story::generated::Generated;
use crate::story::http;
use crate::story::narrator::Narrator;
use crate::story::proof::{self, When};
use crate::story::run::Run;
use crate::story::tale;
use crate::watched::Watched;

/// How long blue stays warm in the rollout that goes to its end, and in the one that is rolled back.
const SHORT_SOAK: u64 = 2;
const LONG_SOAK: u64 = 900;
/// How long a new leader waits here for the last call of the old one, milliseconds: it is known to be dead.
const LATE_CALL_MS: &str = "1000";
/// How long a rollout may take from one named entry to the next.
const STEP: Duration = Duration::from_secs(240);

type Story = Run<Generated>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_is_killed_or_stopped_leaves_nothing_twice_and_nothing_behind() -> Outcome {
    steps::tell("kills", steps::with_the_column_in_the_fact(90_001)?.1, async |run, narrator| told(run, narrator).await)
        .await
}

async fn told(run: &mut Story, narrator: &mut dyn Narrator) -> Outcome {
    run.configure(SHORT_SOAK)?;
    run.binary.environment.push(("CYANOTYPE_LATE_CALL_MS".to_owned(), LATE_CALL_MS.to_owned()));
    tale::begin(run, narrator).await?;
    tale::deploy(run, narrator).await?;
    let change = run.case().change.clone();
    killed_all_the_way(run, &change, narrator).await?;
    let blue = tables(run);
    as_if_nothing_had_been(run, &blue, narrator).await?;

    stopped_and_rolled_back(run, &change.another(1), narrator).await?;
    as_if_nothing_had_been(run, &blue, narrator).await
}

/// One rollout to its end, killed while staging, validating, promoting and retiring.
async fn killed_all_the_way(run: &mut Story, change: &Change, narrator: &mut dyn Narrator) -> Outcome {
    run.stop().await?;
    serve(run, Some("kill:before:staging:effect_done=start-job"), narrator).await?;
    let known = tale::ids(run).await?;
    tale::add_column(run, change).await?;
    killed(run, narrator).await?;

    // What a rollout calls its jobs stays as it was proposed.
    let prefix = format!("prefix = {:?}", run.case().job_prefix);
    steps::amend(run, &prefix, "prefix = \"renamed-\"")?;
    serve(run, Some("kill:before:validating:validated"), narrator).await?;
    let id = steps::new_rollout(run, &known).await?.id;
    killed(run, narrator).await?;

    serve(run, Some("kill:before:promoting:effect_done=move-connector"), narrator).await?;
    approve(run, &id, narrator).await?;
    killed(run, narrator).await?;

    serve(run, Some("kill:before:retiring:effect_done=cancel-job"), narrator).await?;
    killed(run, narrator).await?;

    serve(run, None, narrator).await?;
    run.daemon()?.reach(&id, &["done"], STEP, narrator).await.map(drop)
}

/// What became of a leader that stood still for too long.
enum Old {
    /// It ended by itself; how.
    Ended(String),
    /// It stands by.
    StandsBy,
}

/// One rollout whose leader stands still while it promotes, and whose next leader is killed while it rolls back.
async fn stopped_and_rolled_back(run: &mut Story, change: &Change, narrator: &mut dyn Narrator) -> Outcome {
    run.stop().await?;
    run.configure(LONG_SOAK)?;
    let (mut watched, mut addresses) = (Vec::new(), Vec::new());
    let world = &run.world;
    for real in [&world.flink, &world.gateway, &world.connect, &world.registry].map(String::clone) {
        let service = Watched::open(&run.http, &real).await?;
        addresses.push((real, service.url.clone()));
        watched.push(service);
    }
    let config = rewritten(run, "first.toml", &addresses)?;
    let first = Binary { config, ..with_point(run, Some("stop:after:promoting:effect_intended=move-connector")) };
    run.daemon = Some(first.serve(&run.http, run.world.daemon_port)?);
    run.daemon()?.ready().await?;
    let known = tale::ids(run).await?;
    tale::add_column(run, change).await?;
    let id = steps::new_rollout(run, &known).await?.id;
    approve(run, &id, narrator).await?;
    let mut first = run.daemon.take().during("the first daemon")?;
    let process = first.child.0.id();
    stopped(process, "the leader to stand still at its fail point").await?;
    let entries = journal(run).await?;
    narrator.say("the leader stands still, right after it journaled what it is about to do");

    let port = free_port().await?;
    let listen = (format!("127.0.0.1:{}", run.world.daemon_port), format!("127.0.0.1:{port}"));
    let config = rewritten(run, "second.toml", &[listen])?;
    let point = Some("kill:before:rolling_back:effect_done=move-connector");
    let logs = folder(run, "second")?;
    let second = Binary { config: config.clone(), logs, ..with_point(run, point) };
    run.daemon = Some(second.serve(&run.http, port)?);
    run.daemon()?.ready().await?;
    run.daemon()?.reach(&id, &["soaking"], STEP, narrator).await?;
    narrator.say("another daemon took over and promoted");

    let seen: Vec<usize> = watched.iter().map(Watched::changes).collect();
    // The gateway and the registry; Flink itself and Connect are changed later.
    let counts = |n: usize| seen.get(n).is_some_and(|changes| *changes > 0);
    ensure(counts(1) && counts(3), || format!("changing calls must have been seen: {seen:?}"))?;
    signal("-CONT", process)?;
    let old = until("the old leader to end or to stand by", Duration::from_secs(30), async || {
        if let Err(ended) = first.alive() {
            return Ok(Look::There(Old::Ended(ended.to_string())));
        }
        let reply = first.get("/readyz").await?;
        let by = reply.status.as_u16() == 503 && reply.text.contains("stands by");
        Ok(if by { Look::There(Old::StandsBy) } else { Look::NotYet(format!("{}: {}", reply.status, reply.text)) })
    })
    .await?;
    if let Old::Ended(how) = &old {
        ensure(how.contains("another daemon leads now"), || format!("the old leader must end for that: {how}"))?;
    }
    let after: Vec<usize> = watched.iter().map(Watched::changes).collect();
    let calls: Vec<String> = watched.iter().flat_map(Watched::calls).collect();
    ensure(seen == after, || {
        format!("the old leader changed something after it woke up; all of its calls:\n{}", calls.join("\n"))
    })?;
    said_once(&entries, &journal(run).await?, &id)?;
    narrator.say("awake again, the old leader has changed nothing and written nothing");

    let back = Binary { config, ..run.binary.clone() };
    let said = back.run(&["rollback", &id, "--by", "story"], STEP, narrator).await?;
    ensure(said.code == Some(0), || format!("`cyanotype rollback` ended with {:?}:\n{}", said.code, said.all()))?;
    killed(run, narrator).await?;
    match old {
        Old::StandsBy => {
            run.daemon = Some(first);
            run.daemon()?.ready().await?;
        }
        Old::Ended(_) => serve(run, None, narrator).await?,
    }
    run.daemon()?.ends_as(&id, "rolled_back", STEP).await
}

/// The physical tables that must run after the first rollout: the cascade as it made it, the others as they were.
fn tables(run: &Story) -> BTreeSet<String> {
    let case = run.case();
    case.cascade.iter().map(|table| &table.green).chain(case.outside.iter().map(|table| &table.blue)).cloned().collect()
}

/// Exactly these tables run, each by one job that was started once; no topic, subject, group or connector is left over; and
/// the warehouse holds what it must.
async fn as_if_nothing_had_been(run: &mut Story, tables: &BTreeSet<String>, narrator: &mut dyn Narrator) -> Outcome {
    let (prefix, ours) = (run.case().job_prefix.clone(), run.case().belongings.topics.clone());
    run.flink.baseline(&prefix, tables).await?;
    let live = run.flink.live(&prefix).await?;
    ensure(live.len() == tables.len(), || format!("{} jobs run, it must be one for each of {tables:?}", live.len()))?;
    let mut names: BTreeMap<String, u32> = BTreeMap::new();
    for job in run.flink.jobs().await?.into_iter().filter(|job| job.name.starts_with(&prefix)) {
        *names.entry(job.name).or_default() += 1;
    }
    for (name, times) in &names {
        ensure(*times == 1 && name.ends_with(".1"), || format!("job {name} was started {times} times, or again"))?;
    }

    let mut wanted: BTreeSet<String> = tables.iter().map(|table| run.case().topic(table)).collect();
    wanted.extend(run.case().inputs.iter().cloned());
    let is_ours = |name: &String| ours.iter().any(|prefix| name.starts_with(prefix.as_str()));
    let topics: BTreeSet<String> = run.kafka.topics().await?.into_iter().filter(is_ours).collect();
    ensure(topics == wanted, || format!("the topics are {topics:?}, they must be {wanted:?}"))?;
    let subjects = http::get(&run.http, &format!("{}/subjects", run.world.registry)).await?;
    let subjects: Vec<String> = serde_json::from_value(subjects).during("the list of subjects")?;
    for subject in subjects.iter().filter(|subject| is_ours(subject)) {
        let topic = subject.rsplit_once('-').map_or(subject.as_str(), |(topic, _)| topic);
        ensure(topics.contains(topic), || format!("subject {subject} has no topic"))?;
    }
    let leader = format!("{}.leader", run.case().journal);
    let alive = |group: &String| live.iter().any(|job| group.starts_with(&format!("{}.", job.name)));
    let groups = run.kafka.groups(&[prefix]).await?.into_iter().filter(|g| *g != leader && !alive(g));
    let groups: Vec<String> = groups.collect();
    ensure(groups.is_empty(), || format!("groups are left of jobs that are gone: {}", groups.join(", ")))?;
    let connectors = http::get(&run.http, &format!("{}/connectors", run.world.connect)).await?;
    let connectors: BTreeSet<String> = serde_json::from_value(connectors).during("the list of connectors")?;
    let own: BTreeSet<String> = connectors.into_iter().filter(|name| name.starts_with(&run.case().name)).collect();
    let known: BTreeSet<String> = run.case().belongings.connectors.iter().cloned().collect();
    ensure(own == known, || format!("the connectors are {own:?}, they must be {known:?}"))?;
    narrator.say("each job was started once; no topic, subject, group or connector is left over");
    proof::while_paused(run, async || proof::facts_are_true(run, When::After, narrator).await).await
}

/// Every effect of the rollout that came after `before` is journaled as done once.
fn said_once(before: &[Entry], now: &[Entry], rollout: &str) -> Outcome {
    let mut done: BTreeMap<&str, u32> = BTreeMap::new();
    for entry in now.iter().filter(|entry| !before.contains(entry)) {
        if let Body::Rollout { id, what: Event::EffectDone { key, .. } } = &entry.body
            && id == rollout
        {
            *done.entry(key).or_default() += 1;
        }
    }
    ensure(done.values().all(|times| *times == 1) && done.len() >= 2, || format!("effects were journaled as {done:?}"))
}

async fn journal(run: &Story) -> Outcome<Vec<Entry>> {
    let settings = JournalSettings {
        brokers: run.world.kafka.clone(),
        properties: BTreeMap::new(),
        topic: run.case().journal.clone(),
    };
    let entries = read_all(settings).await.during("reading the journal")?;
    entries.iter().map(|bytes| serde_json::from_slice(bytes).during("an entry of the journal")).collect()
}

/// Approves the rollout by signed webhook once it awaits it.
async fn approve(run: &mut Story, id: &str, narrator: &mut dyn Narrator) -> Outcome {
    let rollout = run.daemon()?.reach(id, &["awaiting_approval"], STEP, narrator).await?;
    run.approve(&rollout).await?.accept(&[]).during("the signed approval")
}

/// After `Ok` a new daemon leads.
async fn serve(run: &mut Story, point: Option<&str>, narrator: &mut dyn Narrator) -> Outcome {
    run.daemon = Some(with_point(run, point).serve(&run.http, run.world.daemon_port)?);
    run.daemon()?.ready().await?;
    narrator.say(&format!("a daemon leads{}", point.map_or(String::new(), |point| format!(", until {point}"))));
    Ok(())
}

/// Waits until the daemon has been killed at its fail point.
async fn killed(run: &mut Story, narrator: &mut dyn Narrator) -> Outcome {
    let mut daemon = run.daemon.take().during("a daemon")?;
    let how = until("the daemon to be killed", STEP, async || {
        Ok(match daemon.alive() {
            Err(ended) => Look::There(ended.to_string()),
            Ok(()) => Look::NotYet(daemon.last_words()),
        })
    })
    .await?;
    ensure(how.contains("SIGABRT") && how.contains("fail point"), || format!("it must be killed at its point: {how}"))?;
    narrator.say("killed");
    Ok(())
}

/// A folder of its own for a second daemon's log.
fn folder(run: &Story, name: &str) -> Outcome<PathBuf> {
    let folder = run.place.root.join(name);
    std::fs::create_dir_all(&folder).during(format!("making {}", folder.display()))?;
    Ok(folder)
}

/// A copy of the configuration with other addresses.
fn rewritten(run: &Story, name: &str, addresses: &[(String, String)]) -> Outcome<PathBuf> {
    let mut text = std::fs::read_to_string(run.place.config()).during("the configuration")?;
    for (old, new) in addresses {
        ensure(text.contains(old.as_str()), || format!("the configuration does not hold {old}"))?;
        text = text.replace(old.as_str(), new);
    }
    let path = run.place.root.join(name);
    std::fs::write(&path, text).during(format!("writing {}", path.display()))?;
    Ok(path)
}

async fn free_port() -> Outcome<u16> {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.during("looking for a free port")?;
    Ok(free.local_addr().during("looking for a free port")?.port())
}
