//! The one place where adapters are wired up to ports.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::output::Failure;
use crate::adapter::clock::SystemClock;
use crate::adapter::connect::ConnectClient;
use crate::adapter::flink_gateway::FlinkEngine;
use crate::adapter::git::GitRepository;
use crate::adapter::kafka::{KafkaSettings, KafkaTopics};
use crate::adapter::kafka_journal::{JournalSettings, KafkaJournal};
use crate::adapter::registry::RegistryClient;
use crate::adapter::rest::{self, Endpoint};
use crate::adapter::webhook::{WebhookNotifier, WebhookSettings};
use crate::config::{
    Auth, Config, Environment, Policy, RegistryAuth, Remote, RetireTopics, Secret, StagePolicy, Strategy,
};
use crate::daemon::ports::Ports;
use crate::daemon::settings::Settings;
use crate::daemon::subjects::Subjects;
use crate::plan::input::{Carry, NullableDefaults};
use crate::plan::start::DUPLICATE_EVENTS;
use crate::port::Registry;
use crate::rollout::Terms;
use crate::schema::Level;

/// Partitions of a topic that has no blue to copy from.
const PARTITIONS: i32 = 2;

/// Every port of the chosen environment. Nothing is connected yet.
pub(super) fn ports(config: &Config, project: &Path) -> Result<Ports, Failure> {
    let env = &config.env;
    let wired = |what: &'static str| move |e: crate::port::PortError| Failure::new(what).because(&e);
    let properties: BTreeMap<String, String> =
        env.kafka.properties.iter().map(|(k, v)| (k.clone(), v.reveal().to_owned())).collect();
    let kafka = KafkaSettings { brokers: env.kafka.brokers.clone(), properties: properties.clone() };
    let journal = JournalSettings { brokers: env.kafka.brokers.clone(), properties, topic: env.journal_topic.clone() };
    // Without a Connect nothing is ever asked of it: a project without connectors has no effect that would.
    let connect = env.connect.as_ref().map_or_else(|| Endpoint::new("http://127.0.0.1:0"), endpoint);
    let notify = env.notify.as_ref().map(|n| WebhookSettings {
        url: n.url.clone(),
        secret: n.secret.as_ref().map(|s| s.reveal().to_owned()).unwrap_or_default(),
    });
    Ok(Ports {
        registry: registry(env)?,
        topics: Arc::new(KafkaTopics::new(kafka).map_err(wired("Kafka cannot be used"))?),
        engine: Arc::new(
            FlinkEngine::new(&endpoint(&env.flink.gateway), &endpoint(&env.flink.rest))
                .map_err(wired("Flink cannot be used"))?,
        ),
        connectors: Arc::new(ConnectClient::new(&connect).map_err(wired("Kafka Connect cannot be used"))?),
        repository: Arc::new(repository(project)),
        journal: Arc::new(KafkaJournal::new(journal).map_err(wired("the journal cannot be used"))?),
        notifier: Arc::new(WebhookNotifier::new(notify.as_ref()).map_err(wired("events cannot be sent"))?),
        clock: Arc::new(SystemClock),
    })
}

/// The registry alone.
pub(super) fn registry(env: &Environment) -> Result<Arc<dyn Registry>, Failure> {
    let of = &env.registry;
    let shown = |secret: &Secret| secret.reveal().to_owned();
    let auth = of.auth.as_ref().map(|auth| match auth {
        RegistryAuth::Fixed(auth) => fixed(auth),
        RegistryAuth::OAuth { token_url, client_id, client_secret, scope } => rest::Auth::OAuth {
            token_url: token_url.clone(),
            client_id: client_id.clone(),
            client_secret: shown(client_secret),
            scope: scope.clone(),
        },
    });
    let (first, others) = of.urls.split_first().map_or((String::new(), Vec::new()), |(f, o)| (f.clone(), o.to_vec()));
    let endpoint = Endpoint {
        url: first,
        others,
        auth,
        tls: rest::Tls {
            ca: of.tls.ca.as_ref().map(shown),
            identity: of.tls.identity.as_ref().map(|(certificate, key)| (shown(certificate), shown(key))),
        },
        headers: of.headers.iter().map(|(name, value)| (name.clone(), shown(value))).collect(),
    };
    let client = RegistryClient::new(&endpoint);
    let client = client.map_err(|e| Failure::new("the registry cannot be used").because(&e))?;
    Ok(Arc::new(client.with_topic(of.topic.clone())))
}

/// The project's folder.
pub(super) fn repository(project: &Path) -> GitRepository {
    GitRepository::new(project)
}

/// What the daemon is told, from the configuration.
pub(super) fn settings(env: &Environment) -> Result<Settings, Failure> {
    let policy = &env.policy;
    let level = policy.level.as_deref().map(str::parse::<Level>).transpose();
    let level = level.map_err(|e| Failure::new("policy.level is not understood").because(&e))?;
    if policy.strategy == Strategy::Minimal {
        return Err(Failure::new(format!("[env.{}.policy] strategy = \"minimal\" cannot be planned yet", env.name))
            .help("leave it out: everything downstream of a change becomes green"));
    }
    let vars = env.variables();
    Ok(Settings {
        env: env.name.clone(),
        prefix: env.prefix.clone(),
        url: env.api.url.clone(),
        level,
        policy: plan_policy(policy),
        terms: Terms {
            ask_before_staging: policy.stage == StagePolicy::Ask,
            soak_ms: millis(policy.soak),
            catch_up_ms: millis(policy.catch_up_deadline),
            prefix: Some(env.prefix.clone()),
        },
        approval_ms: millis(policy.approval_expires),
        validation_ms: millis(policy.validation_deadline),
        poll_ms: u64::try_from(policy.poll.as_millis()).unwrap_or(u64::MAX),
        job_settings: job_settings(env),
        public_vars: vars.clone(),
        subjects: Arc::new(Subjects::new(env.subjects.clone())),
        vars,
    })
}

/// The policy as planning takes it.
pub(super) fn plan_policy(policy: &Policy) -> crate::plan::Policy {
    crate::plan::Policy {
        carry: match policy.carry {
            crate::config::Carry::Facts => Carry::Facts,
            crate::config::Carry::Source => Carry::Source,
        },
        partitions: PARTITIONS,
        delete_blue_topics: policy.retire_topics == RetireTopics::Delete,
        nullable_defaults: match policy.nullable_defaults {
            crate::config::NullableDefaults::Never => NullableDefaults::Never,
            crate::config::NullableDefaults::WhenUnseen => NullableDefaults::WhenUnseen,
        },
    }
}

/// The session settings of every job where nothing else is said: each absorbs repeated changes of a changelog with a key.
pub(super) fn usual_settings() -> BTreeMap<String, String> {
    BTreeMap::from([(DUPLICATE_EVENTS.to_owned(), "true".to_owned())])
}

/// The session settings of every job.
pub(super) fn job_settings(env: &Environment) -> BTreeMap<String, String> {
    let mut all = usual_settings();
    all.extend(env.flink.settings.iter().map(|(k, v)| (k.clone(), v.reveal().to_owned())));
    all
}

fn endpoint(remote: &Remote) -> Endpoint {
    Endpoint { auth: remote.auth.as_ref().map(fixed), ..Endpoint::new(remote.url.clone()) }
}

fn fixed(auth: &Auth) -> rest::Auth {
    match auth {
        Auth::Basic { user, password } => {
            rest::Auth::Basic { user: user.clone(), password: password.reveal().to_owned() }
        }
        Auth::Bearer(token) => rest::Auth::Bearer(token.reveal().to_owned()),
    }
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
