//! The program itself on files alone: what it says, where, and with which exit code.

use std::path::Path;
use std::process::{Command, Stdio};

/// A folder with a small project and its configuration.
struct Place {
    dir: tempfile::TempDir,
}

/// What a call came to.
#[derive(Debug)]
struct Done {
    code: i32,
    out: String,
    err: String,
}

const CONFIG: &str = r#"
[env.dev]
kafka.brokers = "127.0.0.1:1"
registry.url = "http://127.0.0.1:1"
flink = { gateway = "http://127.0.0.1:1", rest = "http://127.0.0.1:1" }
api = { url = "http://127.0.0.1:1", tokens = [{ name = "me", secret = { env = "CYANOTYPE_TOKEN" }, scopes = ["read", "apply"] }] }
vars = { TOPIC_PREFIX = "t", PASSWORD = { env = "NOBODY_SETS_THIS" } }
"#;

const ORDERS: &str = "CREATE TABLE orders (id BIGINT NOT NULL, amount INT, PRIMARY KEY (id) NOT ENFORCED)\n\
    WITH ('connector' = 'kafka', 'topic' = 'db.orders', 'properties.bootstrap.servers' = '${KAFKA}',\n\
    'scan.startup.mode' = 'earliest-offset', 'format' = 'debezium-avro-confluent');\n";
const FACTS: &str = "CREATE TABLE facts (id BIGINT NOT NULL, amount INT, PRIMARY KEY (id) NOT ENFORCED)\n\
    WITH ('connector' = 'upsert-kafka', 'topic' = '${TOPIC_PREFIX}.facts', 'properties.bootstrap.servers' = '${KAFKA}',\n\
    'key.format' = 'avro-confluent', 'value.format' = 'avro-confluent');\n";
const INSERT: &str = "INSERT INTO facts\nSELECT id, amount\nFROM orders;\n";
const SINK: &str = r#"{"name": "sink", "config": {"topics": "${TOPIC_PREFIX}.facts", "tasks.max": 1, "delete.enabled": true,
    "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector", "connection.password": "${PASSWORD}",
    "consumer.override.isolation.level": "read_committed", "insert.mode": "upsert", "primary.key.mode": "record_key",
    "collection.name.format": "facts"}}"#;

impl Place {
    fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        place.put("cyanotype.toml", CONFIG);
        place.put("pipelines/ddl.orders.sql", ORDERS);
        place.put("pipelines/ddl.facts.sql", FACTS);
        place.put("pipelines/dml.facts.sql", INSERT);
        place.put("connectors/sink.json", SINK);
        place
    }

    fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cyanotype"));
        for (name, _) in std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("CYANOTYPE_")) {
            command.env_remove(name);
        }
        for own in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(own);
        }
        command.args(args).env("NO_COLOR", "1").env("GIT_CEILING_DIRECTORIES", self.dir.path().parent().unwrap());
        command.current_dir(self.dir.path());
        command
    }

    fn run(&self, args: &[&str]) -> Done {
        done(&mut self.command(args))
    }

    /// What `check` says of one file that is added or replaced.
    fn check_with(&self, path: &str, text: impl AsRef<[u8]>) -> Done {
        self.put(path, text);
        self.run(&["check"])
    }
}

fn done(command: &mut Command) -> Done {
    let done = command.output().unwrap();
    let [out, err] = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    Done { code: done.status.code().unwrap(), out, err }
}

/// Every part is in `text`.
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn a_sound_project_is_clean_by_both_names_of_its_folder() {
    let place = Place::new();
    let clean = "2 tables and 1 connector: nothing wrong\n";
    for args in [&["check"][..], &["check", "."], &["check", "--project", "."]] {
        let done = place.run(args);
        assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (0, clean, ""), "{args:?}");
    }
    let both = place.run(&["check", ".", "--project", "."]);
    assert_eq!(both.code, 2);
    says(&both.err, &["cannot be used with"]);
    std::fs::remove_file(place.dir.path().join("cyanotype.toml")).unwrap();
    assert_eq!(place.run(&["check", "--project", "."]).out, clean);
    for args in [&["check"][..], &["lineage", "orders"], &["deploy", "--dry-run", "--offline"]] {
        let none = place.run(args);
        assert_eq!((none.code, none.out.as_str()), (2, ""));
        says(
            &none.err,
            &["error: there is no configuration cyanotype.toml\n", "with --project, or a configuration with --config"],
        );
    }
    let none = place.run(&["plan"]);
    assert_eq!(none.code, 2);
    says(&none.err, &["error: there is no configuration cyanotype.toml\nhelp: name one with --config"]);
}

