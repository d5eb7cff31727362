//! The list of metrics, its page, and what stands on it: the dashboard and the alert rules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::families::FAMILIES;
use super::instrument::{Family, Kind, OTHER, SERIES_LIMIT, Values};
use super::*;

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn dashboard() -> Value {
    serde_json::from_str(&read("grafana/dashboards/cyanotype.json")).unwrap()
}

/// All metrics, with a value in each family.
fn full() -> Metrics {
    let metrics = Metrics::new().unwrap();
    // Families with open labels show nothing before their first value.
    metrics.cdc_records_total.inc(["cdc.shop.orders", "7"]);
    metrics.cdc_schema_switches_total.inc(["cdc.shop.orders"]);
    metrics.cdc_unreadable_records_total.inc(["cdc.shop.orders"]);
    metrics.cdc_placeholders_total.inc(["cdc.shop.orders"]);
    metrics.catch_up_lag_records.set(["fct_orders"], 12.0);
    metrics.http_requests_total.inc(["/metrics", "200"]);
    metrics
}

#[test]
fn every_metric_is_served_under_its_name_type_and_help() {
    let text = full().render().unwrap();
    for family in FAMILIES {
        let kind = family.kind.name();
        assert!(text.contains(&format!("# TYPE {} {kind}\n", family.name)), "{} {kind}\n{text}", family.name);
        assert!(text.contains(&format!("# HELP {} {}\n", family.name, family.help)), "{}", family.name);
    }
}

#[test]
fn names_follow_the_conventions() {
    let names: BTreeSet<&str> = FAMILIES.iter().map(|family| family.name).collect();
    assert_eq!(names.len(), FAMILIES.len(), "a name is there twice");
    for family in FAMILIES {
        assert!(family.name.starts_with("cyanotype_"), "{}", family.name);
        assert_eq!(family.name.ends_with("_total"), family.kind == Kind::Counter, "{}", family.name);
        assert_eq!(family.buckets.is_empty(), family.kind != Kind::Histogram, "{}", family.name);
        assert!(family.buckets.is_sorted(), "{}", family.name);
    }
}

#[test]
fn closed_families_start_at_zero_so_that_the_first_event_is_seen() {
    let text = Metrics::new().unwrap().render().unwrap();
    for series in [
        "cyanotype_duplicates_found_total 0",
        "cyanotype_validation_outcomes_total{outcome=\"fail\"} 0",
        "cyanotype_evolutions_total{verdict=\"refused\"} 0",
        "cyanotype_effects_total{effect=\"start_job\",outcome=\"failed\"} 0",
        "cyanotype_rollouts{state=\"stuck\"} 0",
        "cyanotype_proposal_seconds_count 0",
    ] {
        assert!(text.contains(&format!("{series}\n")), "{series}\n{text}");
    }
}

#[test]
fn a_value_outside_a_closed_list_is_other_and_spellings_are_evened_out() {
    let metrics = full();
    metrics.port_errors_total.inc(["SQL gateway"]);
    metrics.port_errors_total.inc(["Kafka"]);
    metrics.port_errors_total.inc(["toaster"]);
    metrics.effects_total.inc(["move-connector", "done"]);
    assert_eq!(metrics.port_errors_total.get(["sql_gateway"]), 1);
    assert_eq!(metrics.port_errors_total.get(["kafka"]), 1);
    assert_eq!(metrics.port_errors_total.get([OTHER]), 1);
    assert_eq!(metrics.effects_total.get(["move_connector", "done"]), 1);
}

#[test]
fn the_number_of_series_is_bounded_and_nothing_is_lost() {
    let metrics = full();
    for n in 0..SERIES_LIMIT + 500 {
        metrics.cdc_records_total.add(["topic", &n.to_string()], 2);
    }
    let text = metrics.render().unwrap();
    let series: Vec<&str> = text.lines().filter(|line| line.starts_with("cyanotype_cdc_records_total{")).collect();
    assert!(series.len() <= SERIES_LIMIT + 1, "{}", series.len());
    let sum: u64 = series.iter().map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(sum, 2 * (SERIES_LIMIT as u64 + 500) + 1);
}

