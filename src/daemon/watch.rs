//! Watches the registry, its own topic where that is read, and the input topics, beside the loop.
//!
//! Rules: a system that does not answer is logged once when it goes and once when it comes back, and asked again; the rest
//! goes on. What is seen goes to the loop, which decides.

mod arrivals;
mod audit;
mod log;
mod news;
mod registry;
mod topics;

pub use audit::Audit;
pub use log::log;
pub use registry::registry;
pub use topics::{Origin, read_once, topics};

use crate::port::PortError;

/// A subject's newest version in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Subject.
    pub subject: String,
    /// Version.
    pub version: i32,
    /// When it was seen, milliseconds since 1970.
    pub at_ms: i64,
}

/// Whether a system answers: said when it changes, not each time.
struct Health {
    system: &'static str,
    ill: Option<String>,
}

impl Health {
    fn new(system: &'static str) -> Self {
        Self { system, ill: None }
    }

    fn well(&mut self) {
        if self.ill.take().is_some() {
            tracing::info!(system = self.system, "answers again");
        }
    }

    fn ill(&mut self, error: &PortError) {
        let text = error.to_string();
        if self.ill.as_ref() != Some(&text) {
            tracing::warn!(system = self.system, error = text, "does not answer as it should; asked again");
            self.ill = Some(text);
        }
    }
}
