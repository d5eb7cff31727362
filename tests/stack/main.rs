//! Tests against the real services: one binary, one test at a time (`./x test` starts the stack for it).
//!
//! Each test makes everything that it needs under names of its own and removes it again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod adapters_kafka;
mod adapters_remote;
mod adopted;
mod attacked;
mod bad_input;
mod brief;
mod by_hand;
mod disturbed;
mod evolving;
mod faulty_registry;
mod generated;
mod going_back;
mod held;
mod kills;
mod nulls;
mod refusals;
mod registry_log;
mod shop;
mod soak;
mod steps;
mod story;
mod unproven;
mod watched;
