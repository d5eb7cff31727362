//! The scenes.

use std::sync::OnceLock;

use super::play::play;
use super::project;
use super::scene::Act::{Abort, Adopt, Approve, Deploy, Reject, Revalidate, Undeploy, World};
use super::scene::{Act, Scene, newest, states};
use crate::world::state::Trouble;
use crate::world::{Keep, State};
use cyanotype::daemon::handle::View;

/// Every scene.
pub fn all() -> Vec<Scene> {
    let mut scenes = deployments();
    scenes.extend(good());
    scenes.extend(given_up());
    scenes.extend(unproven());
    scenes.extend(broken());
    scenes.extend(several());
    scenes.extend(adopted());
    scenes.extend(taken_down());
    scenes
}

/// The project deployed, nothing else.
fn deployed() -> State {
    static ONCE: OnceLock<State> = OnceLock::new();
    let state = ONCE.get_or_init(|| play(&deployments()[0], project::nothing_deployed(), Keep::End).unwrap().state);
    state.clone()
}

/// Deployed, and `a` has a new column.
fn evolved() -> State {
    let mut state = deployed();
    project::evolve(&mut state, &["x"]);
    state
}

fn evolved_with(trouble: Trouble) -> State {
    let mut state = evolved();
    state.troubles.insert(trouble);
    state
}

fn name(table: &str) -> String {
    table.to_owned()
}

/// An approval of what awaits one.
fn approve(view: &View, _: &State) -> Option<Act> {
    newest(view, "awaiting_approval").map(|r| Approve(r.id.clone()))
}

fn abort_in(view: &View, state: &str) -> Option<Act> {
    newest(view, state).map(|r| Abort(r.id.clone()))
}

fn deploy(view: &View) -> Option<Act> {
    view.rollouts.is_empty().then_some(Deploy)
}

/// Lets go right what went wrong, then asks again.
fn mend_and_abort(view: &View, state: &State) -> Option<Act> {
    let stuck = newest(view, "stuck")?;
    Some(if state.troubles.is_empty() { Abort(stuck.id.clone()) } else { World(|state| state.troubles.clear()) })
}

