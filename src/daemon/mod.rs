//! The daemon: one loop that watches, gathers, decides and acts.
//!
//! Rules: one task owns the state; everybody else talks to it through [`handle`].

pub mod handle;
