//! The kinds of metric, with the number of labels in the type and the number of series bounded.
//!
//! Rules: a value outside a closed list becomes `other`; when a family has [`SERIES_LIMIT`] series, new values of open
//! labels become `other` too; a family whose labels are all closed shows every series from the start, at zero.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use prometheus::{GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

/// Most series of one family: enough for every table of a large project, too few to hurt Prometheus.
pub const SERIES_LIMIT: usize = 2_000;

/// Longest value of an open label, in characters.
const VALUE_LIMIT: usize = 200;

/// Where values go that have no place of their own.
pub const OTHER: &str = "other";

/// What a family counts or shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only ever grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations by size.
    Histogram,
}

impl Kind {
    /// Name as Prometheus has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The values that a label can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// These, and `other`.
    Closed(&'static [&'static str]),
    /// As many as the deployment has; the text says of what.
    Open(&'static str),
}

/// One label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Name.
    pub name: &'static str,
    /// What it can be.
    pub values: Values,
}

/// One metric as it is declared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Family {
    /// Name.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// One sentence.
    pub help: &'static str,
    /// Labels, in the order in which values are given.
    pub labels: &'static [Label],
    /// Upper bounds of a histogram's buckets.
    pub buckets: &'static [f64],
}

/// A metric that can be made from its declaration.
pub(super) trait Instrument: Sized {
    /// The type it stands for.
    const KIND: Kind;
    /// After `Ok`, `registry` shows it.
    fn register(family: &Family, registry: &Registry) -> Result<Self, prometheus::Error>;
}

/// Only ever grows.
#[derive(Debug)]
pub struct Counter<const N: usize>(IntCounterVec, Bound<N>);

impl<const N: usize> Counter<N> {
    /// Adds one.
    pub fn inc(&self, labels: [&str; N]) {
        self.add(labels, 1);
    }

    /// Adds `count`.
    pub fn add(&self, labels: [&str; N], count: u64) {
        let fitted = self.1.fit(labels);
        if let Ok(series) = self.0.get_metric_with_label_values(&fitted.each_ref().map(String::as_str)) {
            series.inc_by(count);
        }
    }

    /// What it stands at.
    pub fn get(&self, labels: [&str; N]) -> u64 {
        let fitted = self.1.fit(labels);
        self.0.get_metric_with_label_values(&fitted.each_ref().map(String::as_str)).map_or(0, |series| series.get())
    }
}

impl<const N: usize> Instrument for Counter<N> {
    const KIND: Kind = Kind::Counter;

    fn register(family: &Family, registry: &Registry) -> Result<Self, prometheus::Error> {
        let vec = IntCounterVec::new(Opts::new(family.name, family.help), &names(family))?;
        registry.register(Box::new(vec.clone()))?;
        let this = Self(vec, Bound::new(family.labels));
        zeroes(family.labels, |values: [&str; N]| this.add(values, 0));
        Ok(this)
    }
}

/// Goes up and down.
#[derive(Debug)]
pub struct Gauge<const N: usize>(GaugeVec, Bound<N>);

impl<const N: usize> Gauge<N> {
    /// Sets it.
    pub fn set(&self, labels: [&str; N], value: f64) {
        let fitted = self.1.fit(labels);
        if let Ok(series) = self.0.get_metric_with_label_values(&fitted.each_ref().map(String::as_str)) {
            series.set(value);
        }
    }

    /// What it stands at.
    pub fn get(&self, labels: [&str; N]) -> f64 {
        let fitted = self.1.fit(labels);
        self.0.get_metric_with_label_values(&fitted.each_ref().map(String::as_str)).map_or(0.0, |series| series.get())
    }

    /// Drops every series, such as those of tables that are no longer staged. Series of closed labels start again at zero.
    pub fn clear(&self) {
        self.0.reset();
        self.1.clear();
        zeroes(self.1.labels, |values: [&str; N]| self.set(values, 0.0));
    }
}

impl<const N: usize> Instrument for Gauge<N> {
    const KIND: Kind = Kind::Gauge;

