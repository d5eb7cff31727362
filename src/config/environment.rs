//! What an environment is made of: the types, with their defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use super::secret::Secret;
use crate::model::naming::SubjectNames;

/// One environment, every reference resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name: `dev`, `stage`, `prod`, ...
    pub name: String,
    /// What the names of jobs and consumer groups begin with; may be empty.
    pub prefix: String,
    /// Brokers.
    pub kafka: Kafka,
    /// Schema registry.
    pub registry: Registry,
    /// Flink.
    pub flink: Flink,
    /// Kafka Connect; `None` when no connector is managed.
    pub connect: Option<Remote>,
    /// The daemon's own HTTP side.
    pub api: Api,
    /// Where events are sent; `None` for nowhere.
    pub notify: Option<Notify>,
    /// The journal's topic.
    pub journal_topic: String,
    /// How rollouts go.
    pub policy: Policy,
    /// Values of `${NAME}` in SQL and connectors, as written under `vars`.
    pub vars: BTreeMap<String, Secret>,
    /// Subjects of topics that are not named after them.
    pub subjects: SubjectNames,
    /// Every name under `vars`, also those whose value is not at hand.
    pub declared: BTreeSet<String>,
}

impl Environment {
    /// Values for every `${NAME}`: what is under `vars`, and where it is not said there, `KAFKA` is the brokers and `REGISTRY`
    /// the registry's addresses. Secrets are in the clear: for the last moment before a text leaves, never for a log.
    pub fn variables(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::from([
            ("KAFKA".to_owned(), self.kafka.brokers.clone()),
            ("REGISTRY".to_owned(), self.registry.addresses()),
        ]);
        all.extend(self.vars.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())));
        all
    }

    /// The same for who only reads files: a value that is not at hand here is its own placeholder.
    pub fn variables_at_hand(&self) -> BTreeMap<String, String> {
        let mut all = self.variables();
        all.retain(|name, value| !value.is_empty() || self.vars.contains_key(name));
        for name in self.declared.iter().map(String::as_str).chain(["KAFKA", "REGISTRY"]) {
            all.entry(name.to_owned()).or_insert_with(|| format!("${{{name}}}"));
        }
        all
    }
}

/// Kafka.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kafka {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// Client settings by librdkafka's names, for consumers, producers and administration alike.
    pub properties: BTreeMap<String, Secret>,
}

/// The schema registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    /// Base addresses of one registry, without credentials and without a slash at the end; the first that serves is asked.
    pub urls: Vec<String>,
    /// How to identify; `None` when it asks for nothing.
    pub auth: Option<RegistryAuth>,
    /// Certificates.
    pub tls: Tls,
    /// Headers that are sent with every call.
    pub headers: BTreeMap<String, Secret>,
    /// The topic that the registry keeps its records in, if it is to be read.
    pub topic: Option<String>,
}

impl Registry {
    /// Every address, separated by commas, as clients of Confluent's API take them.
    pub fn addresses(&self) -> String {
        self.urls.join(",")
    }
}

/// Credentials for the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryAuth {
    /// The same for every call.
    Fixed(Auth),
    /// Tokens that are fetched with the credentials of a client (OAuth 2.0).
    OAuth {
        /// Where tokens are given out.
        token_url: String,
        /// Who asks.
        client_id: String,
        /// Its secret.
        client_secret: Secret,
        /// What the token is to be good for.
        scope: Option<String>,
    },
}

/// Certificates and keys in PEM, beside the authorities that the machine trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificates of authorities that are trusted as well.
    pub ca: Option<Secret>,
    /// Our certificate and its key.
    pub identity: Option<(Secret, Secret)>,
}

/// Something that is reached over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Base address, without credentials and without a slash at the end.
    pub url: String,
    /// How to identify; `None` when it asks for nothing.
    pub auth: Option<Auth>,
}

/// Credentials for HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// User and password.
    Basic {
        /// User, or API key.
        user: String,
        /// Password, or API secret.
        password: Secret,
    },
    /// Bearer token.
    Bearer(Secret),
}

/// Flink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flink {
    /// SQL Gateway.
    pub gateway: Remote,
    /// REST interface of the cluster.
    pub rest: Remote,
    /// Settings that every session begins with.
    pub settings: BTreeMap<String, Secret>,
}

/// The daemon's HTTP side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// Where it listens.
    pub listen: SocketAddr,
    /// How others reach it: the command line, and the links in events.
    pub url: String,
    /// Whether looking needs a token as well, where that is said: see [`Self::reads_on`].
    pub reads: Option<Reads>,
    /// Who may do what. Without any token, nothing can be changed by the command line.
    pub tokens: Vec<Token>,
    /// Keys that signed webhooks are checked with (Standard Webhooks); any of them counts, so that one can be replaced.
    pub signing_secrets: Vec<SigningSecret>,
}

