//! What a job does, in Flink's own words: of a running one from its plan, of one that would be started from `EXPLAIN`.
//!
//! Both say the same of each operator, but for numbers that count the statements of a session, the catalog that the session
//! was in, and the form: the plan is HTML with branches drawn before the operators of a chain. All three are taken away
//! here, so that what is left can be compared. How far sources have read is in their metrics, whose names have the topic
//! with other characters in it (`MetricQueryService.replaceInvalidChars` of Flink).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::model::job::JobShape;
use crate::model::record::Offsets;

/// What `GET /jobs/:id/plan` answers.
#[derive(Deserialize)]
pub(super) struct RunningPlan {
    plan: Nodes,
}

#[derive(Deserialize)]
struct Nodes {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    description: String,
}

/// What `EXPLAIN JSON_EXECUTION_PLAN` ends with.
#[derive(Deserialize)]
struct Explained {
    nodes: Vec<Operator>,
}

#[derive(Deserialize)]
struct Operator {
    contents: String,
}

/// What `GET /jobs/:id/vertices/:id/metrics` answers an element of.
#[derive(Deserialize)]
pub(super) struct Metric {
    pub(super) id: String,
    #[serde(default)]
    pub(super) value: Option<String>,
}

/// The heading before the JSON in an explanation.
const HEADING: &str = "== Physical Execution Plan ==";

impl RunningPlan {
    /// What the job does.
    pub(super) fn shape(&self) -> JobShape {
        let lines = self.plan.nodes.iter().flat_map(|node| node.description.split("<br/>"));
        shape(lines.map(|line| unescaped(line.trim_start_matches([':', '+', '-', '|', ' ']))))
    }
}

/// What the explained job would do; `None` when the text is no such explanation.
pub(super) fn explained(text: &str) -> Option<JobShape> {
    let (_, json) = text.split_once(HEADING)?;
    let explained: Explained = serde_json::from_str(json.trim()).ok()?;
    Some(shape(explained.nodes.into_iter().map(|node| node.contents)))
}

fn shape(operators: impl Iterator<Item = String>) -> JobShape {
    let mut shape = JobShape::default();
    for text in operators.map(|line| local(&unnumbered(line.trim()))).filter(|text| !text.is_empty()) {
        if let Some(table) = between(&text, "TableSourceScan(table=[[", &[',', ']']) {
            shape.reads.push(table.to_owned());
        }
        let writer = text.strip_suffix(": Writer").or_else(|| between(&text, "Sink(table=[", &[',', ']']));
        shape.writes.extend(writer.map(str::to_owned));
        shape.operators.push(text);
    }
    shape.reads.sort();
    shape.writes.sort();
    shape.operators.sort();
    shape
}

/// `[12]:Calc(...)` without its number, `orders[9]: Writer` without it.
fn unnumbered(text: &str) -> String {
    if let Some((number, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once("]:"))
        && digits(number)
    {
        return rest.to_owned();
    }
    if let Some((head, rest)) = text.rsplit_once("]: ")
        && let Some((name, number)) = head.rsplit_once('[')
        && digits(number)
    {
        return format!("{name}: {rest}");
    }
    text.to_owned()
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Tables by the last part of their names: the catalog and database are those of a session.
fn local(text: &str) -> String {
    let scan = text.find("(table=[[").map(|at| (at + "(table=[[".len(), ", "));
    let sink = text.find("(table=[").map(|at| (at + "(table=[".len(), "."));
    let Some((at, separator)) = scan.or(sink) else { return text.to_owned() };
    let (head, rest) = text.split_at_checked(at).unwrap_or((text, ""));
    let end = rest.find(']').unwrap_or(rest.len());
    let mut parts = rest.get(..end).unwrap_or_default().splitn(3, separator);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(_), Some(name)) => format!("{head}{name}{}", rest.get(end..).unwrap_or_default()),
        _ => text.to_owned(),
    }
}

fn between<'t>(text: &'t str, before: &str, after: &[char]) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    rest.split(after).next()
}

/// Flink writes every character that HTML has a name for as an entity.
fn unescaped(text: &str) -> String {
    html_escape::decode_html_entities(text).into_owned()
}

/// How far the scans of one table have read its topic, from the metrics of every vertex of a job.
pub(super) struct Sources {
    /// What the names of their operators begin with, as metrics spell it.
    operator: String,
    /// The topic, as metrics spell it.
    topic: String,
    /// Next offset by vertex and operator, and by partition.
    read: BTreeMap<(String, String), Offsets>,
}

