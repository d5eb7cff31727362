//! The long run: one project, one daemon, and evolution after evolution until the time is over.
//!
//! Rules: `CYANOTYPE_SOAK_MINUTES` says how long; the first evolution is the whole story with all its proofs, each later
//! one adds another column and must leave the warehouse true and nothing behind; what each took is printed.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use cyanotype::model::name;

use crate::brief::Brief;
use crate::story::answer::Rollout;
use crate::story::case::{Change, Changes as _, Project};
use crate::story::failure::{During as _, Failure, Look, Outcome, ensure, until_each};
use crate::story::generated::{Generated, seed};
use crate::story::http;
use crate::story::narrator::{Narrator, Silent};
use crate::story::proof::{self, When};
use crate::story::run::Run;
use crate::story::tale;

/// The promise: from the registry having the version to the proposal.
const PROPOSAL: Duration = Duration::from_secs(5);
/// How long green may take until it awaits approval.
const GREEN: Duration = Duration::from_secs(600);
/// How long promotion, and then retirement, may take.
const PROMOTE: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes as long as it is told to: ./x soak [MINUTES]"]
async fn soak_of_a_drawn_project_that_keeps_evolving() -> Outcome {
    let limit = minutes()?;
    let seed = seed()?;
    let project = Generated::draw(seed, 4)?;
    println!("CYANOTYPE_SEED={seed} draws this project again\n{}", project.describe());
    let (program, folder) = (Path::new(env!("CARGO_BIN_EXE_cyanotype")), Path::new(env!("CARGO_TARGET_TMPDIR")));
    let end = Instant::now() + limit;
    let mut times = Vec::new();
    let mut soaked = Ok(());
    let told = tale::whole(project, program, folder, &mut Brief::new("soak"), async |run, narrator| {
        soaked = rounds(run, end, &mut times, narrator).await;
        if let Err(error) = &soaked {
            let log = run.daemon.as_ref().map_or(String::new(), |daemon| daemon.last_words());
            soaked = Err(Failure::new(format!("{error}\n--- the daemon's log ends with\n{log}")));
        }
    })
    .await;
    summary(&times);
    told.and(soaked).during(format!("CYANOTYPE_SEED={seed}"))
}

/// What one rollout took, each from the end of the one before.
struct Times {
    proposed: Duration,
    proven: Duration,
    promoted: Duration,
    retired: Duration,
}

