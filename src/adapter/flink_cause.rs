//! What a Java stack trace of Flink says to a person, in one line.
//!
//! Rules: wrappers that say nothing are left out; a position in the statement is kept; lists of everything that would
//! have been possible, and a table's options (which may hold passwords), are not.

use super::wording::{REASON_LIMIT, one_line, scrub};

/// What follows these words in a message is a list, not a reason.
const LISTS: [&str; 3] = ["Was expecting", "Table options are:", "Supported options:"];
/// Messages that only say that something inside failed.
const EMPTY: [&str; 7] = [
    "Failed to fetchResults",
    "Failed to execute the operation",
    "Failed to execute statement",
    "Failed to closeSession",
    "Failed to openSession",
    "Internal server error",
    "Recovery is suppressed",
];

/// The innermost cause of a stack trace, with what was being done when that adds something. Never empty.
pub(super) fn cause(trace: &str) -> String {
    let links = links(trace);
    // Calcite's exception names the place in the statement, the one inside it does not.
    if let Some(placed) = links.iter().rev().find(|m| m.starts_with("From line ")) {
        return one_line(placed, REASON_LIMIT);
    }
    let mut told: Vec<&str> = Vec::new();
    for link in links.iter().rev() {
        if EMPTY.iter().any(|e| link.starts_with(e))
            || told.iter().any(|t| link.contains(t) || t.contains(link.as_str()))
        {
            continue;
        }
        told.push(link);
        if told.len() == 2 {
            break;
        }
    }
    match told[..] {
        [inner, outer] => one_line(&format!("{}: {inner}", outer.trim_end_matches(['.', ':'])), REASON_LIMIT),
        [only] => one_line(only, REASON_LIMIT),
        _ => links.last().map_or_else(|| "no reason given".into(), |l| one_line(l, REASON_LIMIT)),
    }
}

/// The message of each exception, outermost first; the exception's own name where it has none.
fn links(trace: &str) -> Vec<String> {
    let mut links: Vec<String> = Vec::new();
    let mut open = true;
    for line in trace.lines() {
        let inner = line.strip_prefix("Caused by: ");
        if let Some(text) = inner {
            links.push(text.to_owned());
            open = true;
        } else if line.starts_with("\tat ") || line.starts_with("\t... ") || line.starts_with("\tSuppressed: ") {
            open = false;
        } else if line.starts_with("End of exception on server side") || line.starts_with("<Exception on server side") {
        } else if open {
            match links.last_mut() {
                Some(last) => {
                    last.push('\n');
                    last.push_str(line);
                }
                None => links.push(line.to_owned()),
            }
        }
    }
    links.iter().map(|l| message(l)).filter(|m| !m.is_empty()).collect()
}

/// The text after the exception's class, as one line; the class alone when there is no text.
fn message(link: &str) -> String {
    let mut text = link.trim();
    let mut name = "";
    // `a.b.XException: c.d.YException: text` occurs: an exception made of another's text.
    while let Some((class, after)) = split_class(text) {
        name = class;
        text = after.trim_start();
    }
    for list in LISTS {
        text = text.split(list).next().unwrap_or_default();
    }
    let text = text.trim();
    if text.is_empty() || text == "null" {
        return name.rsplit(['.', '$']).next().unwrap_or_default().to_owned();
    }
    scrub(&one_line(text, 4 * REASON_LIMIT))
}

/// `a.b.CException: rest` in two; `None` when it does not begin with a class.
fn split_class(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || ".$_".contains(c))).unwrap_or(text.len());
    let (class, after) = text.split_at(end);
    let last = class.rsplit(['.', '$']).next()?;
    let named = class.contains('.') && last.starts_with(|c: char| c.is_ascii_uppercase());
    let throwable = last.ends_with("Exception") || last.ends_with("Error") || last.ends_with("Throwable");
    if !named || !throwable {
        return None;
    }
    after.strip_prefix(':').or_else(|| after.is_empty().then_some("")).map(|rest| (class, rest))
}

/// True when Flink failed for a reason that passes: one of its parts could not be reached, or forgot what it was asked.
pub(super) fn passes(trace: &str) -> bool {
    const AWAY: [&str; 5] = [
        "java.net.ConnectException",
        "java.net.SocketTimeoutException",
        "java.util.concurrent.TimeoutException",
        "FutureUtils$RetryException",
        "Can not find the submitted operation",
    ];
    // A gateway that was started again knows none of its sessions.
    let forgotten = trace.contains("Session '") && trace.contains("' does not exist.");
    forgotten || AWAY.iter().any(|a| trace.contains(a))
}

