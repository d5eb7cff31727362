//! From the sections of a document to an [`Environment`]: this is the list of keys, with what each of them takes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use super::Need;
use super::document::{Resolve, Section};
use super::environment::{
    Api, Auth, Carry, Environment, Flink, Kafka, LEVELS, Notify, NullableDefaults, Policy, Reads, Registry,
    RegistryAuth, Remote, RetireTopics, Scope, SigningSecret, StagePolicy, Strategy, Tls, Token,
};
use super::problem::suggestion;
use super::secret::Secret;
use crate::model::naming::{SubjectNames, TopicSubjects};
use crate::model::template;

/// Where the daemon listens unless it is told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 18080);

/// A year: nothing that is waited for takes longer.
const LONGEST_SECONDS: u64 = 365 * 24 * 3600;

/// Reads `[env.<name>]`. The value is sound when no problem was found.
pub(super) fn environment(name: &str, section: Section<'_>, need: Need) -> Environment {
    let kafka = kafka(section.section("kafka"));
    let registry = registry(section.section("registry"));
    let flink = flink(section.section("flink"));
    let connect = section.section("connect");
    let connect = connect.given().then(|| required_remote(connect, "\"http://localhost:8083\""));
    let api = api(section.section("api"), need);
    let notify = notify(section.section("notify"));
    let journal = section.section("journal");
    let journal_topic = journal.text("topic").and_then(|topic| journal.checked("topic", &topic, topic_name));
    journal.finish();
    let policy = policy(section.section("policy"));
    let (vars, declared) = (section.map("vars"), section.names("vars"));
    for name in vars.keys() {
        if name == template::JOB {
            section.problem_at("vars", name, format!("`{name}` is set by the daemon for each job: remove it"));
        } else if template::variables(&format!("${{{name}}}")).is_empty() {
            section.problem_at("vars", name, format!("`{name}` cannot stand in ${{..}}: use letters, digits and `_`"));
        }
    }
    let subjects = subjects(section.section("subjects"));
    let prefix = section.text("prefix").and_then(|prefix| section.checked("prefix", &prefix, prefix_name));
    section.finish();
    Environment {
        name: name.to_owned(),
        prefix: prefix.unwrap_or_default(),
        kafka,
        registry,
        flink,
        connect,
        api,
        notify,
        journal_topic: journal_topic.unwrap_or_else(|| "cyanotype.journal".to_owned()),
        policy,
        subjects,
        vars,
        declared,
    }
}

/// `[env.<name>.subjects]`: topics whose subjects have other names than theirs.
fn subjects(section: Section<'_>) -> SubjectNames {
    let mut listed = BTreeMap::new();
    for (topic, section) in section.sections() {
        let [key, value] = ["key", "value"].map(|side| section.list(side).into_iter().collect::<BTreeSet<_>>());
        if key.is_empty() && value.is_empty() {
            let message = format!("`{}` lists no subject: give `value`, `key` or both", section.path);
            section.reader.problem(&section.span, message);
        }
        section.finish();
        listed.insert(topic, TopicSubjects { key, value });
    }
    SubjectNames { listed }
}

fn kafka(section: Section<'_>) -> Kafka {
    let brokers = section.list("brokers");
    if section.known("brokers").is_none() {
        section.missing("brokers", "\"localhost:9092\"");
    }
    for broker in brokers.iter().flat_map(|b| b.split(',')) {
        section.checked("brokers", broker.trim(), host_and_port);
    }
    let properties = section.map("properties");
    for taken in ["bootstrap.servers", "metadata.broker.list"] {
        if properties.contains_key(taken) {
            section.problem_at("properties", taken, format!("`{taken}` is made from `brokers`: remove it"));
        }
    }
    section.finish();
    Kafka { brokers: brokers.join(","), properties }
}

