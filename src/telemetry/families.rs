//! The closed list of metrics. Nothing is measured that is not declared here; `docs/metrics.md` is made from it.
//!
//! Rules: names begin with `cyanotype_`, counters end in `_total`, times are in seconds; a label is either closed (its
//! values are listed) or grows with the deployment, never with traffic.

use prometheus::{Registry, TextEncoder};

use super::instrument::{Counter, Family, Gauge, Histogram, Instrument, Label, Values};

/// The states of a rollout, as labels have them.
pub const STATES: &[&str] = &[
    "proposed",
    "staging",
    "catching_up",
    "validating",
    "awaiting_approval",
    "promoting",
    "soaking",
    "retiring",
    "done",
    "unproven",
    "rejected",
    "superseded",
    "aborting",
    "aborted",
    "rolling_back",
    "rolled_back",
    "stuck",
];

/// The kinds of effect: the first word of an effect's key.
pub const EFFECTS: &[&str] = &[
    "create_topic",
    "inspect_topic",
    "subject_level",
    "explain",
    "start_job",
    "cancel_job",
    "create_connector",
    "delete_connector",
    "move_connector",
    "delete_topic",
    "set_manifest",
];

/// The systems behind the ports.
pub const SYSTEMS: &[&str] = &["registry", "kafka", "flink", "sql_gateway", "connect", "git", "project", "webhook"];

/// Why a call is refused.
pub const REFUSALS: &[&str] = &[
    // by the daemon
    "unknown_rollout",
    "wrong_state",
    "evidence_mismatch",
    "expired",
    "assumptions_moved",
    "unchecked",
    "replay_mismatch",
    "conflict",
    "invalid",
    "not_leading",
    // at the door
    "unauthenticated",
    "wrong_scope",
    "bad_signature",
    "old_timestamp",
    "future_timestamp",
    "malformed",
    "missing_evidence",
    "too_large",
    "too_slow",
    "not_found",
    "method_not_allowed",
    "no_answer",
];

const STATE: Label = Label { name: "state", values: Values::Closed(STATES) };
const EFFECT: Label = Label { name: "effect", values: Values::Closed(EFFECTS) };
const DONE_OR_FAILED: Label = Label { name: "outcome", values: Values::Closed(&["done", "failed"]) };
const PROOF: Label = Label { name: "outcome", values: Values::Closed(&["pass", "undecided", "fail"]) };
const DECISION: Label = Label {
    name: "outcome",
    values: Values::Closed(&["approved", "rejected", "aborted", "rolled_back", "repeated", "refused"]),
};
const VERDICT: Label = Label { name: "verdict", values: Values::Closed(&["accepted", "refused", "no_impact"]) };
const SIDE: Label = Label { name: "side", values: Values::Closed(&["blue", "green"]) };
const SYSTEM: Label = Label { name: "system", values: Values::Closed(SYSTEMS) };
const CAUSE: Label = Label { name: "cause", values: Values::Closed(REFUSALS) };
const TABLE: Label = Label { name: "table", values: Values::Open("logical tables that are being staged") };
const TOPIC: Label = Label { name: "topic", values: Values::Open("watched CDC and outbox topics") };
const SCHEMA_ID: Label = Label { name: "schema_id", values: Values::Open("schema ids seen in those topics") };
const FIRST: Label = Label { name: "first", values: Values::Closed(&["registry", "record"]) };
const PATH: Label = Label { name: "path", values: Values::Open("routes of the API, as templates") };
const CODE: Label = Label { name: "code", values: Values::Open("HTTP status codes that the API gives") };
const VERSION: Label = Label { name: "version", values: Values::Open("the running version: one") };

/// From a call that answers at once to one that waits out a time-out, in seconds.
const CALLS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0];
/// A proposal is promised within 5 s: fine steps below it.
const PROPOSALS: &[f64] = &[0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0, 30.0, 60.0];
/// A record may follow its schema at once, or when the next row changes: from a look at the registry to a day.
const ARRIVALS: &[f64] = &[0.25, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1_800.0, 3_600.0, 21_600.0, 86_400.0];
/// A validation reads whole topics: from a second to hours.
const VALIDATIONS: &[f64] = &[1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 10_800.0];

