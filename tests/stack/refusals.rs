//! Versions that are refused, history that is accepted as it is, and a topic and a connector that somebody changes by hand
//! before the approval.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use reqwest::Method;
use serde_json::{Value, json};

use crate::steps;
use crate::story::answer::Rollout;
use crate::story::case::Project;
use crate::story::failure::{During as _, Failure, Look, Outcome, ensure, until};
use crate::story::flink::Baseline;
use crate::story::generated::Generated;
use crate::story::http;
use crate::story::narrator::Narrator;
use crate::story::proof;
use crate::story::run::Run;
use crate::story::shop::Shop;
use crate::story::tale;

/// How long the daemon may take to see something.
const SEEN: Duration = Duration::from_secs(20);
/// How long green may take to come up, or to go.
const GREEN: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_a_baseline_and_a_hand_on_topic_and_connector_have_their_defined_end() -> Outcome {
    steps::tell("refusals", Generated::draw(steps::SMALL, 2)?, async |run, narrator| told(run, narrator).await).await
}

async fn told(run: &mut Run<Generated>, narrator: &mut dyn Narrator) -> Outcome {
    tale::begin(run, narrator).await?;
    tale::deploy(run, narrator).await?;
    let before = tale::baseline(run).await?;
    refusals(run, narrator).await?;
    let first = accepted_after_a_baseline(run, narrator).await?;
    let first = run.daemon()?.reach(&first.id, &["awaiting_approval"], GREEN, narrator).await?;
    moved_by_hand(run, &first, narrator).await?;
    given_up(run, &first, &before, narrator).await
}

/// The text of a subject's newest schema.
async fn newest<P: Project>(run: &Run<P>, subject: &str) -> Outcome<Value> {
    let url = format!("{}/subjects/{subject}/versions/latest", run.world.registry);
    let registered = http::get(&run.http, &url).await?;
    serde_json::from_str(registered["schema"].as_str().unwrap_or_default()).during(format!("the schema of {subject}"))
}

/// The columns of an envelope's row.
fn columns(envelope: &mut Value) -> Outcome<&mut Vec<Value>> {
    let before = envelope["fields"].as_array_mut().and_then(|all| all.iter_mut().find(|f| f["name"] == "before"));
    let row = before.and_then(|f| f["type"].as_array_mut()?.iter_mut().find(|t| t["name"] == "Value"));
    row.and_then(|row| row["fields"].as_array_mut()).during("the row of an envelope")
}

/// Registers `schema`, and waits until the daemon has refused it; the reasons.
async fn refused<P: Project>(run: &mut Run<P>, subject: &str, schema: &Value) -> Outcome<String> {
    let url = format!("{}/subjects/{subject}/versions", run.world.registry);
    let body = json!({ "schema": schema.to_string() });
    http::call(&run.http, Method::POST, &url, Some(&body)).await?.accept(&[]).during("registering a schema")?;
    let version = http::get(&run.http, &url).await?.as_array().and_then(|all| all.last()?.as_i64());
    let version = version.during("the version that was registered")?;
    let daemon = run.daemon()?;
    let reasons = until(&format!("{subject} version {version} to be refused"), SEEN, async || {
        let all = daemon.refused().await?;
        let ours = all.into_iter().find(|refused| refused.subject == subject && refused.version == version);
        Ok(ours.map_or_else(|| Look::NotYet("it is not in the list".to_owned()), |r| Look::There(r.reasons)))
    })
    .await?;
    Ok(reasons.join("; "))
}

