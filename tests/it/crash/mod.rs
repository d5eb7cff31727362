//! Every scene, disturbed at every point: the same end each time.
//!
//! A scene is played once, and the world is kept after each entry of the journal and after each call that changed
//! something. From such a moment another daemon goes on with nothing but that world, as after a kill; or the call of that
//! moment is still on its way then and lands later; or its answer is lost; or the lead is, and the first daemon goes on.
//! Each time the scene must come to the same end, and nothing may be done that a real world would punish.
//!
//! There are thousands of points: each run takes every [`THIN`]th, another run others, and with
//! `CYANOTYPE_CRASH_POINTS=all` a run takes all of them, with `0/4` each fourth. What is printed says with which setting a run is made again.

mod compare;
mod play;
pub mod project;
mod scene;
mod scenes;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use self::compare::{outline, unsound};
use self::play::{Ended, play, play_with_takeover};
use self::scene::Scene;
use crate::world::state::Late;
use crate::world::{Keep, Loss, Moment, State};

/// How much later a call lands whose daemon was killed when it had been sent, milliseconds: as late as can be.
const LATE_MS: i64 = 60_000;
/// One point in so many is taken unless all are; no scene repeats itself after as many.
const THIN: usize = 29;
/// Which points are taken: `all`, the number of the first, or that and how far it is to the next, as `1/4`.
const POINTS: &str = "CYANOTYPE_CRASH_POINTS";

/// A scene as it goes undisturbed.
struct Known {
    scene: Scene,
    begin: State,
    end: BTreeSet<String>,
    moments: Vec<Moment>,
}

/// What is to be tried.
struct Try {
    known: &'static Known,
    what: String,
    how: How,
}

/// How a daemon is disturbed.
enum How {
    /// Killed: another one goes on from there.
    Killed(Box<State>),
    /// Not killed, but the answer to this call is lost.
    Unanswered(usize),
    /// It loses the lead then, and goes on; another one takes it.
    Replaced(Loss),
}

impl Try {
    fn new(known: &'static Known, what: String, how: How) -> Self {
        Self { known, what, how }
    }

    /// What went wrong, a few lines.
    fn run(&self) -> Result<(), String> {
        let Known { scene, begin, end, .. } = self.known;
        let ended = match &self.how {
            How::Killed(state) => play(scene, (**state).clone(), Keep::End),
            How::Unanswered(deed) => play(scene, State { losing: Some(*deed), ..begin.clone() }, Keep::End),
            How::Replaced(loss) => play_with_takeover(scene, begin.clone(), *loss),
        }?;
        let wrong = unsound(&ended.state);
        if !wrong.is_empty() {
            return Err(wrong.join("\n"));
        }
        let here = outline(&ended.state);
        let missing = end.difference(&here).map(|line| format!("gone: {line}"));
        let extra = here.difference(end).map(|line| format!("new:  {line}"));
        let differences: Vec<String> = missing.chain(extra).collect();
        if differences.is_empty() { Ok(()) } else { Err(differences.join("\n")) }
    }
}

/// Every scene, played once.
fn known() -> &'static [Known] {
    static ONCE: OnceLock<Vec<Known>> = OnceLock::new();
    ONCE.get_or_init(|| {
        let scenes = scenes::all().into_iter().map(|scene| {
            let begin = (scene.begin)();
            let played = play(&scene, begin.clone(), Keep::Moments);
            let Ended { state, moments } = played.unwrap_or_else(|e| panic!("{}: {e}", scene.name));
            assert_eq!(unsound(&state), Vec::<String>::new(), "{}", scene.name);
            Known { begin, end: outline(&state), moments, scene }
        });
        scenes.collect()
    })
}