impl Sources {
    /// Nothing known yet.
    pub(super) fn of(table: &str, topic: &str) -> Self {
        Self { operator: mangled(&format!("Source: {table}[")), topic: mangled(topic), read: BTreeMap::new() }
    }

    /// True for a metric that says how far one of them has read.
    pub(super) fn says(&self, metric: &str) -> bool {
        self.part(metric).is_some()
    }

    fn part<'m>(&self, metric: &'m str) -> Option<Part<'m>> {
        parts(metric).filter(|part| part.topic == self.topic && part.operator.starts_with(&self.operator))
    }

    /// Takes in what the metrics of one vertex say.
    pub(super) fn take(&mut self, vertex: &str, metrics: &[Metric]) {
        for metric in metrics {
            let Some(part) = self.part(&metric.id) else { continue };
            let Some(last) = metric.value.as_deref().and_then(|value| value.parse::<i64>().ok()) else { continue };
            let source = self.read.entry((vertex.to_owned(), part.operator.to_owned())).or_default();
            // -1 before the first record and the first commit. A job that was restored at the end of an idle topic reads no
            // record, and commits all the same.
            let next = source.entry(part.partition).or_insert(0);
            *next = (*next).max(last.saturating_add(part.to_next));
        }
    }

    /// What all `scans` of the table have read; `None` when not all of them have said so.
    pub(super) fn behind_most(self, scans: usize) -> Option<Offsets> {
        if scans == 0 || self.read.len() < scans {
            return None;
        }
        let partitions: BTreeSet<i32> = self.read.values().flat_map(|offsets| offsets.keys().copied()).collect();
        let least = |p: &i32| self.read.values().map(|offsets| offsets.get(p).copied().unwrap_or(0)).min();
        Some(partitions.iter().filter_map(|p| Some((*p, least(p)?))).collect())
    }
}

/// Which of `topics` the sources behind these metrics read, and whether as many sources as there are `scans` say what they read.
pub(super) fn read_of(topics: &BTreeSet<String>, metrics: &[String], scans: usize) -> (BTreeSet<String>, bool) {
    let parts: Vec<Part<'_>> = metrics.iter().filter_map(|metric| parts(metric)).collect();
    let said: BTreeSet<&str> = parts.iter().map(|part| part.operator).collect();
    let reads = |topic: &&String| parts.iter().any(|part| part.topic == mangled(topic));
    (topics.iter().filter(reads).cloned().collect(), said.len() >= scans)
}

struct Part<'m> {
    operator: &'m str,
    topic: &'m str,
    partition: i32,
    /// From the value to the offset of the next record.
    to_next: i64,
}

/// `0.Source__orders[3].KafkaSourceReader.topic.shop_orders.partition.1.currentOffset` in its parts.
fn parts(id: &str) -> Option<Part<'_>> {
    let (id, to_next) = match id.strip_suffix(".currentOffset") {
        Some(id) => (id, 1),
        None => (id.strip_suffix(".committedOffset")?, 0),
    };
    let (head, partition) = id.rsplit_once(".partition.")?;
    let (reader, topic) = head.rsplit_once(".KafkaSourceReader.topic.")?;
    let (_subtask, operator) = reader.split_once('.')?;
    Some(Part { operator, topic, partition: partition.parse().ok()?, to_next })
}

fn mangled(topic: &str) -> String {
    topic.replace([' ', '.', ':', ','], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"{"plan": {"jid": "1", "name": "insert-into_c.d.fin", "nodes": [
        {"id": "b", "description": "[22]:GroupAggregate(groupBy=[id], select=[id, COUNT(*) AS EXPR$1])<br/>+- [23]:ConstraintEnforcer[NotNullEnforcer(fields=[id])]<br/>   +- mid[23]: Writer<br/>      +- mid[23]: Committer<br/>"},
        {"id": "a", "description": "[19]:TableSourceScan(table=[[c, d, raw, watermark=[at]]], fields=[id, v])<br/>:- [20]:Calc(select=[id], where=[((v &lt;&gt; 'a &amp; &ouml;&euro;') AND (id &lt; 15))])<br/>"}]}}"#;
    const EXPLAINED: &str = r#"== Optimized Execution Plan ==
Sink(table=[x.y.mid], fields=[id, n])

