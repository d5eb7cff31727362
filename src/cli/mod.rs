//! The command line: one file for each subcommand, one printer, one place for exit codes.
pub mod output;
pub mod render;