#[test]
fn check_names_placeholders_columns_and_empty_files() {
    let place = Place::new();
    let query = INSERT.replace("SELECT id, amount", "SELECT id, amuont");
    let done = place.check_with("pipelines/dml.facts.sql", format!("{query}-- ${{NOWHERE}}\n"));
    assert_eq!(done.code, 1);
    says(
        &done.out,
        &[
            "error[C109]: no value for ${NOWHERE}",
            "--> pipelines/dml.facts.sql:4:4",
            "error[S101]: column `amuont` is in no table of this query",
            "--> pipelines/dml.facts.sql:2:12",
            "help: correct the name: `orders` has id, amount",
        ],
    );
    let done = place.check_with("pipelines/dml.facts.sql", "-- later\n");
    assert_eq!(done.code, 1);
    let text = "error[C118]: pipelines/dml.facts.sql holds no statement, and nothing else writes table `facts`";
    says(&done.out, &[text]);
    std::fs::remove_file(place.dir.path().join("pipelines/dml.facts.sql")).unwrap();
    let done = place.run(&["check"]);
    assert_eq!(done.code, 1);
    let text = "error[C118]: nothing writes table `facts`, whose topic connector `sink` reads";
    says(&done.out, &[text, "--> connectors/sink.json", "1 error, 0 warnings"]);
    let read = FACTS
        .replace("upsert-kafka", "kafka")
        .replace("'key.format'", "'scan.startup.mode' = 'earliest-offset', 'key.format'");
    place.put("pipelines/ddl.facts.sql", read);
    assert_eq!(place.run(&["check"]).code, 0);
    place.put("pipelines/ddl.facts.sql", FACTS);
    place.put("pipelines/dml.facts.sql", INSERT);
    let done = place.check_with("pipelines/notes.sql", "");
    assert_eq!(done.code, 0);
    says(&done.out, &["warning[C118]: pipelines/notes.sql holds no statement", "0 errors, 1 warning"]);
}

#[test]
fn check_counts_columns_and_looks_where_readers_start() {
    let place = Place::new();
    let done =
        place.check_with("pipelines/dml.facts.sql", "-- one is missing\nINSERT INTO facts\nSELECT id FROM orders;\n");
    assert_eq!(done.code, 1);
    says(
        &done.out,
        &["error[C306]: the query of `facts` gives 1 column, and `facts` takes 2", "--> pipelines/dml.facts.sql:3:1"],
    );
    for fits in [
        "INSERT INTO facts (id) SELECT id FROM orders;",
        "INSERT INTO facts SELECT * FROM orders;",
        "INSERT INTO facts VALUES (1, 2);",
        "INSERT INTO facts SELECT a.* FROM orders AS a JOIN orders AS b USING (id);",
        "INSERT INTO facts SELECT * FROM orders AS a NATURAL JOIN orders AS b;",
    ] {
        let done = place.check_with("pipelines/dml.facts.sql", fits);
        assert_eq!(done.code, 0, "{fits}: {}", done.out);
    }
    let done = place.check_with("pipelines/ddl.orders.sql", ORDERS.replace("scan.startup.mode", "scan.startup.mod"));
    assert_eq!(done.code, 0);
    says(&done.out, &["warning[C210]: `orders` starts at group-offsets", "--> pipelines/ddl.orders.sql"]);
    let hinted = "INSERT INTO facts SELECT * FROM orders\n/*+ OPTIONS('scan.startup.mode' = 'latest-offset') */;";
    let done = place.check_with("pipelines/dml.facts.sql", hinted);
    assert_eq!(done.code, 0, "{}", done.out);
    says(
        &done.out,
        &[
            "warning[C210]: a hint in the query of `facts` sets 'scan.startup.mode' to 'latest-offset'",
            "--> pipelines/dml.facts.sql:2:13",
        ],
    );
}