/// Incompatible ones, and one that the registry takes although every value would be wrong.
async fn refusals(run: &mut Run<Generated>, narrator: &mut dyn Narrator) -> Outcome {
    narrator.stage("versions that are refused, each by its column; nothing is deployed");
    let known = tale::ids(run).await?;
    let main = run.case().change.subject.clone();
    let other = format!("{}-value", run.case().inputs.get(1).during("a second change topic")?);

    let whole = newest(run, &other).await?;
    let mut required = whole.clone();
    columns(&mut required)?.push(json!({ "name": "must_be_there", "type": "string" }));
    let mut narrowed = whole.clone();
    let key = columns(&mut narrowed)?.iter_mut().find(|c| c["name"] == "key_no").during("the column key_no")?;
    key["type"] = json!("int");
    let mut rescaled = newest(run, &main).await?;
    let scaled = columns(&mut rescaled)?.iter_mut().find(|c| c["type"]["logicalType"] == "decimal");
    let scaled = scaled.during("a decimal column")?;
    scaled["type"]["scale"] = json!(4);
    let amount = scaled["name"].as_str().unwrap_or_default().to_owned();
    if let Some(parameters) = scaled["type"].get_mut("connect.parameters") {
        parameters["scale"] = json!("4");
    }

    for (what, subject, schema, column) in [
        ("a required column", &other, &required, "must_be_there"),
        ("a narrowed type", &other, &narrowed, "key_no"),
        ("a numeric scale that changed", &main, &rescaled, amount.as_str()),
    ] {
        let reasons = refused(run, subject, schema).await.during(what)?;
        ensure(reasons.contains(column), || format!("{what} must name {column}; the reasons are: {reasons}"))?;
        narrator.say(&format!("{what}: {reasons}"));
    }
    ensure(tale::ids(run).await? == known, || "a refused version led to a rollout".to_owned())
}

/// What the registry takes, and what would be wrong in every row: told after the shop's story.
pub async fn taken_by_the_registry(run: &mut Run<Shop>, narrator: &mut dyn Narrator) -> Outcome {
    narrator.stage("A time in another unit, and a nullable column under another name");
    let known = tale::ids(run).await?;
    for (subject, old, new) in [
        ("shop.shop.orders-value", "\"timestamp-millis\"", "\"timestamp-micros\""),
        ("shop.shop.customers-value", "\"name\":\"segment\"", "\"name\":\"market_segment\""),
    ] {
        let mut schema = newest(run, subject).await?;
        let column = columns(&mut schema)?.iter_mut().find(|column| column.to_string().contains(old));
        let column = column.during(format!("a column of {subject} with {old}"))?;
        let name = column["name"].as_str().unwrap_or_default().to_owned();
        *column = serde_json::from_str(&column.to_string().replace(old, new)).during("the column")?;
        let reasons = refused(run, subject, &schema).await?;
        ensure(reasons.contains(&name), || format!("it must name {name}; the reasons are: {reasons}"))?;
        narrator.say(&reasons);
    }
    ensure(tale::ids(run).await? == known, || "a refused version led to a rollout".to_owned())
}

/// A good version after a bad one is refused until somebody accepts the history as it is.
async fn accepted_after_a_baseline(run: &mut Run<Generated>, narrator: &mut dyn Narrator) -> Outcome<Rollout> {
    narrator.stage("a good version after a bad one: refused, until `cyanotype baseline`");
    let known = tale::ids(run).await?;
    let change = run.case().change.clone();
    let version = steps::new_version(run, &change).await?;
    let subject = change.subject.clone();
    let daemon = run.daemon()?;
    until(&format!("{subject} version {version} to be refused for its past"), SEEN, async || {
        let all = daemon.refused().await?;
        let found = all.iter().any(|refused| refused.subject == subject && refused.version == version);
        Ok(if found { Look::There(()) } else { Look::NotYet("it is not in the list".to_owned()) })
    })
    .await?;
    let from = format!("{subject}@{version}");
    let limit = Duration::from_secs(20);
    let nowhere = format!("{subject}@99");
    let missing = run.binary.run(&["baseline", &nowhere, "--reason", "x", "--by", "Ada"], limit, narrator).await?;
    ensure(missing.code != Some(0), || {
        format!("a baseline at a version that is not there must fail:\n{}", missing.all())
    })?;
    let why = ["baseline", &from, "--reason", "version 2 was registered by hand", "--by", "Ada"];
    let said = run.binary.run(&why, limit, narrator).await?;
    ensure(said.code == Some(0), || format!("`cyanotype baseline` ended with {:?}:\n{}", said.code, said.all()))?;
    let rollout = steps::new_rollout(run, &known).await?;
    ensure(rollout.title.contains(&change.column), || format!("`{}` must name {}", rollout.title, change.column))?;
    Ok(rollout)
}

