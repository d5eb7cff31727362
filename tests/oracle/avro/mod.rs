//! Our answer whether one Avro schema reads another, against Avro's own Java library, which the registries call.

mod flaws;
mod ignored;
mod minimal;
mod mutations;
mod references;
mod schemas;

use std::collections::BTreeMap;

use cyanotype::schema::rule::{AllRules, Rule, Rules};
use cyanotype::schema::{AvroSchema, compat, parse};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::program::Program;

/// How many pairs are drawn.
const PAIRS: usize = 8_000;
/// How often each rule has to decide.
const HITS: usize = 50;

/// Avro's library.
static AVRO: Program = Program::new("avro", "Compatibility", &[]);

/// Two schemas, the old and the new one.
#[derive(Clone, Debug, PartialEq)]
struct Pair {
    old: Value,
    new: Value,
}

/// Whether the new one reads the old one's records, and the other way round.
type Answer = (bool, bool);

/// The library's answers; `None` where it takes one of the two for no schema.
fn of_java(pairs: &[Pair]) -> Vec<Option<Answer>> {
    let questions = pairs.iter().map(|pair| json!({"old": pair.old, "new": pair.new})).collect();
    let answer = |answer: Value| Some((answer["backward"].as_bool()?, answer["forward"].as_bool()?));
    AVRO.ask(questions).into_iter().map(answer).collect()
}

/// Both schemas as we read them.
type Read = Option<(AvroSchema, AvroSchema)>;

fn read(pair: &Pair) -> Read {
    let schema = |text: &Value| parse(&text.to_string(), &[]).ok();
    Some((schema(&pair.old)?, schema(&pair.new)?))
}

/// Our answer by these rules; `None` where we take one of the two for no schema.
fn ours(read: &Read, rules: &mut impl Rules) -> Option<Answer> {
    let (old, new) = read.as_ref()?;
    let mut reads = |reader, writer| compat::can_read_by(rules, reader, writer).is_ok();
    Some((reads(new, old), reads(old, new)))
}

/// Counts how often each rule decides.
#[derive(Default)]
struct Counted(BTreeMap<Rule, usize>);

impl Rules for Counted {
    fn applies(&mut self, rule: Rule) -> bool {
        *self.0.entry(rule).or_default() += 1;
        true
    }
}

/// All rules but one.
struct Without(Rule);

impl Rules for Without {
    fn applies(&mut self, rule: Rule) -> bool {
        rule != self.0
    }
}

/// Pairs of a schema and what became of it in one to three changes, and a few of two that have nothing to do with each other.
fn pairs() -> Vec<Pair> {
    let seed = 5 + std::env::var("CYANOTYPE_ORACLE_SEED").map_or(0, |more| more.parse::<u64>().unwrap());
    let mut rng = StdRng::seed_from_u64(seed);
    let mut pairs = Vec::new();
    while pairs.len() < PAIRS {
        let base = schemas::base(&mut rng);
        let old = if rng.random_ratio(1, 4) { mutations::mutate(&base, &mut rng) } else { base.clone() };
        let mut new = if rng.random_ratio(1, 12) { schemas::base(&mut rng) } else { base };
        for _ in 0..rng.random_range(1..=3) {
            new = mutations::mutate(&new, &mut rng);
        }
        pairs.push(Pair { old, new });
    }
    pairs
}

/// What was compared.
#[derive(Default)]
struct Compared {
    /// Pairs that both sides take for schemas, with the library's answer.
    judged: Vec<(Read, Answer)>,
    /// How many pairs the library does not take.
    left_out: usize,
    /// Pairs with two answers.
    different: Vec<Pair>,
    rules: Counted,
}

fn compare() -> Compared {
    let pairs = pairs();
    let mut compared = Compared::default();
    let theirs = of_java(&pairs);
    for (pair, theirs) in pairs.into_iter().zip(theirs) {
        let Some(theirs) = theirs else {
            compared.left_out += 1;
            continue;
        };
        let read = read(&pair);
        if ours(&read, &mut compared.rules) != Some(theirs) {
            compared.different.push(pair);
        }
        compared.judged.push((read, theirs));
    }
    compared
}

#[test]
#[ignore = "needs Java and Avro's library: ./x oracle"]
fn compatibility_is_that_of_avro_for_java() {
    let Compared { judged, left_out, different, rules } = compare();
    let count = |no: fn(&Answer) -> bool| judged.iter().filter(|(_, answer)| no(answer)).count();
    let (no_backward, no_forward) = (count(|answer| !answer.0), count(|answer| !answer.1));
    println!(
        "avro: {} pairs, {no_backward} of them not backward and {no_forward} not forward compatible; {} answers differ; \
         {left_out} left out because the library takes one of the two for no schema",
        judged.len(),
        different.len(),
    );
    for pair in different.iter().take(5) {
        let small = minimal::minimal(pair.clone(), |pairs| {
            let ours = pairs.iter().map(|pair| ours(&read(pair), &mut AllRules));
            of_java(pairs).into_iter().zip(ours).map(|(theirs, ours)| theirs.is_some() && theirs != ours).collect()
        });
        let (theirs, ours) = (of_java(std::slice::from_ref(&small)), ours(&read(&small), &mut AllRules));
        println!("-- differs: Java {theirs:?}, ours {ours:?}\nold {}\nnew {}", small.old, small.new);
    }
    assert!(different.is_empty());
    assert!(judged.len() >= 5_000 && left_out * 20 <= judged.len());
    assert!(no_backward * 10 >= judged.len() * 3 && no_forward * 10 >= judged.len() * 3);
    for rule in Rule::ALL {
        let hits = rules.0.get(&rule).copied().unwrap_or_default();
        println!("avro: {rule:?} decides {hits} times");
        assert!(hits >= HITS, "{rule:?} decides too seldom");
        let noticed = judged.iter().any(|(read, theirs)| ours(read, &mut Without(rule)) != Some(*theirs));
        assert!(noticed, "nobody would notice that {rule:?} is missing");
    }
}

/// A disagreement as it would be if sizes of `fixed` were not compared.
#[test]
#[ignore = "part of the comparison: ./x oracle"]
fn a_disagreement_is_shown_by_a_small_pair() {
    let differs = |pair: &Pair| {
        let read = read(pair);
        ours(&read, &mut AllRules) != ours(&read, &mut Without(Rule::FixedSize))
    };
    let pair = pairs().into_iter().find(differs).unwrap();
    let small = minimal::minimal(pair, |pairs| pairs.iter().map(differs).collect());
    let size = |schema: &Value| schema.to_string().len();
    assert!(size(&small.old) + size(&small.new) < 140, "{small:?}");
    assert_eq!(small.old["type"], "fixed");
}