#[test]
fn check_warns_of_a_secret_and_shows_it_nowhere() {
    let place = Place::new();
    let config =
        CONFIG.replace("registry.url = ", "registry.auth = { user = \"u\", password = \"hunter2\" }\nregistry.url = ");
    let done = place.check_with("cyanotype.toml", config);
    assert_eq!(done.code, 0);
    says(
        &done.out,
        &["warning[C119]: `env.dev.registry.auth.password` is a secret in plain text (line 4)", "cyanotype.toml"],
    );
    assert!(!format!("{done:?}").contains("hunter2"), "{done:?}");
    let done = place.check_with("connectors/sink.json", SINK.replace("${PASSWORD}", "hunter2"));
    says(&done.out, &["warning[C119]: connector `sink` has `connection.password`", "--> connectors/sink.json"]);
    assert!(!format!("{done:?}").contains("hunter2"), "{done:?}");
    let done = place.check_with("cyanotype.toml", CONFIG.replace("NOBODY_SETS_THIS", "hunter2 is it"));
    assert_eq!(done.code, 2);
    says(&done.err, &["`env.dev.vars.PASSWORD` names no environment variable"]);
    assert!(!format!("{done:?}").contains("hunter2"), "{done:?}");
}

#[test]
fn a_bad_token_stops_only_who_shows_it() {
    let place = Place::new();
    for args in [&["check"][..], &["lineage", "facts"], &["deploy", "--dry-run", "--offline"]] {
        let done = done(place.command(args).env("CYANOTYPE_TOKEN", "short"));
        assert_eq!(done.code, 0, "{args:?}: {done:?}");
    }
    let done = done(place.command(&["status"]).env("CYANOTYPE_TOKEN", "short"));
    assert_eq!(done.code, 2);
    says(&done.err, &["tokens[0].secret` needs at least 16 printable"]);
}

#[test]
fn every_file_that_cannot_be_read_is_named_with_the_way_out() {
    let place = Place::new();
    place.put("pipelines/a.sql", b"ok\nnot \xff utf-8");
    place.put("pipelines/b.sql", b"\xff");
    let done = place.run(&["check", "."]);
    assert_eq!(done.code, 2);
    let want = "\
error: the project . cannot be read
  cause: pipelines/a.sql: line 2 is not UTF-8
  cause: pipelines/b.sql: line 1 is not UTF-8
help: mend these files, or take them out of pipelines/ and connectors/
";
    assert_eq!(done.err, want);
}

#[test]
fn connectors_are_read_as_kafka_connect_reads_them() {
    let place = Place::new();
    assert_eq!(place.check_with("connectors/sink.json", format!("\u{feff}{SINK}")).code, 0);
    let done = place.check_with("connectors/sink.json", SINK.replace("\"sink\",", "\"sink\""));
    assert_eq!(done.code, 1);
    says(
        &done.out,
        &[
            "error[C110]: connectors/sink.json is not a connector: it is not valid JSON, line 1",
            "--> connectors/sink.json:1:17",
        ],
    );
    for part in ["invalid", "struct", "serde", "column"] {
        assert!(!done.out.contains(part), "{}", done.out);
    }
    let done = place.check_with("connectors/sink.json", SINK.replace(".facts\"", ".fcts\""));
    says(&done.out, &["error[C111]: connector `sink` reads `${TOPIC_PREFIX}.fcts`", "--> connectors/sink.json"]);
}

#[test]
fn the_error_comes_before_the_way_out() {
    let place = Place::new();
    place.put("pipelines/dml.facts.sql", "INSERT INTO nowhere SELECT 1;\n");
    let file = place.dir.path().join("both");
    let both = std::fs::File::create(&file).unwrap();
    let mut command = place.command(&["deploy", "--dry-run", "--offline"]);
    let status = command.stdout(both.try_clone().unwrap()).stderr(both).status().unwrap();
    assert_eq!(status.code(), Some(1));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("error[C105]"), "{text}");
    assert!(text.ends_with("\nhelp: nothing is deployed until this is mended\n"), "{text}");
}

