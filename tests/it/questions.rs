//! `parse` and `lineage`: what the program says about SQL without asking a system.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

fn run(args: &[&str], input: &str) -> (i32, String, String) {
    use std::io::Write as _;
    let mut command = Command::new(env!("CARGO_BIN_EXE_cyanotype"));
    command.args(args).env("NO_COLOR", "1").env_remove("CYANOTYPE_CONFIG").env_remove("CYANOTYPE_ENV");
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

fn lineage(args: &[&str]) -> String {
    let (code, out, err) = run(&[&["lineage", "--project", "examples/shop"], args].concat(), "");
    assert_eq!(code, 0, "{out}{err}");
    out
}

#[test]
fn parse_gives_a_json_line_for_each_file_and_says_no_when_a_statement_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("all.sql");
    let text =
        "CREATE VIEW v AS SELECT a.id FROM a JOIN c.b ON a.id = b.id;\nINSERT INTO t SELECT id FROM v;\nSELEC 1;\n";
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let (code, out, err) = run(&["parse", path, "-", "--output", "json"], "SELECT 1");
    assert_eq!(code, 1, "{out}{err}");
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{out}");
    let [view, insert, wrong] = lines[0]["statements"].as_array().unwrap().as_slice() else { panic!("{out}") };
    let want = json!({ "kind": "CREATE VIEW", "span": [0, 59], "ok": true, "reads": ["a", "c.b"], "writes": ["v"], "errors": [] });
    assert_eq!(*view, want);
    assert_eq!((&insert["reads"], &insert["writes"]), (&json!(["v"]), &json!(["t"])));
    assert_eq!((&wrong["ok"], &wrong["errors"][0]["span"][0]), (&json!(false), &json!(93)), "{wrong}");
    assert_eq!(lines[1]["file"], "-");

    let (code, out, _) = run(&["parse", path], "");
    assert_eq!(code, 1);
    assert!(out.contains(&format!("{path}:1  CREATE VIEW  reads a, c.b  writes v")), "{out}");
    assert!(out.contains(&format!("{path}:3: error[")), "{out}");
}

#[test]
fn parse_names_a_file_that_it_cannot_read_and_answers_for_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("bad.sql"), b"SELECT 1;\nSELECT '\xff'").unwrap();
    std::fs::write(path("good.sql"), "SELECT 1 FROM a;").unwrap();
    let (code, out, err) = run(&["parse", &path("good.sql"), &path("bad.sql"), "nowhere.sql"], "");
    assert_eq!(code, 2);
    assert!(out.contains("good.sql:1  QUERY  reads a"), "{out}");
    assert!(out.contains("error: ") && out.contains("bad.sql: line 2 is not UTF-8"), "{out}");
    assert!(out.contains("error: nowhere.sql cannot be read: "), "{out}");
    assert!(err.contains("help: save the file as UTF-8"), "{err}");

    let all = [path("bad.sql"), "nowhere.sql".to_owned(), path("good.sql")];
    let (code, out, err) = run(&["parse", &all[0], &all[1], &all[2], "--output", "json"], "");
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, lines.len()), (2, 3), "{out}{err}");
    for (line, file) in lines.iter().zip(&all) {
        assert_eq!(line["file"], json!(file));
    }
    assert_eq!(lines[0]["statements"], json!([]));
    assert_eq!(lines[0]["error"]["help"], "save the file as UTF-8", "{out}");
    assert_eq!(lines[1]["error"]["message"], "nowhere.sql cannot be read", "{out}");
    assert!(lines[1]["error"]["causes"][0].is_string(), "{out}");
    assert!(lines[2].get("error").is_none() && lines[2]["statements"][0]["ok"] == true, "{out}");
}

#[test]
fn parse_says_its_exit_codes() {
    let (code, out, _) = run(&["parse", "--help"], "");
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        code == 0 && words.contains("0 if nothing is wrong, 1 if a statement is, 2 if a file cannot be read"),
        "{out}"
    );
}