/// A topic and a connector that somebody changes: the approval is refused and says what, until it is undone.
async fn moved_by_hand(run: &mut Run<Generated>, rollout: &Rollout, narrator: &mut dyn Narrator) -> Outcome {
    narrator.stage("changed by hand: the approval is refused, and says what moved");
    let fact = run.case().cascade.last().during("the fact")?.clone();
    let topic = run.case().topic(&fact.blue);
    set(run, &topic, &[("cleanup.policy", "compact"), ("max.message.bytes", "2000000")]).await?;
    steps::moved(&run.approve(rollout).await?, &[&topic, "max.message.bytes"], narrator)?;
    set(run, &topic, &[("cleanup.policy", "compact")]).await?;

    let connector = run.case().facts.first().during("a fact")?.connector.clone();
    let settings = run.connect.config(&connector).await?.during("the sink connector")?;
    let place = format!("{}/connectors/{connector}/config", run.world.connect);
    let mut changed = settings.clone();
    changed.insert("batch.size".to_owned(), "77".to_owned());
    http::call(&run.http, Method::PUT, &place, Some(&json!(changed))).await?.accept(&[])?;
    steps::moved(&run.approve(rollout).await?, &[&connector, "batch.size"], narrator)?;
    http::call(&run.http, Method::PUT, &place, Some(&json!(settings))).await?.accept(&[]).map(drop)?;
    made_anew(run, rollout, &run.case().topic(&fact.green), narrator).await
}

/// Green's topic is deleted and made again: what was proven is gone, and no approval of it is taken.
async fn made_anew(run: &mut Run<Generated>, rollout: &Rollout, topic: &str, narrator: &mut dyn Narrator) -> Outcome {
    run.kafka.delete_topics(&[topic.to_owned()]).await?;
    let mut client = ClientConfig::new();
    let admin: AdminClient<DefaultClientContext> =
        client.set("bootstrap.servers", &run.world.kafka).create().during("a Kafka admin client")?;
    let again = NewTopic::new(topic, 2, TopicReplication::Fixed(1)).set("cleanup.policy", "compact");
    until("the topic to be there again", GREEN, async || {
        let told = admin.create_topics([&again], &AdminOptions::new()).await.during("making a topic")?;
        Ok(match told.into_iter().next() {
            Some(Err((_, code))) => Look::NotYet(format!("{topic}: {code}")),
            _ => Look::There(()),
        })
    })
    .await?;
    let refused = until("an approval of it to be refused", GREEN, async || {
        let reply = run.approve(rollout).await?;
        if reply.status.is_success() {
            return Ok(Look::There(Err(Failure::new("an approval of a topic that was made anew was taken"))));
        }
        // Its job may be on its way again for a moment.
        let refused = steps::is_refused(&reply, 409, "assumptions_moved", &[topic]);
        Ok(refused.map_or_else(|why| Look::NotYet(why.to_string()), |message| Look::There(Ok(message))))
    })
    .await??;
    narrator.say(&refused);
    Ok(())
}

/// Gives a topic these settings of its own, and no others.
async fn set(run: &Run<Generated>, topic: &str, settings: &[(&str, &str)]) -> Outcome {
    let mut client = ClientConfig::new();
    let admin: AdminClient<DefaultClientContext> =
        client.set("bootstrap.servers", &run.world.kafka).create().during("a Kafka admin client")?;
    let change = AlterConfig::new(ResourceSpecifier::Topic(topic));
    let change = settings.iter().fold(change, |change, (name, value)| change.set(name, value));
    let told = admin.alter_configs([&change], &AdminOptions::new()).await.during("changing a topic")?;
    told.into_iter().try_for_each(|one| one.map(drop).map_err(|(_, code)| Failure::new(format!("{topic}: {code}"))))
}

/// Aborted before the promotion: green is gone, and blue never noticed.
async fn given_up(
    run: &mut Run<Generated>,
    rollout: &Rollout,
    before: &Baseline,
    narrator: &mut dyn Narrator,
) -> Outcome {
    narrator.stage("aborted before the promotion: green is gone, blue never noticed");
    steps::give_up(run, &rollout.id, narrator).await?;
    let topics = run.kafka.topics().await?;
    for table in &run.case().cascade {
        let topic = run.case().topic(&table.green);
        ensure(!topics.contains(&topic), || format!("green's topic {topic} is still there"))?;
    }
    steps::blue_never_noticed(run, before).await?;
    let live = run.flink.live(&run.case().job_prefix).await?.len();
    ensure(live == before.len(), || format!("{live} jobs run, it must be the {} of blue", before.len()))?;
    proof::while_paused(run, async || proof::facts_are_true(run, proof::When::Before, narrator).await).await
}
