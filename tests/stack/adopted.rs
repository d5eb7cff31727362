//! Taking over what somebody else started, evolving it from there, and taking a project down.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::by_hand;
use crate::steps;
use crate::story::daemon::Said;
use crate::story::failure::{During as _, Outcome, ensure};
use crate::story::flink::Baseline;
use crate::story::generated::Generated;
use crate::story::narrator::Narrator;
use crate::story::proof::{self, When};
use crate::story::run::Run;
use crate::story::tale;

/// How long looking at everything that runs may take.
const LOOK: Duration = Duration::from_secs(120);
/// How long green may take until it awaits approval.
const GREEN: Duration = Duration::from_secs(600);
/// How long promotion, soak and retirement may take.
const PROMOTE: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_else_started_is_adopted_and_evolves_from_there() -> Outcome {
    let (_, project) = steps::with_the_column_in_the_fact(steps::SMALL + 500)?;
    steps::tell("adopted", project, async |run, narrator| adopted(run, narrator).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_is_taken_down_in_reverse_order_and_comes_up_again() -> Outcome {
    let project = Generated::draw(steps::SMALL + 600, 2)?;
    steps::tell("undeploy", project, async |run, narrator| taken_down(run, narrator).await).await
}

async fn adopted(run: &mut Run<Generated>, narrator: &mut dyn Narrator) -> Outcome {
    tale::begin(run, narrator).await?;
    narrator.stage("somebody brings the project up by hand: topics, statements, a sink connector");
    by_hand::bring_up(run).await?;
    let before = tale::baseline(run).await?;
    let world = whole_world(run).await?;
    ambiguous(run, narrator).await?;

    narrator.stage("cyanotype adopt");
    let said = cyanotype(run, &["adopt"], narrator).await?;
    ensure(said.code == Some(0), || format!("`cyanotype adopt` ended with {:?}:\n{}", said.code, said.all()))?;
    manifest_is_complete(run).await?;
    steps::blue_never_noticed(run, &before).await?;
    ensure(whole_world(run).await? == world, || "adopting changed a topic, a subject or a connector".to_owned())?;
    narrator.say("every job is the one that it was and never restarted; topics, subjects and connectors are the same");
    let again = cyanotype(run, &["adopt"], narrator).await?;
    ensure(again.code == Some(0) && again.all().contains("nothing to do"), || {
        format!("run again, `cyanotype adopt` must find nothing to do:\n{}", again.all())
    })?;

    let change = run.case().change.clone();
    let rollout = tale::evolve(run, &change, narrator).await?;
    let rollout = run.daemon()?.reach(&rollout.id, &["awaiting_approval"], GREEN, narrator).await?;
    proof::verdict_is_sound(run.case(), &rollout, narrator)?;
    run.approve(&rollout).await?.accept(&[]).during("the approval")?;
    run.daemon()?.reach(&rollout.id, &["done"], PROMOTE, narrator).await?;
    proof::manifest_is_green(run).await?;
    proof::sinks_read_green(run, narrator).await?;
    proof::while_paused(run, async || {
        proof::facts_are_true(run, When::After, narrator).await?;
        proof::column_is_true(run, narrator).await
    })
    .await?;
    proof::others_were_left_alone(run, &before, narrator).await?;
    proof::blue_is_gone(run, narrator).await
}

/// A second job writes the first statement's table: which one it is, is asked, and nothing is taken over until then.
async fn ambiguous(run: &mut Run<Generated>, narrator: &mut dyn Narrator) -> Outcome {
    narrator.stage("two jobs write one table: it is asked which one is meant");
    let first = run.case().cascade.first().during("a statement")?.clone();
    let fact = run.case().cascade.last().during("the fact")?.clone();
    let second = by_hand::start(run, &first.blue, "twin").await?;
    let asked = cyanotype(run, &["adopt"], narrator).await?;
    let question = format!("--job {}=ID", first.logical);
    let all = asked.all();
    ensure(asked.code == Some(1) && all.contains("C150") && all.contains(&second) && all.contains(&question), || {
        format!("`cyanotype adopt` must ask which job writes {}; it ended with {:?}:\n{all}", first.blue, asked.code)
    })?;
    ensure(tale::ids(run).await?.is_empty(), || "a question led to a rollout".to_owned())?;
    let left = cyanotype(run, &["adopt", "--dry-run", "--leave", &first.logical], narrator).await?;
    let reason = format!("{}: it reads `{}`, which is left out", fact.logical, first.logical);
    ensure(left.code == Some(0) && (left.out.contains(&reason) || fact == first), || {
        format!("what reads a table that is left must be left with that reason:\n{}", left.all())
    })?;
    ensure(tale::ids(run).await?.is_empty(), || "a dry run led to a rollout".to_owned())?;
    run.flink.cancel_all(&format!("{}twin.", run.case().job_prefix)).await
}

async fn taken_down(run: &mut Run<Generated>, narrator: &mut dyn Narrator) -> Outcome {
    tale::begin(run, narrator).await?;
    tale::deploy(run, narrator).await?;
    let jobs = started_again(run, narrator).await?;
    let fact = run.case().cascade.last().during("the fact")?.clone();
    let topic = run.case().topic(&fact.blue);

    narrator.stage("somebody else reads the fact: the project is not taken down");
    let group = format!("{}reports", run.case().job_prefix);
    by_hand::read_as(&run.world.kafka, &group, &topic).await?;
    let refused = cyanotype(run, &["undeploy"], narrator).await?;
    let all = refused.all();
    ensure(refused.code == Some(1) && all.contains("C160") && all.contains(&group) && all.contains(&topic), || {
        format!("`cyanotype undeploy` must be refused, naming {group} and {topic}:\n{all}")
    })?;

    let job = by_hand::read_by_a_job(run, &topic).await?;
    let refused = cyanotype(run, &["undeploy", "--despite", &format!("group {group}")], narrator).await?;
    let named = format!("topic {topic} is read by job {job}");
    ensure(refused.code == Some(1) && refused.all().contains(&named), || {
        format!("a job without a group that has just been started must be named, `{named}`:\n{}", refused.all())
    })?;
    run.flink.cancel_all(&format!("{}theirs", run.case().job_prefix)).await?;

    narrator.stage("in spite of it: it waits for a yes, and nothing happens before");
    let despite = format!("group {group}");
    let id = waits(run, &["undeploy", "--despite", &despite], narrator).await?;
    same_jobs(run, &jobs).await?;
    let other = format!("{group}2");
    by_hand::read_as(&run.world.kafka, &other, &topic).await?;
    let moved = approve(run, &id, narrator).await?;
    ensure(moved.code == Some(1) && moved.all().contains(&other), || {
        format!("an approval must be refused once {other} reads {topic} as well:\n{}", moved.all())
    })?;
    run.kafka.delete_groups(&[other]).await?;
    let approved = approve(run, &id, narrator).await?;
    ensure(approved.code == Some(0), || format!("the approval ended with {:?}:\n{}", approved.code, approved.all()))?;
    run.daemon()?.ends_as(&id, "done", PROMOTE).await?;
    down(run, narrator).await?;
    ensure(run.kafka.topics().await?.contains(&topic), || format!("topic {topic} must stay unless told otherwise"))?;
    let nothing = cyanotype(run, &["undeploy"], narrator).await?;
    ensure(nothing.code == Some(0) && nothing.all().contains("nothing to do"), || nothing.all())?;

    narrator.stage("taken over its old topics by hand, it is taken down with them, and deployed from nothing");
    by_hand_again(run).await?;
    let said = cyanotype(run, &["adopt"], narrator).await?;
    ensure(said.code == Some(0), || format!("`cyanotype adopt` ended with {:?}:\n{}", said.code, said.all()))?;
    run.kafka.delete_groups(&[group]).await?;
    // What the connector had read is still known, in case somebody makes it again.
    let connector = run.case().facts.first().during("a fact")?.connector.clone();
    let despite = format!("group connect-{connector}");
    let id = waits(run, &["undeploy", "--delete-topics", "--despite", &despite], narrator).await?;
    approve(run, &id, narrator).await?;
    run.daemon()?.ends_as(&id, "done", PROMOTE).await?;
    down(run, narrator).await?;
    let left: Vec<String> = run.kafka.topics().await?;
    ensure(!left.contains(&topic), || format!("topic {topic} must be deleted when that is asked for"))?;
    // The destination was left as it was; what was deleted since, nobody tells it any more.
    let warehouse = run.case().facts.first().during("a fact")?.warehouse.clone();
    run.database.run(&format!("TRUNCATE {warehouse}")).await?;
    tale::deploy(run, narrator).await?;
    proof::while_paused(run, async || proof::facts_are_true(run, When::Before, narrator).await).await
}

/// A job that is gone is started again by hand, and adopted: the jobs then.
async fn started_again(run: &mut Run<Generated>, narrator: &mut dyn Narrator) -> Outcome<Baseline> {
    narrator.stage("a job is gone; its statement is started by hand, and adopted");
    let lost = run.case().cascade.first().during("a statement")?.blue.clone();
    run.flink.cancel_all(&format!("{}{lost}.", run.case().job_prefix)).await?;
    let sick = cyanotype(run, &["doctor"], narrator).await?;
    ensure(sick.code == Some(1) && sick.all().contains(&format!("no job writes {lost}")), || {
        format!("`cyanotype doctor` must say that no job writes {lost}:\n{}", sick.all())
    })?;
    let again = by_hand::start(run, &lost, "by-hand").await?;
    let said = cyanotype(run, &["adopt"], narrator).await?;
    ensure(said.code == Some(0), || format!("`cyanotype adopt` ended with {:?}:\n{}", said.code, said.all()))?;
    let known = run.daemon()?.json("/api/v1/jobs").await?;
    ensure(known["jobs"][&lost]["id"] == again.as_str(), || format!("{lost} must have job {again}: {known}"))?;
    let well = cyanotype(run, &["doctor"], narrator).await?;
    ensure(!well.all().contains("no job writes"), || format!("every job is there again:\n{}", well.all()))?;
    tale::baseline(run).await
}

/// Every statement once more, over the topics that are there, and the sink connector.
async fn by_hand_again(run: &Run<Generated>) -> Outcome {
    let tables: Vec<String> = run.case().outside.iter().chain(&run.case().cascade).map(|t| t.blue.clone()).collect();
    for table in tables {
        by_hand::start(run, &table, "by-hand").await?;
    }
    Ok(())
}

/// Runs `cyanotype undeploy`; the rollout that waits for a yes.
async fn waits(run: &mut Run<Generated>, arguments: &[&str], narrator: &mut dyn Narrator) -> Outcome<String> {
    let known = tale::ids(run).await?;
    let said = cyanotype(run, arguments, narrator).await?;
    ensure(said.code == Some(0), || format!("`cyanotype undeploy` ended with {:?}:\n{}", said.code, said.all()))?;
    let rollout = steps::new_rollout(run, &known).await?;
    ensure(rollout.state == "proposed", || format!("it must wait for a yes: {}", rollout.why()))?;
    Ok(rollout.id)
}

/// `cyanotype approve` on the plan's digest.
async fn approve(run: &mut Run<Generated>, id: &str, narrator: &mut dyn Narrator) -> Outcome<Said> {
    let digest = run.daemon()?.rollout(id).await?.evidence_digest.during("the digest of the plan")?;
    cyanotype(run, &["approve", id, "--evidence", &digest, "--by", "Ada"], narrator).await
}

async fn cyanotype(run: &Run<Generated>, arguments: &[&str], narrator: &mut dyn Narrator) -> Outcome<Said> {
    run.binary.run(arguments, LOOK, narrator).await
}

/// No job, no connector, an empty manifest.
async fn down(run: &mut Run<Generated>, narrator: &mut dyn Narrator) -> Outcome {
    let live = run.flink.live(&run.case().job_prefix).await?;
    ensure(live.is_empty(), || format!("{} jobs still run", live.len()))?;
    for fact in &run.case().facts {
        let config = run.connect.config(&fact.connector).await?;
        ensure(config.is_none(), || format!("connector {} is still there", fact.connector))?;
    }
    let manifest = run.daemon()?.json("/api/v1/manifest").await?;
    let empty = |part: &str| manifest[part].as_object().is_some_and(serde_json::Map::is_empty);
    ensure(empty("tables") && empty("connectors"), || format!("the manifest must be empty: {manifest}"))?;
    narrator.say("no job, no connector, an empty manifest");
    Ok(())
}

async fn same_jobs(run: &Run<Generated>, before: &Baseline) -> Outcome {
    let live: BTreeSet<String> = run.flink.live(&run.case().job_prefix).await?.into_iter().map(|job| job.id).collect();
    let known: BTreeSet<String> = before.values().map(|(job, _)| job.id.clone()).collect();
    ensure(live == known, || "a job was touched before anybody had said yes".to_owned())
}

/// The deployed manifest names every table of the project, and its connectors.
async fn manifest_is_complete(run: &mut Run<Generated>) -> Outcome {
    let manifest = run.daemon()?.json("/api/v1/manifest").await?;
    let case = run.case();
    for table in case.cascade.iter().chain(&case.outside) {
        let physical = &manifest["tables"][&table.logical]["physical"];
        ensure(physical == table.blue.as_str(), || format!("{} is not adopted: {physical}", table.logical))?;
    }
    case.facts.iter().try_for_each(|fact| {
        let known = manifest["connectors"][&fact.connector] != Value::Null;
        ensure(known, || format!("connector {} is not adopted", fact.connector))
    })
}

/// Topics, and the settings of the connectors.
async fn whole_world(run: &Run<Generated>) -> Outcome<(BTreeSet<String>, Vec<String>)> {
    let ours = |topic: &String| topic.starts_with(&format!("{}.", run.case().topic_prefix));
    let topics = run.kafka.topics().await?.into_iter().filter(ours).collect();
    let mut connectors = Vec::new();
    for fact in &run.case().facts {
        connectors.push(format!("{:?}", run.connect.config(&fact.connector).await?));
    }
    Ok((topics, connectors))
}