#[test]
fn places_are_those_of_a_file_that_holds_several_statements() {
    let place = Place::new();
    let orders = "CREATE TABLE early (id INT) WITH ('connector' = 'kafka', 'topic' = 'early', 'scan.startup.mode' = 'latest-offset');";
    let without = "CREATE TABLE two (id INT) WITH ('connector' = 'kafka');";
    let text =
        format!("-- All of them.\n{orders}\n{without}\nINSERT INTO three SELECT 1;\nINSERT INTO four SELECT 1;\n");
    let done = place.check_with("pipelines/all.sql", text.clone());
    let wanted = [
        "error[C108]: table `two` has no 'topic'\n --> pipelines/all.sql:3:14",
        "error[C105]: table `three` is written here but no file creates it\n --> pipelines/all.sql:4:13",
        "--> pipelines/all.sql:5:13",
    ];
    says(&done.out, &wanted);
    let text = text.replace(without, "CREATE TABLE early (id INT);").replace("three", "early").replace("four", "early");
    let done = place.check_with("pipelines/all.sql", text);
    let wanted = [
        "error[C107]: table `early` is created twice, here and before in this file",
        "error[C104]: table `early` is written by two statements, here and before in this file\n --> pipelines/all.sql:5:13",
    ];
    says(&done.out, &wanted);
    let text = format!("{orders}\nCREATE VIEW three AS SELECT 1 AS x;\nCREATE VIEW v AS SELECT * FROM nowhere;\n");
    let done = place.check_with("pipelines/all.sql", text);
    says(&done.out, &["error[C102]: table `nowhere` is read here", "--> pipelines/all.sql:3:32"]);
    let done = place
        .check_with("pipelines/all.sql", format!("-- One of them.\n{orders}\nCREATE VIEW three AS SELECT 1 AS x;\n"));
    says(&done.out, &["warning[C210]: `early` starts at latest-offset", "--> pipelines/all.sql:2:99"]);
}

#[test]
fn a_dry_run_needs_no_system_when_it_is_told_so() {
    let place = Place::new();
    let done = place.run(&["deploy", "--dry-run", "--offline"]);
    assert_eq!(done.code, 0, "{done:?}");
    says(&done.out, &["deploy 2 tables and 1 connector\n", "facts", "sink: reads facts"]);
    assert_eq!(place.run(&["deploy", "--offline"]).code, 2);
    let alone = place
        .command(&["deploy", "--dry-run"])
        .env("CYANOTYPE_TOKEN", "0123456789abcdef")
        .env("NOBODY_SETS_THIS", "x")
        .output();
    says(
        &String::from_utf8(alone.unwrap().stderr).unwrap(),
        &["no daemon answers at http://127.0.0.1:1", "or add --offline"],
    );
}

#[test]
fn a_number_of_rows_comes_from_no_column_and_says_what_decides_about_the_rows() {
    let place = Place::new();
    let counted = "CREATE VIEW counted AS SELECT COUNT(*) AS n FROM orders WHERE amount > 1;\n";
    place.put("pipelines/ddl.counted.sql", counted);
    let done = place.run(&["lineage", "counted.n", "--upstream"]);
    says(&done.out, &["comes from: no column; its rows are decided by orders.amount (filter)"]);
}

#[test]
fn an_unknown_column_lists_those_that_are() {
    let place = Place::new();
    let done = place.run(&["lineage", "facts.amuont"]);
    assert_eq!(done.code, 2);
    let want = "error: the project has no column `facts.amuont`\nhelp: did you mean `amount`? facts has: amount, id\n";
    assert_eq!(done.err, want);
    says(&place.run(&["lineage", "fact"]).err, &["no table `fact`", "did you mean `facts`? its tables: facts, orders"]);
}

