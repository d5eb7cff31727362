//! Tests against the real services: one binary, one test at a time (`./x test` starts the stack for it).
//!
//! Each test makes everything that it needs under names of its own and removes it again.

mod adapters_kafka;
mod adapters_remote;
mod bad_input;
mod brief;
mod faulty_registry;
mod generated;
mod shop;
mod story;
