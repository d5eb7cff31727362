//! Bad input: each kind gives an error that names the thing, the daemon goes on with the rest, and nothing is lost.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use reqwest::Method;
use serde_json::json;

use crate::brief::Brief;
use crate::faulty_registry::{FaultyRegistry, Mood};
use crate::story::approver;
use crate::story::case::{Changes as _, Project};
use crate::story::daemon::Binary;
use crate::story::failure::{During as _, Failure, Look, Outcome, ensure, until};
use crate::story::generated::Generated;
use crate::story::http;
use crate::story::narrator::Narrator as _;
use crate::story::place::{NOTIFYING, Place, SIGNING, Settings, TOKEN};
use crate::story::run::Run;
use crate::story::tale;
use crate::story::world::World;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cyanotype");
const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");

/// A configured project without anything running.
fn laid_out(name: &str, brokers: Option<&str>) -> Outcome<(Place, Binary, World)> {
    let world = World::from_env()?;
    let place = Place::fresh(Path::new(FOLDER), name)?;
    Generated::draw(5, 2)?.lay_out(&place)?;
    place.configure(&Settings {
        world: &world,
        registry: &world.registry,
        brokers: brokers.unwrap_or(&world.kafka),
        prefix: &format!("{name}-"),
        journal: &format!("{name}.journal"),
        notify: "http://127.0.0.1:9/nobody",
        topic_prefix: name,
        soak_seconds: 1,
    })?;
    let binary = Binary {
        program: PROGRAM.into(),
        config: place.config(),
        logs: place.root.clone(),
        environment: [SIGNING, NOTIFYING, TOKEN].map(|name| (name.to_owned(), approver::key())).to_vec(),
    };
    Ok((place, binary, world))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_key_is_refused_with_the_nearest_known_one() -> Outcome {
    let (place, binary, _) = laid_out("bad-key", None)?;
    let text = std::fs::read_to_string(place.config()).during("the configuration")?;
    let line = text.lines().position(|line| line.starts_with("soak_seconds")).during("a line to spoil")? + 1;
    std::fs::write(place.config(), text.replace("soak_seconds", "soak_second")).during("the configuration")?;
    for command in ["serve", "check"] {
        let said = binary.run(&[command], Duration::from_secs(20), &mut Brief::new("bad")).await?;
        let all = said.all();
        ensure(said.code == Some(2), || format!("`{command}` must end with 2, it ended with {:?}:\n{all}", said.code))?;
        for wanted in ["soak_second", "soak_seconds", &format!("cyanotype.toml:{line}")] {
            ensure(all.contains(wanted), || format!("`{command}` must name {wanted}; it said:\n{all}"))?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_does_not_parse_is_named_with_its_line() -> Outcome {
    let (place, binary, _) = laid_out("bad-sql", None)?;
    let narrator = &mut Brief::new("bad");
    let limit = Duration::from_secs(30);
    let said = binary.run(&["check"], limit, narrator).await?;
    ensure(said.code == Some(0), || format!("`check` must find nothing in a sound project; it said:\n{}", said.all()))?;
    let file = "pipelines/facts/broken/fct_broken/sql-scripts/dml.fct_broken.sql";
    place.write(file, "-- One bracket is never closed.\nINSERT INTO fct_broken\nSELECT (a.id FROM cdc_x AS a;\n")?;
    let said = binary.run(&["check"], limit, narrator).await?;
    let all = said.all();
    ensure(said.code == Some(1), || format!("`check` must end with 1, it ended with {:?}:\n{all}", said.code))?;
    let named = format!("{file}:3");
    ensure(all.contains(&named), || format!("`check` must point at {named}; it said:\n{all}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_cannot_be_reached_is_named_and_waited_for() -> Outcome {
    // A port that is free now; the broker "comes up" on it later.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.during("looking for a free port")?;
    let broker = free.local_addr().during("looking for a free port")?.to_string();
    drop(free);
    let (_, binary, world) = laid_out("bad-broker", Some(&broker))?;
    let mut daemon = binary.serve(&http::client()?, world.daemon_port)?;
    until("the daemon to name the broker", Duration::from_secs(60), async || {
        if let Err(ended) = daemon.alive() {
            return Ok(Look::There(Err(ended)));
        }
        let reply = daemon.get("/readyz").await?;
        if reply.status.as_u16() != 503 {
            let why = format!("/readyz must answer 503, it answers {}", reply.status);
            return Ok(Look::There(Err(Failure::new(why))));
        }
        let log = std::fs::read_to_string(&daemon.log).during("the daemon's log")?;
        let named = reply.text.contains(&broker) || log.contains(&broker);
        Ok(if named { Look::There(Ok(())) } else { Look::NotYet(format!("{broker} is named nowhere: {}", reply.text)) })
    })
    .await??;
    let forwarder = forward(&broker, &world.kafka).await?;
    let ready = daemon.ready().await.during("after the broker came up");
    let stopped = daemon.stop().await;
    forwarder.abort();
    let kafka = crate::story::kafka::Kafka::new(&world.kafka);
    kafka.delete_topics(&["bad-broker.journal".to_owned()]).await?;
    ready?;
    let status = stopped?;
    ensure(status.success(), || format!("asked to end, the daemon ended with {status}"))
}

/// Passes connections on: the way to the first broker, which then names its real address.
async fn forward(from: &str, to: &str) -> Outcome<tokio::task::JoinHandle<()>> {
    let listener = tokio::net::TcpListener::bind(from).await.during("listening as a broker")?;
    let to = to.to_owned();
    Ok(tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            if let Ok(mut far) = tokio::net::TcpStream::connect(&to).await {
                tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
            }
        }
    }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_registry_bad_schemas_and_bad_records_stop_nothing() -> Outcome {
    let narrator = &mut Brief::new("bad");
    let world = World::from_env()?;
    let registry = FaultyRegistry::open(&http::client()?, &world.registry).await?;
    let project = Generated::draw(90_001, 2)?;
    let mut run = Run::open_with(project, Path::new(PROGRAM), Path::new(FOLDER), Some(&registry.url)).await?;
    let told = told(&mut run, &registry, narrator).await.map_err(|error| {
        let words = run.daemon.as_ref().map_or(String::new(), |daemon| daemon.last_words());
        Failure::new(format!("{error}\n--- the daemon's log ends with\n{words}"))
    });
    let closed = run.close().await;
    told.and(closed)
}

async fn told(run: &mut Run<Generated>, registry: &FaultyRegistry, narrator: &mut Brief) -> Outcome {
    tale::begin(run, narrator).await?;
    tale::deploy(run, narrator).await?;
    for (mood, words) in
        [(Mood::Unauthorized, "401"), (Mood::NotFound, "404"), (Mood::Garbage, "not understood"), (Mood::Broken, "500")]
    {
        narrator.stage(&format!("the registry is {mood:?}"));
        failing(run, registry, mood, words).await?;
    }
    registry.turn(Mood::Well);
    bad_schemas(run, narrator).await?;
    bad_records(run, narrator).await?;

    registry.turn(Mood::Broken);
    narrator.stage("a column comes while the registry is broken, and is not lost");
    let known = ids(run).await?;
    let change = run.case().change.clone();
    run.database
        .run(&format!("ALTER TABLE {} ADD COLUMN {} {}", change.table, change.column, change.definition))
        .await?;
    run.traffic()?.fill(&change).await?;
    let versions = format!("{}/subjects/{}/versions", run.world.registry, change.subject);
    until("the real registry to have the new version", Duration::from_secs(30), async || {
        let now = http::get(&run.http, &versions).await?.as_array().map_or(0, Vec::len);
        Ok(if now > 1 { Look::There(()) } else { Look::NotYet(format!("it has {now} versions")) })
    })
    .await?;
    ensure(ids(run).await? == known, || "a rollout was made from a registry that answers 500".to_owned())?;
    registry.turn(Mood::Well);
    until("a proposal once the registry is well again", Duration::from_secs(10), async || {
        let more = ids(run).await?.len() - known.len();
        Ok(if more == 1 { Look::There(()) } else { Look::NotYet(format!("{more} new rollouts")) })
    })
    .await
}

async fn ids(run: &mut Run<Generated>) -> Outcome<BTreeSet<String>> {
    Ok(run.daemon()?.rollouts().await?.into_iter().map(|rollout| rollout.id).collect())
}

/// The daemon names what the registry does, counts it, and goes on leading.
async fn failing(run: &mut Run<Generated>, registry: &FaultyRegistry, mood: Mood, words: &str) -> Outcome {
    let known = ids(run).await?;
    let daemon = run.daemon()?;
    let read = |daemon: &crate::story::daemon::Daemon| std::fs::read_to_string(&daemon.log).during("the daemon's log");
    let old = read(daemon)?.len();
    let errors =
        metric(daemon.get("/metrics").await?.text.as_str(), "cyanotype_port_errors_total{system=\"registry\"}");
    registry.turn(mood);
    until(&format!("the daemon to name the registry that is {mood:?}"), Duration::from_secs(30), async || {
        if let Err(ended) = daemon.alive() {
            return Ok(Look::There(Err(ended)));
        }
        let counted = metric(&daemon.get("/metrics").await?.text, "cyanotype_port_errors_total{system=\"registry\"}");
        let status = daemon.get("/api/v1/status").await?.text;
        let log = read(daemon)?;
        let new = log.get(old..).unwrap_or_default();
        let says = |text: &str| text.lines().any(|line| line.contains("registry") && line.contains(words));
        Ok(match (counted > errors, says(new) || says(&status)) {
            (true, true) => Look::There(Ok(())),
            (false, _) => Look::NotYet("cyanotype_port_errors_total{system=\"registry\"} does not grow".to_owned()),
            (_, false) => Look::NotYet(format!("no line of log or status names the registry with `{words}`")),
        })
    })
    .await??;
    let ready = daemon.get("/readyz").await?;
    ensure(ready.status.is_success(), || format!("the daemon must go on leading, /readyz says: {}", ready.text))?;
    ensure(ids(run).await? == known, || format!("a rollout was made from a registry that is {mood:?}"))
}

fn metric(text: &str, name: &str) -> f64 {
    text.lines().filter_map(|line| line.strip_prefix(name)).filter_map(|value| value.trim().parse::<f64>().ok()).sum()
}

/// Schemas that are no Avro, or not compatible, are refused with reasons; nothing is deployed for them.
async fn bad_schemas(run: &mut Run<Generated>, narrator: &mut Brief) -> Outcome {
    narrator.stage("a schema that is no Avro, and one that is not compatible");
    let known = ids(run).await?;
    let input = run.case().inputs.get(1).during("a second change topic")?.clone();
    let subject = format!("{input}-value");
    let bad = [
        (
            "incompatible",
            json!({"schema": "{\"type\":\"record\",\"name\":\"Other\",\"fields\":[{\"name\":\"n\",\"type\":\"int\"}]}"}),
        ),
        (
            "JSON",
            json!({"schemaType": "JSON", "schema": "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}"}),
        ),
    ];
    for (what, body) in bad {
        let url = format!("{}/subjects/{subject}/versions", run.world.registry);
        http::call(&run.http, Method::POST, &url, Some(&body)).await?.accept(&[]).during(format!("a {what} schema"))?;
        let wanted = http::get(&run.http, &url).await?.as_array().and_then(|all| all.last()?.as_i64());
        let version = wanted.during("the version that was registered")?;
        let daemon = run.daemon()?;
        let reasons = until(
            &format!("{subject} version {version} ({what}) to be refused"),
            Duration::from_secs(15),
            async || {
                let refused = daemon.refused().await?;
                let ours = refused.into_iter().find(|refused| refused.subject == subject && refused.version == version);
                Ok(ours.map_or_else(
                    || Look::NotYet("it is not in the list".to_owned()),
                    |refused| Look::There(refused.reasons),
                ))
            },
        )
        .await?;
        ensure(!reasons.is_empty(), || format!("{subject} version {version} was refused without a reason"))?;
        narrator.say(&format!("{what}: {}", reasons.join("; ")));
    }
    ensure(ids(run).await? == known, || "a refused schema led to a rollout".to_owned())
}

/// Records that cannot be read are counted; the daemon goes on.
async fn bad_records(run: &mut Run<Generated>, narrator: &mut Brief) -> Outcome {
    narrator.stage("a truncated record, and one with an id that the registry does not know");
    let input = run.case().inputs.get(1).during("a second change topic")?.clone();
    let producer: FutureProducer =
        ClientConfig::new().set("bootstrap.servers", &run.world.kafka).create().during("a Kafka producer")?;
    let unknown = 2_000_000_001_u32;
    let mut foreign = vec![0];
    foreign.extend(unknown.to_be_bytes());
    foreign.extend([2, 4, 6]);
    for value in [&[0_u8, 0, 0][..], &[7, 7, 7, 7, 7, 7, 7][..], &foreign] {
        let sent = producer.send(FutureRecord::to(&input).key("bad").payload(value), Duration::from_secs(10)).await;
        sent.map(drop).map_err(|(error, _)| error).during("writing a bad record")?;
    }
    let daemon = run.daemon()?;
    until("the bad records to be counted", Duration::from_secs(15), async || {
        if let Err(ended) = daemon.alive() {
            return Ok(Look::There(Err(ended)));
        }
        let metrics = daemon.get("/metrics").await?.text;
        let of_topic: Vec<&str> = metrics
            .lines()
            .filter(|line| line.starts_with("cyanotype_cdc_records_total") && line.contains(&format!("\"{input}\"")))
            .collect();
        let foreign = of_topic.iter().any(|line| line.contains(&format!("\"{unknown}\"")));
        // What carries no id at all is counted under a word in place of the number.
        let without = of_topic.iter().any(|line| {
            let id = line.split("schema_id=\"").nth(1).and_then(|rest| rest.split('"').next());
            id.is_some_and(|id| id.parse::<u32>().is_err())
        });
        Ok(if foreign && without { Look::There(Ok(())) } else { Look::NotYet(of_topic.join("; ")) })
    })
    .await??;
    let ready = daemon.get("/readyz").await?;
    ensure(ready.status.is_success(), || format!("the daemon must go on leading, /readyz says: {}", ready.text))
}
