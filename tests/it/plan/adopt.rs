//! What is adopted, what is left out and why, what is asked; and what is taken down in which order.

use std::collections::{BTreeMap, BTreeSet};

use cyanotype::model::effect::Effect;
use cyanotype::model::job::JobShape;
use cyanotype::model::manifest::Manifest;
use cyanotype::model::work::Reach;
use cyanotype::plan::input::{Adoption, Carry, Expected, FoundConnector, FoundJob, NullableDefaults, Removal};
use cyanotype::plan::{Cause, Plan, PlanInput, Planned, Policy, adopt, plan};

use super::{deployed, shop};

fn input(manifest: Manifest, cause: Cause) -> PlanInput {
    PlanInput {
        env: "dev".to_owned(),
        manifest,
        cause,
        policy: Policy {
            carry: Carry::Facts,
            partitions: 2,
            delete_blue_topics: true,
            nullable_defaults: NullableDefaults::Never,
        },
        vars: shop().1,
        settings: BTreeMap::new(),
        topics: BTreeMap::new(),
        subjects: BTreeMap::from([("shop.shop.orders-value".to_owned(), 3)]),
    }
}

/// The shop as somebody else has started it: a job for each statement, every topic, both connectors.
fn running() -> Adoption {
    let project = deployed();
    let jobs = adopt::expected(&project).unwrap();
    let mut adoption = Adoption {
        topics: project.tables.values().filter_map(|t| Some((t.topic.clone()?, true))).collect(),
        ..Adoption::default()
    };
    for (number, (name, job)) in jobs.iter().enumerate() {
        let reads: Vec<String> = job.reads.iter().map(|read| read.table.clone()).collect();
        let shape =
            JobShape { reads: reads.clone(), writes: vec![job.table.clone()], operators: vec![format!("does {name}")] };
        adoption.expected.insert(name.clone(), Ok(vec![Expected { shape: shape.clone(), without: None }]));
        let job = FoundJob {
            id: format!("id-{number}"),
            name: format!("insert-into_{name}"),
            shape,
            read_from: reads.into_iter().collect(),
        };
        adoption.found.push(job);
    }
    for (name, connector) in &project.connectors {
        let topics = BTreeSet::from([project.tables[&connector.table].topic.clone().unwrap()]);
        adoption.connectors.insert(name.clone(), FoundConnector { topics, differing: BTreeSet::new() });
    }
    adoption.project = project;
    adoption
}

fn job<'a>(adoption: &'a mut Adoption, table: &str) -> &'a mut FoundJob {
    adoption.found.iter_mut().find(|job| job.shape.writes == [table]).unwrap()
}

fn planned(change: impl FnOnce(&mut Adoption)) -> Planned {
    let mut adoption = running();
    change(&mut adoption);
    plan(&input(Manifest::default(), Cause::Adopt(Box::new(adoption))))
}

fn adopted(change: impl FnOnce(&mut Adoption)) -> Plan {
    let planned = planned(change);
    planned.plan.unwrap_or_else(|| panic!("{:#?}", planned.diagnostics))
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.tables.iter().map(|table| table.table.as_str()).collect()
}

/// Why that was left out.
fn left<'p>(plan: &'p Plan, what: &str) -> &'p str {
    let found = plan.untouched.iter().find(|left| left.table == what);
    found.map_or_else(|| panic!("{what} is not left out: {:?}", plan.untouched), |left| left.proof.as_str())
}

/// Codes and messages of what blocks the plan.
fn asked(planned: &Planned) -> Vec<String> {
    assert!(planned.plan.is_none());
    planned.diagnostics.iter().map(|d| format!("{}: {}", d.code, d.message)).collect()
}

#[test]
fn everything_that_fits_is_adopted_as_it_runs_and_nothing_is_changed() {
    let plan = adopted(|_| ());
    assert_eq!(plan.untouched, []);
    assert_eq!(plan.warnings, []);
    assert_eq!(names(&plan).len(), deployed().tables.len());
    assert!(plan.work.retiring.is_empty());
    let mut jobs = BTreeSet::new();
    for effect in &plan.work.staging {
        let Effect::AdoptJob { job } = effect else { panic!("{}", effect.title()) };
        // Others may commit to the same groups: the engine is asked how far each job has read.
        assert!(job.reads.iter().all(|read| read.group.is_none() && !read.topic.is_empty()), "{job:?}");
        jobs.insert(job.table.clone());
    }
    let [Effect::SetManifest { before, after }] = plan.work.promoting.as_slice() else { panic!("{:?}", plan.work) };
    assert_eq!(**before, Manifest::default());
    let written = after.tables.values().filter(|t| t.dml.is_some());
    assert_eq!(written.map(|t| t.physical.clone()).collect::<BTreeSet<_>>(), jobs);
    assert_eq!(after.connectors, deployed().connectors);
    assert_eq!(after.subjects["shop.shop.orders-value"], 3);
    assert!(plan.to_string().contains("src_orders  statement  runs as job id-"), "{plan}");
}

