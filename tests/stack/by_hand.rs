//! A project that somebody brings up without Cyanotype: topics, statements through the SQL Gateway, a sink connector.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};
use reqwest::Method;
use serde_json::{Value, json};

use crate::story::case::Project;
use crate::story::connect::Connector;
use crate::story::failure::{During as _, Failure, Look, Outcome, ensure, until};
use crate::story::http;
use crate::story::run::Run;
use crate::story::world::fill;

/// How long a statement may take.
const STATEMENT: Duration = Duration::from_secs(60);

/// Brings the whole project up; after `Ok` every job runs.
pub async fn bring_up<P: Project>(run: &Run<P>) -> Outcome {
    let case = run.case();
    let mut client = ClientConfig::new();
    let admin: AdminClient<DefaultClientContext> =
        client.set("bootstrap.servers", &run.world.kafka).create().during("a Kafka admin client")?;
    let tables: Vec<String> = case.outside.iter().chain(&case.cascade).map(|table| table.blue.clone()).collect();
    for topic in tables.iter().map(|table| case.topic(table)) {
        let new = NewTopic::new(&topic, 2, TopicReplication::Fixed(1)).set("cleanup.policy", "compact");
        let told = admin.create_topics([&new], &AdminOptions::new()).await.during("making a topic")?;
        told.into_iter().try_for_each(|one| one.map(drop).map_err(|(t, code)| Failure::new(format!("{t}: {code}"))))?;
    }
    for table in &tables {
        start(run, table, "by-hand").await?;
    }
    for file in files(&run.place.project(), ".json")? {
        run.connect.create(&Connector::read(&fill(&file, &variables(run))?)?).await?;
    }
    until("every job to run", STATEMENT, async || {
        let live = run.flink.live(&case.job_prefix).await?;
        let waits: Vec<&str> = live.iter().filter(|job| job.state != "RUNNING").map(|job| job.name.as_str()).collect();
        Ok(if waits.is_empty() { Look::There(()) } else { Look::NotYet(waits.join(", ")) })
    })
    .await
}

/// Starts the statement that writes `table` as the files have it; the job's id.
pub async fn start<P: Project>(run: &Run<P>, table: &str, by: &str) -> Outcome<String> {
    let prefix = &run.case().job_prefix;
    let settings = json!({ "properties": {
        "pipeline.name": format!("{prefix}{by}.{table}"),
        "execution.checkpointing.interval": "2s",
        "table.local-time-zone": "UTC",
        "parallelism.default": "1",
    }});
    let gateway = &run.world.gateway;
    let opened = post(run, &format!("{gateway}/v1/sessions"), &settings).await?;
    let session = format!("{gateway}/v1/sessions/{}", opened["sessionHandle"].as_str().during("a session")?);
    let variables = variables(run);
    let sql = files(&run.place.project(), ".sql")?;
    let (inserts, ddl): (Vec<&String>, Vec<&String>) = sql.iter().partition(|text| text.contains("INSERT INTO"));
    let own = inserts.into_iter().find(|text| text.split_whitespace().any(|word| word == table));
    for statement in ddl {
        execute(run, &session, &fill(statement, &variables)?).await?;
    }
    let job =
        execute(run, &session, &fill(own.during(format!("the statement that writes {table}"))?, &variables)?).await?;
    http::call(&run.http, Method::DELETE, &session, None).await?.accept(&[])?;
    job.during(format!("the id of the job of {table}"))
}

/// A job of somebody else, without a consumer group, that reads `topic` under a name of its own; its id.
pub async fn read_by_a_job<P: Project>(run: &Run<P>, topic: &str) -> Outcome<String> {
    let gateway = &run.world.gateway;
    let name = format!("{}theirs", run.case().job_prefix);
    let opened =
        post(run, &format!("{gateway}/v1/sessions"), &json!({ "properties": { "pipeline.name": name } })).await?;
    let session = format!("{gateway}/v1/sessions/{}", opened["sessionHandle"].as_str().during("a session")?);
    let broker = &run.world.kafka;
    let reader = format!(
        "CREATE TABLE whatever (v BYTES) WITH ('connector' = 'kafka', 'topic' = '{topic}', 'format' = 'raw', \
         'scan.startup.mode' = 'earliest-offset', 'properties.bootstrap.servers' = '{broker}')"
    );
    execute(run, &session, &reader).await?;
    execute(run, &session, "CREATE TABLE hole (v BYTES) WITH ('connector' = 'blackhole')").await?;
    let job = execute(run, &session, "INSERT INTO hole SELECT v FROM whatever").await?;
    http::call(&run.http, Method::DELETE, &session, None).await?.accept(&[])?;
    job.during("the id of a job that reads")
}

/// A consumer of somebody else has read `topic` and committed that.
pub async fn read_as(brokers: &str, group: &str, topic: &str) -> Outcome {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", group)
        .create()
        .during("a Kafka consumer")?;
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(topic, 0, Offset::Offset(0)).during("an offset")?;
    consumer.commit(&offsets, CommitMode::Sync).during("committing an offset")
}

fn variables<P: Project>(run: &Run<P>) -> BTreeMap<String, String> {
    let mut variables = run.world.variables();
    variables.insert("TOPIC_PREFIX".to_owned(), run.case().topic_prefix.clone());
    variables
}

/// The texts of every file of the project whose name ends so.
fn files(folder: &Path, end: &str) -> Outcome<Vec<String>> {
    let mut texts = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).during("the project's folder")? {
            let path = entry.during("the project's folder")?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(end) {
                texts.push(std::fs::read_to_string(&path).during("a file of the project")?);
            }
        }
    }
    Ok(texts)
}

async fn post<P: Project>(run: &Run<P>, url: &str, body: &Value) -> Outcome<Value> {
    let reply = http::call(&run.http, Method::POST, url, Some(body)).await?;
    reply.accept(&[]).during(url)?;
    reply.json()
}

/// Runs one statement to its result; the id of the job that it started.
async fn execute<P: Project>(run: &Run<P>, session: &str, statement: &str) -> Outcome<Option<String>> {
    let sent = post(run, &format!("{session}/statements"), &json!({ "statement": statement })).await?;
    let operation = sent["operationHandle"].as_str().during("an operation")?.to_owned();
    let page = format!("{session}/operations/{operation}/result/0?rowFormat=JSON");
    until(&format!("a result of {}", http::first_line(statement)), STATEMENT, async || {
        let reply = http::call(&run.http, Method::GET, &page, None).await?;
        ensure(reply.status.is_success(), || format!("{statement}\n{}", reply.text))?;
        let result = reply.json()?;
        Ok(match result["resultType"].as_str() {
            Some("NOT_READY") => Look::NotYet("it is not ready".to_owned()),
            _ => Look::There(result["jobID"].as_str().map(str::to_owned)),
        })
    })
    .await
}
