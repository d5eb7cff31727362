//! One test for each way to get a configuration wrong, and properties over all of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

mod registry;

const DEV: &str = r#"
project = "shop"
[env.dev]
kafka.brokers = "localhost:9092"
registry.url = "http://localhost:8081/"
flink = { gateway = "http://localhost:8084", rest = "http://localhost:8088" }
"#;

fn read_with(text: &str, env: Option<&str>, need: Need, variables: &[(&str, &str)]) -> Result<Config, String> {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    let variable = |name: &str| variables.get(name).map(|v| (*v).to_owned());
    Config::parse(text, Path::new("conf/cyanotype.toml"), env, need, &variable).map_err(|error| error.to_string())
}

fn read(text: &str) -> Result<Config, String> {
    read_with(text, None, Need::Everything, &[])
}

/// The one problem of `DEV` with `more` added to it.
fn refusal(more: &str) -> String {
    let error = read(&format!("{DEV}{more}")).unwrap_err();
    assert_eq!(error.lines().count(), 1, "one line for one problem:\n{error}");
    error
}

#[test]
fn a_short_section_has_sensible_defaults() {
    let config = read(DEV).unwrap();
    assert_eq!(config.project, Path::new("conf/shop"));
    let env = config.env;
    assert_eq!(env.name, "dev");
    assert_eq!(env.registry.urls, ["http://localhost:8081"]);
    assert_eq!(env.api.url, "http://127.0.0.1:18080");
    assert_eq!(env.journal_topic, "cyanotype.journal");
    assert_eq!((env.connect, env.notify), (None, None));
    assert_eq!(env.policy, Policy::default());
}

