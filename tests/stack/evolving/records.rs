//! Records that no job expects, and what the audit of a topic says of them.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::changes::Change;
use super::scene::Scene;
use crate::brief::Brief;
use crate::story::database::Database;
use crate::story::failure::{During as _, Look, Outcome, ensure, until};
use crate::story::narrator::Narrator as _;

/// What Debezium writes in place of a long value that an update left as it was.
const PLACEHOLDER: &str = "__debezium_unavailable_value";
/// Rows of the table that is read again.
const ROWS: i64 = 300;
/// How long reading it again may take.
const LONG: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_sees_truncations_updates_without_before_and_snapshots_for_what_they_are() -> Outcome {
    Scene::play("evolved", told).await
}

async fn told(scene: &Scene) -> Outcome {
    let narrator = &mut Brief::new("evolved");
    let made = format!(
        "CREATE SCHEMA evolved;
         CREATE TABLE evolved.signals (id text PRIMARY KEY, type text NOT NULL, data text);
         CREATE TABLE evolved.emptied (id int PRIMARY KEY, x text);
         ALTER TABLE evolved.emptied REPLICA IDENTITY FULL;
         CREATE TABLE evolved.unidentified (id int PRIMARY KEY, x text, long text);
         ALTER TABLE evolved.unidentified ALTER long SET STORAGE EXTERNAL;
         CREATE TABLE evolved.filled (id int PRIMARY KEY, x text);
         ALTER TABLE evolved.filled REPLICA IDENTITY FULL;
         INSERT INTO evolved.emptied VALUES (1, 'a'), (2, 'b');
         INSERT INTO evolved.unidentified VALUES (1, 'a', repeat('long ', 2000));
         INSERT INTO evolved.filled SELECT n, 'old' FROM generate_series(1, {ROWS}) AS n"
    );
    scene.database.run(&made).await?;
    let settings = [
        ("skipped.operations", "none"),
        ("signal.data.collection", "evolved.signals"),
        ("incremental.snapshot.chunk.size", "10"),
    ];
    scene.stream(["signals", "emptied", "unidentified", "filled"], &settings).await?;
    scene.arrive("filled", ROWS).await?;

    narrator.stage("a table is emptied by TRUNCATE");
    scene.database.run("TRUNCATE evolved.emptied").await?;
    scene.database.run("INSERT INTO evolved.emptied VALUES (3, 'c')").await?;
    truncated(scene).await?;
    narrator.stage("an update under the default replica identity, then one under FULL");
    unidentified(scene).await?;
    narrator.stage("a column comes, and the table is read again while it changes");
    read_again(scene).await
}

/// The record of a truncation has no row. A job of Flink's fails at it (`Unknown "op" value "t"`).
async fn truncated(scene: &Scene) -> Outcome {
    scene.arrive("emptied", 4).await?;
    let ops: Vec<String> = scene.changes("emptied").await?.into_iter().map(|change| change.op).collect();
    ensure(ops == ["r", "r", "t", "c"], || format!("the topic must tell of the truncation: {ops:?}"))?;
    says(scene, "emptied", &[4..=4], None).await?;
    let (audit, _) = scene.audit(&scene.topic("emptied")).await?;
    let found = audit.seen(&scene.topic("emptied"));
    ensure(found.truncation == Some((0, 2)), || format!("the truncation that plans are blocked by: {found:?}"))?;
    ensure(found.without_key.is_none(), || format!("a truncation has no key, and no table lost one: {found:?}"))?;
    let report = scene.report("emptied").await?;
    let counted: Vec<(String, u64)> =
        report.partitions.iter().flat_map(|p| &p.ops).map(|(op, n)| (op.to_string(), *n)).collect();
    let wanted = [("create", 1), ("snapshot", 2), ("truncate", 1)].map(|(op, n)| (op.to_owned(), n));
    ensure(counted.iter().all(|one| wanted.contains(one)) && counted.len() == wanted.len(), || {
        format!("the audit must count the truncation: {counted:?}")
    })
}

