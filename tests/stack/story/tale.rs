//! The story itself: from an empty stack to an evolution that is proven, approved, promoted and retired.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::FutureExt as _;

use super::answer::Rollout;
use super::approver;
use super::case::{Change, Changes as _, DecidedBy, Project};
use super::connect::Connector;
use super::failure::{During as _, Failure, Look, Outcome, ensure, until, until_each};
use super::flink::Baseline;
use super::http;
use super::narrator::{Narrator, Silent};
use super::proof::{self, When};
use super::run::Run;
use super::world::fill;

/// The promise: from the registry having the version to the proposal.
const PROPOSAL: Duration = Duration::from_secs(5);
/// What is said when Ctrl-C ends it before its end.
const INTERRUPTED: &str = "interrupted before the end";
/// How long bringing a project up may take.
const DEPLOY: Duration = Duration::from_secs(360);
/// How long green may take until it awaits approval.
const GREEN: Duration = Duration::from_secs(600);
/// How long promotion, soak and retirement may take.
const PROMOTE: Duration = Duration::from_secs(240);

/// Tells the whole story, then `stay`, then removes everything, also after a failure or a panic.
///
/// # Errors
/// The first thing that did not come true, with what could not be removed.
pub async fn whole<P: Project>(
    project: P,
    program: &Path,
    folder: &Path,
    narrator: &mut dyn Narrator,
    stay: impl AsyncFnOnce(&mut Run<P>, &mut dyn Narrator),
) -> Outcome {
    told(project, program, folder, narrator, async |run, narrator| tell(run, narrator).await, stay).await
}

/// Tells `story`, then `stay`, then removes everything, also after a failure or a panic.
///
/// # Errors
/// See [`whole`].
pub async fn told<P: Project>(
    project: P,
    program: &Path,
    folder: &Path,
    narrator: &mut dyn Narrator,
    story: impl AsyncFnOnce(&mut Run<P>, &mut dyn Narrator) -> Outcome,
    stay: impl AsyncFnOnce(&mut Run<P>, &mut dyn Narrator),
) -> Outcome {
    let mut run = Run::open(project, program, folder).await?;
    let mut told = tokio::select! {
        told = AssertUnwindSafe(story(&mut run, narrator)).catch_unwind() =>
            told.unwrap_or_else(|_| Err(Failure::new("the story panicked"))),
        _ = tokio::signal::ctrl_c() => Err(Failure::new(INTERRUPTED)),
    };
    match &told {
        Ok(()) => stay(&mut run, narrator).await,
        Err(error) if error.to_string() == INTERRUPTED => {}
        Err(error) => {
            let mut words = run.daemon.as_ref().map_or(String::new(), |daemon| daemon.last_words());
            if error.to_string().contains(&words) {
                words.clear();
            }
            let folder = run.place.root.display();
            told = Err(Failure::new(format!(
                "{error}\n--- the daemon's log ends with\n{words}\n--- everything is in {folder}"
            )));
        }
    }
    narrator.stage("Everything that was made is removed");
    match (told, run.close().await) {
        (Ok(()), closed) => closed,
        (Err(error), Ok(())) => Err(error),
        (Err(error), Err(more)) => Err(Failure::new(format!("{error}\nand then: {more}"))),
    }
}

/// Tells the whole story.
///
/// # Errors
/// The first thing that did not come true.
pub async fn tell<P: Project>(run: &mut Run<P>, narrator: &mut dyn Narrator) -> Outcome {
    stack_is_ready(run, narrator).await?;
    begin(run, narrator).await?;
    deploy(run, narrator).await?;

    narrator.stage("The warehouse equals the truth");
    proof::while_paused(run, async || proof::facts_are_true(run, When::Before, narrator).await).await?;
    let before = baseline(run).await?;

    let change = run.case().change.clone();
    let rollout = evolve(run, &change, narrator).await?;
    let rollout = prove(run, &rollout, narrator).await?;
    approve(run, &rollout, &before, narrator).await?;

    narrator.stage("The warehouse equals the truth again, with the new column");
    proof::manifest_is_green(run).await?;
    proof::sinks_read_green(run, narrator).await?;
    proof::while_paused(run, async || {
        proof::facts_are_true(run, When::After, narrator).await?;
        proof::column_is_true(run, narrator).await
    })
    .await?;

    narrator.stage("Blue is retired, the others never noticed");
    proof::others_were_left_alone(run, &before, narrator).await?;
    proof::blue_is_gone(run, narrator).await?;
    proof::prometheus_has_scraped(run, narrator).await?;
    deploy_again(run, narrator).await
}

