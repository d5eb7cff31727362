//! What only Confluent Cloud has: files under `tests/it/sql/confluent`, each statement with what it is behind it.

use super::*;

/// A statement in words, as the fixtures say it.
fn said(text: &str, statement: &Statement) -> String {
    let short = &summaries(text)[0];
    let mut said = short.kind.clone();
    let mut add = |what: &str, names: Vec<String>| {
        if !names.is_empty() {
            said += &format!("; {what} {}", names.join(", "));
        }
    };
    let object = match &statement.kind {
        StatementKind::Other { effects, .. } => effects.object.as_ref(),
        _ => None,
    };
    if let Some(object) = object {
        add("named", vec![format!("{} {}", object.kind, object.name.dotted())]);
        add("now", object.new_name.iter().map(ObjectName::dotted).collect());
        add("uses", object.uses.iter().map(|used| format!("{} {}", used.kind, used.name.dotted())).collect());
        add("comment", object.comment.iter().cloned().collect());
        add("options", object.options.iter().map(|option| format!("{} = {}", option.key, option.value)).collect());
    }
    if let StatementKind::Set { key, value, .. } = &statement.kind {
        add("option", vec![format!("{key} = {value}")]);
    }
    if let StatementKind::Drop { name, .. } = &statement.kind {
        add("named", vec![name.dotted()]);
    }
    add("reads", short.reads.iter().cloned().collect());
    add("writes", short.writes.iter().cloned().collect());
    said
}

#[test]
fn every_form_that_is_documented_is_read() {
    let mut read = 0;
    for name in fixtures("confluent") {
        let text = fixture(&format!("confluent/{name}.sql"));
        let mut cases = text.split_inclusive('\n').peekable();
        while cases.peek().is_some() {
            let mut sql = String::new();
            let mut wanted = None;
            for line in cases.by_ref() {
                if let Some(is) = line.strip_prefix("-- is: ") {
                    wanted = Some(is.trim_end().to_owned());
                    break;
                }
                sql += line;
            }
            let Some(wanted) = wanted else {
                assert_eq!(sql.trim(), "", "{name}: no `-- is:` behind the last statement");
                break;
            };
            assert_eq!(said(&sql, &one(&sql)), wanted, "{name}: {sql}");
            read += 1;
        }
    }
    assert!(read >= 50, "{read} statements");
}

/// What is only Confluent Cloud's may still be the name of a table, a column or an alias.
#[test]
fn the_words_of_confluent_cloud_are_not_reserved() {
    let text = "SELECT agent, t.tool, connection AS agents FROM tool AS t JOIN agent ON t.id = agent.id";
    assert_eq!(table_refs(&one(text)).iter().map(|r| r.name.dotted()).collect::<Vec<_>>(), ["tool", "agent"]);
    assert!(summaries("DESCRIBE agent; DESCRIBE EXTENDED connection; DROP TABLE tool")[..].iter().all(|s| s.ok));
}

#[test]
fn what_is_missing_is_named() {
    for (text, place, message) in [
        ("CREATE AGENT a USING MODEL m WITH ('x' = 'y')", "WITH", "expected `USING PROMPT`"),
        ("CREATE AGENT a WITH ('x' = 'y')", "WITH", "expected `USING MODEL` or `USING AGENTS`"),
        ("CREATE TOOL t USING MODEL m WITH ('type' = 'x')", "MODEL", "expected `FUNCTION` or `CONNECTION`"),
        ("CREATE CONNECTION c", "c", "expected `WITH`"),
        ("CREATE SECRET s", "SECRET", "expected what is created"),
        ("ALTER AGENT a ADD m", "m", "expected `TOOL`"),
        ("ALTER CONNECTION c", "c", "expected `SET`, `RESET` or `RENAME TO`"),
        ("CREATE MATERIALIZED TABLE t START_MODE = TOMORROW AS SELECT 1", "TOMORROW", "expected where to begin"),
        ("CREATE MATERIALIZED TABLE t START_MODE = FROM_TIMESTAMP AS SELECT 1", "AS", "expected `(`"),
        ("CREATE FUNCTION f AS 'F' USING CONNECTIONS ()", ")", "expected the name of a connection"),
    ] {
        let parsed = parse(text);
        let [problem] = parsed.diagnostics() else { panic!("{text}: {:?}", parsed.diagnostics()) };
        assert!(problem.message.starts_with(message), "{text}: {}", problem.message);
        assert_eq!(problem.labels[0].span.of(text), place, "{text}");
    }
}