#[test]
fn what_has_no_job_is_left_out_with_all_that_reads_it() {
    let plan = adopted(|running| running.found.retain(|job| job.shape.writes != ["src_orders"]));
    assert_eq!(left(&plan, "src_orders"), "no running job writes `src_orders`");
    assert_eq!(left(&plan, "int_priced_lines"), "it reads `src_orders`, which is left out");
    assert_eq!(left(&plan, "connector sink-fct_orders_enriched"), "it reads `fct_orders_enriched`, which is left out");
    assert!(!names(&plan).contains(&"cdc_orders"), "a reader that nothing adopted reads stays out: {:?}", names(&plan));
    assert!(names(&plan).contains(&"dim_customers"), "{:?}", names(&plan));
    // Its readers run all the same, and would lose what they read.
    let warned = plan.warnings.iter().any(|w| w.code == "C153" && w.message.contains("insert-into_int_priced_lines"));
    assert!(warned, "{:?}", plan.warnings);
}

#[test]
fn a_job_that_does_something_else_is_left_out_and_says_what() {
    let plan = adopted(|running| job(running, "src_orders").shape.operators = vec!["does more".to_owned()]);
    let why = left(&plan, "src_orders");
    assert!(
        why.ends_with("does not do what its statement says: it runs does more, the statement asks for does src_orders"),
        "{why}"
    );
    let plan = adopted(|running| job(running, "src_orders").shape.operators.push("does more".to_owned()));
    assert!(left(&plan, "src_orders").ends_with("it runs does more besides"));
    let plan = adopted(|running| job(running, "src_orders").shape.operators.clear());
    assert!(left(&plan, "src_orders").ends_with("it lacks does src_orders"));
    let plan = adopted(|running| job(running, "src_orders").shape.reads = vec!["elsewhere".to_owned()]);
    assert!(left(&plan, "src_orders").ends_with("reads `elsewhere`, the statement `cdc_orders`"));
    let plan = adopted(|running| job(running, "src_orders").shape.writes.push("too".to_owned()));
    let why = left(&plan, "src_orders");
    assert!(why.ends_with("writes `src_orders`, `too` at once"), "{why}");
}

#[test]
fn a_job_of_another_environment_is_no_rival() {
    let twin = |running: &mut Adoption| {
        let twin = FoundJob { id: "twin".to_owned(), ..job(running, "src_orders").clone() };
        running.found.push(twin);
        running.found.len() - 1
    };
    let plan = adopted(|running| {
        let at = twin(running);
        running.found[at].read_from.clear();
    });
    assert!(names(&plan).contains(&"src_orders"), "{:?}", plan.untouched);
    let plan = adopted(|running| job(running, "src_orders").read_from.clear());
    let why = left(&plan, "src_orders");
    assert!(why.contains("does not show that it reads `cdc_orders` from topic shop.shop.orders"), "{why}");

    let problems = asked(&planned(|running| {
        twin(running);
    }));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("C150: 2 jobs write `src_orders`: id-"), "{problems:?}");
    let plan = adopted(|running| {
        twin(running);
        running.jobs.insert("src_orders".to_owned(), "twin".to_owned());
    });
    let said = plan.tables.iter().find(|table| table.table == "src_orders").unwrap();
    assert_eq!(said.because, ["runs as job twin (insert-into_src_orders)"]);
    let plan = adopted(|running| {
        twin(running);
        running.leave.insert("src_orders".to_owned());
    });
    assert_eq!(left(&plan, "src_orders"), "it was asked to be left");
}

#[test]
fn a_rival_that_does_something_else_is_asked_about_as_well() {
    let problems = asked(&planned(|running| {
        let mut other = FoundJob { id: "other".to_owned(), ..job(running, "src_orders").clone() };
        other.shape.operators = vec!["does more".to_owned()];
        running.found.push(other);
    }));
    assert!(problems[0].contains("2 jobs write `src_orders`") && problems[0].contains("other"), "{problems:?}");
}

#[test]
fn an_answer_that_does_not_fit_is_refused() {
    let answered = |table: &str, id: &str| {
        asked(&planned(|running| {
            running.jobs.insert(table.to_owned(), id.to_owned());
        }))
    };
    assert_eq!(answered("orders", "id-1"), ["C151: there is no table `orders` in the project"]);
    assert_eq!(answered("src_orders", "gone"), ["C151: job gone does not run, or does not write `src_orders`"]);
    let problems = asked(&planned(|running| {
        let found = job(running, "src_orders");
        found.shape.operators.clear();
        let id = found.id.clone();
        running.jobs.insert("src_orders".to_owned(), id);
    }));
    assert!(
        problems[0].contains("is not the one of `src_orders`: it does not do what its statement says"),
        "{problems:?}"
    );
}