async fn stack_is_ready<P: Project>(run: &Run<P>, narrator: &mut dyn Narrator) -> Outcome {
    narrator.stage("The stack answers");
    let world = &run.world;
    for (what, url) in [
        ("the registry", format!("{}/subjects", world.registry)),
        ("Kafka Connect", format!("{}/connectors", world.connect)),
        ("Flink", format!("{}/overview", world.flink)),
        ("the SQL Gateway", format!("{}/v1/info", world.gateway)),
    ] {
        http::get(&run.http, &url).await.during(format!("{what} does not answer, `./x stack up` starts it"))?;
    }
    run.kafka.topics().await?;
    let port = world.daemon_port;
    ensure(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err(), || {
        format!("something listens on port {port} already: end it, or set CYANOTYPE_PORT_DAEMON")
    })
}

/// Tables, change streams, traffic, daemon.
pub async fn begin<P: Project>(run: &mut Run<P>, narrator: &mut dyn Narrator) -> Outcome {
    narrator.stage("Tables in PostgreSQL, Debezium behind them, rows that keep changing");
    run.database.run(&run.case().schema_sql).await?;
    let mut variables = run.world.variables();
    variables.insert("TOPIC_PREFIX".to_owned(), run.case().topic_prefix.clone());
    for source in &run.case().sources {
        run.connect.create(&Connector::read(&fill(source, &variables)?)?).await?;
    }
    run.traffic = Some(run.project.start(&run.world.postgres()).await?);
    until("Debezium to have made every change topic", Duration::from_secs(60), async || {
        let topics = run.kafka.topics().await?;
        let missing: Vec<&str> =
            run.case().inputs.iter().filter(|input| !topics.contains(input)).map(String::as_str).collect();
        Ok(if missing.is_empty() { Look::There(()) } else { Look::NotYet(format!("missing: {}", missing.join(", "))) })
    })
    .await?;
    narrator.say(&format!("change topics: {}", run.case().inputs.join(", ")));

    narrator.stage("cyanotype serve");
    run.serve().await?;
    let url = run.daemon()?.url.clone();
    narrator.say(&format!("the daemon leads: {url}"));
    Ok(())
}

/// `cyanotype deploy` from nothing.
pub async fn deploy<P: Project>(run: &mut Run<P>, narrator: &mut dyn Narrator) -> Outcome {
    narrator.stage("cyanotype deploy");
    let said = run.binary.run(&["deploy"], DEPLOY, narrator).await?;
    let why = match run.daemon()?.rollouts().await {
        Ok(rollouts) => rollouts.iter().map(Rollout::why).collect::<Vec<_>>().join("\n"),
        Err(error) => error.to_string(),
    };
    ensure(said.code == Some(0), || {
        format!("`cyanotype deploy` ended with {:?}, it must be 0; it said:\n{}\n{why}", said.code, said.all())
    })
}

/// The jobs of every written table.
pub async fn baseline<P: Project>(run: &Run<P>) -> Outcome<Baseline> {
    let case = run.case();
    let tables = case.cascade.iter().chain(&case.outside).map(|table| table.blue.clone()).collect();
    run.flink.baseline(&case.job_prefix, &tables).await.during("after the first deployment")
}

/// Ids of every rollout there is.
///
/// # Errors
/// The daemon does not answer.
pub async fn ids<P: Project>(run: &mut Run<P>) -> Outcome<BTreeSet<String>> {
    Ok(run.daemon()?.rollouts().await?.into_iter().map(|rollout| rollout.id).collect())
}

/// Adds the column in PostgreSQL, with real values from then on.
///
/// # Errors
/// PostgreSQL refuses.
pub async fn add_column<P: Project>(run: &mut Run<P>, change: &Change) -> Outcome {
    let sql = format!("ALTER TABLE {} ADD COLUMN {} {}", change.table, change.column, change.definition);
    run.database.run(&sql).await?;
    run.traffic()?.fill(change).await
}

