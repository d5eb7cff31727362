//! Topics at rest: what their comparison by fingerprints costs.
//!
//! Blue and green have different writer schemas, and their values 128 bytes. The limit is a pass that sums the bytes of the
//! same records: the least that anybody can do who looks at them. The peer is the validation that decodes each record, keeps
//! its row and follows each key; it does the same work.

use std::time::Duration;

use cyanotype::model::parity::{Changelog, RowRule, TableContract};
use cyanotype::model::record::{Offsets, RawRecord};
use cyanotype::model::verdict::{Outcome, TableVerdict};
use cyanotype::validate::survey::{Findings, Survey};
use cyanotype::validate::{Side, TableValidation};

use crate::records::{KEY, KEY_ID, OTHER_VALUE, OTHER_VALUE_ID, PADDED, VALUE, VALUE_ID, padded};
use crate::table::{Amount, Role, Variant, compare, timed};

const KEYS: i64 = 500_000;
const PARTITIONS: i32 = 4;
const SCHEMAS: [(u32, &str); 3] = [(KEY_ID, KEY), (VALUE_ID, VALUE), (OTHER_VALUE_ID, OTHER_VALUE)];

/// Prints it.
pub fn run() -> Result<(), String> {
    let [blue, green] = padded(KEYS, PARTITIONS)?;
    let length = |r: &RawRecord| r.key.as_ref().map_or(0, Vec::len) + r.value.as_ref().map_or(0, Vec::len);
    let bytes = blue.iter().chain(&green).map(length).sum();
    let both = contract(Changelog::Upsert, true);
    let sum = || Ok(timed(|| blue.iter().chain(&green).fold(0, |all: u64, r| all.wrapping_add(summed(r)))).0);
    let mut found = surveyed(&both, &blue, &green)?.1;
    let variants = vec![
        Variant::new("sum every byte", Role::Limit, sum),
        Variant::new("decode, keep the rows, compare", Role::Peer, || {
            let (time, verdict) = decoded(&both, &blue, &green)?;
            passed(verdict).map(|()| time)
        }),
        Variant::new("fingerprints of key and row alone", Role::Ours, || {
            let look = |found: &mut Findings| {
                blue.iter().for_each(|record| found.look(Side::Blue, record));
                green.iter().for_each(|record| found.look(Side::Green, record));
            };
            Ok(timed(|| look(&mut found)).0)
        }),
        Variant::new("upsert: fingerprints, store", Role::Ours, || Ok(surveyed(&both, &blue, &green)?.0)),
        Variant::new("upsert: the same with sort and verdict", Role::Ours, || {
            whole(&contract(Changelog::Upsert, true), &blue, &green)
        }),
        Variant::new("append: the same", Role::Ours, || whole(&contract(Changelog::Append, true), &blue, &green)),
    ];
    let amount = Amount { count: blue.len() + green.len(), unit: "record", bytes: Some(bytes) };
    let title = format!("two topics at rest: {KEYS} keys on both sides, values of {PADDED} bytes, two writer schemas");
    compare(&title, &amount, 5, variants)?;
    let alone = contract(Changelog::Upsert, false);
    let variants = vec![
        Variant::new("sum every byte", Role::Limit, || Ok(timed(|| blue.iter().map(summed).sum::<u64>()).0)),
        Variant::new("decode, keep the rows", Role::Peer, || {
            let (time, verdict) = decoded(&alone, &[], &blue)?;
            passed(verdict).map(|()| time)
        }),
        Variant::new("duplicates of one topic, with verdict", Role::Ours, || whole(&alone, &[], &blue)),
    ];
    let bytes = blue.iter().map(length).sum();
    let amount = Amount { count: blue.len(), unit: "record", bytes: Some(bytes) };
    compare(&format!("one topic: {KEYS} keys, values of {PADDED} bytes"), &amount, 5, variants)
}

fn contract(changelog: Changelog, blue: bool) -> TableContract {
    TableContract {
        table: "orders".to_owned(),
        blue_topic: blue.then(|| "orders".to_owned()),
        green_topic: "orders_v2".to_owned(),
        changelog,
        key: vec!["order_id".to_owned()],
        columns: std::collections::BTreeMap::new(),
        rows: RowRule::Same,
    }
}

/// Both topics read by fingerprints: the time for that, and what was found.
fn surveyed(contract: &TableContract, blue: &[RawRecord], green: &[RawRecord]) -> Result<(Duration, Findings), String> {
    let (time, survey) = timed(|| fed(contract, blue, green));
    Ok((time, survey?.finish().ok_or("too many partitions")?))
}

fn fed(contract: &TableContract, blue: &[RawRecord], green: &[RawRecord]) -> Result<Survey, String> {
    let mut survey = Survey::new(contract.clone()).ok_or("not a plain contract")?;
    for (id, text) in SCHEMAS {
        survey.add_schema(id, text, &[]).map_err(|e| e.to_string())?;
    }
    let mut feed = |side, records: &[RawRecord]| records.iter().try_for_each(|record| survey.feed(side, record));
    feed(Side::Blue, blue).and_then(|()| feed(Side::Green, green)).map_err(|e| e.to_string())?;
    Ok(survey)
}

/// The same up to the verdict.
fn whole(contract: &TableContract, blue: &[RawRecord], green: &[RawRecord]) -> Result<Duration, String> {
    let (time, verdict) = timed(|| {
        let findings = fed(contract, blue, green)?.finish().ok_or("too many partitions")?;
        if findings.wants_look() { Err("equal topics are told apart".to_owned()) } else { Ok(findings.verdict()) }
    });
    passed(verdict?).map(|()| time)
}

/// The same by a validation that decodes.
fn decoded(
    contract: &TableContract,
    blue: &[RawRecord],
    green: &[RawRecord],
) -> Result<(Duration, TableVerdict), String> {
    let mut table = TableValidation::new(contract.clone());
    for (id, text) in SCHEMAS {
        table.add_schema(id, text, &[]).map_err(|e| e.to_string())?;
    }
    let ends = |records: &[RawRecord]| records.iter().map(|r| (r.partition, r.offset + 1)).collect::<Offsets>();
    table.begin_round(&ends(blue), &ends(green));
    let (time, verdict) = timed(|| {
        let mut feed = |side, records: &[RawRecord]| records.iter().try_for_each(|record| table.feed(side, record));
        feed(Side::Blue, blue).and_then(|()| feed(Side::Green, green)).map_err(|e| e.to_string())?;
        table.end_round();
        Ok::<_, String>(table.verdict())
    });
    Ok((time, verdict?))
}

fn passed(verdict: TableVerdict) -> Result<(), String> {
    match verdict.outcome {
        Outcome::Pass => Ok(()),
        _ => Err(format!("equal topics did not pass: {}", verdict.reason)),
    }
}

fn summed(record: &RawRecord) -> u64 {
    let of = |bytes: &Option<Vec<u8>>| bytes.iter().flatten().map(|byte| u64::from(*byte)).sum::<u64>();
    of(&record.key) + of(&record.value)
}
