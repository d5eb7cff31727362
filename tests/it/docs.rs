//! The documents say what the program does: pages are made again, commands are run, links lead somewhere.
//!
//! Rules for writers: a fence `console` holds commands after `$ ` and what they print. With the word `offline` they are run
//! in the repository and their output is compared; with `project` as well they are run in the folder that the fences with
//! `file=PATH` of the same document make. Without `offline` a command must parse, no more. In the output a line `...`
//! (or one below the bars of a tree) stands for lines that were left out, and `...` at the end of a line for the rest of it.
//! A fence with the word `like=PATH` is held against that snapshot in the same way.

mod approval;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser as _;
use clap::error::ErrorKind;
use cyanotype::config::{Config, Need};
use cyanotype::daemon::hold::NotHeld;
use cyanotype::port::PortError;
use cyanotype::rollout::{WaitingOn, document};

/// Every document that a person writes, except the pages of `docs/errors`.
const WRITTEN: [&str; 15] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/index.md",
    "docs/guide.md",
    "docs/operations.md",
    "docs/deploy.md",
    "docs/api.md",
    "docs/performance.md",
    "docs/adr/0001-own-sql-reader.md",
    "docs/adr/0002-own-avro-checker.md",
    "docs/adr/0003-journal-in-kafka.md",
    "examples/shop/README.md",
    "deploy/local/README.md",
];

/// Pages that are made from the program; what they link to is looked at as well.
const MADE: [&str; 4] = ["docs/cli.md", "docs/metrics.md", "docs/rollout.md", "docs/schema-evolution.md"];

/// Programs besides `cyanotype` and `./x` that a document may call.
const OTHERS: [&str; 5] = ["cargo", "git", "cd", "echo", "export"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(document: &str) -> String {
    std::fs::read_to_string(root().join(document)).unwrap_or_else(|e| panic!("{document}: {e}"))
}

/// A fenced block.
struct Fence {
    /// Where it is, for people.
    place: String,
    /// The words after the backticks.
    words: Vec<String>,
    lines: Vec<String>,
}

impl Fence {
    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|w| w == word)
    }
}

fn fences(document: &str) -> Vec<Fence> {
    let mut found: Vec<Fence> = Vec::new();
    let mut open = false;
    for (i, line) in text(document).lines().enumerate() {
        match (line.strip_prefix("```"), open) {
            (Some(words), false) => {
                let words = words.split_whitespace().map(str::to_owned).collect();
                found.push(Fence { place: format!("{document}:{}", i + 1), words, lines: Vec::new() });
                open = true;
            }
            (Some(_), true) => open = false,
            (None, true) => found.last_mut().unwrap().lines.push(line.to_owned()),
            (None, false) => {}
        }
    }
    assert!(!open, "{document}: the last fence is not closed");
    found
}

/// A command of a console, and what it prints.
struct Step {
    words: Vec<String>,
    prints: Vec<String>,
}

fn steps(fence: &Fence) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = fence.lines.iter();
    while let Some(line) = lines.next() {
        let Some(command) = line.strip_prefix("$ ") else {
            let step = steps.last_mut().unwrap_or_else(|| panic!("{}: output before a command", fence.place));
            step.prints.push(line.clone());
            continue;
        };
        let mut command = command.to_owned();
        while let Some(begun) = command.strip_suffix('\\') {
            let rest = lines.next().unwrap_or_else(|| panic!("{}: a command goes on after its end", fence.place));
            command = format!("{begun} {}", rest.trim());
        }
        steps.push(Step { words: split(&command), prints: Vec::new() });
    }
    steps
}

/// The words of a command line, up to a redirection; quotes hold words together.
fn split(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '>' | '|') => break,
            (None, ' ') => words.push(String::new()),
            (_, c) => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

/// True when `actual` is what `expected` says, where `...` may stand for more.
fn says(expected: &[String], actual: &[String]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((line, rest)) if line.trim_start_matches([' ', '│']) == "..." => {
            (1..=actual.len()).any(|n| says(rest, &actual[n..]))
        }
        Some((line, rest)) => actual.split_first().is_some_and(|(first, more)| {
            let same = match line.strip_suffix("...") {
                Some(begun) => first.starts_with(begun),
                None => first.trim_end() == line.trim_end(),
            };
            same && says(rest, more)
        }),
    }
}

/// Runs the steps of a console one after the other in `folder`.
fn run(fence: &Fence, folder: &Path) {
    let mut code: Option<i32> = None;
    for step in steps(fence) {
        if step.words == ["echo", "$?"] {
            assert_eq!(step.prints, [code.unwrap_or_default().to_string()], "{}: exit code", fence.place);
            code = None;
            continue;
        }
        assert!(matches!(code, None | Some(0)), "{}: an exit code of {code:?} is not mentioned", fence.place);
        assert_eq!(step.words[0], "cyanotype", "{}: only cyanotype is run offline", fence.place);
        let mut command = Command::new(env!("CARGO_BIN_EXE_cyanotype"));
        for (name, _) in std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("CYANOTYPE_")) {
            command.env_remove(name);
        }
        let done = command.args(&step.words[1..]).env("NO_COLOR", "1").current_dir(folder).output().unwrap();
        code = done.status.code();
        let printed = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        let actual: Vec<String> = printed.iter().flat_map(|p| p.trim_end().lines()).map(str::to_owned).collect();
        let (want, got) = (step.prints.join("\n"), actual.join("\n"));
        assert!(says(&step.prints, &actual), "{}: {:?}\nsays\n{want}\nprints\n{got}", fence.place, step.words);
    }
    assert!(matches!(code, None | Some(0)), "{}: an exit code of {code:?} is not mentioned", fence.place);
}