#[test]
fn lineage_for_programs_names_origins_influences_and_state() {
    let answer: Value =
        serde_json::from_str(&lineage(&["fct_orders_enriched.line_amount", "--output", "json"])).unwrap();
    let column = &answer["columns"][0];
    assert_eq!((&column["table"], &column["column"]), (&json!("fct_orders_enriched"), &json!("line_amount")));
    assert_eq!(column["origins"], json!(["int_priced_lines.line_amount"]), "the view is looked through");
    let influences = column["influences"].as_array().unwrap();
    assert!(influences.contains(&json!({ "column": "int_priced_lines.status", "use": "filter" })), "{column}");
    assert!(influences.contains(&json!({ "column": "src_products.product_id", "use": "join" })), "{column}");
    let changelog = &answer["changelog"];
    assert_eq!((&changelog["mode"], &changelog["key"]), (&json!("retract"), &json!([])), "joined by other columns");
    let because = changelog["because"].as_array().unwrap();
    assert!(because.contains(&json!({ "source": "int_priced_lines", "view": "vw_sold_lines" })), "{changelog}");
    assert_eq!((&column["type"], &column["class"]), (&json!("DECIMAL(14, 4)"), &json!("exact")));
    let revenue = lineage(&["fct_product_revenue.revenue", "--upstream"]);
    assert!(revenue.contains("\ntype: DECIMAL(18, 2)\nchanges: upsert by product_id (group aggregate, "), "{revenue}");
    let states = answer["state"].as_array().unwrap();
    assert!(
        states.iter().any(|state| state["operator"].as_str().unwrap().contains("join") && state["bounded_by"] == "ttl"),
        "{answer}"
    );
    let same: Value = serde_json::from_str(&lineage(&["fct_orders_enriched.line_amount", "--format", "json"])).unwrap();
    assert_eq!(same, answer);
}

#[test]
fn lineage_goes_to_a_view_and_from_there_to_what_it_reads() {
    let target = ["fct_orders_enriched.line_amount", "--upstream"];
    let answer: Value = serde_json::from_str(&lineage(&[&target[..], &["--output", "json"]].concat())).unwrap();
    let (table, view, fct) =
        ("int_priced_lines.line_amount", "vw_sold_lines.line_amount", "fct_orders_enriched.line_amount");
    let step = |from: &str, to: &str| json!({ "from": from, "to": to, "uses": ["passed on"] });
    let sources = answer["sources"].as_array().unwrap();
    assert_eq!(sources[..2], [step(view, fct), step(table, view)], "nothing goes past the view: {answer}");
    let into = |to: &str| sources.iter().filter(|step| step["to"] == *to).count();
    assert_eq!((into(fct), into(view)), (1, 1), "{answer}");
    let dot = lineage(&[&target[..], &["--format", "dot"]].concat());
    assert!(
        dot.contains(&format!("  \"{view}\" -> \"{fct}\" [")) && !dot.contains(&format!("\"{table}\" -> \"{fct}\"")),
        "{dot}"
    );
    let mermaid = lineage(&[&target[..], &["--format", "mermaid"]].concat());
    assert_eq!(mermaid.matches("-->").count(), sources.len(), "{mermaid}");
    let rows = lineage(&["fct_orders_enriched", "--upstream", "--format", "dot"]);
    for step in [
        "\"int_priced_lines.status\" -> \"vw_sold_lines (rows)\" [label = \"filtered by\"]",
        "\"vw_sold_lines (rows)\" -> \"fct_orders_enriched (rows)\" [label = \"read\"]",
    ] {
        assert!(rows.contains(step), "{rows}");
    }
}