#[test]
fn a_job_without_a_setting_is_adopted_with_a_remark() {
    let plan = adopted(|running| {
        let lacking = vec!["does less".to_owned()];
        let found = job(running, "src_orders");
        found.shape.operators = lacking.clone();
        let shape = found.shape.clone();
        let Some(Ok(expected)) = running.expected.get_mut("src_orders") else { panic!("it is expected") };
        expected.push(Expected { shape, without: Some("a.setting".to_owned()) });
    });
    assert_eq!(plan.untouched, []);
    assert_eq!(plan.warnings[0].message, "jobs without a.setting, which green will have: src_orders");
}

#[test]
fn connectors_are_matched_by_what_they_read() {
    const SINK: &str = "sink-fct_orders_enriched";
    let renamed = adopted(|running| {
        let sink = running.connectors.remove(SINK).unwrap();
        running.connectors.insert("old-name".to_owned(), sink);
    });
    let topic = deployed().tables["fct_orders_enriched"].topic.clone().unwrap();
    let why = left(&renamed, "connector sink-fct_orders_enriched");
    assert_eq!(why, format!("no connector has that name; `old-name` reads {topic}: name it so in its file"));
    assert!(renamed.warnings.iter().any(|w| w.code == "C153" && w.message.contains("connector old-name")));

    let gone = adopted(|running| drop(running.connectors.remove(SINK)));
    assert_eq!(
        left(&gone, "connector sink-fct_orders_enriched"),
        "no connector has that name: `cyanotype deploy` makes it"
    );

    let elsewhere =
        adopted(|running| running.connectors.get_mut(SINK).unwrap().topics = BTreeSet::from(["x".to_owned()]));
    assert_eq!(left(&elsewhere, "connector sink-fct_orders_enriched"), format!("it reads `x`, its file says {topic}"));

    let differs = adopted(|running| {
        running.connectors.get_mut(SINK).unwrap().differing.insert("tasks.max".to_owned());
    });
    assert_eq!(differs.untouched, []);
    assert_eq!(differs.warnings[0].message, format!("connector {SINK} is not as its file says: tasks.max"));
}

#[test]
fn what_is_deployed_is_left_alone_until_its_job_is_gone() {
    let manifest = || {
        let plan = adopted(|_| ());
        let Some(Effect::SetManifest { after, .. }) = plan.work.promoting.first().cloned() else { panic!("{plan}") };
        *after
    };
    let again = |change: &dyn Fn(&mut Adoption)| {
        let mut adoption = running();
        adoption.project = adopt::merged(&manifest(), adoption.project);
        change(&mut adoption);
        plan(&input(manifest(), Cause::Adopt(Box::new(adoption)))).plan.unwrap()
    };
    let nothing = again(&|_| ());
    assert!(nothing.is_empty(), "{nothing}");
    let lost = again(&|running| {
        running.ended.insert("src_orders".to_owned());
        job(running, "src_orders").id = "new".to_owned();
    });
    assert_eq!(names(&lost), ["src_orders"]);
    let [Effect::AdoptJob { job }] = lost.work.staging.as_slice() else { panic!("{lost}") };
    assert_eq!(job.id, "new");
    assert!(lost.work.promoting.is_empty(), "what is deployed is the same: {lost}");
}

#[test]
fn a_project_is_taken_down_from_its_end() {
    let removal = |delete_topics| Cause::Undeploy(Removal { delete_topics, ..Removal::default() });
    let steps = |plan: &Plan| plan.work.retiring.iter().map(Effect::title).collect::<Vec<_>>();
    let kept = plan(&input(deployed(), removal(false))).plan.unwrap();
    let order = steps(&kept);
    let at =
        |title: &str| order.iter().position(|t| t == title).unwrap_or_else(|| panic!("no `{title}` in {order:#?}"));
    assert!(at("delete connector sink-fct_orders_enriched") < at("cancel job of fct_orders_enriched"));
    assert!(at("cancel job of fct_orders_enriched") < at("cancel job of int_priced_lines"));
    assert!(at("cancel job of int_priced_lines") < at("cancel job of src_orders"));
    assert_eq!(at("record the deployed manifest"), order.len() - 1);
    assert!(!order.iter().any(|title| title.starts_with("delete topic")), "{order:#?}");
    assert!(kept.unproven.iter().any(|line| line.contains("src_orders and its subjects stay")), "{:?}", kept.unproven);

    let deleted = plan(&input(deployed(), removal(true))).plan.unwrap();
    let topics: Vec<String> = steps(&deleted).into_iter().filter(|title| title.starts_with("delete topic")).collect();
    let written = deployed().tables.values().filter(|t| t.dml.is_some()).count();
    assert_eq!(topics.len(), written, "only what statements write, never a change topic: {topics:?}");

    assert!(plan(&input(Manifest::default(), removal(true))).plan.unwrap().is_empty());
}

