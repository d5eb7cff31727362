//! Plain nouns that every layer shares. They hold data and check their own form; they decide nothing.

pub mod column;
pub mod effect;
pub mod job;
pub mod manifest;
pub mod name;
pub mod naming;
pub mod parity;
pub mod record;
pub mod sink;
pub mod subject;
pub mod template;
pub mod verdict;
pub mod work;