#[test]
fn kafka_and_registry_are_variables_unless_vars_say_otherwise() {
    let config = read(&format!("{DEV}[env.dev.vars]\nREGISTRY = \"http://inside:1\"\nTOPIC_PREFIX = \"\"\n")).unwrap();
    let want = [("KAFKA", "localhost:9092"), ("REGISTRY", "http://inside:1"), ("TOPIC_PREFIX", "")];
    assert_eq!(config.env.variables(), want.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
}

#[test]
fn topics_can_have_subjects_of_other_names() {
    let listed =
        "[env.dev.subjects]\n\"shop.orders\" = { value = [\"shop.Order\", \"shop.Refund\"] }\nb = { key = \"K\" }\n";
    let names = read(&format!("{DEV}{listed}")).unwrap().env.subjects;
    let all = |topic| names.of(topic).value.into_iter().chain(names.of(topic).key).collect::<Vec<_>>();
    assert_eq!(all("shop.orders"), ["shop.Order", "shop.Refund", "shop.orders-key"]);
    assert_eq!(all("b"), ["b-value", "K"]);
    let empty = refusal("[env.dev.subjects]\na = {}\n");
    assert!(empty.contains("`env.dev.subjects.a` lists no subject: give `value`, `key` or both"), "{empty}");
    let unknown = refusal("[env.dev.subjects]\na = { value = \"s\", values = \"t\" }\n");
    assert!(unknown.contains("values"), "{unknown}");
}

#[test]
fn everything_can_be_said() {
    let text = r#"
project = "/shop"
[env.prod]
prefix = "prod-"
[env.prod.kafka]
brokers = ["a:9092", "b:9092"]
properties = { "security.protocol" = "SASL_SSL", "sasl.password" = { env = "P" }, "socket.timeout.ms" = 5000 }
[env.prod.registry]
url = "https://registry"
auth = { user = "u", password = { env = "P" } }
[env.prod.flink]
gateway = "https://gw"
rest = "https://rest"
auth = { token = { env = "P" } }
settings = { "parallelism.default" = 4 }
[env.prod.connect]
url = "https://connect"
[env.prod.api]
listen = "0.0.0.0:80"
url = "https://cyanotype"
tokens = [{ name = "alice", secret = { env = "P" }, scopes = ["read", "approve"] }]
reads = "open"
signing_secrets = [{ name = "chat", secret = { env = "W" } }]
[env.prod.notify]
url = "https://hook"
secret = { env = "W" }
[env.prod.journal]
topic = "j"
[env.prod.policy]
level = "FULL"
stage = "ask"
strategy = "minimal"
carry = "source"
nullable_defaults = "when_unseen"
soak_seconds = 1
approval_expires_seconds = 2
catch_up_deadline_seconds = 3
validation_deadline_seconds = 4
poll_ms = 500
retire_topics = "keep"
"#;
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let config =
        read_with(text, Some("prod"), Need::Everything, &[("P", "hunter2hunter2hunter2"), ("W", key)]).unwrap();
    assert_eq!(config.project, Path::new("/shop"));
    let env = config.env;
    assert_eq!(env.kafka.brokers, "a:9092,b:9092");
    assert_eq!(env.kafka.properties["socket.timeout.ms"].reveal(), "5000");
    assert_eq!(env.kafka.properties["sasl.password"].reveal(), "hunter2hunter2hunter2");
    assert_eq!(
        env.registry.auth,
        Some(RegistryAuth::Fixed(Auth::Basic { user: "u".to_owned(), password: Secret::new("hunter2hunter2hunter2") }))
    );
    assert_eq!(env.flink.rest.auth, Some(Auth::Bearer(Secret::new("hunter2hunter2hunter2"))));
    assert_eq!(env.api.tokens.first().unwrap().scopes, [Scope::Read, Scope::Approve]);
    assert_eq!(env.api.signing_secrets, [SigningSecret { name: "chat".to_owned(), secret: Secret::new(key) }]);
    assert_eq!(env.api.reads, Some(Reads::Open));
    assert_eq!(env.policy.soak, Duration::from_secs(1));
    assert_eq!((env.policy.level.as_deref(), env.policy.retire_topics), (Some("FULL"), RetireTopics::Keep));
    assert_eq!(env.policy.nullable_defaults, NullableDefaults::WhenUnseen);
    let shown = format!("{env:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("whsec_"), "{shown}");
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() {
    assert_eq!(
        refusal("[env.dev.policy]\nsoak_secnds = 5\n"),
        "conf/cyanotype.toml:8: unknown key `soak_secnds` in [env.dev.policy]: did you mean `soak_seconds`?"
    );
    assert!(refusal("[env.dev.nonsense]\n").contains("unknown key `nonsense` in [env.dev]: known: "));
    assert!(
        read(&format!("projct = \"x\"\n{DEV}"))
            .unwrap_err()
            .contains("`projct` at the top level: did you mean `project`?")
    );
    assert!(
        refusal("prefix = { envv = \"X\" }\n").contains("unknown key `envv` in [env.dev.prefix]: did you mean `env`?")
    );
}

#[test]
fn every_environment_is_checked_not_only_the_chosen_one() {
    let error = read_with(&format!("{DEV}[env.stage]\nkafkaa = 1\n"), Some("dev"), Need::Everything, &[]).unwrap_err();
    assert!(error.contains("unknown key `kafkaa` in [env.stage]: did you mean `kafka`?"), "{error}");
    assert!(error.contains("missing key `env.stage.registry.url`"), "{error}");
}

#[test]
fn a_missing_key_is_named_with_an_example() {
    let error = read("[env.dev]\nregistry.url = \"http://r\"\nflink.rest = \"http://f\"\n").unwrap_err();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 2, "{error}");
    assert!(
        error.contains("missing key `env.dev.kafka.brokers`: add `brokers = \"localhost:9092\"` to [env.dev.kafka]")
    );
    assert!(error.contains("missing key `env.dev.flink.gateway`: add `gateway = "), "{error}");
    assert!(lines.iter().all(|line| line.starts_with("conf/cyanotype.toml:")), "{error}");
}

#[test]
fn a_wrong_type_is_named_with_both_types() {
    for (more, want) in [
        (
            "prefix = 5\n",
            "conf/cyanotype.toml:7: `env.dev.prefix` must be a string (or { env = \"NAME\" } or { file = \"PATH\" }), not a whole number",
        ),
        ("policy.poll_ms = \"fast\"\n", "`env.dev.policy.poll_ms` must be a whole number, not a string"),
        ("policy.poll_ms = 1.5\n", "`env.dev.policy.poll_ms` must be a whole number, not a number with a fraction"),
        ("policy = []\n", "`env.dev.policy` must be a table, not a list"),
        ("api.tokens = true\n", "`env.dev.api.tokens` must be a list of tables, not true or false"),
        ("vars = { A = [1] }\n", "`env.dev.vars.A` must be a string"),
    ] {
        assert!(refusal(more).contains(want), "{more}: {}", refusal(more));
    }
    assert!(read("env = 1").unwrap_err().contains("`env` must be a table, not a whole number"));
}

#[test]
fn a_wrong_value_is_named_with_what_would_be_right() {
    for (more, want) in [
        (
            "policy.level = \"FULL_TRANSITIV\"\n",
            "`env.dev.policy.level` cannot be `FULL_TRANSITIV`: did you mean `FULL_TRANSITIVE`?",
        ),
        ("policy.stage = \"whenever\"\n", "cannot be `whenever`: known: auto, ask"),
        ("policy.nullable_defaults = \"unseen\"\n", "cannot be `unseen`: known: never, when_unseen"),
        ("policy.nullable_defaults = \"when_unsen\"\n", "cannot be `when_unsen`: did you mean `when_unseen`?"),
        ("policy.poll_ms = 1\n", "`env.dev.policy.poll_ms` must be between 50 and 3600000, not 1"),
        ("policy.soak_seconds = -1\n", "must be between 0 and 31536000, not -1"),
        (
            "policy.approval_expires_seconds = 0\n",
            "`env.dev.policy.approval_expires_seconds` must be between 1 and 31536000, not 0",
        ),
        ("policy.approval_expires_seconds = -5\n", "must be between 1 and 31536000, not -5"),
        ("connect.url = \"localhost:8083\"\n", "begins with `localhost:`: only http and https are spoken"),
        ("connect.url = \"connect\"\n", "`env.dev.connect.url` is not an address"),
        ("connect.url = \"http://u:hunter2@c\"\n", "holds a user or a password"),
        (
            "connect = { url = \"http://c\", auth = { user = \"u\" } }\n",
            "takes either `user` and `password`, or `token`",
        ),
        ("kafka.brokers = \"localhost\"\n", "duplicate key"),
        (
            "kafka.properties = { \"bootstrap.servers\" = \"x:1\" }\n",
            "`bootstrap.servers` is made from `brokers`: remove it",
        ),
        ("journal.topic = \"a b\"\n", "`env.dev.journal.topic` is `a b`, which is not a topic name"),
        ("api.listen = \"localhost\"\n", "`env.dev.api.listen` is `localhost`, which is not an IP address with a port"),
        (
            "api.signing_secrets = [{ name = \"a\", secret = \"???hunter2\" }]\n",
            "`env.dev.api.signing_secrets[0].secret` is not a webhook key",
        ),
        (
            "api.signing_secrets = [{ name = \"a\", secret = \"whsec_aHVudGVyMg==\" }]\n",
            "`env.dev.api.signing_secrets[0].secret` is not a webhook key",
        ),
        (
            "api.tokens = [{ name = \"a\", secret = \"hunter2\", scopes = [\"read\"] }]\n",
            "`env.dev.api.tokens[0].secret` needs at least 16 printable",
        ),
        (
            "api.tokens = [{ name = \"a\", secret = \"0123456789abcdef\", scopes = [\"raed\"] }]\n",
            "has no `raed`: did you mean `read`?",
        ),
        ("vars = { CYANOTYPE_JOB = \"x\" }\n", "`CYANOTYPE_JOB` is set by the daemon for each job: remove it"),
        ("vars = { \"A-B\" = \"x\" }\n", "`A-B` cannot stand in ${..}"),
        ("prefix = \"a b\"\n", "`env.dev.prefix` is `a b`"),
    ] {
        let got = read(&format!("{DEV}{more}")).unwrap_err();
        assert!(got.contains(want) && got.lines().count() == 1, "{more}: {got}");
        assert!(!got.contains("hunter2"), "{got}");
    }
}

#[test]
fn looking_is_open_on_loopback_only_unless_it_is_said() {
    let (inside, outside) = ("127.0.0.1:1".parse().unwrap(), "0.0.0.0:1".parse().unwrap());
    let said = |more: &str| read(&format!("{DEV}{more}")).unwrap().env.api;
    // What it really listens on decides, which the command line may name.
    for api in [said(""), said("api.listen = \"0.0.0.0:1\"\n")] {
        assert_eq!((api.reads_on(inside), api.reads_on(outside)), (Reads::Open, Reads::Token));
    }
    assert_eq!(said("api.reads = \"open\"\n").reads_on(outside), Reads::Open);
    assert_eq!(said("api.reads = \"token\"\n").reads_on(inside), Reads::Token);
    assert_eq!(said("api.listen = \"0.0.0.0:1\"\n").url, "http://127.0.0.1:1");
}

#[test]
fn two_tokens_of_one_name_are_refused() {
    let token = "{ name = \"a\", secret = \"0123456789abcdef\", scopes = [\"read\"] }";
    assert!(refusal(&format!("api.tokens = [{token}, {token}]\n")).contains("two tokens are named `a`"));
}

#[test]
fn an_unknown_environment_lists_the_known_ones() {
    let both = format!("{DEV}{}", DEV.replace("project = \"shop\"", "").replace("dev", "stage"));
    let error = read_with(&both, Some("stge"), Need::Everything, &[]).unwrap_err();
    assert_eq!(error, "conf/cyanotype.toml: there is no environment `stge`, did you mean `stage`? (known: dev, stage)");
    assert!(read_with(&both, None, Need::Everything, &[]).unwrap_err().contains("choose an environment"));
    let chosen = format!("default_env = \"stage\"\n{both}");
    assert_eq!(read_with(&chosen, None, Need::Everything, &[]).unwrap().env.name, "stage");
    assert_eq!(read_with(&chosen, Some("dev"), Need::Everything, &[]).unwrap().env.name, "dev");
    assert!(read("").unwrap_err().contains("there is no environment: add a section such as [env.dev]"));
}

#[test]
fn a_missing_variable_or_file_is_named_and_an_empty_one_is_missing() {
    let text = format!("{DEV}prefix = {{ env = \"PREFIX\" }}\n");
    for variables in [&[][..], &[("PREFIX", "")]] {
        let error = read_with(&text, None, Need::Everything, variables).unwrap_err();
        assert_eq!(
            error,
            "conf/cyanotype.toml:7: `env.dev.prefix` needs the environment variable PREFIX, which is not set or empty: set it"
        );
    }
    assert_eq!(read_with(&text, None, Need::Everything, &[("PREFIX", "x-")]).unwrap().env.prefix, "x-");
    let error = refusal("prefix = { file = \"nowhere\" }\n");
    assert!(error.contains("`env.dev.prefix` needs the file conf/nowhere, which cannot be read"), "{error}");
    let default = format!("{DEV}prefix = {{ env = \"PREFIX\", default = \"d-\" }}\n");
    assert_eq!(read(&default).unwrap().env.prefix, "d-");
    assert!(refusal("prefix = { env = \"A\", file = \"b\" }\n").contains("takes either { env"));
    assert!(refusal("prefix = { default = \"b\" }\n").contains("takes either { env"));
}

#[test]
fn a_file_reference_starts_at_the_configuration_and_loses_its_last_line_break() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("prefix"), "f-\n").unwrap();
    let file = folder.path().join("cyanotype.toml");
    std::fs::write(&file, format!("{DEV}prefix = {{ file = \"prefix\" }}\n")).unwrap();
    let config = Config::load(&file, Some("dev"), Need::Everything).unwrap();
    assert_eq!(config.env.prefix, "f-");
    assert_eq!(config.project, folder.path().join("shop"));
}