impl Times {
    fn parts(&self) -> [(&'static str, f64); 4] {
        let parts = [
            ("proposed", self.proposed),
            ("proven", self.proven),
            ("promoted", self.promoted),
            ("retired", self.retired),
        ];
        parts.map(|(what, time)| (what, time.as_secs_f64()))
    }
}

/// How long it shall run.
fn minutes() -> Outcome<Duration> {
    const VARIABLE: &str = "CYANOTYPE_SOAK_MINUTES";
    let text = std::env::var(VARIABLE).unwrap_or_else(|_| "60".to_owned());
    match text.trim().parse::<u64>() {
        Ok(minutes) if (1..=100_000).contains(&minutes) => Ok(Duration::from_secs(60 * minutes)),
        _ => Err(Failure::new(format!("{VARIABLE}={text} is not a number of minutes"))),
    }
}

/// Evolution after evolution until `end`, one at least.
async fn rounds<P: Project>(
    run: &mut Run<P>,
    end: Instant,
    times: &mut Vec<Times>,
    narrator: &mut dyn Narrator,
) -> Outcome {
    let mut serving: BTreeMap<String, String> =
        run.case().cascade.iter().map(|table| (table.logical.clone(), table.green.clone())).collect();
    while times.is_empty() || Instant::now() < end {
        let number = times.len() + 1;
        let changes = run.traffic()?.total();
        let round = evolve(run, number, narrator).await.during(format!("round {number}"))?;
        serving = left_clean(run, &serving).await.during(format!("after round {number}"))?;
        proof::while_paused(run, async || proof::facts_are_true(run, When::After, narrator).await)
            .await
            .during(format!("after round {number}"))?;
        let line: Vec<String> = round.parts().iter().map(|(what, time)| format!("{what} {time:.1} s")).collect();
        let changes = run.traffic()?.total() - changes;
        narrator.stage(&format!("round {number}: {}; {changes} rows changed meanwhile", line.join(", ")));
        times.push(round);
    }
    Ok(())
}

/// One more column: every second one with a default.
fn change(first: &Change, number: usize) -> Change {
    let (definition, old_value) = match number % 2 {
        0 => ("integer", None),
        _ => ("integer NOT NULL DEFAULT '7'", Some("7".to_owned())),
    };
    Change {
        column: format!("soak_{number}"),
        definition: definition.to_owned(),
        old_value,
        values: vec!["-1".to_owned(), "2147483647".to_owned()],
        ..first.clone()
    }
}

/// From the column at the source to the retired blue.
async fn evolve<P: Project>(run: &mut Run<P>, number: usize, narrator: &mut dyn Narrator) -> Outcome<Times> {
    let change = change(&run.case().change, number);
    let known = tale::ids(run).await?;
    let versions = format!("{}/subjects/{}/versions", run.world.registry, change.subject);
    let count = async |run: &Run<P>| Ok(http::get(&run.http, &versions).await?.as_array().map_or(0, Vec::len));
    let before = count(run).await?;
    tale::add_column(run, &change).await?;
    let look = Duration::from_millis(50);
    let what = format!("the registry to have a new version of {}", change.subject);
    until_each(&what, Duration::from_secs(30), look, &mut async || {
        let now = count(run).await?;
        Ok(if now > before { Look::There(()) } else { Look::NotYet(format!("it has {now} versions")) })
    })
    .await?;

    let mut clock = Instant::now();
    let mut lap = || std::mem::replace(&mut clock, Instant::now()).elapsed();
    let daemon = run.daemon()?;
    let rollout = until_each("a proposal after the registry had the version", PROPOSAL, look, &mut async || {
        if let Err(ended) = daemon.alive() {
            return Ok(Look::There(Err(ended)));
        }
        let new = |rollout: &Rollout| !known.contains(&rollout.id) && rollout.kind == "evolution";
        let found = daemon.rollouts().await?.into_iter().find(new);
        Ok(found.map_or_else(|| Look::NotYet("there is no new rollout".to_owned()), |new| Look::There(Ok(new))))
    })
    .await??;
    let proposed = lap();
    let id = rollout.id;
    let rollout = run.daemon()?.reach(&id, &["awaiting_approval"], GREEN, narrator).await?;
    let proven = lap();
    proof::verdict_is_sound(run.case(), &rollout, &mut Silent)?;
    run.approve(&rollout).await?.accept(&[]).during("the signed approval")?;
    run.daemon()?.reach(&id, &["soaking"], PROMOTE, narrator).await?;
    let promoted = lap();
    run.daemon()?.reach(&id, &["done"], PROMOTE, narrator).await?;
    Ok(Times { proposed, proven, promoted, retired: lap() })
}

/// The manifest is one version further, and of the version before no topic and no job is left. Gives what serves now.
async fn left_clean<P: Project>(
    run: &mut Run<P>,
    before: &BTreeMap<String, String>,
) -> Outcome<BTreeMap<String, String>> {
    let manifest = run.daemon()?.json("/api/v1/manifest").await?;
    let live = run.flink.live(&run.case().job_prefix).await?;
    let topics = run.kafka.topics().await?;
    let mut serving = BTreeMap::new();
    for (logical, old) in before {
        let (base, version) = name::split(old);
        let wanted = name::physical(base, version.next());
        let physical = &manifest["tables"][logical]["physical"];
        ensure(physical == wanted.as_str(), || format!("{logical} is served by {physical}, it must be {wanted}"))?;
        let topic = run.case().topic(old);
        ensure(!topics.contains(&topic), || format!("{old} was retired, but its topic {topic} still exists"))?;
        serving.insert(logical.clone(), wanted);
    }
    let wanted = run.case().cascade.len() + run.case().outside.len();
    ensure(live.len() == wanted, || {
        let names: Vec<&str> = live.iter().map(|job| job.name.as_str()).collect();
        format!("{} jobs run, it must be {wanted}: {}", live.len(), names.join(", "))
    })?;
    Ok(serving)
}

fn summary(times: &[Times]) {
    println!("{} rollouts after the first one; seconds: first, median, last, slowest", times.len());
    for part in 0..4 {
        let all: Vec<(&str, f64)> = times.iter().filter_map(|round| round.parts().get(part).copied()).collect();
        let mut sorted: Vec<f64> = all.iter().map(|(_, time)| *time).collect();
        sorted.sort_by(f64::total_cmp);
        let (Some((what, first)), Some((_, last))) = (all.first(), all.last()) else { return };
        let (Some(middle), Some(slowest)) = (sorted.get(sorted.len() / 2), sorted.last()) else { return };
        println!("{what:>9}: {first:7.1} {middle:7.1} {last:7.1} {slowest:7.1}");
    }
}