fn registry(section: Section<'_>) -> Registry {
    let urls = section.list("url");
    if section.known("url").is_none() {
        section.missing("url", "\"http://localhost:8081\"");
    }
    let urls = urls.iter().filter_map(|url| section.checked("url", url, http_address)).collect();
    let auth = registry_auth(section.section("auth"));
    let tls = tls(section.section("tls"));
    let topic = section.text("topic").and_then(|topic| section.checked("topic", &topic, topic_name));
    let headers = section.map("headers");
    section.finish();
    Registry { urls, auth, tls, headers, topic }
}

fn registry_auth(section: Section<'_>) -> Option<RegistryAuth> {
    if section.known("token_url").is_none() {
        return auth(section).map(RegistryAuth::Fixed);
    }
    let token_url = section.text("token_url").and_then(|url| section.checked("token_url", &url, http_address));
    let client_id = section.required("client_id", "\"cyanotype\"");
    let client_secret = section.required("client_secret", "{ env = \"NAME\" }");
    let scope = section.text("scope");
    section.finish();
    Some(RegistryAuth::OAuth {
        token_url: token_url.unwrap_or_default(),
        client_id: client_id.unwrap_or_default(),
        client_secret: Secret::new(client_secret.unwrap_or_default()),
        scope,
    })
}

fn tls(section: Section<'_>) -> Tls {
    let pem = |key: &'static str| {
        let text = section.text(key)?;
        section.checked(key, &text, pem_form).map(Secret::new)
    };
    let (ca, cert, key) = (pem("ca"), pem("cert"), pem("key"));
    if section.known("cert").is_some() != section.known("key").is_some() {
        let message = format!("`{}` takes `cert` and `key` together", section.path);
        section.reader.problem(&section.span, message);
    }
    section.finish();
    Tls { ca, identity: cert.zip(key) }
}

/// What is wrong is not repeated: it may be a key.
fn pem_form(text: &str) -> Result<String, String> {
    match text.contains("-----BEGIN ") {
        true => Ok(text.to_owned()),
        false => Err("holds no certificate or key in PEM: write { file = \"PATH\" }".to_owned()),
    }
}

fn required_remote(section: Section<'_>, example: &str) -> Remote {
    let url = section.required("url", example);
    let url = url.and_then(|url| section.checked("url", &url, http_address)).unwrap_or_default();
    let auth = auth(section.section("auth"));
    section.finish();
    Remote { url, auth }
}

fn auth(section: Section<'_>) -> Option<Auth> {
    if !section.given() {
        return None;
    }
    let has = |key| section.known(key).is_some();
    let auth = if has("token") && !has("user") && !has("password") {
        Some(Auth::Bearer(Secret::new(section.text("token").unwrap_or_default())))
    } else if has("user") && has("password") && !has("token") {
        let password = Secret::new(section.text("password").unwrap_or_default());
        Some(Auth::Basic { user: section.text("user").unwrap_or_default(), password })
    } else {
        let message = format!("`{}` takes either `user` and `password`, or `token`", section.path);
        section.reader.problem(&section.span, message);
        has("password");
        None
    };
    section.finish();
    auth
}

fn flink(section: Section<'_>) -> Flink {
    let remote = |key, example| {
        let url = section.required(key, example);
        url.and_then(|url| section.checked(key, &url, http_address)).unwrap_or_default()
    };
    let (gateway, rest) = (remote("gateway", "\"http://localhost:8083\""), remote("rest", "\"http://localhost:8081\""));
    let auth = auth(section.section("auth"));
    let settings = section.map("settings");
    for taken in ["pipeline.name", "execution.state-recovery.path"] {
        if settings.contains_key(taken) {
            section.problem_at("settings", taken, format!("`{taken}` is set by the daemon for each job: remove it"));
        }
    }
    section.finish();
    Flink { gateway: Remote { url: gateway, auth: auth.clone() }, rest: Remote { url: rest, auth }, settings }
}