#[test]
fn a_file_that_is_not_there_or_not_toml_is_one_line() {
    let error = Config::load(Path::new("nowhere.toml"), None, Need::Everything).unwrap_err().to_string();
    assert!(
        error.starts_with("nowhere.toml: the configuration cannot be read: ") && error.contains("--config"),
        "{error}"
    );
    let error = read("project = \"x\"\n[env.dev\n").unwrap_err();
    assert!(error.starts_with("conf/cyanotype.toml:2: not valid TOML: ") && error.lines().count() == 1, "{error}");
}

#[test]
fn a_client_needs_no_secret_but_its_address() {
    let text = format!(
        "{DEV}kafka.properties.\"sasl.password\" = {{ env = \"NO\" }}\n\
         [env.dev.api]\nurl = {{ env = \"URL\" }}\nsigning_secrets = [{{ name = \"w\", secret = {{ env = \"NO\" }} }}]\n\
         tokens = [{{ name = \"a\", secret = {{ env = \"NO\" }}, scopes = [\"read\"] }},\n\
         {{ name = \"b\", secret = \"0123456789abcdef\", scopes = [\"read\"] }}]\n"
    );
    let config = read_with(&text, None, Need::Client, &[("URL", "http://there")]).unwrap();
    assert_eq!(config.env.api.url, "http://there");
    assert_eq!(config.env.api.tokens.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["b"]);
    assert!(read_with(&text, None, Need::Client, &[]).unwrap_err().contains("needs the environment variable URL"));
    assert!(read_with(&text, None, Need::Everything, &[("URL", "http://there")]).unwrap_err().contains("variable NO"));
}

