//! Plain nouns that every layer shares. They hold data and check their own form; they decide nothing.

pub mod column;