#[test]
fn lineage_says_what_it_assumes_of_functions() {
    let dir = tempfile::tempdir().unwrap();
    let pipelines = dir.path().join("pipelines");
    std::fs::create_dir(&pipelines).unwrap();
    let put = |name: &str, text: &str| std::fs::write(pipelines.join(name), text).unwrap();
    for table in ["src", "fct"] {
        let with = format!("WITH ('connector' = 'kafka', 'topic' = '{table}', 'value.format' = 'avro-confluent')");
        put(&format!("ddl.{table}.sql"), &format!("CREATE TABLE {table} (a INT) {with};"));
    }
    put("dml.fct.sql", "INSERT INTO fct SELECT their_count(a) AS a FROM src;");
    let project = dir.path().to_str().unwrap();
    let answer = |args: &[&str]| run(&[&["lineage", "fct", "--project", project], args].concat(), "").1;
    let text = answer(&["--upstream"]);
    assert!(text.contains("changes: append (src)\nassumes: no aggregate function: their_count\n"), "{text}");
    let json: Value = serde_json::from_str(&answer(&["--output", "json"])).unwrap();
    assert_eq!(json["assumes"], json!([{ "function": "their_count" }]));
}

#[test]
fn lineage_says_how_two_runs_of_a_statement_are_compared() {
    let dir = tempfile::tempdir().unwrap();
    let pipelines = dir.path().join("pipelines");
    std::fs::create_dir(&pipelines).unwrap();
    let put = |name: &str, text: &str| std::fs::write(pipelines.join(name), text).unwrap();
    let with = "WITH ('connector' = 'upsert-kafka', 'topic' = 't', 'key.format' = 'avro-confluent', \
        'value.format' = 'avro-confluent')";
    let columns = "id INT NOT NULL, seen TIMESTAMP_LTZ(3), names STRING, PRIMARY KEY (id) NOT ENFORCED";
    for table in ["src", "mid", "fct"] {
        put(
            &format!("ddl.{table}.sql"),
            &format!("CREATE TABLE {table} ({columns}) {};", with.replace("'t'", &format!("'{table}'"))),
        );
    }
    put("dml.mid.sql", "INSERT INTO mid SELECT id, NOW() AS seen, LISTAGG(names) AS names FROM src GROUP BY id;");
    put("dml.fct.sql", "INSERT INTO fct SELECT id, seen, UPPER(names) AS names FROM mid;");
    let project = dir.path().to_str().unwrap();
    let answer = |args: &[&str]| run(&[&["lineage", "fct", "--project", project], args].concat(), "").1;
    let text = answer(&["--upstream"]);
    assert!(text.contains("compared: equal up to order (order-sensitive LISTAGG): names\n"), "{text}");
    assert!(text.contains("compared: left out (non-deterministic NOW): seen\n"), "{text}");
    let json: Value = serde_json::from_str(&answer(&["--output", "json"])).unwrap();
    let classes: Vec<&Value> = json["columns"].as_array().unwrap().iter().map(|column| &column["class"]).collect();
    assert_eq!(classes, [&json!("exact"), &json!("volatile"), &json!("order")]);
}

#[test]
fn lineage_goes_one_way_when_asked_and_can_be_drawn() {
    let up = lineage(&["src_customers.country", "--upstream"]);
    assert!(up.contains("comes from") && !up.contains("goes to"), "{up}");
    let down = lineage(&["src_customers.country", "--downstream"]);
    assert!(!down.contains("comes from") && down.contains("dim_customers.country"), "{down}");
    let dot = lineage(&["dim_customers.country", "--upstream", "--format", "dot"]);
    let edge = "  \"src_customers.country\" -> \"dim_customers.country\" [label = \"passed on\"];\n";
    assert!(dot.starts_with("digraph lineage {\n") && dot.contains(edge) && dot.ends_with("}\n"), "{dot}");
    let mermaid = lineage(&["dim_customers.country", "--upstream", "--format", "mermaid"]);
    assert!(mermaid.starts_with("flowchart LR\n") && mermaid.contains("-->|\"passed on\"|"), "{mermaid}");
}