#[test]
fn who_reads_files_needs_no_token_and_no_address() {
    let text = format!(
        "{DEV}vars = {{ A = \"a\", B = {{ env = \"NO\" }} }}\n[env.dev.api]\nurl = {{ env = \"NO\" }}\n\
         signing_secrets = [{{ name = \"w\", secret = {{ env = \"SHORT\" }} }}]\n\
         tokens = [{{ name = \"a\", secret = {{ env = \"SHORT\" }}, scopes = [\"read\"] }}]\n"
    );
    let short = &[("SHORT", "short")];
    let env = read_with(&text, None, Need::Files, short).unwrap().env;
    let values = [("A", "a"), ("B", "${B}"), ("KAFKA", "localhost:9092"), ("REGISTRY", "http://localhost:8081")];
    assert_eq!(env.variables_at_hand(), values.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    // Who talks to the daemon shows a token, and never signs.
    let text = text.replace("url = { env = \"NO\" }\n", "");
    let error = read_with(&text, None, Need::Client, short).unwrap_err();
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("`env.dev.api.tokens[0].secret` needs at least 16 printable"), "{error}");
}

#[test]
fn a_secret_in_plain_text_is_remarked_and_not_shown() {
    let plain = "registry.auth = { user = \"u\", password = \"hunter2\" }\n\
        kafka.properties.\"sasl.password\" = \"hunter2\"\n\
        vars = { DB_PASSWORD = 1234567, PASSWORD_FILE = \"/p\", NAME = \"hunter2\", T = { env = \"T\", default = \"t\" } }\n\
        api.tokens = [{ name = \"a\", secret = \"hunter2-hunter2-hunter2\", scopes = [\"read\"] }]\n";
    let config =
        read(&format!("{}{plain}", DEV.replace("kafka.brokers = \"localhost:9092\"\n", "kafka.brokers = \"k:1\"\n")));
    let remarks: Vec<String> = config.unwrap().remarks.iter().map(ToString::to_string).collect();
    let keys = [
        "env.dev.registry.auth.password",
        "env.dev.kafka.properties.sasl.password",
        "env.dev.vars.DB_PASSWORD",
        "env.dev.api.tokens[0].secret",
    ];
    assert_eq!(remarks.len(), keys.len(), "{remarks:?}");
    for (remark, key) in remarks.iter().zip(keys) {
        assert!(remark.contains(&format!("`{key}` is a secret in plain text: write {{ env = ")), "{remark}");
        assert!(!remark.contains("hunter2") && !remark.contains("1234567"), "{remark}");
    }
    assert!(read(DEV).unwrap().remarks.is_empty());
}

