//! The project's files, and proposals as branches of the git repository that they lie in.
//!
//! Rules: a proposal is written with git's plumbing and an index of its own, so neither the working tree nor the index
//! nor `HEAD` changes; a branch is only ever made, never moved; a branch that holds the proposed files already is a
//! proposal made before.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use super::clock::now_ms;
use super::git_program::Git;
use super::project_files;
use crate::port::{PortError, PortResult, ProjectFile, Repository};

pub(super) const SYSTEM: &str = "project";

/// A project folder: a git repository, a folder of one, or none.
#[derive(Clone, Debug)]
pub struct GitRepository {
    path: PathBuf,
}

impl GitRepository {
    /// The project in this folder; nothing is read yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn write(&self, branch: &str, files: &[ProjectFile], message: &str) -> PortResult<Option<String>> {
        let git = Git { folder: &self.path, index: None };
        let found = git.try_run(&["rev-parse", "--absolute-git-dir"], "")?;
        if !found.ok {
            if found.err.contains("not a git repository") {
                return Ok(None);
            }
            return git.run(&["rev-parse", "--absolute-git-dir"], "").map(|_| None);
        }
        let folder = PathBuf::from(found.out.trim_end_matches('\n'));
        let name = format!("refs/heads/{branch}");
        if branch.starts_with('-') || git.ask(&["check-ref-format", &name])?.is_none() {
            return Err(refused(format!("branch `{branch}`"), "git does not take this name"));
        }
        if git.ask(&["symbolic-ref", "-q", "HEAD"])?.as_deref() == Some(name.as_str()) {
            return Err(refused(format!("branch `{branch}`"), "it is checked out: propose to another one"));
        }
        let prefix = git.run(&["rev-parse", "--show-prefix"], "")?;
        let mut entries = Vec::new();
        for file in files {
            let path = format!("{prefix}{}", checked(&file.path)?);
            entries.push((path, git.run(&["hash-object", "-w", "--stdin"], &file.text)?));
        }
        if git.ask(&["rev-parse", "-q", "--verify", &format!("{name}^{{commit}}")])?.is_some() {
            return self.made_before(&git, branch, &entries).map(Some);
        }
        let base = git.ask(&["rev-parse", "-q", "--verify", "HEAD^{commit}"])?;
        let index = Index::new(&folder);
        let staged = Git { folder: &self.path, index: Some(index.path.clone()) };
        match &base {
            Some(base) => staged.run(&["read-tree", base], "")?,
            None => staged.run(&["read-tree", "--empty"], "")?,
        };
        let info: String = entries.iter().map(|(path, hash)| format!("100644 {hash}\t{path}\0")).collect();
        staged.run(&["update-index", "-z", "--index-info"], &info)?;
        let tree = staged.run(&["write-tree"], "")?;
        let mut args = vec!["commit-tree", tree.as_str(), "-F", "-"];
        if let Some(base) = &base {
            args.extend(["-p", base.as_str()]);
        }
        let commit = git.run(&args, message)?;
        // The empty old value: the branch must not be there yet.
        git.run(&["update-ref", "-m", "cyanotype: proposal", &name, &commit, ""], "")?;
        Ok(Some(branch.to_owned()))
    }

    /// The branch is there: fine when it holds these files, else it is somebody else's.
    fn made_before(&self, git: &Git<'_>, branch: &str, entries: &[(String, String)]) -> PortResult<String> {
        for (path, hash) in entries {
            let there = git.ask(&["rev-parse", "-q", "--verify", &format!("refs/heads/{branch}:{path}")])?;
            if there.as_deref() != Some(hash.as_str()) {
                let reason = format!("it exists and holds another `{path}`: delete the branch to have it made again");
                return Err(refused(format!("branch `{branch}`"), &reason));
            }
        }
        Ok(branch.to_owned())
    }
}

#[async_trait]
impl Repository for GitRepository {
    async fn files(&self) -> PortResult<Vec<ProjectFile>> {
        let this = self.clone();
        blocking(move || project_files::on_disk(&this.path)).await
    }

    async fn files_at(&self, revision: &str) -> PortResult<Vec<ProjectFile>> {
        let (this, revision) = (self.clone(), revision.to_owned());
        blocking(move || project_files::at_revision(&this.path, &revision)).await
    }

