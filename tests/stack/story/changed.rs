//! A changed statement, from a branch of the project's repository to the warehouse.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use cyanotype::model::verdict::Outcome as Answer;

use super::answer::Rollout;
use super::failure::{During as _, Failure, Look, Outcome, ensure, until};
use super::narrator::{Narrator, Silent};
use super::proof;
use super::run::Run;
use super::shop::Shop;

/// How long one command may take.
const COMMAND: Duration = Duration::from_secs(60);
/// How long green may take to come up, and to be promoted.
const GREEN: Duration = Duration::from_secs(300);

const FOLDER: &str = "pipelines/intermediates/shop/int_priced_lines/sql-scripts";
/// The fact that gets the change.
pub const FACT: &str = "fct_orders_enriched";
/// What becomes green: the changed table and what depends on it.
pub const CASCADE: [&str; 3] = ["int_priced_lines_v3", "vw_sold_lines_v3", "fct_orders_enriched_v3"];
/// The amount as it was, in the statement and in the truth, and as it is afterwards: rounded to cents.
const AMOUNT: &str = "CAST(i.quantity * i.unit_price * (1 - c.discount_rate) AS DECIMAL(14, 4)) AS line_amount";
const ROUNDED: &str = "CAST(i.quantity * i.unit_price * c.discount_rate AS DECIMAL(14, 4)) AS discount,\n    \
     CAST(ROUND(i.quantity * i.unit_price * (1 - c.discount_rate), 2) AS DECIMAL(14, 4)) AS line_amount";
const TRUE_AMOUNT: &str = "(i.quantity * i.unit_price * (1 - c.discount_rate))::numeric(14,4)";
const TRUE_ROUNDED: &str = "round(i.quantity * i.unit_price * (1 - c.discount_rate), 2)::numeric(14,4)";

/// Tells it after the shop's own story; the case goes on from there.
///
/// # Errors
/// The first thing that did not come true.
pub async fn tell(run: &mut Run<Shop>, narrator: &mut dyn Narrator) -> Outcome {
    let main = git(run, &["rev-parse", "--abbrev-ref", "HEAD"])?;
    behind_is_refused(run, narrator).await?;
    narrator.stage("A statement is changed on a branch: a computed field, and cents instead of fractions");
    git(run, &["checkout", "-q", "-b", "cents"])?;
    edit(run)?;
    git(run, &["commit", "-q", "-a", "-m", "Cents"])?;
    let jobs = jobs(run).await?;
    let rollout = apply(run, &main, narrator).await?;
    promote(run, &rollout, narrator).await?;

    narrator.stage("The warehouse equals the truth of the new logic");
    let fact = run.case().facts.iter().find(|f| f.table == FACT).during("the enriched fact")?.clone();
    ensure(fact.after.contains(TRUE_AMOUNT), || "the truth query computes the amount in another way".to_owned())?;
    let truth = fact.after.replace(TRUE_AMOUNT, TRUE_ROUNDED);
    proof::while_paused(run, async || {
        let rows = until("the warehouse to equal the new truth", Duration::from_secs(90), async || {
            let found = run.database.compare(&fact.warehouse, &truth).await?;
            let missing = format!("{} missing, {} extra: {}", found.missing, found.extra, found.samples.join("; "));
            Ok(if found.none() { Look::There(found.rows) } else { Look::NotYet(missing) })
        })
        .await?;
        narrator.say(&format!("{} equals its truth query: {rows} rows", fact.warehouse));
        Ok(())
    })
    .await?;
    left_alone(run, &jobs, narrator).await?;
    merged(run, narrator).await?;
    run.project.go_on(truth);
    Ok(())
}

/// The column's rollout is not merged yet: a change on such files is refused, and names the branch.
async fn behind_is_refused(run: &mut Run<Shop>, narrator: &mut dyn Narrator) -> Outcome {
    narrator.stage("Files that are behind the cluster are not planned from");
    let ahead = run.daemon()?.json("/api/v1/status").await?["ahead"].as_str().unwrap_or_default().to_owned();
    ensure(!ahead.is_empty(), || "the status must name the branch to merge".to_owned())?;
    edit(run)?;
    let said = run.binary.run(&["plan", "--since", "HEAD", "--no-diff"], COMMAND, &mut Silent).await?;
    ensure(said.code == Some(1) && said.all().contains(&ahead), || {
        format!("it must be refused and name {ahead}; it ended with {:?}:\n{}", said.code, said.all())
    })?;
    git(run, &["checkout", "-q", "--", "."])?;
    git(run, &["merge", "-q", "--no-edit", &ahead])?;
    narrator.say(&format!("refused until {ahead} is merged, which it is now"));
    let daemon = run.daemon()?;
    until("the files to have caught up", Duration::from_secs(30), async || {
        let ahead = daemon.json("/api/v1/status").await?["ahead"].clone();
        Ok(if ahead.is_null() { Look::There(()) } else { Look::NotYet(format!("the status still names {ahead}")) })
    })
    .await
}

/// The computed field, and the amount in cents.
fn edit(run: &Run<Shop>) -> Outcome {
    let replace = |file: &str, old: &str, new: &str| {
        let path = format!("{FOLDER}/{file}");
        let text = std::fs::read_to_string(run.place.project().join(&path)).during(&path)?;
        ensure(text.matches(old).count() == 1, || format!("{path} must hold `{old}` once:\n{text}"))?;
        run.place.write(&path, &text.replace(old, new))
    };
    replace(
        "ddl.int_priced_lines.sql",
        "    line_amount DECIMAL",
        "    discount    DECIMAL(14, 4),\n    line_amount DECIMAL",
    )?;
    replace("dml.int_priced_lines.sql", AMOUNT, ROUNDED)
}