    fn register(family: &Family, registry: &Registry) -> Result<Self, prometheus::Error> {
        let vec = GaugeVec::new(Opts::new(family.name, family.help), &names(family))?;
        registry.register(Box::new(vec.clone()))?;
        let this = Self(vec, Bound::new(family.labels));
        zeroes(family.labels, |values: [&str; N]| this.set(values, 0.0));
        Ok(this)
    }
}

/// Counts observations by size.
#[derive(Debug)]
pub struct Histogram<const N: usize>(HistogramVec, Bound<N>);

impl<const N: usize> Histogram<N> {
    /// Counts one observation.
    pub fn observe(&self, labels: [&str; N], value: f64) {
        let fitted = self.1.fit(labels);
        if let Ok(series) = self.0.get_metric_with_label_values(&fitted.each_ref().map(String::as_str)) {
            series.observe(value);
        }
    }

    /// How many observations there were.
    pub fn count(&self, labels: [&str; N]) -> u64 {
        let fitted = self.1.fit(labels);
        self.0
            .get_metric_with_label_values(&fitted.each_ref().map(String::as_str))
            .map_or(0, |series| series.get_sample_count())
    }
}

impl<const N: usize> Instrument for Histogram<N> {
    const KIND: Kind = Kind::Histogram;

    fn register(family: &Family, registry: &Registry) -> Result<Self, prometheus::Error> {
        let opts = HistogramOpts::new(family.name, family.help).buckets(family.buckets.to_vec());
        let vec = HistogramVec::new(opts, &names(family))?;
        registry.register(Box::new(vec.clone()))?;
        zeroes(family.labels, |values: [&str; N]| drop(vec.get_metric_with_label_values(&values)));
        Ok(Self(vec, Bound::new(family.labels)))
    }
}

fn names(family: &Family) -> Vec<&'static str> {
    family.labels.iter().map(|label| label.name).collect()
}

/// Keeps the number of series finite.
#[derive(Debug)]
struct Bound<const N: usize> {
    labels: &'static [Label],
    seen: Mutex<BTreeSet<[String; N]>>,
}

impl<const N: usize> Bound<N> {
    fn new(labels: &'static [Label]) -> Self {
        Self { labels, seen: Mutex::new(BTreeSet::new()) }
    }

    fn fit(&self, given: [&str; N]) -> [String; N] {
        let mut fitted = given.map(str::to_owned);
        for (value, label) in fitted.iter_mut().zip(self.labels) {
            *value = match label.values {
                Values::Closed(list) => closed(list, value),
                Values::Open(_) => value.chars().take(VALUE_LIMIT).collect(),
            };
        }
        if !self.labels.iter().any(open) {
            return fitted;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(&fitted) {
            return fitted;
        }
        if seen.len() < SERIES_LIMIT {
            seen.insert(fitted.clone());
            return fitted;
        }
        for (value, label) in fitted.iter_mut().zip(self.labels) {
            if open(label) {
                OTHER.clone_into(value);
            }
        }
        fitted
    }

    fn clear(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

const fn open(label: &Label) -> bool {
    matches!(label.values, Values::Open(_))
}

/// The value as the list writes it (`SQL gateway` is `sql_gateway`, `create-topic` is `create_topic`), or `other`.
fn closed(list: &[&str], value: &str) -> String {
    let form: String =
        value.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    if list.contains(&form.as_str()) { form } else { OTHER.to_owned() }
}

/// Calls `start` once for every series of a family whose labels are all closed.
fn zeroes<const N: usize>(labels: &[Label], start: impl Fn([&str; N])) {
    let mut rows: Vec<Vec<&str>> = vec![Vec::new()];
    for label in labels {
        let Values::Closed(list) = label.values else { return };
        rows = rows
            .iter()
            .flat_map(|row| list.iter().map(|value| row.iter().copied().chain([*value]).collect()))
            .collect();
    }
    for row in rows {
        if let Ok(values) = <[&str; N]>::try_from(row) {
            start(values);
        }
    }
}
