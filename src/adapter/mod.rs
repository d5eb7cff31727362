//! The ports against real systems: one module for each.
//!
//! Rules: what a call promises is written at its trait in [`crate::port`]; every call has a time-out of its own; no
//! secret reaches an error or a log.

pub mod kafka;
pub mod kafka_journal;