macro_rules! metrics {
    ($($field:ident: $kind:ident, $name:literal, [$($label:expr),*], $buckets:expr, $help:literal;)*) => {
        /// Every metric there is.
        pub const FAMILIES: &[Family] = &[$(Family {
            name: $name,
            kind: <$kind<{ count(&[$($label),*]) }> as Instrument>::KIND,
            help: $help,
            labels: &[$($label),*],
            buckets: $buckets,
        }),*];

        /// The metrics of one process.
        #[derive(Debug)]
        pub struct Metrics {
            registry: Registry,
            $(#[doc = $help] pub $field: $kind<{ count(&[$($label),*]) }>,)*
        }

        impl Metrics {
            /// All of them, at zero. Fails only when two declarations clash, which a test excludes.
            pub fn new() -> Result<Self, prometheus::Error> {
                let registry = Registry::new();
                let mut families = FAMILIES.iter();
                let mut next = || families.next().ok_or_else(|| prometheus::Error::Msg("too few families".to_owned()));
                let this = Self {
                    $($field: <$kind<{ count(&[$($label),*]) }> as Instrument>::register(next()?, &registry)?,)*
                    registry,
                };
                this.build_info.set([env!("CARGO_PKG_VERSION")], 1.0);
                Ok(this)
            }
        }
    };
}

const fn count(labels: &[Label]) -> usize {
    labels.len()
}

metrics! {
    build_info: Gauge, "cyanotype_build_info", [VERSION], &[],
        "Always 1; its label says which version runs.";
    leader: Gauge, "cyanotype_leader", [], &[],
        "1 when this daemon leads and has replayed the journal, else 0.";
    loop_lag_seconds: Gauge, "cyanotype_loop_lag_seconds", [], &[],
        "Age of the daemon loop's last turn; grows when the loop hangs.";
    subjects_watched: Gauge, "cyanotype_subjects_watched", [], &[],
        "Subjects that are watched for new versions.";
    subject_versions_seen_total: Counter, "cyanotype_subject_versions_seen_total", [], &[],
        "New subject versions seen in the registry.";
    cdc_records_total: Counter, "cyanotype_cdc_records_total", [TOPIC, SCHEMA_ID], &[],
        "Records seen in the input topics, by the schema id or GUID that they carry.";
    cdc_schema_switches_total: Counter, "cyanotype_cdc_schema_switches_total", [TOPIC], &[],
        "Records of the input topics with another schema than the record before them in their partition.";
    cdc_unreadable_records_total: Counter, "cyanotype_cdc_unreadable_records_total", [TOPIC], &[],
        "Records of the input topics that cannot be read.";
    cdc_placeholders_total: Counter, "cyanotype_cdc_placeholders_total", [TOPIC], &[],
        "Columns in records of the input topics that hold Debezium's placeholder for a value that the database did not log.";
    first_record_lag_seconds: Histogram, "cyanotype_first_record_lag_seconds", [FIRST], ARRIVALS,
        "Time between the registry's news of a subject version and the first record with its schema, by which of the two came first.";
    evolutions_total: Counter, "cyanotype_evolutions_total", [VERDICT], &[],
        "Schema changes judged: accepted (planned), refused (may not be planned), or without impact on any statement.";
    proposal_seconds: Histogram, "cyanotype_proposal_seconds", [], PROPOSALS,
        "Time from seeing a subject version to the proposed plan.";
    rollouts: Gauge, "cyanotype_rollouts", [STATE], &[],
        "Rollouts in each state; of those that are over, the newest 100 at least.";
    rollout_transitions_total: Counter, "cyanotype_rollout_transitions_total", [STATE], &[],
        "Entries into each state.";
    rollout_state_seconds: Gauge, "cyanotype_rollout_state_seconds", [STATE], &[],
        "How long the open rollout that is in this state for the longest time has been in it; 0 when there is none.";
    effects_total: Counter, "cyanotype_effects_total", [EFFECT, DONE_OR_FAILED], &[],
        "Changes of the world that were tried, undos included, by kind and outcome.";
    effect_duration_seconds: Histogram, "cyanotype_effect_duration_seconds", [EFFECT], CALLS,
        "How long a change of the world took.";
    catch_up_lag_records: Gauge, "cyanotype_catch_up_lag_records", [TABLE], &[],
        "Records that the job of a green table still has to read to reach its target.";
    validation_rows_total: Counter, "cyanotype_validation_rows_total", [SIDE], &[],
        "Records read from blue and green outputs by validations.";
    validation_duration_seconds: Histogram, "cyanotype_validation_duration_seconds", [], VALIDATIONS,
        "How long a validation took.";
    validation_outcomes_total: Counter, "cyanotype_validation_outcomes_total", [PROOF], &[],
        "Validations by their answer.";
    duplicates_found_total: Counter, "cyanotype_duplicates_found_total", [], &[],
        "Duplicates found in green outputs.";
    differences_found_total: Counter, "cyanotype_differences_found_total", [], &[],
        "Keys or rows where green differs from blue beyond what the plan declares.";
    approvals_total: Counter, "cyanotype_approvals_total", [DECISION], &[],
        "Decisions that came in: approved, rejected, signed wishes to go back (aborted, rolled back), repeated deliveries \
         (answered again without effect), refused.";
    api_refusals_total: Counter, "cyanotype_api_refusals_total", [CAUSE], &[],
        "Calls of the API that were refused, by cause.";
    http_requests_total: Counter, "cyanotype_http_requests_total", [PATH, CODE], &[],
        "HTTP requests by route and status code.";
    port_errors_total: Counter, "cyanotype_port_errors_total", [SYSTEM], &[],
        "Failed calls of the systems around: no answer, a refusal, or an answer that is not understood.";
}

impl Metrics {
    /// Everything in Prometheus' text format.
    pub fn render(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}