#[test]
fn what_is_no_name_of_a_variable_is_not_repeated() {
    for pasted in ["hunter2 !", "hunter2-hunter2", "2hunter2", ""] {
        let error = refusal(&format!("registry.auth.token = {{ env = \"{pasted}\" }}\n"));
        assert!(error.contains("`env.dev.registry.auth.token` names no environment variable behind `env`"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn references_of_other_environments_are_not_looked_up() {
    let stage = DEV.replace("project = \"shop\"", "").replace("dev", "stage");
    let text = format!("{DEV}{stage}prefix = {{ env = \"NO\" }}\n");
    assert!(read_with(&text, Some("dev"), Need::Everything, &[]).is_ok());
    assert!(read_with(&text, Some("stage"), Need::Everything, &[]).is_err());
}

#[test]
fn the_example_in_the_repository_is_valid_in_every_environment() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("cyanotype.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned();
    let config = Config::parse(&text, &file, None, Need::Everything, &|_| None).unwrap();
    assert_eq!(config.env.name, "dev");
    let secrets = |name: &str| match name {
        "STAGE_WEBHOOK_KEY" => Some(key.clone()),
        name => name.starts_with("STAGE_").then(|| "0123456789abcdef".to_owned()),
    };
    // Secrets of prod are files of a machine that is not this one.
    for (name, need) in [("dev", Need::Everything), ("stage", Need::Everything), ("prod", Need::Client)] {
        if let Err(error) = Config::parse(&text, &file, Some(name), need, &secrets) {
            panic!("{name}: {error}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_line_by_line(text in "\\PC{0,200}") {
        if let Err(error) = read(&text) {
            prop_assert!(error.lines().all(|line| line.starts_with("conf/cyanotype.toml:")), "{error}");
        }
    }

    #[test]
    fn cutting_a_piece_out_never_panics_and_is_reported_with_the_file(from in 0usize..200, len in 0usize..60) {
        let mut text: Vec<char> = DEV.chars().collect();
        let from = from.min(text.len());
        let to = (from + len).min(text.len());
        text.drain(from..to);
        let text: String = text.into_iter().collect();
        if let Err(error) = read(&text) {
            prop_assert!(!error.is_empty());
            prop_assert!(error.lines().all(|line| line.starts_with("conf/cyanotype.toml:")), "{error}");
        }
    }

    #[test]
    fn one_slip_in_a_key_is_refused_with_the_key_that_was_meant(key in 0usize..11, at in 0usize..12, letter in "[a-z]") {
        let keys = ["level", "stage", "strategy", "carry", "soak_seconds", "approval_expires_seconds",
            "catch_up_deadline_seconds", "validation_deadline_seconds", "poll_ms", "retire_topics", "nullable_defaults"];
        let right = keys[key];
        let mut wrong = right.to_owned();
        wrong.insert_str(at.min(right.len()), &letter);
        let error = read(&format!("{DEV}[env.dev.policy]\n{wrong} = 1\n")).unwrap_err();
        let want = format!("conf/cyanotype.toml:8: unknown key `{wrong}` in [env.dev.policy]: did you mean `{right}`?");
        prop_assert_eq!(error, want);
    }

    #[test]
    fn a_secret_is_never_shown(value in "[a-zA-Z0-9]{12,40}", more in "[a-z]{1,5} = [0-9]{1,3}") {
        let text = format!("{DEV}registry.auth.token = \"{value}\"\nkafka.properties = {{ p = \"{value}\" }}\nvars.A = {{ env = \"S\" }}\n");
        let good = read_with(&text, None, Need::Everything, &[("S", &value)]).unwrap();
        let shown = format!("{good:?} {}", Secret::new(value.clone()));
        prop_assert!(!shown.contains(&value), "{}", shown);
        let bad = read_with(&format!("{text}{more}"), None, Need::Everything, &[("S", &value)]);
        if let Err(error) = bad {
            prop_assert!(!error.contains(&value), "{error}");
        }
    }
}