/// Positions (`line 3, column 5`) of a text that had one line put before it, as the text's own.
pub(super) fn one_line_up(reason: &str) -> String {
    let mut out = String::with_capacity(reason.len());
    let mut rest = reason;
    while let Some(at) = rest.find("line ") {
        let (before, after) = rest.split_at(at + 5);
        out.push_str(before);
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (number, tail) = after.split_at(digits);
        match number.parse::<u64>() {
            Ok(line) if line > 1 && tail.starts_with(", column") => out.push_str(&(line - 1).to_string()),
            _ => out.push_str(number),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "<Exception on server side:\n\
        org.apache.flink.table.gateway.api.utils.SqlGatewayException: org.apache.flink.table.gateway.api.utils.SqlGatewayException: Failed to fetchResults.\n\
        \tat org.apache.flink.X.y(X.java:91)\n\
        Caused by: org.apache.flink.table.gateway.service.utils.SqlExecutionException: Failed to execute the operation 40093470-1789.\n\
        \tat org.apache.flink.X.y(X.java:91)\n\
        \t... 1 more\n";

    fn of(tail: &str) -> String {
        cause(&format!("{HEAD}{tail}\tat a.b.C(C.java:1)\n\nEnd of exception on server side>"))
    }

    #[test]
    fn keeps_the_place_in_the_statement() {
        let text = of(
            "Caused by: org.apache.flink.table.api.ValidationException: SQL validation failed. From line 1, column 30 to line 1, column 33: Column 'nope' not found in any table\n\
            Caused by: org.apache.calcite.runtime.CalciteContextException: From line 1, column 30 to line 1, column 33: Column 'nope' not found in any table\n\
            Caused by: org.apache.calcite.sql.validate.SqlValidatorException: Column 'nope' not found in any table\n",
        );
        assert_eq!(text, "From line 1, column 30 to line 1, column 33: Column 'nope' not found in any table");
    }

    #[test]
    fn joins_what_was_done_with_why_it_failed() {
        let text = of(
            "Caused by: org.apache.flink.table.api.ValidationException: Could not execute CreateTable in path `c`.`d`.`b`\n\
            \tat a.b.C(C.java:1)\n\
            Caused by: org.apache.flink.table.catalog.exceptions.TableAlreadyExistException: Table (or view) d.b already exists in Catalog c.\n",
        );
        assert_eq!(
            text,
            "Could not execute CreateTable in path `c`.`d`.`b`: Table (or view) d.b already exists in Catalog c."
        );
    }

    #[test]
    fn leaves_lists_and_options_out() {
        let text = of(
            "Caused by: org.apache.flink.table.api.ValidationException: Unable to create a source for reading table 'd'.\n\
            \n\
            Table options are:\n\
            \n\
            'connector'='datagen'\n\
            'properties.sasl.jaas.config'='hunter2'\n\
            \tat a.b.C(C.java:1)\n\
            Caused by: org.apache.flink.table.api.ValidationException: Unsupported options found for 'datagen'.\n\
            \n\
            Unsupported options:\n\
            \n\
            wrongopt\n\
            \n\
            Supported options:\n\
            \n\
            connector\n",
        );
        assert_eq!(
            text,
            "Unable to create a source for reading table 'd': Unsupported options found for 'datagen'. Unsupported options: wrongopt"
        );
    }

    #[test]
    fn a_parser_error_without_what_it_expected() {
        let text = of(
            "Caused by: org.apache.flink.table.api.SqlParserException: SQL parse failed. Encountered \"FROM\" at line 2, column 8.\n\
            Was expecting one of:\n    \"ABS\" ...\n    <IDENTIFIER> ...\n    \n\
            Caused by: org.apache.flink.sql.parser.impl.ParseException: Encountered \"FROM\" at line 2, column 8.\n\
            Was expecting one of:\n    \"ABS\" ...\n    \n",
        );
        assert_eq!(text, "Encountered \"FROM\" at line 2, column 8.");
        assert_eq!(one_line_up(&text), "Encountered \"FROM\" at line 1, column 8.");
    }

    #[test]
    fn a_failed_job() {
        let text = cause(
            "org.apache.flink.runtime.JobException: Recovery is suppressed by NoRestart\n\tat a.b(C.java:1)\n\
            Caused by: org.apache.flink.util.FlinkRuntimeException: Failed to list subscribed topic partitions due to \n\
            Caused by: java.lang.RuntimeException: Failed to get metadata for topics [none].\n\
            Caused by: java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.UnknownTopicOrPartitionException: This server does not host this topic-partition.\n\
            Caused by: org.apache.kafka.common.errors.UnknownTopicOrPartitionException: This server does not host this topic-partition.\n",
        );
        assert_eq!(text, "Failed to get metadata for topics [none]: This server does not host this topic-partition.");
    }

    #[test]
    fn an_exception_without_a_message_gives_its_name() {
        assert_eq!(cause("java.lang.NullPointerException\n\tat a.B.c(B.java:1)\n"), "NullPointerException");
        assert_eq!(cause("a.b.OuterException: null\n\tat a.B.c(B.java:1)\n"), "OuterException");
        assert_eq!(cause(""), "no reason given");
        assert_eq!(cause("Not found: /v1/sessions/"), "Not found: /v1/sessions/");
        assert_eq!(
            cause(&HEAD.replace('\t', "")),
            "Failed to execute the operation 40093470-1789. at org.apache.flink.X.y(X.java:91) ... 1 more"
        );
    }

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        let away = "a.SqlException: Failed to execute sql\n\
            Caused by: org.apache.flink.util.concurrent.FutureUtils$RetryException: Number of retries has been exhausted.\n\
            Caused by: java.util.concurrent.CompletionException: a.AnnotatedConnectException: Connection refused: /127.0.0.1:1\n\
            Caused by: java.net.ConnectException: Connection refused\n";
        assert!(passes(away));
        assert_eq!(cause(away), "Number of retries has been exhausted: Connection refused");
        assert!(passes("Caused by: a.SqlGatewayException: Session '612c' does not exist.\n\tat a.b(C.java:1)"));
        assert!(!passes("a.ValidationException: Table 'x' does not exist."));
    }

    #[test]
    fn lines_move_up_by_one() {
        assert_eq!(
            one_line_up("From line 12, column 3 to line 12, column 9: x"),
            "From line 11, column 3 to line 11, column 9: x"
        );
        assert_eq!(one_line_up("line 1, column 3; line x; 5 line 7"), "line 1, column 3; line x; 5 line 7");
    }
}