/// Who asks the daemon needs its address and a token, and signs nothing; who asks nobody needs neither.
fn api(section: Section<'_>, need: Need) -> Api {
    let (addresses, tokens_are, keys_are) = match (need, section.resolve) {
        (_, Resolve::No) | (Need::Files, _) => (Resolve::No, Resolve::No, Resolve::No),
        (Need::Client, _) => (Resolve::Strictly, Resolve::WhereSet, Resolve::No),
        (Need::Everything, resolve) => (resolve, resolve, resolve),
    };
    let section = section.resolving(addresses);
    let listen = section.text("listen").and_then(|listen| section.checked("listen", &listen, socket_address));
    let listen = listen.unwrap_or(LISTEN);
    let url = section.text("url").and_then(|url| section.checked("url", &url, http_address));
    let own = if listen.ip().is_unspecified() { SocketAddr::new(LISTEN.ip(), listen.port()) } else { listen };
    let reads = section.choice("reads", &[("open", Some(Reads::Open)), ("token", Some(Reads::Token))], None);
    let section = section.resolving(tokens_are);
    let tokens = tokens(&section);
    let section = section.resolving(keys_are);
    let signing_secrets = signing_secrets(&section);
    section.finish();
    Api { listen, url: url.unwrap_or_else(|| format!("http://{own}")), reads, tokens, signing_secrets }
}

fn signing_secrets(section: &Section<'_>) -> Vec<SigningSecret> {
    let mut names = BTreeSet::new();
    let mut secrets = Vec::new();
    for entry in section.tables("signing_secrets") {
        let name = entry.required("name", "\"chat\"").unwrap_or_default();
        let secret = entry.required("secret", "{ env = \"NAME\" }");
        own_name(&entry, &name, &mut names, "signing secrets");
        if let Some(secret) = secret {
            entry.checked("secret", &secret, signing_key);
            secrets.push(SigningSecret { name, secret: Secret::new(secret) });
        }
        entry.finish();
    }
    secrets
}

fn own_name(entry: &Section<'_>, name: &str, names: &mut BTreeSet<String>, what: &str) {
    if !name.is_empty() && !names.insert(name.to_owned()) {
        let message = format!("two {what} are named `{name}`: the journal could not tell them apart");
        entry.reader.problem(&entry.span, message);
    }
}

fn tokens(section: &Section<'_>) -> Vec<Token> {
    let mut names = BTreeSet::new();
    let mut tokens = Vec::new();
    for entry in section.tables("tokens") {
        let name = entry.required("name", "\"alice\"").unwrap_or_default();
        let secret = entry.required("secret", "{ env = \"NAME\" }");
        let scopes = entry.list("scopes");
        if entry.known("scopes").is_none() {
            entry.missing("scopes", "[\"read\", \"approve\"]");
        }
        let known: Vec<&str> = Scope::ALL.iter().map(|(name, _)| *name).collect();
        let scopes: Vec<Scope> = scopes
            .iter()
            .filter_map(|scope| {
                entry.checked("scopes", scope, |scope| {
                    let found = Scope::ALL.iter().find(|(name, _)| *name == scope);
                    found.map(|(_, s)| *s).ok_or_else(|| format!("has no `{scope}`: {}", suggestion(scope, &known)))
                })
            })
            .collect();
        own_name(&entry, &name, &mut names, "tokens");
        if let Some(secret) = &secret {
            entry.checked("secret", secret, token_form);
        }
        entry.finish();
        // A token without a secret was not given here (or is a problem already): it must never match anything.
        if let Some(secret) = secret {
            tokens.push(Token { name, secret: Secret::new(secret), scopes });
        }
    }
    tokens
}

fn notify(section: Section<'_>) -> Option<Notify> {
    if !section.given() {
        return None;
    }
    let url = section.required("url", "\"https://example.com/hooks/cyanotype\"");
    let url = url.and_then(|url| section.checked("url", &url, http_address)).unwrap_or_default();
    let secret = section.text("secret");
    if let Some(secret) = &secret {
        section.checked("secret", secret, signing_key);
    }
    section.finish();
    Some(Notify { url, secret: secret.map(Secret::new) })
}

