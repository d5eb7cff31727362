//! The story of an evolution on the real stack, told once and used twice: the tests assert it, the demo shows it.
//!
//! Rules: the product is a black box (its binary, its HTTP side, and what it leaves in Kafka, Flink, Connect and
//! PostgreSQL); nothing waits for a fixed time, everything polls with a deadline; every failure is one sentence that says
//! what is wrong with which thing; whatever was made is removed again, also after a failure.

pub mod answer;
pub mod approver;
pub mod case;
pub mod changed;
pub mod clean;
pub mod connect;
pub mod daemon;
pub mod database;
pub mod failure;
pub mod flink;
pub mod generated;
pub mod generated_connect;
pub mod generated_rows;
pub mod generated_sql;
pub mod going_back;
pub mod http;
pub mod kafka;
pub mod narrator;
pub mod place;
pub mod proof;
pub mod records;
pub mod run;
pub mod shop;
pub mod tale;
pub mod world;