async fn unidentified(scene: &Scene) -> Outcome {
    scene.database.run("UPDATE evolved.unidentified SET x = 'b'").await?;
    scene.arrive("unidentified", 2).await?;
    scene.database.run("ALTER TABLE evolved.unidentified REPLICA IDENTITY FULL").await?;
    scene.database.run("UPDATE evolved.unidentified SET x = 'c'").await?;
    scene.arrive("unidentified", 3).await?;
    let changes = scene.changes("unidentified").await?;
    let told =
        |change: &Change| (change.op.clone(), change.before.is_some(), change.after("long") == Some(PLACEHOLDER));
    let told: Vec<(String, bool, bool)> = changes.iter().map(told).collect();
    let wanted = [("r", false, false), ("u", false, true), ("u", true, false)];
    ensure(told.iter().map(|(op, before, long)| (op.as_str(), *before, *long)).eq(wanted), || {
        format!("(operation, with the row before, with the placeholder): {told:?}")
    })?;
    // The record stays in the topic whatever the identity is now, and so does what is said of it.
    says(scene, "unidentified", &[3..=3], Some((0, 1))).await?;
    let report = scene.report("unidentified").await?;
    let placeholders = &report.placeholders;
    ensure(placeholders.get("long") == Some(&1), || format!("placeholders by column: {placeholders:?}"))
}

/// An incremental snapshot brings every row in the new schema, between the changes that go on in half of them.
async fn read_again(scene: &Scene) -> Outcome {
    scene.database.run("ALTER TABLE evolved.filled ADD y text NOT NULL DEFAULT 'd'").await?;
    let signal = r#"{"data-collections": ["evolved.filled"], "type": "incremental"}"#;
    let signal = format!("INSERT INTO evolved.signals VALUES ('again', 'execute-snapshot', '{signal}')");
    scene.database.run(&signal).await?;
    let other = Database::open(&scene.world.postgres()).await?;
    let changing = async {
        for n in 0_i64.. {
            other.run(&format!("UPDATE evolved.filled SET x = 'at {n}' WHERE id = {}", n % (ROWS / 2) + 1)).await?;
        }
        Outcome::Ok(())
    };
    let found = tokio::select! {
        found = every_row_again(scene) => found?,
        ended = changing => return ended,
    };
    let new: Vec<&Change> = found.iter().skip_while(|change| change.after("y").is_none()).collect();
    ensure(new.iter().all(|change| change.after("y") == Some("d")), || "a row is without its new column".to_owned())?;
    let again: Vec<usize> = new.iter().enumerate().filter(|(_, c)| c.op == "r").map(|(at, _)| at).collect();
    let (first, last) = (again.first().during("a row read again")?, again.last().during("a row read again")?);
    ensure(last - first >= again.len(), || "no change came between the rows that were read again".to_owned())?;
    let rows = ROWS.unsigned_abs();
    says(scene, "filled", &[rows..=rows, rows..=u64::MAX], None).await
}

/// The topic, as soon as each row is in it with its new column.
async fn every_row_again(scene: &Scene) -> Outcome<Vec<Change>> {
    until("every row to be read again", LONG, async || {
        let changes = scene.changes("filled").await?;
        let there: BTreeSet<i64> = changes.iter().filter(|c| c.after("y").is_some()).filter_map(Change::id).collect();
        let missing = (1..=ROWS).filter(|id| !there.contains(id)).count();
        Ok(if missing == 0 { Look::There(changes) } else { Look::NotYet(format!("{missing} are missing")) })
    })
    .await
}

/// The audit counts so many records for each schema, oldest first, and has this update without its row before.
async fn says(
    scene: &Scene,
    table: &str,
    records: &[RangeInclusive<u64>],
    update_without_before: Option<(i32, i64)>,
) -> Outcome {
    let topic = scene.topic(table);
    let (audit, ends) = scene.audit(&topic).await?;
    let mut used: Vec<(i64, u64)> =
        audit.schema_ids().remove(&topic).unwrap_or_default().into_values().map(|u| (u.first[&0], u.records)).collect();
    used.sort_unstable();
    ensure(used.len() == records.len() && used.iter().zip(records).all(|((_, n), wanted)| wanted.contains(n)), || {
        format!("{topic} must hold {records:?} records of its schemas, the audit counts {used:?}")
    })?;
    let unread = audit.nulls(&topic, &ends).during("the counts")?.unread;
    ensure(unread == 0, || format!("the audit cannot read {unread} records of {topic}"))?;
    let found = audit.seen(&topic).update_without_before;
    ensure(found == update_without_before, || format!("update without its row before in {topic}: {found:?}"))
}
