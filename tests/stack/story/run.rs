//! One run of a story: everything that it holds on to, and its end.

use std::path::Path;

use reqwest::Client;

use super::answer::Rollout;
use super::approver::{self, Approver};
use super::case::{Case, Changes, Project};
use super::clean;
use super::connect::Connect;
use super::daemon::{Binary, Daemon};
use super::database::Database;
use super::failure::{During as _, Failure, Outcome, ensure};
use super::flink::Flink;
use super::http::{self, Reply};
use super::kafka::Kafka;
use super::place::{Place, Settings};
use super::world::World;

/// How long blue stays warm in a story: long enough to be seen, short enough to be waited for.
const SOAK_SECONDS: u64 = 10;

/// A run.
pub struct Run<P: Project> {
    /// The project.
    pub project: P,
    /// Addresses.
    pub world: World,
    /// HTTP.
    pub http: Client,
    /// Folder.
    pub place: Place,
    /// Kafka.
    pub kafka: Kafka,
    /// Flink.
    pub flink: Flink,
    /// Connect.
    pub connect: Connect,
    /// PostgreSQL.
    pub database: Database,
    /// The chat system.
    pub approver: Approver,
    /// The product.
    pub binary: Binary,
    /// The daemon, once it was started.
    pub daemon: Option<Daemon>,
    /// The traffic, once it was started.
    pub traffic: Option<P::Traffic>,
    /// The registry as the daemon sees it.
    registry: String,
}

impl<P: Project> Run<P> {
    /// Prepares a run: folder, configuration, and nothing left of an earlier one.
    ///
    /// # Errors
    /// A part of the stack does not answer.
    pub async fn open(project: P, program: &Path, parent: &Path) -> Outcome<Self> {
        Self::open_with(project, program, parent, None).await
    }

    /// The same, with another address of the registry for the daemon.
    ///
    /// # Errors
    /// See [`Run::open`].
    pub async fn open_with(project: P, program: &Path, parent: &Path, registry: Option<&str>) -> Outcome<Self> {
        let world = World::from_env()?;
        let http = http::client()?;
        let case = project.case();
        let place = Place::fresh(parent, &case.name)?;
        project.lay_out(&place)?;
        place.commit()?;
        let approver = Approver::open(&http).await?;
        let binary = Binary {
            program: program.to_owned(),
            config: place.config(),
            logs: place.root.clone(),
            environment: approver.environment(),
        };
        let run = Self {
            kafka: Kafka::new(&world.kafka),
            flink: Flink::new(&http, &world.flink),
            connect: Connect::new(&http, &world.connect),
            database: Database::open(&world.postgres()).await.during("is the stack up? `./x stack status` tells")?,
            project,
            registry: registry.unwrap_or(&world.registry).to_owned(),
            world,
            http,
            place,
            approver,
            binary,
            daemon: None,
            traffic: None,
        };
        run.configure(SOAK_SECONDS)?;
        clean::clean(&run).await.during("removing what an earlier run left")?;
        Ok(run)
    }

    /// Writes the configuration anew; the next daemon reads it.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn configure(&self, soak_seconds: u64) -> Outcome {
        let case = self.case();
        self.place.configure(&Settings {
            world: &self.world,
            registry: &self.registry,
            brokers: &self.world.kafka,
            prefix: &case.job_prefix,
            journal: &case.journal,
            notify: self.approver.address(),
            topic_prefix: &case.topic_prefix,
            soak_seconds,
        })
    }

    /// Starts the daemon; after `Ok` it leads.
    ///
    /// # Errors
    /// It cannot be started, or is not ready in time.
    pub async fn serve(&mut self) -> Outcome {
        self.daemon = Some(self.binary.serve(&self.http, self.world.daemon_port)?);
        self.daemon()?.ready().await
    }

    /// Ends the daemon.
    ///
    /// # Errors
    /// It had ended by itself, or does not end well.
    pub async fn stop(&mut self) -> Outcome {
        let daemon = self.daemon.take().ok_or_else(|| Failure::new("the daemon was not started"))?;
        let status = daemon.stop().await?;
        ensure(status.success(), || format!("asked to end, the daemon ended with {status}"))
    }

    /// A signed approval of what the rollout shows as its evidence; the answer.
    ///
    /// # Errors
    /// It shows none, or there is no answer.
    pub async fn approve(&mut self, rollout: &Rollout) -> Outcome<Reply> {
        let digest = rollout.evidence_digest.as_ref().during("the digest of the evidence")?;
        let url = format!("{}/api/v1/rollouts/{}/approve", self.daemon()?.url, rollout.id);
        self.approver.send(&url, &approver::approval(&rollout.id, digest)).await
    }

    /// What it is about.
    pub fn case(&self) -> &Case {
        self.project.case()
    }

    /// The daemon.
    ///
    /// # Errors
    /// It was not started.
    pub fn daemon(&mut self) -> Outcome<&mut Daemon> {
        self.daemon.as_mut().ok_or_else(|| Failure::new("the daemon was not started"))
    }

    /// The traffic.
    ///
    /// # Errors
    /// It was not started.
    pub fn traffic(&self) -> Outcome<&P::Traffic> {
        self.traffic.as_ref().ok_or_else(|| Failure::new("the traffic was not started"))
    }

    /// Ends everything and removes what was made.
    ///
    /// # Errors
    /// The daemon or the traffic had ended by itself, or something could not be removed.
    pub async fn close(mut self) -> Outcome {
        let mut problems = Vec::new();
        if let Some(daemon) = self.daemon.take() {
            match daemon.stop().await {
                Ok(status) if status.success() => {}
                Ok(status) => problems.push(format!("asked to end, the daemon ended with {status}")),
                Err(error) => problems.push(error.to_string()),
            }
        }
        if let Some(traffic) = self.traffic.take()
            && let Err(error) = traffic.stop().await
        {
            problems.push(error.to_string());
        }
        if let Err(error) = clean::clean(&self).await {
            problems.push(error.to_string());
        }
        if problems.is_empty() { Ok(()) } else { Err(Failure::new(problems.join("\n"))) }
    }
}
