//! The folders are the architecture: who may use whom, and what the core may not touch.

use std::path::{Path, PathBuf};

/// Module, and the modules of this crate that it may use besides itself.
const MAY_USE: [(&str, &[&str]); 13] = [
    ("model", &[]),
    ("diagnostic", &[]),
    ("schema", &["model", "diagnostic"]),
    ("sql", &["model", "diagnostic"]),
    ("plan", &["schema", "sql", "model", "diagnostic"]),
    ("rollout", &["model"]),
    ("validate", &["schema", "model"]),
    ("port", &["model"]),
    ("adapter", &["port", "model", "telemetry"]),
    ("daemon", &["plan", "rollout", "validate", "port", "config", "telemetry", "model", "schema", "diagnostic"]),
    ("web", &["daemon", "model", "telemetry"]),
    ("config", &["model"]),
    ("telemetry", &["daemon"]),
];

/// What the core never does (invariant 1).
const IMPURE: [&str; 10] = [
    "async fn",
    "std::fs",
    "std::net",
    "std::env::var",
    "SystemTime",
    "Instant::now",
    "std::thread",
    "rand::",
    "tokio",
    "std::process",
];
const CORE: [&str; 7] = ["model", "diagnostic", "schema", "sql", "plan", "rollout", "validate"];

fn sources() -> Vec<(PathBuf, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    found
}

fn walk(root: &Path, dir: &Path, found: &mut Vec<(PathBuf, String, String)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(root, &path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let relative = path.strip_prefix(root).unwrap().to_owned();
            let module = relative.components().next().unwrap().as_os_str().to_string_lossy().replace(".rs", "");
            found.push((relative, module, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// A test's own code, which may do more.
fn is_test(path: &Path) -> bool {
    path.components().any(|c| c.as_os_str() == "tests" || c.as_os_str() == "tests.rs")
}

#[test]
fn modules_use_only_what_the_architecture_allows() {
    let mut wrong = Vec::new();
    for (path, module, text) in sources() {
        let Some((_, allowed)) = MAY_USE.iter().find(|(m, _)| *m == module) else { continue };
        for (n, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("//") || is_test(&path) {
                continue;
            }
            for (_, after) in line.match_indices("crate::").map(|(i, _)| line.split_at(i + 7)) {
                let used: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if used != module && !allowed.contains(&used.as_str()) && MAY_USE.iter().any(|(m, _)| *m == used) {
                    wrong.push(format!("{}:{} uses {used}", path.display(), n + 1));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn adapters_are_wired_up_in_one_place() {
    let wired: Vec<String> = sources()
        .iter()
        .filter(|(path, module, text)| module != "adapter" && text.contains("crate::adapter") && !is_test(path))
        .map(|(path, _, _)| path.display().to_string())
        .collect();
    assert_eq!(wired, ["cli/wire.rs"]);
}

#[test]
fn the_core_is_pure() {
    let mut wrong = Vec::new();
    for (path, module, text) in sources() {
        if !CORE.contains(&module.as_str()) || is_test(&path) {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or("");
        for (n, line) in code.lines().enumerate() {
            let is_code = !line.trim_start().starts_with("//");
            wrong.extend(
                IMPURE
                    .iter()
                    .filter(|w| is_code && line.contains(**w))
                    .map(|w| format!("{}:{} {w}", path.display(), n + 1)),
            );
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_system_that_an_adapter_names_is_counted_under_its_name() {
    let metrics = cyanotype::telemetry::Metrics::new().unwrap();
    let mut named = std::collections::BTreeSet::new();
    for (path, module, text) in sources().iter().filter(|(path, module, _)| module == "adapter" && !is_test(path)) {
        for before in ["SYSTEM: &str = \"", "Rest::new(\"", "system: \""] {
            let names = text.split(before).skip(1).filter_map(|rest| rest.split('"').next());
            named.extend(names.map(|name| (name.to_owned(), format!("{module}/{}", path.display()))));
        }
    }
    // What a missing program is of is no system that is called.
    named.retain(|(name, path)| name != "this machine" && !path.contains("edge_tests"));
    assert!(named.len() >= 6, "{named:?}");
    for (name, path) in named {
        metrics.port_errors_total.inc([&name]);
        assert_eq!(metrics.port_errors_total.get(["other"]), 0, "`{name}` of {path} is not in the list of systems");
    }
}
