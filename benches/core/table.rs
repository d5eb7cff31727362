//! Times variants in turn and prints them as a table.

use std::time::{Duration, Instant};

/// What a variant is measured for.
#[derive(Clone, Copy, PartialEq)]
pub enum Role {
    /// Nothing that does the work can be faster.
    Limit,
    /// Does comparable work by other means.
    Peer,
    /// The product.
    Ours,
}

/// One line of a table. `run` gives the time of the part that counts.
pub struct Variant<'a> {
    name: String,
    role: Role,
    run: Box<dyn FnMut() -> Result<Duration, String> + 'a>,
}

impl<'a> Variant<'a> {
    /// A line.
    pub fn new(name: &str, role: Role, run: impl FnMut() -> Result<Duration, String> + 'a) -> Self {
        Self { name: name.to_owned(), role, run: Box::new(run) }
    }
}

/// What one run of any variant works through.
pub struct Amount {
    /// How many.
    pub count: usize,
    /// Of what, in the singular.
    pub unit: &'static str,
    /// And how many bytes that is, where bytes matter.
    pub bytes: Option<usize>,
}

/// Runs every variant once in each repetition, and once before them without counting.
pub fn compare(title: &str, amount: &Amount, repetitions: usize, mut variants: Vec<Variant<'_>>) -> Result<(), String> {
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); variants.len()];
    for repetition in 0..=repetitions {
        for (variant, times) in variants.iter_mut().zip(&mut times) {
            let time = (variant.run)()?.as_secs_f64();
            if repetition > 0 {
                times.push(time);
            }
        }
    }
    println!("\n{title}; median of {repetitions}, in brackets the fastest and the slowest");
    let yardstick = |role: Role| variants.iter().position(|v| v.role == role).and_then(|i| times.get(i));
    let (limit, peer) = (yardstick(Role::Limit), yardstick(Role::Peer));
    let mut head = format!("{:<44} {:>9} {:>19} {:>12}", "", "ms", "", format!("us/{}", amount.unit));
    if amount.bytes.is_some() {
        head.push_str(&format!(" {:>9}", "MB/s"));
    }
    for (_, word) in [(limit, "x limit"), (peer, "x peer")].iter().filter(|(times, _)| times.is_some()) {
        head.push_str(&format!(" {word:>9}"));
    }
    println!("{head}");
    for (variant, own) in variants.iter().zip(&times) {
        let time = median(own.clone());
        let (low, high) = own.iter().fold((f64::MAX, 0f64), |(low, high), t| (low.min(*t), high.max(*t)));
        let name = match variant.role {
            Role::Limit => format!("{} (limit)", variant.name),
            Role::Peer => format!("{} (peer)", variant.name),
            Role::Ours => variant.name.clone(),
        };
        let range = format!("[{} .. {}]", shown(low * 1e3), shown(high * 1e3));
        let each = shown(time * 1e6 / amount.count as f64);
        let mut line = format!("{name:<44} {:>9} {range:>19} {each:>12}", shown(time * 1e3));
        if let Some(bytes) = amount.bytes {
            line.push_str(&format!(" {:>9}", shown(bytes as f64 / 1e6 / time)));
        }
        for yardstick in [limit, peer].into_iter().flatten() {
            let ratios = own.iter().zip(yardstick).map(|(own, other)| own / other).collect();
            line.push_str(&format!(" {:>9}", shown(median(ratios))));
        }
        println!("{line}");
    }
    Ok(())
}

/// How long `work` takes; what it gives is dropped after the clock has stopped.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let result = std::hint::black_box(work());
    (began.elapsed(), result)
}

/// The middle one; of an even number the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    match (values.get(low), values.get(high)) {
        (Some(low), Some(high)) => (low + high) / 2.0,
        _ => f64::NAN,
    }
}

/// Three digits that count.
fn shown(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v if v >= 1.0 => format!("{v:.2}"),
        v => format!("{v:.3}"),
    }
}