impl Api {
    /// Whether looking needs a token when the daemon listens on `listen`: on a loopback address it does not, unless it is
    /// said otherwise.
    pub fn reads_on(&self, listen: SocketAddr) -> Reads {
        self.reads.unwrap_or(if listen.ip().is_loopback() { Reads::Open } else { Reads::Token })
    }
}

/// Whether looking needs a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Whoever reaches the address may look: the default on a loopback address.
    Open,
    /// Looking needs a token with the scope `read`: the default on every other address.
    Token,
}

/// A key for signed webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningSecret {
    /// Which system signs with it; this is what the journal names.
    pub name: String,
    /// The key: `whsec_` and base64.
    pub secret: Secret,
}

/// A bearer token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Who it stands for; this is what the journal names.
    pub name: String,
    /// The token.
    pub secret: Secret,
    /// What it may do.
    pub scopes: Vec<Scope>,
}

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// See everything.
    Read,
    /// Hand in plans.
    Apply,
    /// Approve and reject.
    Approve,
    /// Abort and roll back.
    Abort,
}

impl Scope {
    /// Every scope with its name in the file.
    pub const ALL: [(&'static str, Self); 4] =
        [("read", Self::Read), ("apply", Self::Apply), ("approve", Self::Approve), ("abort", Self::Abort)];
}

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Address that is posted to.
    pub url: String,
    /// Key that events are signed with; `None` sends them unsigned.
    pub secret: Option<Secret>,
}

/// How rollouts go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Which changes of a subject are accepted, as the registry spells its levels; `None` is the level that the registry has
    /// for the subject.
    pub level: Option<String>,
    /// Whether staging green needs a yes of its own.
    pub stage: StagePolicy,
    /// How much of the cascade is made again.
    pub strategy: Strategy,
    /// How far a new column is carried.
    pub carry: Carry,
    /// What becomes of the default of a nullable column in old records.
    pub nullable_defaults: NullableDefaults,
    /// How long blue stays warm after a promotion.
    pub soak: Duration,
    /// How long evidence can be approved.
    pub approval_expires: Duration,
    /// How long green may take to catch up.
    pub catch_up_deadline: Duration,
    /// How long a validation may follow keys that do not agree yet.
    pub validation_deadline: Duration,
    /// How often registry and topics are looked at.
    pub poll: Duration,
    /// What becomes of blue's topics.
    pub retire_topics: RetireTopics,
}

/// The compatibility levels, as registries spell them.
pub const LEVELS: [&str; 7] =
    ["FULL_TRANSITIVE", "FULL", "BACKWARD_TRANSITIVE", "BACKWARD", "FORWARD_TRANSITIVE", "FORWARD", "NONE"];

impl Default for Policy {
    fn default() -> Self {
        Self {
            level: None,
            stage: StagePolicy::Auto,
            strategy: Strategy::Full,
            carry: Carry::Facts,
            nullable_defaults: NullableDefaults::Never,
            // An hour of blue at hand: long enough to look at the destination, short enough to free the slots.
            soak: Duration::from_secs(3600),
            // A day: somebody is at work within it.
            approval_expires: Duration::from_secs(24 * 3600),
            // Reading a large history again takes hours.
            catch_up_deadline: Duration::from_secs(6 * 3600),
            validation_deadline: Duration::from_secs(30 * 60),
            // A proposal is due within seconds of the registry having the version.
            poll: Duration::from_millis(1000),
            retire_topics: RetireTopics::Delete,
        }
    }
}

/// Whether staging needs a yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StagePolicy {
    /// Green is staged at once; only the promotion is asked for.
    Auto,
    /// Staging waits for an approval as well.
    Ask,
}

/// How much of the cascade is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Every statement downstream of the change.
    Full,
    /// Only those whose output the change reaches.
    Minimal,
}

/// How far a new column is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carry {
    /// Through the cascade into the facts, wherever a statement passes rows on.
    Facts,
    /// Into the source table only.
    Source,
}

/// What becomes of the default of a nullable column in records that were written before the column came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullableDefaults {
    /// They have NULL.
    Never,
    /// They have the default, if no record was seen that holds a NULL there.
    WhenUnseen,
}

/// What becomes of blue's topics when it is retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetireTopics {
    /// Deleted, with their subjects.
    Delete,
    /// Kept.
    Keep,
}