#[test]
fn four_causes_of_a_plan_since_are_four_messages() {
    let place = Place::new();
    let plan = |since: &str| ["plan", "--offline", "--since", since].map(str::to_owned);
    let since = |since: &str| {
        let args = plan(since);
        place.run(&args.each_ref().map(String::as_str))
    };
    let none = since("main");
    assert_eq!(none.code, 2);
    says(&none.err, &["git has no repository around", "help: --since compares with a commit"]);
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@localhost"]).args(args).current_dir(place.dir.path());
        for own in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(own);
        }
        assert!(command.stdout(Stdio::null()).status().unwrap().success(), "{args:?}");
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["commit", "-q", "--allow-empty", "-m", "before the project"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "the project"]);
    assert_eq!(since("main").code, 0);
    says(&since("nowhere").err, &["revision `nowhere`: there is no such branch, tag or commit", "help: name a branch"]);
    says(
        &since("main~1").err,
        &["error: revision main~1 has no statement of the project", "help: name a revision that has it"],
    );
    let args = plan("main");
    let without = done(place.command(&args.each_ref().map(String::as_str)).env("PATH", ""));
    says(&without.err, &["this machine has no program `git`", "help: install git"]);
    let empty = since("");
    assert_eq!(empty.code, 2);
    says(&empty.err, &["--since", "name a revision: a branch, a tag, a commit, HEAD~1"]);
}

