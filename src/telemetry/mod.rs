//! What the daemon tells about itself: logs and the closed list of metrics.
//!
//! Rules: every metric is declared once, in [`families`], with name, type, help and labels, and `docs/metrics.md` is made
//! from that list; labels are bounded; log text is in lower case with values as fields; no secret is ever given to either.

pub mod document;
pub mod families;
pub mod instrument;
pub mod logs;

pub use families::Metrics;

#[cfg(test)]
mod tests;