#[test]
fn tables_that_are_no_longer_staged_go_away() {
    let metrics = full();
    metrics.catch_up_lag_records.clear();
    metrics.rollouts.set(["stuck"], 1.0);
    metrics.rollouts.clear();
    let text = metrics.render().unwrap();
    assert!(!text.contains("fct_orders"), "{text}");
    assert!(text.contains("cyanotype_rollouts{state=\"stuck\"} 0\n"), "{text}");
}

#[test]
fn metrics_page_is_up_to_date() {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(root("docs/metrics.md"), document::page()).unwrap();
    }
    let hint = "docs/metrics.md is out of date: UPDATE_DOCS=1 cargo test --lib metrics_page";
    assert!(read("docs/metrics.md") == document::page(), "{hint}");
}

/// Names of ours in `text`, with what stands in braces behind each.
fn uses(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices("cyanotype_") {
        let rest = &text[start..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let selector =
            rest[end..].strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or("", |(inside, _)| inside);
        found.push((rest[..end].to_owned(), selector.to_owned()));
    }
    found
}

fn family(name: &str) -> Option<&'static Family> {
    let base = |suffix| name.strip_suffix(suffix).unwrap_or(name);
    FAMILIES.iter().find(|family| match family.kind {
        Kind::Histogram => ["_bucket", "_sum", "_count"].iter().any(|s| name.ends_with(s) && base(s) == family.name),
        _ => family.name == name,
    })
}

/// What is wrong with the names, labels and label values that `text` uses.
fn wrong_uses(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, selector) in uses(text) {
        let Some(family) = family(&name) else {
            wrong.push(format!("{name} is no metric"));
            continue;
        };
        for matcher in selector.split(',').filter(|matcher| !matcher.trim().is_empty()) {
            let matcher = matcher.trim();
            let end = matcher.find(['=', '!']).unwrap_or_else(|| panic!("{name}: {matcher} compares nothing"));
            let (label, value) = matcher.split_at(end);
            if ["job", "instance", "le"].contains(&label) {
                continue;
            }
            let Some(declared) = family.labels.iter().find(|declared| declared.name == label) else {
                wrong.push(format!("{name} has no label {label}"));
                continue;
            };
            let Values::Closed(list) = declared.values else { continue };
            for value in value.trim_matches(|c| "=!~\" ".contains(c)).split('|') {
                if !list.contains(&value) {
                    wrong.push(format!("{label} of {name} is never {value}"));
                }
            }
        }
    }
    wrong
}

#[test]
fn a_wrong_use_of_a_metric_would_be_found() {
    let text = "rate(cyanotype_leaders[5m]) cyanotype_proposal_seconds cyanotype_rollouts{phase=\"done\"} \
                cyanotype_rollouts{state!~\"done|over\"} cyanotype_proposal_seconds_bucket{le=\"5\"}";
    let expected = [
        "cyanotype_leaders is no metric",
        "cyanotype_proposal_seconds is no metric",
        "cyanotype_rollouts has no label phase",
        "state of cyanotype_rollouts is never over",
    ];
    assert_eq!(wrong_uses(text), expected);
}

#[test]
fn rules_use_what_exists_and_test_every_alert_both_ways() {
    let rules = read("deploy/prometheus/rules.yml");
    assert!(uses(&rules).len() > 10, "the rules were not read");
    assert_eq!(wrong_uses(&rules), Vec::<String>::new());
    let tests = read("deploy/prometheus/rules_test.yml");
    assert_eq!(wrong_uses(&tests), Vec::<String>::new());
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tests.contains(&format!("# {alert}: fires")), "{alert} has no test that it fires");
        assert!(tests.contains(&format!("# {alert}: quiet")), "{alert} has no test that it is quiet");
    }
}

/// Every panel that asks something, with its title.
fn panels(dashboard: &Value) -> Vec<(&str, &Value)> {
    let all = dashboard["panels"].as_array().unwrap();
    all.iter().filter(|panel| panel["type"] != "row").map(|panel| (panel["title"].as_str().unwrap(), panel)).collect()
}

fn expressions(panel: &Value) -> Vec<(&str, &str)> {
    let targets = panel["targets"].as_array().unwrap();
    targets.iter().map(|t| (t["expr"].as_str().unwrap(), t["legendFormat"].as_str().unwrap())).collect()
}

