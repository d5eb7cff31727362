//! What Flink says of a job that somebody else started: what it does, and how far its sources have read.

use std::collections::BTreeMap;

use cyanotype::model::job::JobText;
use cyanotype::model::record::{self, Offsets};
use cyanotype::port::Engine;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::{Made, PATIENCE, flink, name, port, tidy, topics, until};

fn text(name: &str, topic: &str) -> JobText {
    let broker = format!("127.0.0.1:{}", port("KAFKA", 19092));
    let ddl = [
        format!(
            "CREATE TABLE t (id BIGINT, n BIGINT) WITH ('connector' = 'kafka', 'topic' = '{topic}', 'format' = 'json', \
             'scan.startup.mode' = 'earliest-offset', 'properties.bootstrap.servers' = '{broker}')"
        ),
        "CREATE TABLE b (id BIGINT, n BIGINT) WITH ('connector' = 'blackhole')".to_owned(),
    ];
    // The hint keeps Flink from reading the table once for both.
    let other = "t /*+ OPTIONS('properties.fetch.min.bytes' = '2') */";
    let insert = format!("INSERT INTO b SELECT x.id, y.n FROM t AS x JOIN {other} AS y ON x.id = y.n WHERE y.id > 0");
    let settings = BTreeMap::from([("execution.checkpointing.interval".to_owned(), "1s".to_owned())]);
    JobText { name: name.to_owned(), settings, ddl: ddl.into(), insert }
}

async fn write(topic: &str, records: i64) {
    let broker = format!("127.0.0.1:{}", port("KAFKA", 19092));
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", broker).create().unwrap();
    for id in 0..records {
        let (key, value) = (id.to_string(), format!("{{\"id\": {id}, \"n\": {}}}", id / 2));
        producer.send(BaseRecord::to(topic).key(&key).payload(&value).partition(0)).unwrap();
    }
    tokio::task::spawn_blocking(move || producer.flush(PATIENCE).unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_table_that_is_read_twice_without_a_group_is_read_as_far_as_both_scans_are() {
    let (job, topic) = (name("twice"), name("twice.t"));
    tidy(Made { jobs: &[&job], topics: &[&topic], ..Made::default() }, async {
        topics(&[&topic], 2).await;
        write(&topic, 40).await;
        let flink = flink();
        let text = text(&job, &topic);
        let expected = flink.shape(&text).await.unwrap();
        assert_eq!(expected.reads, ["t", "t"], "two scans");
        let started = flink.start(&text).await.unwrap();
        let running = flink.running(&started.id).await.unwrap();
        assert_eq!(running.operators, expected.operators);
        assert_eq!((running.reads, running.writes), (expected.reads, expected.writes));

        let all = Offsets::from([(0, 40)]);
        let read = until("both scans at the end", async || {
            let read = flink.positions(&started.id, "t", &topic).await.unwrap()?;
            record::reached(&read, &all).then_some(read)
        })
        .await;
        assert_eq!(
            read,
            Offsets::from([(0, 40), (1, 0)]),
            "never ahead, and a partition without records is at its beginning"
        );
        assert_eq!(flink.positions(&started.id, "t", "another").await.unwrap(), None);
        assert_eq!(flink.positions(&started.id, "b", &topic).await.unwrap(), None);
    })
    .await;
}
