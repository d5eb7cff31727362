//! The registry's client against a registry that can do more or less and fails as it is told.

mod looks;
mod scale;
mod stub;
mod transport;
