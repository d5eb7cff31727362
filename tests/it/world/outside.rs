//! Repository, receiver of events, and time.

use async_trait::async_trait;
use cyanotype::port::{Clock, Notifier, OutgoingEvent, PortResult, ProjectFile, Repository};

use super::{Deed, Seat};

#[async_trait]
impl Repository for Seat {
    async fn files(&self) -> PortResult<Vec<ProjectFile>> {
        self.look(|state| Ok(state.files.clone())).await
    }

    async fn files_at(&self, _: &str) -> PortResult<Vec<ProjectFile>> {
        self.files().await
    }

    async fn commit(&self, _: &str) -> PortResult<Option<String>> {
        self.look(|_| Ok(Some("c0".to_owned()))).await
    }

    async fn propose(&self, branch: &str, files: &[ProjectFile], _: &str) -> PortResult<Option<String>> {
        let deed = Deed::Propose { branch: branch.to_owned(), files: files.to_vec() };
        self.act(deed).await.map(|_| Some(branch.to_owned()))
    }
}

#[async_trait]
impl Notifier for Seat {
    async fn notify(&self, event: &OutgoingEvent) -> PortResult<()> {
        self.act(Deed::Notify { event: event.clone() }).await.map(drop)
    }
}

#[async_trait]
impl Clock for Seat {
    fn now_ms(&self) -> i64 {
        self.world.now().now_ms
    }

    async fn sleep_ms(&self, ms: u64) {
        tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
    }
}
