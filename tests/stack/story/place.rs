//! A folder of its own for each run: a copy of the project, the configuration, the logs.
//!
//! Rules: the copy is a git repository of its own, because the product writes branches; secrets reach the product by
//! environment variables, never by a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::failure::{During as _, Outcome};
use super::world::World;

/// Variable that holds the key which decisions are signed with.
pub const SIGNING: &str = "CYANOTYPE_STORY_SIGNING_KEY";
/// Variable that holds the token of the command line.
pub const TOKEN: &str = "CYANOTYPE_STORY_TOKEN";
/// Variable that holds the key which events are signed with.
pub const NOTIFYING: &str = "CYANOTYPE_STORY_NOTIFY_KEY";

/// The folder.
pub struct Place {
    /// Where it is.
    pub root: PathBuf,
}

/// What a configuration is made from.
pub struct Settings<'a> {
    /// Addresses.
    pub world: &'a World,
    /// The registry as the daemon shall see it.
    pub registry: &'a str,
    /// Broker as the daemon shall see it.
    pub brokers: &'a str,
    /// What names of jobs and groups begin with.
    pub prefix: &'a str,
    /// Topic of the journal.
    pub journal: &'a str,
    /// Where events go.
    pub notify: &'a str,
    /// Value of `TOPIC_PREFIX`.
    pub topic_prefix: &'a str,
    /// How long blue stays warm.
    pub soak_seconds: u64,
}

impl Place {
    /// An empty folder `name` under `parent`; what an earlier run left there is gone.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn fresh(parent: &Path, name: &str) -> Outcome<Self> {
        let root = parent.join("story").join(name);
        if root.exists() {
            std::fs::remove_dir_all(&root).during(format!("emptying {}", root.display()))?;
        }
        std::fs::create_dir_all(root.join("project")).during(format!("making {}", root.display()))?;
        Ok(Self { root })
    }

    /// The copy of the project.
    pub fn project(&self) -> PathBuf {
        self.root.join("project")
    }

    /// The configuration.
    pub fn config(&self) -> PathBuf {
        self.root.join("cyanotype.toml")
    }

    /// Writes a file of the project.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write(&self, path: &str, text: &str) -> Outcome {
        let file = self.project().join(path);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).during(format!("making {}", folder.display()))?;
        }
        std::fs::write(&file, text).during(format!("writing {}", file.display()))
    }

    /// Copies a folder of the repository into the project.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn copy(&self, from: &Path, folder: &str) -> Outcome {
        let mut open = vec![(from.join(folder), folder.to_owned())];
        while let Some((source, target)) = open.pop() {
            for entry in std::fs::read_dir(&source).during(format!("reading {}", source.display()))? {
                let entry = entry.during(format!("reading {}", source.display()))?;
                let name = format!("{target}/{}", entry.file_name().to_string_lossy());
                if entry.path().is_dir() {
                    open.push((entry.path(), name));
                } else {
                    let text = std::fs::read_to_string(entry.path()).during(&name)?;
                    self.write(&name, &text)?;
                }
            }
        }
        Ok(())
    }

    /// Makes the project a git repository, where git is installed.
    ///
    /// # Errors
    /// Git is there and refuses.
    pub fn commit(&self) -> Outcome {
        let author = ["-c", "user.name=story", "-c", "user.email=story@example.com"];
        for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-q", "-m", "The project"]] {
            let mut git = Command::new("git");
            git.current_dir(self.project()).args(author).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
            match git.status() {
                Ok(status) if status.success() => {}
                Ok(status) => return Err(super::failure::Failure::new(format!("git {arguments:?}: {status}"))),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error).during("git"),
            }
        }
        Ok(())
    }

    /// Writes the configuration.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn configure(&self, settings: &Settings<'_>) -> Outcome {
        let Settings { world, registry, brokers, prefix, journal, notify, topic_prefix, soak_seconds } = settings;
        let mut vars: BTreeMap<String, String> = world.variables();
        vars.remove("KAFKA");
        vars.insert("TOPIC_PREFIX".to_owned(), (*topic_prefix).to_owned());
        let vars: Vec<String> = vars.iter().map(|(name, value)| format!("{name} = {value:?}")).collect();
        let text = format!(
            "project = {project:?}
default_env = \"dev\"

[env.dev]
prefix = {prefix:?}

[env.dev.kafka]
brokers = {brokers:?}

[env.dev.registry]
url = {registry:?}

[env.dev.flink]
gateway = {gateway:?}
rest = {rest:?}
settings = {{ \"execution.checkpointing.interval\" = \"2s\", \"table.local-time-zone\" = \"UTC\", \"parallelism.default\" = 1 }}

[env.dev.connect]
url = {connect:?}

[env.dev.api]
listen = \"127.0.0.1:{port}\"
tokens = [{{ name = \"story\", secret = {{ env = {TOKEN:?} }}, scopes = [\"read\", \"apply\", \"approve\", \"abort\"] }}]
signing_secrets = [{{ name = \"chat\", secret = {{ env = {SIGNING:?} }} }}]

[env.dev.notify]
url = {notify:?}
secret = {{ env = {NOTIFYING:?} }}

[env.dev.journal]
topic = {journal:?}

[env.dev.policy]
level = \"FULL_TRANSITIVE\"
soak_seconds = {soak_seconds}
approval_expires_seconds = 3600
catch_up_deadline_seconds = 600
validation_deadline_seconds = 300
poll_ms = 500
nullable_defaults = \"when_unseen\"

[env.dev.vars]
{vars}
",
            project = self.project().display().to_string(),
            gateway = world.gateway,
            rest = world.flink,
            connect = world.connect,
            port = world.daemon_port,
            vars = vars.join("\n"),
        );
        std::fs::write(self.config(), text).during(format!("writing {}", self.config().display()))
    }
}