/// Adds the column at the source; the rollout that is proposed for it.
///
/// # Errors
/// The registry has no new version, or nothing is proposed in time.
pub async fn evolve<P: Project>(run: &mut Run<P>, change: &Change, narrator: &mut dyn Narrator) -> Outcome<Rollout> {
    narrator.stage(&format!("ALTER TABLE {} ADD COLUMN {} {}", change.table, change.column, change.definition));
    let known = ids(run).await?;
    let versions = format!("{}/subjects/{}/versions", run.world.registry, change.subject);
    let count = async |run: &Run<P>| Ok(http::get(&run.http, &versions).await?.as_array().map_or(0, Vec::len));
    let before = count(run).await?;
    add_column(run, change).await?;

    let look = Duration::from_millis(50);
    let what = format!("the registry to have a new version of {}", change.subject);
    until_each(&what, Duration::from_secs(30), look, &mut async || {
        let now = count(run).await?;
        Ok(if now > before { Look::There(()) } else { Look::NotYet(format!("it has {now} versions")) })
    })
    .await?;
    let (registered, at_ms) = (Instant::now(), now_ms()?);
    narrator.say(&format!("the registry has a new version of {}", change.subject));

    let daemon = run.daemon()?;
    let found = until_each("a proposal after the registry had the version", PROPOSAL, look, &mut async || {
        let rollouts = daemon.rollouts().await?;
        if let Some(rollout) = rollouts.into_iter().find(|r| !known.contains(&r.id) && r.kind == "evolution") {
            return Ok(Look::There(rollout));
        }
        let refused = daemon.refused().await?;
        Ok(Look::NotYet(match refused.iter().find(|refused| refused.subject == change.subject) {
            Some(refused) => format!("version {} was refused: {}", refused.version, refused.reasons.join("; ")),
            None => "there is no new rollout".to_owned(),
        }))
    })
    .await;
    let rollout = found.during(format!("the daemon's log ends with:\n{}", daemon.last_words()))?;
    let seen = registered.elapsed();
    ensure(seen <= PROPOSAL && rollout.created_ms - at_ms <= 5_000, || {
        format!("the proposal came {:.1} s after the registry had the version, promised are 5 s", seen.as_secs_f64())
    })?;
    narrator.say(&format!("proposed {:.1} s later: {} ({})", seen.as_secs_f64(), rollout.title, rollout.id));
    let planned = run.binary.run(&["plan", "--no-diff"], Duration::from_secs(30), &mut Silent).await?;
    ensure(planned.code == Some(0), || format!("`cyanotype plan` failed:\n{}", planned.all()))?;
    for table in &run.case().cascade {
        ensure(planned.out.contains(&table.green), || {
            format!("`cyanotype plan` must show {}; it said:\n{}", table.green, planned.out)
        })?;
    }
    narrator.text(&planned.out);
    Ok(rollout)
}

async fn prove<P: Project>(run: &mut Run<P>, rollout: &Rollout, narrator: &mut dyn Narrator) -> Outcome<Rollout> {
    narrator.stage("Green is deployed beside blue, catches up, and is compared");
    let total = run.traffic()?.total();
    let rollout = run.daemon()?.reach(&rollout.id, &["awaiting_approval"], GREEN, narrator).await?;
    let changes = run.traffic()?.total() - total;
    ensure(changes > 0, || "the traffic stood still while green was proven".to_owned())?;
    narrator.stage("The verdict");
    proof::verdict_is_sound(run.case(), &rollout, narrator)?;
    narrator.say(&format!("{changes} rows were inserted, updated or deleted while green came up"));
    let shown = run.binary.run(&["show", &rollout.id], Duration::from_secs(20), &mut Silent).await?;
    ensure(shown.code == Some(0), || format!("`cyanotype show {}` failed:\n{}", rollout.id, shown.all()))?;
    narrator.text(&shown.out);
    Ok(rollout)
}

