//! What a real change stream holds for NULL in a nullable column with a default, and that the audit counts it so.
//!
//! The converter of the local stack writes the default in place of the NULL. A NULL of a writer that does write it is put
//! into the topic by hand, in the bytes of a real record. `cyanotype audit` then tells all of it.

use std::collections::BTreeMap;
use std::time::Duration;

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use cyanotype::adapter::kafka::{KafkaSettings, KafkaTopics};
use cyanotype::adapter::registry::RegistryClient;
use cyanotype::adapter::rest::Endpoint;
use cyanotype::daemon::watch;
use cyanotype::plan::input::NullCount;
use cyanotype::port::Topics as _;
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use reqwest::Method;

use crate::story::connect::{Connect, Connector};
use crate::story::database::Database;
use crate::story::failure::{During as _, Failure, Look, Outcome, ensure, until};
use crate::story::generated_connect::source;
use crate::story::generated_sql::Source;
use crate::story::http;
use crate::story::kafka::{Kafka, Record};
use crate::story::world::{World, fill};

const NAME: &str = "nulls";
const TOPIC: &str = "nulls.nulls.notes";
/// How long a change may need from the table to the topic.
const ARRIVE: Duration = Duration::from_secs(60);

struct Scene {
    world: World,
    http: reqwest::Client,
    database: Database,
    connect: Connect,
    kafka: Kafka,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_null_where_there_is_a_default_reaches_the_topic_as_the_default() -> Outcome {
    let (world, http) = (World::from_env()?, http::client()?);
    let scene = Scene {
        database: Database::open(&world.postgres()).await.during("is the stack up? `./x stack status` tells")?,
        connect: Connect::new(&http, &world.connect),
        kafka: Kafka::new(&world.kafka),
        http,
        world,
    };
    scene.clean().await?;
    let told = scene.tell().await;
    let cleaned = scene.clean().await;
    told.and(cleaned)
}

impl Scene {
    async fn tell(&self) -> Outcome {
        let table = Source {
            name: "notes".to_owned(),
            columns: vec![("id".to_owned(), "bigint", "BIGINT"), ("x".to_owned(), "text", "STRING")],
        };
        let (connector, publication) = source(NAME, std::slice::from_ref(&table));
        let made = format!("CREATE SCHEMA {NAME}; {} {publication}", table.table_sql(NAME));
        self.database.run(&made).await?;
        self.connect.create(&Connector::read(&fill(&connector, &self.world.variables())?)?).await?;
        self.database.run("INSERT INTO nulls.notes SELECT n, 'old' FROM generate_series(1, 40) AS n").await?;

        // Rows change before, while and after the column comes, in many transactions.
        let other = Database::open(&self.world.postgres()).await?;
        let changing = tokio::spawn(async move {
            for n in 0..120 {
                other.run(&format!("UPDATE nulls.notes SET x = 'at {n}' WHERE id = {}", n % 40 + 1)).await?;
            }
            Outcome::Ok(())
        });
        self.database.run("ALTER TABLE nulls.notes ADD COLUMN note text DEFAULT 'none'").await?;
        let mine = [
            "INSERT INTO nulls.notes VALUES (101, 'new', 'real')",
            "INSERT INTO nulls.notes VALUES (102, 'new', NULL)",
            "INSERT INTO nulls.notes VALUES (103, 'new')",
            "UPDATE nulls.notes SET note = NULL WHERE id = 1",
            "UPDATE nulls.notes SET x = 'last' WHERE id = 2",
            "DELETE FROM nulls.notes WHERE id = 3",
        ];
        for statement in mine {
            self.database.run(statement).await?;
        }
        changing.await.during("the changes")??;

        let mut last = BTreeMap::new();
        let (mut records, mut nulls) = (0, 0);
        until("the last change of every row to be in the topic", ARRIVE, async || {
            (last, records, nulls) = self.held().await?;
            let rows = self.database.rows("SELECT id, x FROM nulls.notes").await?;
            let arrived = rows.iter().all(|row| {
                let id = row.get("id").cloned().flatten().and_then(|id| id.parse::<i64>().ok());
                let held = id.and_then(|id| last.get(&id)).and_then(Option::as_ref);
                held.is_some_and(|(x, _)| Some(x) == row.get("x").cloned().flatten().as_ref())
            });
            let gone = last.get(&3).is_some_and(Option::is_none);
            Ok(if arrived && gone { Look::There(()) } else { Look::NotYet(format!("it holds {} rows", last.len())) })
        })
        .await?;
        let note = |id: i64| last.get(&id).cloned().flatten().and_then(|(_, note)| note);
        let null = self.database.rows("SELECT id FROM nulls.notes WHERE note IS NULL ORDER BY id").await?;
        ensure(null.len() == 2, || format!("the table must hold two NULLs, it holds {null:?}"))?;
        for (id, wanted) in [(1, "none"), (2, "none"), (101, "real"), (102, "none"), (103, "none")] {
            ensure(note(id).as_deref() == Some(wanted), || format!("row {id} must read {wanted:?}: {:?}", note(id)))?;
        }
        ensure(nulls == 0 && records >= 5, || {
            format!("{nulls} NULLs in {records} records: the converter keeps NULL now")
        })?;
        self.is_counted(NullCount { records, nulls: 0 }).await?;

        self.put_a_null().await?;
        self.is_counted(NullCount { records: records + 1, nulls: 1 }).await?;
        self.the_program_says_so().await
    }

