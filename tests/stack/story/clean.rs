//! Removes everything that a run made outside of its folder.
//!
//! Rules: writers go before what they write (connectors, jobs, then groups, topics, subjects); each part is tried whatever
//! became of the others; running it twice changes nothing.

use std::time::Duration;

use reqwest::Method;

use super::case::Project;
use super::failure::{Failure, Look, Outcome, until};
use super::http;
use super::run::Run;

/// After `Ok` nothing of the run is left.
///
/// # Errors
/// What could not be removed.
pub async fn clean<P: Project>(run: &Run<P>) -> Outcome {
    let case = run.case();
    let belongings = &case.belongings;
    let mut problems = Vec::new();
    let mut note = |outcome: Outcome| {
        if let Err(error) = outcome {
            problems.push(error.to_string());
        }
    };
    for connector in &belongings.connectors {
        note(run.connect.remove(connector).await);
    }
    note(run.flink.cancel_all(&case.job_prefix).await);
    note(
        until("the slots to be free", Duration::from_secs(30), async || {
            run.database.forget(&belongings.slots, &belongings.publications, &belongings.schemas).await?;
            Ok(Look::There(()))
        })
        .await,
    );
    note(groups(run).await);
    note(topics(run).await);
    note(subjects(run).await);
    if problems.is_empty() { Ok(()) } else { Err(Failure::new(format!("left behind: {}", problems.join("; ")))) }
}

async fn groups<P: Project>(run: &Run<P>) -> Outcome {
    let case = run.case();
    let mut prefixes = vec![case.job_prefix.clone(), case.journal.clone(), format!("{}.", case.topic_prefix)];
    prefixes.extend(case.belongings.connectors.iter().map(|name| format!("connect-{name}")));
    until("the consumer groups to be removed", Duration::from_secs(60), async || {
        let groups = run.kafka.groups(&prefixes).await?;
        run.kafka.delete_groups(&groups).await?;
        Ok(Look::There(()))
    })
    .await
}

async fn topics<P: Project>(run: &Run<P>) -> Outcome {
    let case = run.case();
    until("the topics to be removed", Duration::from_secs(60), async || {
        let ours = |topic: &String| {
            *topic == case.journal || case.belongings.topics.iter().any(|prefix| topic.starts_with(prefix.as_str()))
        };
        let topics: Vec<String> = run.kafka.topics().await?.into_iter().filter(ours).collect();
        if topics.is_empty() {
            return Ok(Look::There(()));
        }
        run.kafka.delete_topics(&topics).await?;
        Ok(Look::NotYet(format!("{} are left", topics.join(", "))))
    })
    .await
}

async fn subjects<P: Project>(run: &Run<P>) -> Outcome {
    let registry = &run.world.registry;
    let all = http::get(&run.http, &format!("{registry}/subjects")).await?;
    let names = all.as_array().map(Vec::as_slice).unwrap_or_default().iter().filter_map(|name| name.as_str());
    for name in names.filter(|name| run.case().belongings.topics.iter().any(|prefix| name.starts_with(prefix.as_str())))
    {
        for query in ["", "?permanent=true"] {
            let url = format!("{registry}/subjects/{name}{query}");
            http::call(&run.http, Method::DELETE, &url, None).await?.accept(&[404])?;
        }
    }
    Ok(())
}
