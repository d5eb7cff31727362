//! Schema evolution as it comes out of a real database: ALTER TABLE in PostgreSQL, through Debezium into Kafka and the
//! registry, and what Cyanotype says of it.
//!
//! The cases are `evolving/alters.txt` and `evolving/keys.txt`, a line each. All tables are altered at once, under one
//! connector, with the registry checking BACKWARD; where it refuses a schema the connector stops, as it does for people. Then
//! our answer about the two versions is held against the registry's, at BACKWARD and at FORWARD, and against the line.
//! `evolving/records.rs` is about records instead: those that no ALTER brings. NULL beside a default is in `nulls.rs`.

mod changes;
mod connect;
mod judged;
mod records;
mod scene;

use std::collections::BTreeMap;

use cyanotype::port::Registry as _;
use judged::Case;
use scene::Scene;

use crate::brief::Brief;
use crate::story::failure::{During as _, Outcome, ensure};
use crate::story::narrator::Narrator as _;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_alter_is_judged_as_registry_and_data_have_it() -> Outcome {
    let mut cases = Case::read(include_str!("evolving/alters.txt"), "alter", "id int PRIMARY KEY, ")?;
    cases.extend(Case::read(include_str!("evolving/keys.txt"), "key", "")?);
    Scene::play("evolving", async |scene| told(scene, &cases).await).await
}

async fn told(scene: &Scene, cases: &[Case]) -> Outcome {
    let narrator = &mut Brief::new("evolving");
    narrator.stage(&format!("{} tables, one connector", cases.len()));
    scene.database.run(&format!("CREATE SCHEMA {}", scene.name)).await?;
    for case in cases {
        case.begin(scene).await?;
    }
    scene.stream(cases.iter().map(|case| case.table.as_str()), &[]).await?;
    let records = |n: i64| cases.iter().map(|case| (scene.topic(&case.table), n)).collect::<BTreeMap<String, i64>>();
    scene.arrived(&records(1)).await?;

    narrator.stage("the registry checks BACKWARD, and every table is altered");
    let subjects = scene.subjects().await?;
    for subject in &subjects {
        scene.registry.set_level(subject, "BACKWARD").await.during("the level")?;
    }
    for case in cases {
        case.go_on(scene).await?;
    }
    let refused = scene.arrived(&records(2)).await?;
    narrator.say(&format!("the connector was stopped {} times", refused.len()));

    narrator.stage("what was said of each");
    let mut problems = Vec::new();
    for case in cases {
        problems.extend(case.differs(scene, &refused).await?);
    }
    ensure(problems.is_empty(), || format!("answers differ:\n{}", problems.join("\n")))?;

    narrator.stage("the connector is restarted, and every row deleted: no new version, nothing is refused");
    let versions = scene.versions().await?;
    scene.restart().await?;
    let mut more = BTreeMap::new();
    for case in cases {
        let topic = scene.topic(&case.table);
        more.insert(topic.clone(), scene.records(&topic).await? + 2);
        scene.database.run(&format!("DELETE FROM {}.{}", scene.name, case.table)).await?;
    }
    let refused = scene.arrived(&more).await?;
    ensure(refused.is_empty(), || format!("the connector was stopped at {refused:?} after a restart"))?;
    let now = scene.versions().await?;
    ensure(now == versions, || format!("a restart brought other versions: {now:?} after {versions:?}"))
}