/// `plan --since` touches the statement and what depends on it; `apply` hands it over.
async fn apply(run: &mut Run<Shop>, main: &str, narrator: &mut dyn Narrator) -> Outcome<Rollout> {
    let shown = run.binary.run(&["plan", "--since", main, "--no-diff"], COMMAND, &mut Silent).await?;
    ensure(shown.code == Some(0), || format!("`plan --since {main}` ended with {:?}:\n{}", shown.code, shown.all()))?;
    let green: BTreeSet<&str> =
        shown.out.split_whitespace().filter(|word| word.ends_with("_v3") && !word.contains('.')).collect();
    ensure(green == BTreeSet::from(CASCADE), || format!("green must be {CASCADE:?}, it is {green:?}:\n{}", shown.out))?;
    narrator.text(&shown.out);
    let known: BTreeSet<String> = run.daemon()?.rollouts().await?.into_iter().map(|rollout| rollout.id).collect();
    let plan = run.binary.run(&["plan", "--since", main, "--output", "json"], COMMAND, &mut Silent).await?;
    let path = run.place.root.join("change.json");
    std::fs::write(&path, &plan.out).during("the plan's file")?;
    let said = run.binary.run(&["apply", &path.to_string_lossy()], COMMAND, &mut Silent).await?;
    ensure(said.code == Some(0), || format!("`apply` ended with {:?}:\n{}", said.code, said.all()))?;
    let rollouts = run.daemon()?.rollouts().await?;
    let new = rollouts.into_iter().find(|rollout| !known.contains(&rollout.id)).during("the rollout of the change")?;
    narrator.say(&new.title);
    let rollout = run.daemon()?.reach(&new.id, &["awaiting_approval"], GREEN, narrator).await?;
    let evidence = rollout.evidence.as_ref().during("the evidence of the change")?;
    ensure(evidence.outcome == Answer::Pass && evidence.arrived > 0, || rollout.why())?;
    for table in &evidence.tables {
        ensure(table.outcome == Answer::Pass && table.duplicates.values().all(|n| *n == 0), || rollout.why())?;
        ensure(table.equal + table.followed + table.by_history > 0, || {
            format!("{}: no row was compared", table.table)
        })?;
        narrator.say(&format!("{}: {}", table.table, table.reason));
    }
    Ok(rollout)
}

async fn promote(run: &mut Run<Shop>, rollout: &Rollout, narrator: &mut dyn Narrator) -> Outcome {
    run.approve(rollout).await?.accept(&[]).during("the approval")?;
    run.daemon()?.reach(&rollout.id, &["done"], GREEN, narrator).await.map(drop)
}

/// Every job that is none of the cascade's is the one that it was, and was not restarted.
async fn left_alone(run: &Run<Shop>, before: &BTreeMap<String, usize>, narrator: &mut dyn Narrator) -> Outcome {
    let now = jobs(run).await?;
    let kept: Vec<&String> = before.keys().filter(|id| now.contains_key(*id)).collect();
    // The two written tables of the cascade have new jobs.
    ensure(kept.len() + 2 == before.len() && now.len() == before.len(), || {
        format!("{} of {} jobs were kept and {} run; only two may be new", kept.len(), before.len(), now.len())
    })?;
    ensure(kept.iter().all(|id| before.get(*id) == now.get(*id)), || "a job outside the cascade failed".to_owned())?;
    narrator.say(&format!("{} jobs outside the cascade kept their ids and never restarted", kept.len()));
    Ok(())
}

/// Job ids with the number of their exceptions.
async fn jobs(run: &Run<Shop>) -> Outcome<BTreeMap<String, usize>> {
    let mut found = BTreeMap::new();
    for job in run.flink.live(&run.case().job_prefix).await? {
        let exceptions = run.flink.exceptions(&job.id).await?;
        found.insert(job.id, exceptions);
    }
    Ok(found)
}

/// The rollout's branch holds the `_v3` files; until it is merged the files are behind, and nothing is planned backwards.
async fn merged(run: &mut Run<Shop>, narrator: &mut dyn Narrator) -> Outcome {
    narrator.stage("The rollout's branch holds what runs");
    let status = run.daemon()?.json("/api/v1/status").await?;
    let ahead = status["ahead"].as_str().during("the branch to merge")?.to_owned();
    let text = git(run, &["show", &format!("{ahead}:{FOLDER}/dml.int_priced_lines.sql")])?;
    ensure(text.contains("INSERT INTO int_priced_lines_v3") && text.contains("AS discount"), || {
        format!("branch {ahead} must hold the deployed statement:\n{text}")
    })?;
    let said = run.binary.run(&["plan", "--no-diff"], COMMAND, &mut Silent).await?;
    ensure(said.code == Some(0) && said.all().contains(&ahead), || {
        format!("`plan` must do nothing and name {ahead}; it ended with {:?}:\n{}", said.code, said.all())
    })?;
    git(run, &["merge", "-q", "--no-edit", &ahead])?;
    let said = run.binary.run(&["plan", "--since", "HEAD", "--no-diff"], COMMAND, &mut Silent).await?;
    ensure(said.code == Some(0) && said.all().contains("no statement"), || {
        format!("merged, there must be nothing to plan; it ended with {:?}:\n{}", said.code, said.all())
    })?;
    narrator.say(&format!("{ahead} is merged: files and cluster say the same"));
    Ok(())
}

/// Runs git in the project; what it prints.
fn git(run: &Run<Shop>, arguments: &[&str]) -> Outcome<String> {
    let author = ["-c", "user.name=story", "-c", "user.email=story@example.com"];
    let done =
        Command::new("git").current_dir(run.place.project()).args(author).args(arguments).output().during("git")?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        return Err(Failure::new(format!("git {}: {said}", arguments.join(" "))));
    }
    Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
}