== Physical Execution Plan ==
{"nodes": [
    {"id": 3, "type": "Source: raw[1]", "contents": "[1]:TableSourceScan(table=[[x, y, raw, watermark=[at]]], fields=[id, v])"},
    {"id": 4, "contents": "[2]:Calc(select=[id], where=[((v <> 'a & ö€') AND (id < 15))])"},
    {"id": 5, "contents": "[4]:GroupAggregate(groupBy=[id], select=[id, COUNT(*) AS EXPR$1])"},
    {"id": 6, "contents": "[5]:ConstraintEnforcer[NotNullEnforcer(fields=[id])]"},
    {"id": 7, "contents": "mid[5]: Writer"}, {"id": 8, "contents": "mid[5]: Committer"}]}"#;

    #[test]
    fn a_running_job_and_what_would_be_started_are_told_alike() {
        let plan: RunningPlan = serde_json::from_str(PLAN).unwrap();
        let running = plan.shape();
        assert_eq!(running, explained(EXPLAINED).unwrap());
        assert_eq!((running.reads, running.writes), (vec!["raw".to_owned()], vec!["mid".to_owned()]));
        let calc = "Calc(select=[id], where=[((v <> 'a & ö€') AND (id < 15))])";
        assert!(running.operators.iter().any(|o| o == calc), "{:?}", running.operators);
    }

    #[test]
    fn a_sink_of_the_older_kind_is_a_sink() {
        let text =
            r#"== Physical Execution Plan == {"nodes": [{"contents": "[7]:Sink(table=[c.d.out], fields=[a])"}]}"#;
        let shape = explained(text).unwrap();
        assert_eq!(shape.writes, ["out"]);
        assert_eq!(shape.operators, ["Sink(table=[out], fields=[a])"]);
    }

    #[test]
    fn what_is_no_explanation_is_none() {
        assert_eq!(explained(""), None);
        assert_eq!(explained("== Physical Execution Plan == nothing"), None);
    }

    fn metric(id: &str, value: &str) -> Metric {
        Metric { id: id.to_owned(), value: Some(value.to_owned()) }
    }

    #[test]
    fn positions_are_those_of_the_scan_that_is_behind_most() {
        let name = |subtask: u8, operator: &str, p: u8| {
            format!("{subtask}.Source__{operator}.KafkaSourceReader.topic.a_b.partition.{p}.currentOffset")
        };
        let one = || {
            let mut sources = Sources::of("t", "a.b");
            sources.take("v1", &[metric(&name(0, "t[1]", 0), "9"), metric(&name(1, "t[1]", 1), "-1")]);
            sources.take("v1", &[metric(&name(0, "tt[2]", 0), "1")]);
            sources
        };
        assert_eq!(one().behind_most(2), None, "the other scan has not said anything");
        let mut both = one();
        both.take("v2", &[metric(&name(0, "t[5]", 0), "4"), metric(&name(0, "t[5]", 1), "7")]);
        assert_eq!(both.behind_most(2), Some(Offsets::from([(0, 5), (1, 0)])));
    }

    #[test]
    fn a_topic_is_read_under_whatever_name_of_a_table() {
        let metric = |source: &str, topic: &str| {
            format!("0.Source__{source}.KafkaSourceReader.topic.{topic}.partition.0.currentOffset")
        };
        let topics = BTreeSet::from(["a.b".to_owned(), "c".to_owned()]);
        let one = [metric("other[1]", "a_b"), "0.numRecordsIn".to_owned()];
        assert_eq!(read_of(&topics, &one, 1), (BTreeSet::from(["a.b".to_owned()]), true));
        assert_eq!(read_of(&topics, &one, 2), (BTreeSet::from(["a.b".to_owned()]), false), "the other is silent");
        assert_eq!(read_of(&topics, &[], 1), (BTreeSet::new(), false));
    }

    #[test]
    fn a_restored_source_that_has_read_nothing_since_is_where_it_has_committed() {
        let name = |what: &str| format!("0.Source__t[1].KafkaSourceReader.topic.a_b.partition.0.{what}");
        let mut sources = Sources::of("t", "a.b");
        sources.take("v", &[metric(&name("currentOffset"), "-1"), metric(&name("committedOffset"), "42")]);
        assert_eq!(sources.behind_most(1), Some(Offsets::from([(0, 42)])));
    }

    #[test]
    fn a_metric_is_of_a_table_and_a_topic_by_their_whole_names() {
        let id = "0.Source__t[1].KafkaSourceReader.topic.shop_orders.partition.0.currentOffset";
        assert!(Sources::of("t", "shop.orders").says(id));
        assert!(!Sources::of("t", "orders").says(id));
        assert!(!Sources::of("x", "shop.orders").says(id));
        let of = Sources::of("t", "shop.orders");
        assert!(!of.says("0.Source__t[1].KafkaSourceReader.topic.shop_orders.partition.0.records-lag"));
        assert!(!of.says("0.numRecordsIn"));
    }
}