/// The first point that is taken, and how far it is from there to the next.
fn points() -> (usize, usize) {
    // Continuous integration draws the same each time, as the properties do.
    let seed = std::env::var(POINTS).or_else(|_| std::env::var("PROPTEST_RNG_SEED"));
    match seed.as_deref() {
        Ok("all") => (0, 1),
        Ok(text) => {
            let (first, step) =
                text.split_once('/').map_or((text, Some(THIN)), |(first, step)| (first, step.parse().ok()));
            match (first.parse::<usize>(), step) {
                (Ok(first), Some(step)) if step > 0 => (first % step, step),
                _ => panic!("{POINTS}={text} is not `all`, a number, or a number and a step as 1/4"),
            }
        }
        Err(_) => {
            let now = std::time::UNIX_EPOCH.elapsed().unwrap();
            (usize::try_from(now.as_secs()).unwrap() % THIN, THIN)
        }
    }
}

/// Runs them on every core, and names those that went wrong.
fn run_all(title: &str, tries: &[Try]) {
    let (first, step) = points();
    let chosen: Vec<&Try> = tries.iter().skip(first).step_by(step).collect();
    let again = if step == 1 { "all".to_owned() } else { format!("{first}/{step}") };
    println!("{title}: {} of {} points in {} scenes; {POINTS}={again}", chosen.len(), tries.len(), known().len());
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(one) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = one.run() {
                        let what = format!("{}, {}", one.known.scene.name, one.what);
                        wrong.lock().unwrap().push((what, why));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} went another way:\n{}", wrong.len(), chosen.len(), told(&wrong));
}

/// The first few in full, and all of them by name.
fn told(wrong: &[(String, String)]) -> String {
    let short = |text: &str| text.chars().take(300).collect::<String>();
    let why = |why: &String| why.lines().map(|line| format!("\n    {}", short(line))).collect::<String>();
    let full: Vec<String> = wrong.iter().take(8).map(|(what, reason)| format!("{what}{}", why(reason))).collect();
    let names: Vec<&str> = wrong.iter().map(|(what, _)| what.as_str()).collect();
    format!("{}\nall of them:\n{}", full.join("\n"), names.join("\n"))
}

#[test]
fn a_daemon_that_is_killed_anywhere_goes_on_to_the_same_end() {
    let mut tries = Vec::new();
    for known in known() {
        for Moment { what, state, .. } in &known.moments {
            let how = How::Killed(Box::new(state.clone()));
            tries.push(Try::new(known, format!("killed after {what}"), how));
        }
    }
    run_all("killed", &tries);
}

#[test]
fn a_call_of_a_killed_daemon_that_lands_late_changes_nothing() {
    let mut tries = Vec::new();
    for known in known() {
        for Moment { what, sent, .. } in &known.moments {
            let Some((mut before, deed)) = sent.clone() else { continue };
            before.late.push(Late { at_ms: before.now_ms + LATE_MS, deed });
            let how = How::Killed(Box::new(before));
            tries.push(Try::new(known, format!("killed at {what}, which lands later"), how));
        }
    }
    run_all("late", &tries);
}

#[test]
fn an_answer_that_is_lost_changes_nothing() {
    let mut tries = Vec::new();
    for known in known() {
        let deeds = known.moments.iter().filter(|m| m.sent.is_some());
        for (number, Moment { what, .. }) in (known.begin.deeds + 1..).zip(deeds) {
            tries.push(Try::new(known, format!("no answer to {what}"), How::Unanswered(number)));
        }
    }
    run_all("unanswered", &tries);
}

#[test]
fn a_daemon_that_loses_the_lead_anywhere_does_nothing_more() {
    let mut tries = Vec::new();
    for known in known() {
        let (mut entries, mut deeds) = (known.begin.journal.written(), known.begin.deeds);
        for Moment { what, sent, .. } in &known.moments {
            let (count, loss): (_, fn(usize) -> Loss) = match sent {
                None => (&mut entries, Loss::Entries),
                Some(_) => (&mut deeds, Loss::Deeds),
            };
            *count += 1;
            let how = How::Replaced(loss(*count));
            tries.push(Try::new(known, format!("replaced after {what}"), how));
        }
    }
    run_all("replaced", &tries);
}
