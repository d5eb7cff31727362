//! Logs: to standard error, as text or as JSON, filtered by `CYANOTYPE_LOG`.
//!
//! Rules: standard output belongs to the answer; colours only on a terminal and without `NO_COLOR`; a filter that cannot be
//! read is an error, never a silent default.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

/// Environment variable with the filter, such as `info,cyanotype::web=debug`.
pub const FILTER_VARIABLE: &str = "CYANOTYPE_LOG";

/// What is logged when nobody says otherwise. librdkafka repeats each broken connection, the daemon reports it once.
const DEFAULT_FILTER: &str = "info,rdkafka=error";

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Why there are no logs.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is no filter.
    #[error("{FILTER_VARIABLE} is not a log filter: {0}; write it like `info` or `info,cyanotype::web=debug`")]
    Filter(String),
    /// Somebody was there before.
    #[error("logging is set up already")]
    Twice(#[source] TryInitError),
}

/// Sets logging up for the process. `filter` is the value of [`FILTER_VARIABLE`], if it is set.
pub fn start(format: LogFormat, filter: Option<&str>) -> Result<(), LogError> {
    let filter = read_filter(filter)?;
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => {
            let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(colours).with_target(false);
            registry.with(layer).try_init()
        }
        LogFormat::Json => {
            let layer = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(io::stderr);
            registry.with(layer).try_init()
        }
    }
    .map_err(LogError::Twice)
}

fn read_filter(filter: Option<&str>) -> Result<EnvFilter, LogError> {
    let text = filter.map(str::trim).filter(|text| !text.is_empty()).unwrap_or(DEFAULT_FILTER);
    EnvFilter::try_new(text).map_err(|e| LogError::Filter(format!("{text:?}: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_cannot_be_read_is_named_with_the_way_out() {
        let error = read_filter(Some("cyanotype=loudly")).unwrap_err().to_string();
        assert!(error.contains("CYANOTYPE_LOG") && error.contains("loudly") && error.contains("info"), "{error}");
    }

    #[test]
    fn an_empty_filter_is_the_default() {
        for text in [None, Some(""), Some("  ")] {
            assert_eq!(read_filter(text).unwrap().to_string(), read_filter(Some(DEFAULT_FILTER)).unwrap().to_string());
        }
    }
}