    async fn commit(&self, revision: &str) -> PortResult<Option<String>> {
        let (this, revision) = (self.clone(), revision.to_owned());
        blocking(move || commit_of(&Git { folder: &this.path, index: None }, &revision)).await
    }

    async fn propose(&self, branch: &str, files: &[ProjectFile], message: &str) -> PortResult<Option<String>> {
        let (this, branch, files, message) = (self.clone(), branch.to_owned(), files.to_vec(), message.to_owned());
        blocking(move || this.write(&branch, &files, &message)).await
    }
}

/// An index file beside the repository's own, gone when dropped.
struct Index {
    path: PathBuf,
}

impl Index {
    fn new(folder: &Path) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cyanotype-index-{}-{}-{number}", std::process::id(), now_ms());
        Self { path: folder.join(name) }
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        // A file that stays is of no use to anybody and of no harm.
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(self.path.with_extension("lock"));
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> PortResult<T> + Send + 'static) -> PortResult<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        let reason = "the work on its files was broken off".into();
        Err(PortError::Unreachable { system: SYSTEM, address: "this machine".into(), reason })
    })
}

pub(super) fn refused(what: String, reason: &str) -> PortError {
    PortError::Refused { system: "git", what, reason: reason.into() }
}

/// The commit that a revision names; `None` when git knows none.
pub(super) fn commit_of(git: &Git<'_>, revision: &str) -> PortResult<Option<String>> {
    let named = git.ask(&["rev-parse", "-q", "--verify", "--end-of-options", &format!("{revision}^{{commit}}")])?;
    // `^REV` names what is to be left out, and is answered too.
    Ok(named.filter(|id| id.bytes().all(|b| b.is_ascii_hexdigit())))
}