#[test]
fn a_project_is_not_taken_down_while_something_else_reads_it() {
    let removal = |despite: &[&str]| {
        let readers =
            BTreeMap::from([("t".to_owned(), BTreeSet::from(["group a".to_owned(), "job 1 (x)".to_owned()]))]);
        let despite = despite.iter().map(|d| (*d).to_owned()).collect();
        plan(&input(deployed(), Cause::Undeploy(Removal { readers, despite, ..Removal::default() })))
    };
    let problems = asked(&removal(&["group a"]));
    assert_eq!(problems, ["C160: topic t is read by job 1 (x), which is not of this project"]);
    let plan = removal(&["group a", "job 1 (x)"]).plan.unwrap();
    // The daemon holds against this what reads them when it is applied, and when somebody says yes.
    assert_eq!(plan.assumptions.standing.unwrap().readers["t"].len(), 2);
}

#[test]
fn a_job_of_another_daemon_or_with_an_empty_topic_is_left_out() {
    let plan = adopted(|running| job(running, "src_orders").name = "prod-src_orders.deploy-9-mwyfe7yr.1".to_owned());
    assert!(
        left(&plan, "src_orders").ends_with("was started by another Cyanotype (prod-src_orders.deploy-9-mwyfe7yr.1)")
    );
    let plan = adopted(|running| {
        running.prefix = "prod-".to_owned();
        job(running, "src_orders").name = "prod-src_orders.deploy-9-mwyfe7yr.1".to_owned();
    });
    assert_eq!(plan.untouched, []);
    let topic = deployed().tables["src_orders"].topic.clone().unwrap();
    let plan = adopted(|running| {
        running.topics.insert(topic.clone(), false);
    });
    let why = format!("topic {topic} has never held a record: nothing shows that a job writes it");
    assert_eq!(left(&plan, "src_orders"), why);
}

#[test]
fn an_answer_for_what_has_no_job_or_two_at_once_is_refused() {
    let problems = asked(&planned(|running| drop(running.jobs.insert("cdc_orders".to_owned(), "id-1".to_owned()))));
    assert_eq!(problems, ["C151: no statement of the project writes `cdc_orders`, so it has no job"]);
    let problems = asked(&planned(|running| {
        let id = job(running, "src_orders").id.clone();
        running.jobs.insert("src_orders".to_owned(), id);
        running.leave.insert("src_orders".to_owned());
    }));
    assert_eq!(problems, ["C151: `src_orders` is given a job and is to be left"]);
}

#[test]
fn what_a_yes_is_given_in_spite_of_is_in_the_digest() {
    let removal = |readers: &[&str]| {
        let readers: BTreeSet<String> = readers.iter().map(|r| (*r).to_owned()).collect();
        let despite = readers.clone();
        let readers = BTreeMap::from([("t".to_owned(), readers)]);
        plan(&input(deployed(), Cause::Undeploy(Removal { readers, despite, ..Removal::default() }))).plan.unwrap()
    };
    assert_ne!(removal(&[]).digest(), removal(&["group a"]).digest());
    assert!(removal(&["group a"]).to_string().contains("in spite of group a, which reads t"));
    let despite = BTreeSet::from(["group b".to_owned()]);
    let nobody = asked(&plan(&input(deployed(), Cause::Undeploy(Removal { despite, ..Removal::default() }))));
    assert_eq!(nobody, ["C160: nothing that is called `group b` reads a topic of the project"]);
}

#[test]
fn a_change_topic_is_nobodys_to_take_down() {
    let manifest = deployed();
    let running = manifest.written().into_iter().map(|(table, topic)| (table.to_owned(), topic.to_owned())).collect();
    let connectors = manifest.connectors.keys().map(String::as_str).collect();
    let mut work =
        plan(&input(manifest.clone(), Cause::Undeploy(Removal { delete_topics: true, ..Removal::default() })));
    let work = &mut work.plan.as_mut().unwrap().work;
    assert_eq!(work.overreach(Reach::Removal, &running, &connectors), None);
    let source = Effect::DeleteTopic { topic: manifest.tables["cdc_orders"].topic.clone().unwrap() };
    work.retiring.insert(0, source.clone());
    assert_eq!(work.overreach(Reach::Removal, &running, &connectors), Some(source.title()));
}