/// The folder that the `file=PATH` fences of a document make.
fn project(fences: &[Fence]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for fence in fences {
        let Some(path) = fence.words.iter().find_map(|w| w.strip_prefix("file=")) else { continue };
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, fence.lines.join("\n") + "\n").unwrap();
    }
    folder
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

#[test]
fn every_state_can_be_reached() {
    assert!(!document::page().contains("No event leads here"));
}

#[test]
fn commands_that_need_no_system_print_what_the_documents_say() {
    let mut ran = 0;
    for document in WRITTEN {
        let fences = fences(document);
        let project = project(&fences);
        for fence in fences.iter().filter(|f| f.has("console") && f.has("offline")) {
            run(fence, if fence.has("project") { project.path() } else { root() });
            ran += 1;
        }
    }
    assert!(ran >= 4, "only {ran} offline consoles were found");
}

#[test]
fn what_is_shown_of_a_snapshot_is_in_it() {
    let mut seen = 0;
    for fence in WRITTEN.iter().flat_map(|document| fences(document)) {
        let Some(path) = fence.words.iter().find_map(|word| word.strip_prefix("like=")) else { continue };
        let snapshot = text(path);
        let (_, body) = snapshot.trim_start_matches("---\n").split_once("\n---\n").unwrap();
        let body: Vec<String> = body.lines().map(str::to_owned).collect();
        assert!(says(&fence.lines, &body), "{}: not what {path} says", fence.place);
        seen += 1;
    }
    assert!(seen >= 1, "no fence shows a snapshot");
}

#[test]
fn every_configuration_in_a_document_can_be_used() {
    let configurations: Vec<Fence> =
        WRITTEN.iter().flat_map(|document| fences(document)).filter(|f| f.has("toml") && f.has("config")).collect();
    assert!(configurations.len() >= 3, "only {} configurations were found", configurations.len());
    for fence in configurations {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cyanotype.toml");
        // Secrets come from the environment, which a test does not change, and from files that are elsewhere.
        let text = fence.lines.join("\n").replace("_TOKEN\" }", "_TOKEN\", default = \"0123456789abcdef\" }");
        let at_hand = |line: &str| {
            let content = if line.contains(".pem\"") { "-----BEGIN CERTIFICATE-----" } else { "0123456789abcdef" };
            line.replace("{ file = ", &format!("{{ default = \"{content}\", file = "))
        };
        let text: Vec<String> = text.lines().map(at_hand).collect();
        let text = text.join("\n");
        let secret = "_SECRET\", default = \"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\" }";
        std::fs::write(&file, text.replace("_SECRET\" }", secret)).unwrap();
        let read = Config::load(&file, Some("dev"), Need::Everything);
        assert!(read.is_ok(), "{}: {}", fence.place, read.unwrap_err());
    }
}