/// A path that stays inside the project and out of git's own folder.
fn checked(path: &str) -> PortResult<&str> {
    let inside = Path::new(path).components().all(|c| match c {
        Component::Normal(part) => !part.eq_ignore_ascii_case(".git"),
        _ => false,
    });
    let plain = !path.is_empty() && !path.contains(['\\', '\0', '\n']) && !path.contains("//") && !path.ends_with('/');
    match inside && plain {
        true => Ok(path),
        false => Err(refused(format!("file `{path}`"), "its path must lie inside the project")),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::adapter) fn sh(folder: &Path, args: &[&str]) -> String {
        Git { folder, index: None }.run(args, "").unwrap()
    }

    pub(in crate::adapter) fn file(path: &str, text: &str) -> ProjectFile {
        ProjectFile { path: path.into(), text: text.into() }
    }

    /// A repository whose project is the folder `shop`, with one commit and one file changed and staged after it.
    pub(in crate::adapter) fn repository() -> (tempfile::TempDir, GitRepository) {
        let dir = tempfile::tempdir().unwrap();
        let shop = dir.path().join("shop/pipelines/facts");
        fs::create_dir_all(&shop).unwrap();
        fs::write(dir.path().join("README"), "top\n").unwrap();
        fs::write(shop.join("a.sql"), "one\n").unwrap();
        sh(dir.path(), &["init", "-q", "-b", "main"]);
        sh(dir.path(), &["add", "-A"]);
        sh(dir.path(), &["commit", "-q", "-m", "first"]);
        fs::write(shop.join("a.sql"), "staged\n").unwrap();
        sh(dir.path(), &["add", "-A"]);
        fs::write(shop.join("a.sql"), "working\n").unwrap();
        let repository = GitRepository::new(dir.path().join("shop"));
        (dir, repository)
    }

    /// Everything that a proposal must leave alone.
    pub(in crate::adapter) fn untouched(dir: &Path) -> Vec<String> {
        let mut state: Vec<String> = [
            &["symbolic-ref", "HEAD"][..],
            &["rev-parse", "HEAD"],
            &["ls-files", "-s"],
            &["status", "--porcelain=v2", "--untracked-files=all"],
            &["rev-parse", "main"],
        ]
        .iter()
        .map(|args| sh(dir, args))
        .collect();
        state.push(fs::read_to_string(dir.join("shop/pipelines/facts/a.sql")).unwrap());
        let mut names: Vec<_> = fs::read_dir(dir.join(".git")).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        state.push(format!("{names:?}"));
        state
    }

    #[tokio::test]
    async fn a_proposal_is_a_branch_and_nothing_else() {
        let (dir, repository) = repository();
        let before = untouched(dir.path());
        let files = [file("pipelines/facts/a.sql", "two\n"), file("pipelines/facts/ä b.sql", "new\r\nline")];
        let made = repository.propose("cyanotype/r-1", &files, "Subject\n\nbody: ü\n").await.unwrap();
        assert_eq!(made.as_deref(), Some("cyanotype/r-1"));
        assert_eq!(untouched(dir.path()), before);
        let show = |what: &str| sh(dir.path(), &["show", &format!("cyanotype/r-1{what}")]);
        assert_eq!(show(":shop/pipelines/facts/a.sql"), "two");
        assert_eq!(show(":shop/pipelines/facts/ä b.sql"), "new\r\nline");
        assert_eq!(show(":README"), "top");
        assert_eq!(
            sh(dir.path(), &["log", "-1", "--format=%an %B", "cyanotype/r-1"]).trim(),
            "Cyanotype Subject\n\nbody: ü"
        );
        assert_eq!(sh(dir.path(), &["rev-parse", "cyanotype/r-1~1"]), sh(dir.path(), &["rev-parse", "main"]));
    }

    #[tokio::test]
    async fn proposing_again_changes_nothing() {
        let (dir, repository) = repository();
        let files = [file("pipelines/facts/a.sql", "two\n")];
        repository.propose("p", &files, "m").await.unwrap();
        let commit = sh(dir.path(), &["rev-parse", "p"]);
        // Also after somebody has gone on with the main branch.
        sh(dir.path(), &["commit", "-q", "-m", "second"]);
        assert_eq!(repository.propose("p", &files, "m").await.unwrap().as_deref(), Some("p"));
        assert_eq!(sh(dir.path(), &["rev-parse", "p"]), commit);
        let other = repository.propose("p", &[file("pipelines/facts/a.sql", "three\n")], "m").await;
        assert!(matches!(other, Err(PortError::Refused { .. })), "{other:?}");
        assert_eq!(sh(dir.path(), &["rev-parse", "p"]), commit);
    }

    #[tokio::test]
    async fn a_repository_without_a_commit_takes_proposals() {
        let dir = tempfile::tempdir().unwrap();
        sh(dir.path(), &["init", "-q", "-b", "main"]);
        let repository = GitRepository::new(dir.path());
        assert_eq!(repository.propose("p", &[file("a.sql", "x")], "m").await.unwrap().as_deref(), Some("p"));
        assert_eq!(sh(dir.path(), &["show", "p:a.sql"]), "x");
        assert!(
            Git { folder: dir.path(), index: None }.ask(&["rev-parse", "-q", "--verify", "main"]).unwrap().is_none()
        );
        let own = repository.propose("main", &[file("a.sql", "x")], "m").await;
        assert!(matches!(own, Err(PortError::Refused { .. })), "{own:?}");
    }

    #[tokio::test]
    async fn a_folder_without_git_takes_none() {
        let dir = tempfile::tempdir().unwrap();
        let made = GitRepository::new(dir.path()).propose("p", &[file("a.sql", "x")], "m").await.unwrap();
        assert_eq!(made, None);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn names_that_lead_elsewhere_are_turned_away() {
        let (dir, repository) = repository();
        let before = untouched(dir.path());
        for path in ["", "../x", "/x", "a/../../x", ".git/config", "a/.GIT/x", "a\\b", "a//b", "a/", "./a", "a\nb"] {
            let made = repository.propose("p", &[file(path, "x")], "m").await;
            assert!(matches!(made, Err(PortError::Refused { .. })), "{path:?}: {made:?}");
        }
        for branch in ["", "-d", "a b", "a..b", "x.lock", "a~1", "main"] {
            let made = repository.propose(branch, &[file("a", "x")], "m").await;
            assert!(matches!(made, Err(PortError::Refused { .. })), "{branch:?}: {made:?}");
        }
        assert_eq!(untouched(dir.path()), before);
    }
}