    /// `cyanotype audit` counts what another reader counts, and says no once a record cannot be read.
    async fn the_program_says_so(&self) -> Outcome {
        let (code, said) = self.audited().await?;
        let held = self.kafka.read(TOPIC).await?;
        let mut schemas: BTreeMap<String, u64> = BTreeMap::new();
        for bytes in held.iter().filter_map(|record| record.value.as_deref()) {
            let id = bytes.get(1..5).and_then(|id| id.try_into().ok()).map(u32::from_be_bytes).during("an id")?;
            *schemas.entry(id.to_string()).or_default() += 1;
        }
        let mut counted: BTreeMap<String, u64> = BTreeMap::new();
        let mut tombstones = 0;
        for partition in said["partitions"].as_array().during("the partitions")? {
            tombstones += partition["tombstones"].as_u64().unwrap_or_default();
            for schema in partition["value"]["schemas"].as_array().during("the schemas")? {
                let id = schema["schema"].to_string();
                *counted.entry(id.trim_matches('"').to_owned()).or_default() += schema["records"].as_u64().unwrap_or(0);
            }
        }
        let all = u64::try_from(held.len()).during("a count")?;
        ensure(code == 0 && said["records"] == all && said["unreadable"] == 0 && counted == schemas, || {
            format!("of {all} records of {schemas:?} the program says ({code}) {said:#}")
        })?;
        let without = u64::try_from(held.iter().filter(|record| record.value.is_none()).count()).during("a count")?;
        ensure(counted.len() == 2 && tombstones == without && without > 0, || format!("two schemas: {said:#}"))?;
        for id in counted.keys() {
            let subject = format!("{TOPIC}-value");
            ensure(said["subjects"][id][0]["subject"] == subject.as_str(), || {
                format!("{id} is of {subject}: {said:#}")
            })?;
        }
        ensure(said["nulls"][0]["column"] == "note" && said["nulls"][0]["nulls"] == 1, || format!("{said:#}"))?;

        let producer: FutureProducer =
            ClientConfig::new().set("bootstrap.servers", &self.world.kafka).create().during("a producer")?;
        let foreign = FutureRecord::to(TOPIC).key("odd").payload("no schema and no JSON");
        let sent = producer.send(foreign, Duration::from_secs(10)).await.map_err(|(error, _)| error);
        let sent = sent.during("writing a record")?;
        let (code, said) = self.audited().await?;
        let partitions = said["partitions"].as_array().during("the partitions")?;
        let place = partitions.iter().find(|p| p["partition"] == sent.partition).during("its partition")?;
        ensure(code == 1 && said["unreadable"] == 1 && place["first_unreadable"][0]["offset"] == sent.offset, || {
            format!("the record at offset {} cannot be read; the program says ({code}) {said:#}", sent.offset)
        })
    }

    /// The exit code and the answer of `cyanotype audit`.
    async fn audited(&self) -> Outcome<(i32, serde_json::Value)> {
        let World { kafka, registry, gateway, flink, .. } = &self.world;
        let folder = tempfile::tempdir().during("a folder")?;
        let config = format!(
            "[env.dev]\nkafka.brokers = \"{kafka}\"\nregistry.url = \"{registry}\"\n\
             flink = {{ gateway = \"{gateway}\", rest = \"{flink}\" }}\n\
             api.tokens = [{{ name = \"me\", secret = {{ env = \"CYANOTYPE_DEV_TOKEN\", \
             default = \"not-secret-local-stack-only\" }}, scopes = [\"read\"] }}]\n"
        );
        std::fs::write(folder.path().join("cyanotype.toml"), config).during("the configuration")?;
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_cyanotype"));
        program.args(["audit", TOPIC, "--output", "json"]).current_dir(folder.path());
        program.env_remove("CYANOTYPE_CONFIG").env_remove("CYANOTYPE_ENV");
        let done = tokio::task::spawn_blocking(move || program.output()).await.during("the program")?;
        let done = done.during("the program")?;
        let said = serde_json::from_slice(&done.stdout)
            .during(format!("its answer: {}", String::from_utf8_lossy(&done.stderr)))?;
        Ok((done.status.code().unwrap_or(-1), said))
    }

    /// What the audit counts.
    async fn is_counted(&self, wanted: NullCount) -> Outcome {
        let kafka = KafkaSettings { brokers: self.world.kafka.clone(), properties: BTreeMap::new() };
        let topics = KafkaTopics::new(kafka).during("Kafka")?;
        let registry = RegistryClient::new(&Endpoint::new(&self.world.registry)).during("the registry")?;
        let ends = topics.visible_ends(TOPIC).await.during("the ends")?;
        let audit = watch::read_once((&registry, &topics), TOPIC, &ends, |_| {}).await.during("the audit")?;
        let facts = audit.nulls(TOPIC, &ends).during("the counts")?;
        ensure(facts.to_the_end && facts.unread == 0 && facts.columns.get("note") == Some(&wanted), || {
            format!("the audit must count {wanted:?}: {facts:?}")
        })
    }

