//! What the core costs, beside a limit or a peer that is measured in the same run.
//!
//! Rules: every figure is the median of several repetitions; the variants of a table take turns, so that a busy machine
//! slows all of them; a ratio is the median of the ratios within the repetitions; nothing is asserted but that the work
//! that was timed gave the right result.

mod compatibility;
mod flow;
mod lineage;
mod planning;
mod reading;
mod records;
mod survey;
mod table;
mod validation;

use std::process::ExitCode;

/// Measures and prints.
type Part = fn() -> Result<(), String>;

/// The parts, by the word that chooses them.
const PARTS: [(&str, Part); 6] = [
    ("validation", validation::run),
    ("validate", survey::run),
    ("planning", planning::run),
    ("sql", reading::run),
    ("lineage", lineage::run),
    ("compatibility", compatibility::run),
];

fn main() -> ExitCode {
    // Cargo adds words of its own, such as `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if let Some(strange) = wanted.iter().find(|word| PARTS.iter().all(|(name, _)| name != word)) {
        let names: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
        eprintln!("error: there is no part `{strange}`; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    for (name, run) in PARTS {
        if !wanted.is_empty() && !wanted.iter().any(|word| word == name) {
            continue;
        }
        if let Err(problem) = run() {
            eprintln!("error: {name}: {problem}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
