//! `cyanotype compat`: two schemas in, two answers out, and an exit code that a pipeline can use.

mod page;
mod planned;

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const OLD: &str = r#"{"type": "record", "name": "Value", "namespace": "shop", "fields": [
    {"name": "id", "type": "long"},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}}]}"#;

/// Exit code, standard output, standard error.
fn compat(args: &[&str], stdin: &str) -> (i32, String, String) {
    let mut call = Command::new(env!("CARGO_BIN_EXE_cyanotype"))
        .arg("compat")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A call that reads nothing has closed it.
    let _ = call.stdin.take().unwrap().write_all(stdin.as_bytes());
    let done = call.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

/// The path of a file with this text.
fn file(dir: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn what_a_registry_allows_may_give_wrong_values() {
    let dir = tempfile::tempdir().unwrap();
    let old = file(&dir, "old.avsc", OLD);
    let (code, said, _) = compat(&[&old, "-", "--level", "full"], &OLD.replace("\"scale\": 2", "\"scale\": 4"));
    assert_eq!(code, 1, "{said}");
    assert!(
        said.starts_with("registry  FULL allows it: backward yes, forward yes\ndata      wrong values\n"),
        "{said}"
    );
    assert!(said.contains("column `price` changes its decimal scale from 2 to 4"), "{said}");
}

#[test]
fn what_is_safe_for_the_data_may_be_forbidden() {
    let dir = tempfile::tempdir().unwrap();
    let more = OLD.replace("}}]}", "}}, {\"name\": \"tier\", \"type\": [\"null\", \"string\"]}]}");
    // As the registry itself answers.
    let answer = json!({"subject": "shop-value", "version": 7, "id": 9, "schema": OLD}).to_string();
    let (old, new) = (file(&dir, "old.json", &answer), file(&dir, "new.avsc", &more));
    let (code, said, _) = compat(&[&old, &new], "");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("registry  BACKWARD forbids it: backward no, forward yes"), "{said}");
    assert!(said.contains("column `tier`"), "{said}");
    let (code, said, _) = compat(&[&old, &new, "--level", "FORWARD", "--output", "json"], "");
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &said["compatible"], &said["data"]), (0, &json!(true), &json!("safe")), "{said}");
    assert_eq!(said["failures"][0]["direction"], "BACKWARD", "the other direction is told too");
}

#[test]
fn what_a_strict_parser_refuses_is_a_warning_and_changes_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let flawed = OLD.replace("\"type\": \"long\"", "\"type\": \"long\", \"default\": \"one\"");
    let (old, new) = (file(&dir, "old.avsc", OLD), file(&dir, "new.avsc", &flawed));
    let (code, said, _) = compat(&[&old, &new], "");
    assert_eq!(code, 0, "{said}");
    let warning = "  the new schema, at `id`: its default \"one\" does not fit long\n";
    assert!(said.contains("warnings  a strict parser refuses") && said.contains(warning), "{said}");
    let of = |args: &[&str]| {
        let (code, said, _) = compat(args, "");
        assert_eq!(code, 0, "{said}");
        serde_json::from_str::<Value>(&said).unwrap()["warnings"].clone()
    };
    let problem = "its default \"one\" does not fit long";
    let warnings = |schema: &str| json!([{"schema": schema, "path": "id", "problem": problem}]);
    assert_eq!(of(&[&old, &new, "--output", "json"]), warnings("new"));
    assert_eq!(of(&[&new, &old, "--output", "json"]), warnings("old"));
    assert_eq!(of(&[&new, &new, "--output", "json"]), warnings("both"));
    assert_eq!(of(&[&old, &old, "--output", "json"]), Value::Null);
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_schema() {
    let dir = tempfile::tempdir().unwrap();
    let marked = format!("\u{feff}{OLD}");
    let answer = format!("\u{feff}{}", json!({"subject": "shop-value", "version": 7, "schema": OLD}));
    let (old, held) = (file(&dir, "old.avsc", &marked), file(&dir, "held.json", &answer));
    for schema in [&old, &held] {
        let (code, said, wrong) = compat(&[schema, "-"], &marked);
        assert_eq!(code, 0, "{said}{wrong}");
    }
    let line = json!({"old": marked, "new": marked}).to_string();
    let (code, said, wrong) = compat(&["--batch", "-"], &format!("\u{feff}{line}\n{line}\n"));
    assert_eq!(code, 0, "{said}{wrong}");
}

/// `plan` over two files, with a mark at their beginnings, and a flaw in what stays.
#[test]
fn a_plan_reads_marked_files_and_says_what_a_strict_parser_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let schema = |version: &str| {
        let path = format!("{}/docs/example/customers.{version}.avsc", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let mut schema: Value = serde_json::from_str(&text).unwrap();
        schema["fields"].as_array_mut().unwrap().iter_mut().find(|f| f["name"] == "op").unwrap()["default"] = json!(7);
        file(&dir, version, &format!("\u{feff}{schema}"))
    };
    let done = Command::new(env!("CARGO_BIN_EXE_cyanotype"))
        .args(["plan", "--subject", "shop.shop.customers-value", "--old", &schema("v1"), "--new", &schema("v2")])
        .args(["--project", concat!(env!("CARGO_MANIFEST_DIR"), "/examples/shop"), "--output", "json"])
        .output()
        .unwrap();
    let wrong = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(0), "{wrong}");
    let plan: Value = serde_json::from_slice(&done.stdout).unwrap();
    let said: Vec<&Value> = plan["warnings"].as_array().unwrap().iter().filter(|w| w["code"] == "C213").collect();
    let message = "shop.shop.customers-value versions 1 and 2: `op`: its default 7 does not fit string, which a strict \
                   parser refuses";
    assert_eq!((said.len(), said[0]["message"].as_str().unwrap()), (1, message));
}