fn scene(name: &'static str, begin: fn() -> State, end: &'static [&'static str]) -> Scene {
    Scene { name, begin, settings: |_| {}, next: approve, end }
}

fn deployments() -> Vec<Scene> {
    vec![
        Scene { next: |view, _| deploy(view), ..scene("a first deployment", project::nothing_deployed, &["done"]) },
        Scene {
            next: |view, _| deploy(view),
            ..scene(
                "a first deployment of which a job does not start",
                || State { troubles: [Trouble::NoStart(name("f"))].into(), ..project::nothing_deployed() },
                &["aborted"],
            )
        },
        Scene {
            next: |view, state| {
                let some = state.topics.contains_key("t.s").then(|| abort_in(view, "staging")).flatten();
                deploy(view).or(some)
            },
            ..scene("a first deployment that is aborted", project::nothing_deployed, &["aborted"])
        },
    ]
}

fn good() -> Vec<Scene> {
    vec![
        scene("an evolution", evolved, &["done", "done"]),
        Scene {
            settings: |settings| settings.terms.ask_before_staging = true,
            next: |view, state| newest(view, "proposed").map(|r| Approve(r.id.clone())).or(approve(view, state)),
            ..scene("an evolution that asks before staging", evolved, &["done", "done"])
        },
        scene(
            "an evolution that is refused",
            || {
                let mut state = deployed();
                project::break_schema(&mut state);
                state
            },
            &["done"],
        ),
    ]
}

fn given_up() -> Vec<Scene> {
    vec![
        Scene {
            settings: |settings| settings.terms.ask_before_staging = true,
            next: |view, _| newest(view, "proposed").map(|r| Reject(r.id.clone())),
            ..scene("a no before staging", evolved, &["done", "aborted"])
        },
        Scene {
            next: |view, state| state.topics.contains_key("t.s_v2").then(|| abort_in(view, "staging")).flatten(),
            ..scene("an abort while staging", evolved, &["done", "aborted"])
        },
        Scene {
            next: |view, state| {
                let started = state.jobs.values().any(|job| job.table == "s_v2");
                started.then(|| abort_in(view, "staging")).flatten()
            },
            ..scene("an abort while a job has just been started", evolved, &["done", "aborted"])
        },
        Scene {
            next: |view, _| abort_in(view, "catching_up"),
            ..scene("an abort while catching up", evolved, &["done", "aborted"])
        },
        Scene {
            next: |view, _| abort_in(view, "validating"),
            ..scene("an abort while validating", evolved, &["done", "aborted"])
        },
        Scene {
            next: |view, _| abort_in(view, "awaiting_approval"),
            ..scene("an abort while awaiting approval", evolved, &["done", "aborted"])
        },
        Scene {
            next: |view, _| newest(view, "awaiting_approval").map(|r| Reject(r.id.clone())),
            ..scene("a no", evolved, &["done", "aborted"])
        },
        Scene {
            next: |view, state| approve(view, state).or(abort_in(view, "promoting")),
            ..scene("a roll back while promoting", evolved, &["done", "rolled_back"])
        },
        Scene {
            next: |view, state| approve(view, state).or(abort_in(view, "soaking")),
            ..scene("a roll back during the soak", evolved, &["done", "rolled_back"])
        },
    ]
}

fn unproven() -> Vec<Scene> {
    vec![
        Scene {
            next: |view, state| approve(view, state).or_else(|| mend_and_validate(view, state)),
            ..scene(
                "green that stalls and is validated again",
                || evolved_with(Trouble::Stalls(name("f_v2"))),
                &["done", "done"],
            )
        },
        Scene {
            next: |view, state| approve(view, state).or(abort_in(view, "unproven")),
            ..scene(
                "green that loses a row and is aborted",
                || evolved_with(Trouble::LosesARow(name("f_v2"))),
                &["done", "aborted"],
            )
        },
        Scene {
            settings: |settings| settings.approval_ms = 60_000,
            next: |view, state| {
                let expired = view.rollouts.first().is_some_and(|r| r.history.iter().any(|s| s.state == "unproven"));
                expired.then(|| approve(view, state)).flatten().or_else(|| mend_and_validate(view, state))
            },
            ..scene("evidence that expires", evolved, &["done", "done"])
        },
    ]
}

fn mend_and_validate(view: &View, state: &State) -> Option<Act> {
    let unproven = newest(view, "unproven")?;
    Some(if state.troubles.is_empty() {
        Revalidate(unproven.id.clone())
    } else {
        World(|state| state.troubles.clear())
    })
}

fn broken() -> Vec<Scene> {
    vec![
        scene(
            "an effect that fails while staging",
            || evolved_with(Trouble::NoStart(name("f_v2"))),
            &["done", "aborted"],
        ),
        scene(
            "an effect that fails while promoting",
            || evolved_with(Trouble::SinkFails(name("t.f_v2"))),
            &["done", "rolled_back"],
        ),
        Scene {
            next: |view, state| approve(view, state).or_else(|| mend_and_abort(view, state)),
            ..scene(
                "retiring that is stuck and tried again",
                || evolved_with(Trouble::NoCancel(name("s"))),
                &["done", "done"],
            )
        },
        Scene {
            next: |view, state| abort_in(view, "awaiting_approval").or_else(|| mend_and_abort(view, state)),
            ..scene(
                "an abort that is stuck and tried again",
                || evolved_with(Trouble::NoDelete(name("t.s_v2"))),
                &["done", "aborted"],
            )
        },
        Scene {
            next: |view, state| {
                let soaking = || abort_in(view, "soaking");
                approve(view, state).or_else(soaking).or_else(|| mend_and_abort(view, state))
            },
            ..scene(
                "a roll back that is stuck and tried again",
                || evolved_with(Trouble::NoCancel(name("f_v2"))),
                &["done", "rolled_back"],
            )
        },
    ]
}

fn several() -> Vec<Scene> {
    /// The next version, once the rollout of the first one is over.
    fn more(view: &View, state: &State) -> Option<Act> {
        let first = states(view) == ["done", "done"] && state.schemas.versions(project::SUBJECT) == 2;
        first.then_some(World(|state| project::evolve(state, &["x", "y"])))
    }
    fn second(view: &View) -> bool {
        view.rollouts.len() == 3
    }
    vec![
        Scene {
            next: |view, state| approve(view, state).or_else(|| more(view, state)),
            ..scene("two evolutions in a row", evolved, &["done", "done", "done"])
        },
        Scene {
            next: |view, state| {
                let back = second(view).then(|| abort_in(view, "soaking")).flatten();
                approve(view, state).or_else(|| more(view, state)).or(back)
            },
            ..scene("two evolutions, and the second is rolled back", evolved, &["done", "done", "rolled_back"])
        },
        Scene {
            next: |view, state| {
                let staging = newest(view, "staging").is_some() && state.schemas.versions(project::SUBJECT) == 2;
                let newer = staging.then_some(World(|state| project::evolve(state, &["x", "y"])));
                newer.or_else(|| approve(view, state))
            },
            ..scene("a newer version while the first is staged", evolved, &["done", "aborted", "done"])
        },
    ]
}

fn adopted() -> Vec<Scene> {
    fn adopt(view: &View) -> Option<Act> {
        view.rollouts.is_empty().then_some(Adopt)
    }
    /// Yes to a proposal.
    fn yes(view: &View) -> Option<Act> {
        newest(view, "proposed").map(|r| Approve(r.id.clone()))
    }
    vec![
        Scene { next: |view, _| adopt(view), ..scene("an adoption", project::by_hand, &["done"]) },
        Scene {
            next: |view, state| {
                let first = states(view) == ["done"] && state.schemas.versions(project::SUBJECT) == 1;
                let evolve = first.then_some(World(|state| project::evolve(state, &["x"])));
                adopt(view).or(evolve).or_else(|| approve(view, state))
            },
            ..scene("an adoption, and an evolution from there", project::by_hand, &["done", "done"])
        },
        Scene {
            settings: |settings| settings.terms.ask_before_staging = true,
            next: |view, state| {
                let runs = state.jobs.values().any(|job| job.table == "f" && job.runs());
                let end = World(|state| state.jobs.values_mut().filter(|j| j.table == "f").for_each(end_job));
                let proposed = newest(view, "proposed").is_some();
                adopt(view).or((proposed && runs).then_some(end)).or_else(|| yes(view))
            },
            ..scene("an adoption of which a job has ended", project::by_hand, &["aborted"])
        },
        Scene {
            next: |view, state| {
                let lost = (states(view) == ["done"]).then_some(Adopt);
                let evolve = states(view) == ["done", "done"] && state.schemas.versions(project::SUBJECT) == 1;
                lost.or(evolve.then_some(World(|state| project::evolve(state, &["x"]))))
                    .or_else(|| approve(view, state))
            },
            ..scene(
                "a job that was started again by hand is adopted, and replaced",
                started_again,
                &["done", "done", "done"],
            )
        },
    ]
}

/// The job of `f` has ended, and somebody has started its statement again.
fn started_again() -> State {
    let mut state = deployed();
    state.jobs.values_mut().filter(|j| j.table == "f").for_each(end_job);
    project::start_by_hand(&mut state, "f");
    project::come_to_rest(&mut state);
    state
}

fn end_job(job: &mut crate::world::flink::Job) {
    job.state = "CANCELED".to_owned();
}

fn taken_down() -> Vec<Scene> {
    /// What Connect knows of the connector may stay.
    fn down() -> State {
        State { theirs: ["connect-sink-f"].map(name).into(), ..deployed() }
    }
    fn asked(view: &View, topics: bool) -> Option<Act> {
        (states(view) == ["done"]).then_some(Undeploy { topics })
    }
    fn yes(view: &View) -> Option<Act> {
        newest(view, "proposed").map(|r| Approve(r.id.clone()))
    }
    vec![
        Scene {
            next: |view, _| asked(view, false).or_else(|| yes(view)),
            ..scene(
                "a project that is taken down",
                || State { theirs: ["t.s", "t.d", "t.f", "connect-sink-f"].map(name).into(), ..deployed() },
                &["done", "done"],
            )
        },
        Scene {
            next: |view, _| asked(view, true).or_else(|| yes(view)),
            ..scene("a project that is taken down with its topics", down, &["done", "done"])
        },
        Scene {
            next: |view, state| asked(view, true).or_else(|| yes(view)).or_else(|| mend_and_abort(view, state)),
            ..scene(
                "taking down is stuck and tried again",
                || State { troubles: [Trouble::NoCancel(name("s"))].into(), ..down() },
                &["done", "done"],
            )
        },
        Scene {
            next: |view, _| asked(view, true).or_else(|| abort_in(view, "proposed")),
            ..scene("taking down is given up before a yes", deployed, &["done", "aborted"])
        },
    ]
}