    /// Each row's last `x` and `note` (`None` for a row that is gone), and by another decoder than the product's: records whose
    /// row has `note`, and NULLs there.
    async fn held(&self) -> Outcome<(BTreeMap<i64, Option<(String, Option<String>)>>, u64, u64)> {
        let (mut last, mut records, mut nulls) = (BTreeMap::new(), 0, 0);
        for Record { value, .. } in self.kafka.read(TOPIC).await? {
            let Some(bytes) = value else { continue };
            let (_, envelope) = self.decoded(&bytes).await?;
            let row = |name: &str| field(&envelope, name).filter(|row| matches!(row, Value::Record(_)));
            let Some(after) = row("after") else {
                last.insert(number(row("before").and_then(|row| field(row, "id")))?, None);
                continue;
            };
            let note = field(after, "note");
            records += u64::from(note.is_some());
            nulls += u64::from(matches!(note, Some(Value::Null)));
            let text =
                |value: Option<&Value>| if let Some(Value::String(text)) = value { Some(text.clone()) } else { None };
            let x = text(field(after, "x")).during("x")?;
            last.insert(number(field(after, "id"))?, Some((x, text(note))));
        }
        Ok((last, records, nulls))
    }

    async fn decoded(&self, bytes: &[u8]) -> Outcome<(Schema, Value)> {
        let [0, a, b, c, d, datum @ ..] = bytes else { return Err(Failure::new("not in the registry's wire format")) };
        let id = u32::from_be_bytes([*a, *b, *c, *d]);
        let answer = http::get(&self.http, &format!("{}/schemas/ids/{id}", self.world.registry)).await?;
        let schema = Schema::parse_str(answer["schema"].as_str().unwrap_or_default()).during("a schema")?;
        let reader = GenericDatumReader::builder(&schema).build().during("a reader")?;
        let value = reader.read_value(&mut { datum }).during("a record")?;
        Ok((schema, value))
    }

    /// The last record with `note` once more, with NULL there.
    async fn put_a_null(&self) -> Outcome {
        for Record { key, value } in self.kafka.read(TOPIC).await?.into_iter().rev() {
            let Some(bytes) = value else { continue };
            let (schema, mut envelope) = self.decoded(&bytes).await?;
            let Some(note) = inside(&mut envelope, "after").and_then(|row| inside(row, "note")) else { continue };
            let Value::Union(branch, held) = note else { return Err(Failure::new(format!("{note:?} is no union"))) };
            // Debezium puts the default's type first and NULL second.
            (*branch, **held) = (1, Value::Null);
            let writer = GenericDatumWriter::builder(&schema).build().during("a writer")?;
            let datum = writer.write_value_to_vec(envelope).during("a record")?;
            let message = [bytes.get(..5).during("the schema id")?, &datum].concat();
            let producer: FutureProducer =
                ClientConfig::new().set("bootstrap.servers", &self.world.kafka).create().during("a producer")?;
            let key = key.during("the key")?;
            let sent =
                producer.send(FutureRecord::to(TOPIC).key(&key).payload(&message), Duration::from_secs(10)).await;
            return sent.map(drop).map_err(|(error, _)| error).during("writing a record");
        }
        Err(Failure::new("no record has `note`"))
    }

    async fn clean(&self) -> Outcome {
        self.connect.remove("nulls-source").await?;
        let names = [NAME.to_owned()];
        until("the slot to be free", Duration::from_secs(30), async || {
            self.database.forget(&names, &names, &names).await?;
            Ok(Look::There(()))
        })
        .await?;
        self.kafka.delete_topics(&[TOPIC.to_owned()]).await?;
        for part in ["key", "value"] {
            for query in ["", "?permanent=true"] {
                let url = format!("{}/subjects/{TOPIC}-{part}{query}", self.world.registry);
                http::call(&self.http, Method::DELETE, &url, None).await?.accept(&[404])?;
            }
        }
        Ok(())
    }
}

/// A field of a record, unions opened.
fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let Value::Record(fields) = opened(value) else { return None };
    fields.iter().find(|(n, _)| n == name).map(|(_, value)| opened(value))
}

fn opened(value: &Value) -> &Value {
    if let Value::Union(_, inner) = value { opened(inner) } else { value }
}

/// A field of a record, to be changed; the record's own union is opened.
fn inside<'v>(value: &'v mut Value, name: &str) -> Option<&'v mut Value> {
    match value {
        Value::Union(_, inner) => inside(inner, name),
        Value::Record(fields) => fields.iter_mut().find(|(n, _)| n == name).map(|(_, value)| value),
        _ => None,
    }
}

fn number(value: Option<&Value>) -> Outcome<i64> {
    if let Some(Value::Long(n)) = value { Ok(*n) } else { Err(Failure::new(format!("{value:?} is no number"))) }
}