fn policy(section: Section<'_>) -> Policy {
    let default = Policy::default();
    let at_least = |least, key, default: Duration| {
        Duration::from_secs(section.number(key, least..=LONGEST_SECONDS, default.as_secs()))
    };
    let seconds = |key, default| at_least(0, key, default);
    let levels = LEVELS.map(|level| (level, Some(level.to_owned())));
    let policy = Policy {
        level: section.choice("level", &levels, default.level),
        stage: section.choice("stage", &[("auto", StagePolicy::Auto), ("ask", StagePolicy::Ask)], default.stage),
        strategy: section.choice(
            "strategy",
            &[("full", Strategy::Full), ("minimal", Strategy::Minimal)],
            default.strategy,
        ),
        carry: section.choice("carry", &[("facts", Carry::Facts), ("source", Carry::Source)], default.carry),
        nullable_defaults: section.choice(
            "nullable_defaults",
            &[("never", NullableDefaults::Never), ("when_unseen", NullableDefaults::WhenUnseen)],
            default.nullable_defaults,
        ),
        soak: seconds("soak_seconds", default.soak),
        // Evidence that expires at once could never be approved.
        approval_expires: at_least(1, "approval_expires_seconds", default.approval_expires),
        catch_up_deadline: seconds("catch_up_deadline_seconds", default.catch_up_deadline),
        validation_deadline: seconds("validation_deadline_seconds", default.validation_deadline),
        poll: Duration::from_millis(section.number("poll_ms", 50..=3_600_000, 1000)),
        retire_topics: section.choice(
            "retire_topics",
            &[("delete", RetireTopics::Delete), ("keep", RetireTopics::Keep)],
            default.retire_topics,
        ),
    };
    section.finish();
    policy
}

/// An HTTP address without credentials; a slash at the end is dropped.
fn http_address(text: &str) -> Result<String, String> {
    // The text is not repeated before it is known to hold no password.
    let url =
        reqwest::Url::parse(text).map_err(|error| format!("is not an address such as http://host:8081: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("begins with `{}:`: only http and https are spoken", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user or a password, and addresses are printed: put them into `auth`".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn host_and_port(text: &str) -> Result<(), String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(()),
        _ => Err(format!("has `{text}`, which is not host:port such as localhost:9092")),
    }
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("is `{text}`, which is not an IP address with a port such as 127.0.0.1:18080"))
}

fn token_form(text: &str) -> Result<(), String> {
    // What the daemon asks for: fewer characters could be guessed over a network.
    let fits = text.chars().count() >= 16 && text.chars().all(|c| c.is_ascii_graphic());
    let why = "needs at least 16 printable ASCII characters without spaces, as `openssl rand -hex 24` makes them";
    if fits { Ok(()) } else { Err(why.to_owned()) }
}

fn signing_key(text: &str) -> Result<(), String> {
    // 24 bytes is the least that Standard Webhooks asks for: 32 digits of base64.
    let digits = text.strip_prefix("whsec_").map_or(0, |digits| digits.trim_end_matches('=').len());
    let read = standardwebhooks::Webhook::new(text).map_err(drop);
    let read = if digits >= 32 { read.map(drop) } else { Err(()) };
    let why = "is not a webhook key: `whsec_` and base64 of 24 bytes or more, as `echo whsec_$(openssl rand -base64 32)` makes it";
    read.map_err(|()| why.to_owned())
}

fn topic_name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    // 249 is Kafka's own limit.
    if text.is_empty() || text.len() > 249 || text == "." || text == ".." || !text.chars().all(fits) {
        return Err(format!("is `{text}`, which is not a topic name: letters, digits, `.`, `_`, `-`"));
    }
    Ok(text.to_owned())
}

fn prefix_name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !text.chars().all(fits) {
        return Err(format!("is `{text}`: names of jobs and groups take letters, digits, `.`, `_`, `-`"));
    }
    Ok(text.to_owned())
}