#[test]
fn every_command_in_a_document_exists() {
    let front_door = text("x");
    let mut wrong = Vec::new();
    for (fence, step) in WRITTEN
        .iter()
        .flat_map(|document| fences(document))
        .filter(|f| f.has("console"))
        .flat_map(|f| steps(&f).into_iter().map(move |s| (f.place.clone(), s)))
    {
        let ok = match step.words[0].as_str() {
            "cyanotype" => match cyanotype::cli::Cli::try_parse_from(&step.words) {
                Ok(_) => true,
                Err(e) => matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion),
            },
            "./x" => front_door.contains(&format!("\n  {}) ", step.words.get(1).map_or("help", String::as_str))),
            other => OTHERS.contains(&other),
        };
        if !ok {
            wrong.push(format!("{fence}: {}", step.words.join(" ")));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Every document that links are followed in.
fn linked() -> Vec<String> {
    let errors = std::fs::read_dir(root().join("docs/errors")).unwrap();
    let errors = errors.map(|entry| format!("docs/errors/{}", entry.unwrap().file_name().into_string().unwrap()));
    WRITTEN.iter().chain(&MADE).map(|document| (*document).to_owned()).chain(errors).collect()
}

/// What a heading is called in a link, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || ['-', '_'].contains(c)).collect()
}

/// The anchors of a document: its headings, those in fences left out.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut open = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        open ^= line.starts_with("```");
        let heading = line.trim_start_matches('#');
        if !open && heading.starts_with(' ') && heading.len() < line.len() {
            found.insert(anchor(heading.trim()));
        }
    }
    found
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_of_it() {
    let mut wrong = Vec::new();
    let (mut links, mut headings) = (0, 0);
    for document in linked() {
        let own = text(&document);
        let folder: PathBuf = root().join(&document).parent().unwrap().to_owned();
        for target in own.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") {
                continue;
            }
            links += 1;
            let (path, heading) =
                target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
            let file = if path.is_empty() { root().join(&document) } else { folder.join(path) };
            let leads = match heading {
                None => file.exists(),
                Some(heading) => {
                    headings += 1;
                    std::fs::read_to_string(&file).is_ok_and(|there| anchors(&there).contains(heading))
                }
            };
            if !leads {
                wrong.push(format!("{document}: {target}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(links > 100 && headings > 30, "only {links} links and {headings} headings were found");
}

#[test]
fn a_heading_is_called_as_in_a_link() {
    assert_eq!(anchor("What's in `a_b`: C1, and more?"), "whats-in-a_b-c1-and-more");
    let found = anchors("# A b\n```sh\n# no heading\n```\n### C\n#none\n");
    assert_eq!(found, ["a-b", "c"].map(str::to_owned).into());
}

#[test]
fn every_record_of_a_decision_is_listed() {
    let index = text("docs/index.md");
    for entry in std::fs::read_dir(root().join("docs/adr")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(index.contains(&format!("(adr/{name})")), "list docs/adr/{name} in docs/index.md");
        assert!(WRITTEN.contains(&format!("docs/adr/{name}").as_str()), "add docs/adr/{name} to WRITTEN");
    }
}

#[test]
fn the_matcher_tells_text_apart() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(says(&lines("a\n  ...\nd"), &lines("a\nb\nc\nd")));
    assert!(says(&lines("sha256:..."), &lines("sha256:0123")));
    for (expected, actual) in [("a\n...\nd", "a\nd"), ("a", "a\nb"), ("a\nb", "a"), ("a...", "ba"), ("...", "")] {
        assert!(!says(&lines(expected), &lines(actual)), "{expected:?} {actual:?}");
    }
    assert_eq!(split("a 'b c' --d=\"e\" | f"), ["a", "b c", "--d=e"]);
}

/// Everything that a rollout can wait on, as people read it.
fn waits() -> Vec<String> {
    let why = || "why".to_owned();
    let all = [
        WaitingOn::StagingYes,
        WaitingOn::Approval { evidence: "sha256:".to_owned(), until_ms: 0 },
        WaitingOn::Soak { until_ms: 0 },
        WaitingOn::Look { why: why() },
        WaitingOn::Repair { why: why() },
        WaitingOn::Nothing,
    ];
    // One that is added here must be added above as well.
    let named = |what: &WaitingOn| match what {
        WaitingOn::StagingYes | WaitingOn::Approval { .. } | WaitingOn::Soak { .. } => Some(what.to_string()),
        // The page says it under the state, and the reasons are below.
        WaitingOn::Look { .. } | WaitingOn::Repair { .. } | WaitingOn::Nothing => None,
    };
    all.iter().filter_map(named).collect()
}

/// Everything that can keep green from being compared, as people read it, up to what differs each time.
fn not_held() -> Vec<String> {
    let text = || "...".to_owned();
    let all = [
        NotHeld::TooLate { what: text() },
        NotHeld::JobFailed { job: text(), state: "FAILED".to_owned(), cause: text() },
        NotHeld::NoCut { table: text(), topic: text() },
        NotHeld::NoJob { table: text() },
        NotHeld::Port(PortError::Unreachable { system: "...", address: text(), reason: text() }),
    ];
    let begins = |reason: &NotHeld| match reason {
        NotHeld::TooLate { .. } | NotHeld::NoJob { .. } => reason.to_string(),
        NotHeld::JobFailed { .. } => "job ... is FAILED".to_owned(),
        NotHeld::NoCut { .. } => "the cut says nothing of".to_owned(),
        NotHeld::Port(_) => "... cannot be reached".to_owned(),
    };
    let mut found = Vec::new();
    for reason in &all {
        let begins = begins(reason);
        let words: Vec<&str> = begins.split("...").map(str::trim).collect();
        assert!(words.iter().all(|w| reason.to_string().contains(w)), "{reason} is not `{begins}`");
        found.push(begins);
    }
    found
}

#[test]
fn the_operations_page_names_everything_that_a_rollout_waits_on() {
    let page = text("docs/operations.md");
    let missing: Vec<String> =
        waits().into_iter().chain(not_held()).filter(|words| !page.contains(words.as_str())).collect();
    assert_eq!(missing, Vec::<String>::new());
    for state in cyanotype::rollout::State::ALL {
        let own = format!("](#{})", state.name());
        let waits = page.contains(&own);
        assert!(!waits || page.contains(&format!("\n## {}\n", state.name())), "{own} leads nowhere");
    }
    for effect in ["cancel-job", "delete-topic", "delete-connector", "move-connector", "set-manifest"] {
        assert!(page.contains(&format!("| `{effect}`")), "{effect} is not among what may be stuck");
    }
}

#[test]
fn the_operations_page_says_what_every_state_means() {
    let page = text("docs/operations.md");
    for state in cyanotype::rollout::State::ALL {
        assert!(page.contains(&format!("| `{}` |", state.name())), "{} is not in the table of states", state.name());
    }
}