#[test]
fn the_dashboard_uses_what_exists() {
    let dashboard = dashboard();
    for (title, panel) in panels(&dashboard) {
        for (expression, legend) in expressions(panel) {
            let found = uses(expression);
            assert!(!found.is_empty(), "{title}: {expression}");
            assert_eq!(wrong_uses(expression), Vec::<String>::new(), "{title}");
            for label in legend.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()) {
                let mut known = found.iter().filter_map(|(name, _)| family(name)).flat_map(|family| family.labels);
                // Prometheus itself says which environment it is.
                assert!(label == "job" || known.any(|known| known.name == label), "{title}: legend asks for {label}");
            }
        }
    }
    let shown: BTreeSet<&str> = panels(&dashboard)
        .iter()
        .flat_map(|(_, panel)| expressions(panel))
        .flat_map(|(expression, _)| uses(expression))
        .filter_map(|(name, _)| family(&name).map(|family| family.name))
        .collect();
    let declared: BTreeSet<&str> = FAMILIES.iter().map(|family| family.name).collect();
    assert_eq!(declared.difference(&shown).collect::<Vec<_>>(), Vec::<&&str>::new(), "on no panel");
}

#[test]
fn the_dashboard_is_sound() {
    let dashboard = dashboard();
    assert_eq!(dashboard["uid"], "cyanotype");
    assert!(dashboard.get("id").is_none(), "an id belongs to one Grafana");
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 39);
    let variables: BTreeMap<&str, &str> = dashboard["templating"]["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| (variable["name"].as_str().unwrap(), variable["type"].as_str().unwrap()))
        .collect();
    assert_eq!(variables, BTreeMap::from([("ds", "datasource"), ("job", "query")]));
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: its id is there twice");
        let place = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{title}: over the edge");
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(taken.insert((x, y)), "{title}: lies over another panel");
            }
        }
    }
    for (title, panel) in panels(&dashboard) {
        assert!(panel["description"].as_str().is_some_and(|text| !text.is_empty()), "{title}: says not what it shows");
        assert_eq!(panel["datasource"]["uid"], "${ds}", "{title}");
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"]["uid"], "${ds}", "{title}");
        }
    }
}

/// Runs promtool with `content` on standard input and gives back what it objects to.
fn promtool(arguments: &[&str], content: &str) -> Result<(), String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    let output = std::process::Command::new("promtool")
        .args(arguments)
        .stdin(std::fs::File::open(file.path()).unwrap())
        .output()
        .expect("promtool runs (Debian package prometheus)");
    let said = [output.stdout, output.stderr].concat();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&said).into_owned()) }
}

#[test]
#[ignore = "needs promtool (Debian package prometheus): cargo test --lib promtool -- --ignored"]
fn promtool_takes_the_metrics() {
    let text = full().render().unwrap();
    assert_eq!(promtool(&["check", "metrics"], &text), Ok(()));
    let wrong = text.replace("cyanotype_approvals_total", "cyanotype_approvals");
    assert!(promtool(&["check", "metrics"], &wrong).is_err(), "a counter without _total is noticed");
}

#[test]
#[ignore = "needs promtool (Debian package prometheus): cargo test --lib promtool -- --ignored"]
fn promtool_takes_every_query_of_the_dashboard() {
    let dashboard = dashboard();
    let mut rules = String::from("groups:\n  - name: dashboard\n    rules:\n");
    let known = [("$__rate_interval", "1m"), ("$__range", "3h"), ("$job", ".*")];
    for (number, (_, panel)) in panels(&dashboard).into_iter().enumerate() {
        for (target, (expression, _)) in expressions(panel).into_iter().enumerate() {
            let plain = known.iter().fold(expression.to_owned(), |text, (name, value)| text.replace(name, value));
            let quoted = serde_json::to_string(&plain).unwrap();
            rules.push_str(&format!("      - record: panel:{number}:{target}\n        expr: {quoted}\n"));
        }
    }
    assert_eq!(promtool(&["check", "rules", "/dev/stdin"], &rules), Ok(()));
    assert!(
        promtool(&["check", "rules", "/dev/stdin"], &rules.replace("sum(", "summ(")).is_err(),
        "a wrong query is noticed"
    );
}