async fn approve<P: Project>(
    run: &mut Run<P>,
    rollout: &Rollout,
    before: &Baseline,
    narrator: &mut dyn Narrator,
) -> Outcome {
    narrator.stage("Approved by signed webhook");
    let id = &rollout.id;
    let digest = rollout.evidence_digest.clone().during("the digest of the evidence")?;
    let event = run.approver.event("rollout.awaiting_approval", id).await?;
    ensure(event.to_string().contains(&digest), || format!("the event does not name the evidence {digest}: {event}"))?;
    narrator.say("the signed event rollout.awaiting_approval came, with the evidence");

    let url = format!("{}/api/v1/rollouts/{id}/approve", run.daemon()?.url);
    refused_decisions(run, &url, id, &digest, narrator).await?;
    let (url, body) = match run.case().decided_by {
        DecidedBy::Call => (url, approver::approval(id, &digest)),
        DecidedBy::Event => {
            let daemon = run.daemon()?.url.clone();
            (format!("{daemon}/api/v1/webhooks/decision"), approver::approved_event(id, &digest))
        }
    };
    run.approver.send(&url, &body).await?.accept(&[]).during("the signed approval")?;
    narrator.say(&format!("approved on {}", digest.get(..19).unwrap_or(&digest)));

    run.daemon()?.reach(id, &["soaking"], PROMOTE, narrator).await?;
    let live = run.flink.live(&run.case().job_prefix).await?;
    for table in &run.case().cascade {
        let (job, _) = before.get(&table.blue).during(format!("the job of {}", table.blue))?;
        ensure(live.iter().any(|now| now.id == job.id), || {
            format!("blue must run through the soak, but the job of {} is gone", table.blue)
        })?;
    }
    narrator.say("green serves; blue's jobs run on through the soak");
    run.daemon()?.reach(id, &["done"], PROMOTE, narrator).await.map(drop)
}

/// Decisions that must have no effect.
async fn refused_decisions<P: Project>(
    run: &mut Run<P>,
    url: &str,
    id: &str,
    digest: &str,
    narrator: &mut dyn Narrator,
) -> Outcome {
    let body = approver::approval(id, digest);
    let other = approver::approval(id, &format!("sha256:{}", "0".repeat(64)));
    let tries = [
        ("a decision signed with another key", run.approver.forge(url, &body).await?, 401),
        ("a decision signed ten minutes ago", run.approver.send_old(url, &body).await?, 401),
        ("an approval of other evidence", run.approver.send(url, &other).await?, 409),
    ];
    for (what, reply, wanted) in tries {
        let status = reply.status.as_u16();
        ensure(status == wanted, || format!("{what} must be answered {wanted}, it was {status}: {}", reply.text))?;
    }
    let state = run.daemon()?.rollout(id).await?.state;
    ensure(state == "awaiting_approval", || format!("refused decisions moved the rollout to {state}"))?;
    narrator.say("refused without effect: another key, an old timestamp, other evidence");
    Ok(())
}

async fn deploy_again<P: Project>(run: &mut Run<P>, narrator: &mut dyn Narrator) -> Outcome {
    narrator.stage("cyanotype deploy, once more");
    let prefix = run.case().job_prefix.clone();
    let ids = async |run: &mut Run<P>| -> Outcome<_> {
        let jobs: BTreeSet<String> = run.flink.live(&prefix).await?.into_iter().map(|job| job.id).collect();
        let rollouts: BTreeSet<String> =
            run.daemon()?.rollouts().await?.into_iter().map(|rollout| rollout.id).collect();
        Ok((jobs, rollouts, run.daemon()?.json("/api/v1/manifest").await?))
    };
    let before = ids(run).await?;
    let said = run.binary.run(&["deploy"], Duration::from_secs(60), narrator).await?;
    ensure(said.code == Some(0), || {
        format!("run again, `cyanotype deploy` ended with {:?}:\n{}", said.code, said.all())
    })?;
    ensure(said.all().to_lowercase().contains("nothing to do"), || {
        format!("run again, `cyanotype deploy` must say that there is nothing to do; it said:\n{}", said.all())
    })?;
    ensure(ids(run).await? == before, || {
        "run again, `cyanotype deploy` changed jobs, rollouts or the manifest".to_owned()
    })?;
    narrator.say("nothing to do, and nothing changed");
    Ok(())
}

fn now_ms() -> Outcome<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).during("the clock")?;
    i64::try_from(since.as_millis()).during("the clock")
}
