//! Frequent mistakes: files under `tests/it/sql/mistakes`, each text with all that is said about it.

use super::*;
use crate::diagnostic::{Diagnostic, Severity};

/// A case: the text, what is said about it, and the text after the edits that come with that, if they change it.
struct Case {
    text: String,
    said: Vec<String>,
    mended: Option<String>,
}

/// Blocks of lines: SQL, then `-- says: ...` for each diagnostic, then `-- mended: ...` if edits come with them.
fn cases(name: &str) -> Vec<Case> {
    let text = fixture(&format!("mistakes/{name}.sql"));
    let mut cases = Vec::new();
    let mut case = Case { text: String::new(), said: Vec::new(), mended: None };
    for line in text.lines() {
        if let Some(said) = line.strip_prefix("-- says: ") {
            case.said.push(said.to_owned());
        } else if let Some(mended) = line.strip_prefix("-- mended: ") {
            case.mended = Some(mended.to_owned());
        } else {
            if !case.said.is_empty() {
                cases.push(std::mem::replace(&mut case, Case { text: String::new(), said: Vec::new(), mended: None }));
            }
            case.text += line;
            case.text.push('\n');
        }
    }
    cases.push(case);
    cases
}

/// One line of a text in which line ends are not to be seen.
fn flat(text: &str) -> String {
    text.trim_end().replace('\n', "\\n")
}

fn said(problem: &Diagnostic, text: &str) -> String {
    let label = &problem.labels[0];
    let severity = if problem.severity == Severity::Error { "" } else { " (warning)" };
    let help = problem.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    format!("{}{severity} at {}: {}{help}", problem.code, flat(label.span.of(text)), flat(&problem.message))
}

#[test]
fn each_mistake_is_said_once_and_what_follows_is_read() {
    let mut read = 0;
    for name in fixtures("mistakes") {
        for Case { text, said: wanted, mended } in cases(&name) {
            let whole = format!("{text}SELECT a FROM the_next_table;\n");
            let parsed = parse(&whole);
            let found: Vec<String> = parsed.diagnostics().iter().map(|problem| said(problem, &whole)).collect();
            assert_eq!(found, wanted, "{name}: {text}");
            let edits: Vec<_> = parsed.diagnostics().iter().flat_map(|problem| problem.edits.clone()).collect();
            let changed = apply(&text, &edits).expect("edits that fit");
            assert_eq!((changed != text).then(|| flat(&changed)), mended, "{name}: {text}");
            let last = summaries(&whole).pop().expect("a statement");
            assert!(last.ok && last.reads.contains("the_next_table"), "{name}: {text}{last:?}");
            read += 1;
        }
    }
    assert!(read >= 60, "{read} mistakes");
}
