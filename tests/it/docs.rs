//! The documents say what the program does: pages are made again, commands are run, links lead somewhere.

use std::path::{Path, PathBuf};

use cyanotype::rollout::document;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_page_of_states_is_what_the_transition_function_does() {
    let file = root().join("docs/rollout.md");
    let page = document::page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/rollout.md is behind the code: UPDATE_DOCS=1 cargo test --test it docs");
}
