//! `docs/metrics.md`, made from the list of metrics.

use std::fmt::Write as _;

use super::families::FAMILIES;
use super::instrument::{Family, Kind, Values};

/// The page, byte for byte.
pub fn page() -> String {
    let mut out = String::from(HEAD);
    for family in FAMILIES {
        let labels: Vec<String> = family.labels.iter().map(|label| format!("`{}`", label.name)).collect();
        let labels = if labels.is_empty() { "none".to_owned() } else { labels.join(", ") };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "| `{}` | {} | {} | {} |", family.name, family.kind.name(), labels, family.help);
    }
    out.push_str("\n## Labels\n\n| metric | label | values |\n|---|---|---|\n");
    for family in FAMILIES {
        for label in family.labels {
            let values = match label.values {
                Values::Closed(list) => list.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", "),
                Values::Open(of) => format!("one for each of: {of}"),
            };
            let _ = writeln!(out, "| `{}` | `{}` | {values} |", family.name, label.name);
        }
    }
    out.push_str("\n## Buckets\n\n| histogram | upper bounds in seconds |\n|---|---|\n");
    for family in FAMILIES.iter().filter(|family| family.kind == Kind::Histogram) {
        let _ = writeln!(out, "| `{}` | {} |", family.name, bounds(family));
    }
    out
}

fn bounds(family: &Family) -> String {
    family.buckets.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
}

const HEAD: &str = "\
# Metrics

This page is made from the list in `src/telemetry/families.rs`; `UPDATE_DOCS=1 cargo test --lib metrics_page` writes it
anew. The daemon serves these metrics at `/metrics` in Prometheus' text format. There are no others.

A value that is not in a label's list is shown as `other`. A family has at most 2000 series; what comes after that is
shown as `other` too. Families whose labels are all lists show every series from the start, at zero, so that `increase()`
sees the first event. Gauges about rollouts are zero on a daemon that stands by.

Dashboard: `grafana/dashboards/cyanotype.json`. Alerts: `deploy/prometheus/rules.yml`.

| metric | type | labels | meaning |
|---|---|---|---|
";