#[test]
fn a_key_changes_with_any_change() {
    let dir = tempfile::tempdir().unwrap();
    let old = file(&dir, "old.avsc", OLD);
    let (code, said, _) = compat(&[&old, "-", "--key"], &OLD.replace("\"scale\": 2", "\"scale\": 4"));
    assert_eq!(code, 1);
    assert!(said.contains("data      the key changes"), "{said}");
}

#[test]
fn other_languages_are_unknown_and_never_compatible() {
    let dir = tempfile::tempdir().unwrap();
    let proto = file(&dir, "a.proto", "syntax = \"proto3\";\nmessage A { int32 id = 1; }\n");
    let json = file(&dir, "a.json", r#"{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}"#);
    for (schema, language) in [(proto, "PROTOBUF"), (json, "JSON")] {
        let (code, said, _) = compat(&[&schema, &schema, "--level", "NONE"], "");
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("unknown") && said.contains(language), "{said}");
    }
}

#[test]
fn a_batch_answers_each_line_and_goes_on_after_a_wrong_one() {
    let old: Value = serde_json::from_str(OLD).unwrap();
    let lines = [
        json!({"id": 1, "old": old, "new": old}).to_string(),
        json!({"id": "text", "old": OLD, "new": "int"}).to_string(),
        "not JSON".to_owned(),
        json!({"id": 3, "old": "{", "new": "int"}).to_string(),
        json!({"id": 4, "new": "int"}).to_string(),
    ];
    let (code, said, _) = compat(&["--batch", "-", "--output", "json"], &lines.join("\n"));
    assert_eq!(code, 1);
    let said: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |line: usize, key: &str| said[line][key].clone();
    assert_eq!([of(0, "id"), of(0, "full"), of(0, "data")], [json!(1), json!(true), json!("safe")]);
    assert_eq!([of(1, "id"), of(1, "backward"), of(1, "data")], [json!("text"), json!(false), json!("job_fails")]);
    assert!(of(2, "error").as_str().unwrap().starts_with("line 3: "), "{said:?}");
    assert_eq!([of(3, "full"), of(3, "data")], [Value::Null, json!("unknown")]);
    assert_eq!((of(4, "id"), of(4, "error")), (json!(4), json!("line 5: `old` and `new` are needed")));
    // A no outweighs what is not known, which outweighs a yes.
    for (of, code) in [(&lines[..1], 0), (&lines[3..], 2), (&lines[..2], 1)] {
        assert_eq!(compat(&["--batch", "-"], &of.join("\n")).0, code);
    }
}

#[test]
fn a_batch_without_a_pair_is_no_yes() {
    for batch in ["", "\n \n"] {
        let (code, out, wrong) = compat(&["--batch", "-"], batch);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(wrong.contains("no pair was given"), "{wrong}");
    }
}

#[test]
fn bytes_that_are_no_text_spoil_one_line_of_a_batch() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pairs.jsonl");
    let pair = json!({"id": 1, "old": OLD, "new": OLD}).to_string();
    std::fs::write(&path, [pair.as_bytes(), b"\r\n{\"id\": \xff}\n", pair.as_bytes()].concat()).unwrap();
    let (code, said, _) = compat(&["--batch", path.to_str().unwrap()], "");
    assert_eq!((code, said.matches("data      safe").count()), (2, 2), "{said}");
    assert!(said.contains("error: line 2: it is not UTF-8"), "{said}");
}

#[test]
fn a_schema_that_no_registry_takes_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let old = file(&dir, "old.avsc", OLD);
    let twice = OLD.replace("\"name\": \"price\"", "\"name\": \"id\"");
    let (code, said, _) = compat(&[&old, "-", "--level", "NONE"], &twice);
    assert_eq!(code, 1, "{said}");
    assert!(said.starts_with("registry  refused, no registry takes the new schema: "), "{said}");
    assert!(said.contains("\n  `id`: the record has the field `id` twice\n"), "{said}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let old = file(&dir, "old.avsc", OLD);
    for (args, stdin, words) in [
        (vec!["-", "-"], "", "only one of the two"),
        (vec![&*old, "nowhere.avsc"], "", "nowhere.avsc cannot be read"),
        (vec![&*old, "-"], "{", "- is not an Avro schema"),
        (
            vec![&*old, "-"],
            "{\"type\": \"record\", \"name\": \"A\", \"fields\": [{\"name\": \"b\", \"type\": \"B\"}]}",
            "`B`",
        ),
        (vec![&*old, "-", "--level", "SIDEWAYS"], OLD, "SIDEWAYS"),
        (vec!["--batch", "nowhere.jsonl"], "", "nowhere.jsonl cannot be read"),
    ] {
        let (code, out, err) = compat(&args, stdin);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.contains(words), "{args:?}: {err}");
    }
}
