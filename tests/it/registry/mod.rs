//! The registry's client and what watches it, against a registry that can do more or less and fails as it is told.

mod levels;
mod log;
mod looks;
mod references;
mod scale;
mod stub;
mod topic;
mod transport;
mod watching;