#[test]
fn every_refusal_of_a_plan_has_a_way_out() {
    let place = Place::new();
    let record = |name: &str, fields: usize| {
        let fields: Vec<String> = (0..fields).map(|i| format!(r#"{{"name": "f{i}", "type": "int"}}"#)).collect();
        format!(r#"{{"type": "record", "name": "{name}", "fields": [{}]}}"#, fields.join(", "))
    };
    place.put("old.avsc", record("Row", 1));
    place.put("new.avsc", record("Row", 2).replace("\"int\"}]", "\"int\", \"default\": 1}]"));
    place.put("other.avsc", record("Other", 1));
    place.put("wide.avsc", record("Row", 50_000));
    let plan = |subject: &str, new: &str, more: &[&str]| {
        place.run(&[&["plan", "--subject", subject, "--old", "old.avsc", "--new", new][..], more].concat())
    };
    let done = plan("nobody-value", "new.avsc", &[]);
    assert_eq!(done.code, 1);
    says(&done.out, &["error[C203]", "help: correct the subject, or add the reader table of its topic"]);
    let done = plan("db.orders-value", "other.avsc", &[]);
    says(
        &done.out,
        &[
            "error[C201]",
            "help: is one of the files wrong? old.avsc holds the record Row and other.avsc the record Other",
        ],
    );
    let done = plan("db.orders-value", "wide.avsc", &[]);
    assert_eq!(done.code, 1);
    says(&done.out, &["error[C201]", " more"]);
    assert!(done.out.len() < 20_000, "{} bytes", done.out.len());
    let done = place.run(&["plan", "--subject", "db.orders-value", "--old", "old.avsc", "--new", "old.avsc"]);
    assert_eq!(done.code, 0, "{done:?}");
}

#[test]
fn half_a_validation_is_told_what_is_missing() {
    let place = Place::new();
    let done = place.run(&["validate", "--blue", "a"]);
    assert_eq!(done.code, 2);
    says(
        &done.err,
        &[
            "error: there is nothing to compare a with",
            "help: name the topic that is to replace it: --blue a --green TOPIC",
        ],
    );
    says(&place.run(&["validate"]).err, &["error: nothing to validate", "help: name a rollout"]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_no_success() {
    let place = Place::new();
    for args in [&["--help"][..], &["--version"], &["check"], &["check", "--output", "json"], &["plan", "--help"]] {
        let full = std::fs::File::options().write(true).open(Path::new("/dev/full")).unwrap();
        let done = place.command(args).stdout(full).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(done.status.code(), Some(2), "{args:?}");
        says(&String::from_utf8(done.stderr).unwrap(), &["error: the answer cannot be written", "No space left"]);
    }
}

#[test]
fn a_plan_that_cannot_be_written_names_the_way_out() {
    let shop = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = Place::new();
    let example = |file: &str| shop.join("docs/example").join(file).display().to_string();
    let (project, old, new) =
        (shop.join("examples/shop").display().to_string(), example("customers.v1.avsc"), example("customers.v2.avsc"));
    let done = place.run(&[
        "plan",
        "--project",
        &project,
        "--subject",
        "shop.shop.customers-value",
        "--old",
        &old,
        "--new",
        &new,
        "--rollout-plan-out",
        "nowhere/plan.json",
    ]);
    assert_eq!(done.code, 2);
    says(
        &done.err,
        &["error: the plan cannot be written to nowhere/plan.json", "help: name a file in a folder that exists"],
    );
}

#[test]
fn usage_errors_are_json_where_json_is_asked_for() {
    let place = Place::new();
    for (args, message, help) in [
        (&["plan", "--odd", "--output", "json"][..], "unexpected argument '--odd' found", "Usage: cyanotype plan"),
        (&["--output=json", "plann"], "unrecognized subcommand 'plann'", "tip: a similar subcommand exists: 'plan'"),
        (&["--output", "json"], "'cyanotype' requires a subcommand but one was not provided", "Usage: cyanotype"),
    ] {
        let done = place.run(args);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{done:?}");
        let said: serde_json::Value = serde_json::from_str(&done.err).unwrap_or_else(|e| panic!("{e}: {done:?}"));
        assert_eq!(said["error"]["message"], message, "{said}");
        assert!(said["error"]["help"].as_str().unwrap().contains(help), "{said}");
    }
    let done = place.run(&["compat", "--output", "json"]);
    let said: serde_json::Value = serde_json::from_str(&done.err).unwrap();
    assert_eq!(said["error"]["causes"][0], "<OLD>", "{said}");
    assert!(place.run(&["plan", "--odd"]).err.starts_with("error: unexpected argument"), "text as before");
    assert!(place.run(&["plan", "--help", "--output", "json"]).out.contains("Usage: cyanotype plan"));
}

#[test]
fn a_plan_takes_the_registrys_whole_answer_and_says_nothing_to_do_as_an_object() {
    let place = Place::new();
    let schema = |extra: &str| {
        let row = format!(r#"{{"type":"record","name":"Value","fields":[{{"name":"id","type":"long"}}{extra}]}}"#);
        let envelope = serde_json::json!({"type": "record", "name": "Envelope", "namespace": "db.orders", "fields": [
            {"name": "before", "type": ["null", serde_json::from_str::<serde_json::Value>(&row).unwrap()], "default": null},
            {"name": "after", "type": ["null", "Value"], "default": null}, {"name": "op", "type": "string"}]});
        let answer = serde_json::json!({"subject": "db.orders-value", "version": 1, "id": 7,
            "schema": envelope.to_string()});
        (envelope.to_string(), answer.to_string())
    };
    let (bare, whole) = schema("");
    let (_, next) = schema(r#",{"name":"note","type":["null","string"],"default":null}"#);
    place.put("bare.avsc", bare);
    place.put("whole.json", whole);
    place.put("next.json", next);
    let plan = |old: &str, new: &str| {
        let files = ["--old", old, "--new", new];
        place.run(
            &[&["plan", "--subject", "db.orders-value", "--project", ".", "--output", "json"][..], &files].concat(),
        )
    };
    let done = plan("whole.json", "next.json");
    let said: serde_json::Value = serde_json::from_str(&done.out).unwrap_or_else(|e| panic!("{e}: {done:?}"));
    assert_eq!((done.code, &said["kind"]), (0, &"evolution".into()), "{said}");
    let done = plan("bare.avsc", "whole.json");
    let said: serde_json::Value = serde_json::from_str(&done.out).unwrap_or_else(|e| panic!("{e}: {done:?}"));
    assert_eq!((done.code, &said["nothing"]), (0, &"the change reaches no statement".into()), "{said}");
    assert_eq!(said["warnings"], serde_json::json!([]));
}
