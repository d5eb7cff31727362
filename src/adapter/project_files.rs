//! The project's files, as they lie in the folder and as a revision has them.
//!
//! Rules: of a revision they are read from git's objects, never by a checkout; hidden names are left out; a file that is no
//! text is an error that names it.

use std::fs;
use std::io;
use std::path::Path;

use super::git::{SYSTEM, commit_of, refused};
use super::git_program::Git;
use crate::port::{PortError, PortResult, ProjectFile};

/// Folders below one another: more than any layout needs, few enough to get out of a loop of links.
const DEPTH: usize = 24;
/// A statement of this size is a mistake.
const FILE_LIMIT: u64 = 4 << 20;

/// The files as they lie in the folder `root`.
pub(super) fn on_disk(root: &Path) -> PortResult<Vec<ProjectFile>> {
    is_there(root)?;
    let mut found = Found::default();
    found.walk(root, "pipelines", ".sql", DEPTH);
    found.walk(root, "connectors", ".json", DEPTH);
    found.sorted()
}

fn is_there(root: &Path) -> PortResult<()> {
    let missing = || PortError::Missing { system: SYSTEM, what: format!("folder {}", root.display()) };
    if root.is_dir() { Ok(()) } else { Err(missing()) }
}

/// The files of a revision, from git's objects.
pub(super) fn at_revision(root: &Path, revision: &str) -> PortResult<Vec<ProjectFile>> {
    is_there(root)?;
    let git = Git { folder: root, index: None };
    in_a_repository(&git, root)?;
    let Some(commit) = commit_of(&git, revision)? else {
        return Err(refused(format!("revision `{revision}`"), "there is no such branch, tag or commit"));
    };
    // Paths come relative to the folder that git runs in, which is the project's.
    let args = ["ls-tree", "-r", "-z", "-l", &commit, "--", "pipelines", "connectors"];
    let listing = git.run(&args, "")?;
    let mut found = Found::default();
    let mut wanted = Vec::new();
    for entry in listing.split('\0').filter(|entry| !entry.is_empty()) {
        let garbled = || refused(format!("revision `{revision}`"), "git's listing is not understood");
        let (about, path) = entry.split_once('\t').ok_or_else(garbled)?;
        let mut about = about.split_whitespace();
        let (mode, _, hash, size) = (about.next(), about.next(), about.next(), about.next());
        let hidden = path.split('/').any(|part| part.starts_with('.'));
        if mode == Some("120000") && !hidden {
            found.unread(&at(revision, path), "it is a link, which cannot be followed in a revision");
            continue;
        }
        let ours = path.starts_with("pipelines/") && path.ends_with(".sql")
            || path.starts_with("connectors/") && path.ends_with(".json");
        if hidden || !ours {
            continue;
        }
        let size: u64 = size.and_then(|size| size.parse().ok()).ok_or_else(garbled)?;
        if size > FILE_LIMIT {
            found.unread(&at(revision, path), &too_large());
            continue;
        }
        wanted.push((path.to_owned(), hash.ok_or_else(garbled)?.to_owned()));
    }
    for (path, bytes) in git.objects(wanted)? {
        let shown = at(revision, &path);
        found.file(path, &shown, bytes);
    }
    found.sorted()
}

fn in_a_repository(git: &Git<'_>, root: &Path) -> PortResult<()> {
    let looked = git.try_run(&["rev-parse", "--absolute-git-dir"], "")?;
    if looked.ok {
        return Ok(());
    }
    if looked.err.contains("not a git repository") {
        return Err(PortError::Missing { system: "git", what: format!("repository around {}", root.display()) });
    }
    // Such as one that belongs to somebody else.
    git.run(&["rev-parse", "--absolute-git-dir"], "").map(drop)
}

/// A file of a revision, for people.
fn at(revision: &str, path: &str) -> String {
    format!("{revision}:{path}")
}

fn too_large() -> String {
    format!("it is larger than {} MiB", FILE_LIMIT >> 20)
}

/// What was found: files, and what is wrong with others.
#[derive(Default)]
struct Found {
    files: Vec<ProjectFile>,
    unread: Vec<String>,
}

impl Found {
    fn sorted(mut self) -> PortResult<Vec<ProjectFile>> {
        self.unread.sort();
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        if self.unread.is_empty() { Ok(self.files) } else { Err(PortError::Unread { files: self.unread }) }
    }

    fn unread(&mut self, path: &str, why: &str) {
        self.unread.push(format!("{path}: {why}"));
    }

    /// The text of a file without its byte order mark, or the line that is not UTF-8.
    fn file(&mut self, path: String, shown: &str, bytes: Vec<u8>) {
        match String::from_utf8(bytes) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
                self.files.push(ProjectFile { path, text });
            }
            Err(e) => {
                let before = e.as_bytes().iter().take(e.utf8_error().valid_up_to());
                let line = before.filter(|b| **b == b'\n').count() + 1;
                self.unread(shown, &format!("line {line} is not UTF-8"));
            }
        }
    }

    /// Files below `folder` whose name ends in `ending`. Hidden names are left out.
    fn walk(&mut self, root: &Path, folder: &str, ending: &str, depth: usize) {
        let failed = |error: &io::Error| format!("it cannot be read: {error}");
        let listing = match fs::read_dir(root.join(folder)) {
            Ok(listing) => listing,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.unread(folder, &failed(&error)),
        };
        for entry in listing {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return self.unread(folder, &failed(&error)),
            };
            let name = entry.file_name();
            let path = format!("{folder}/{}", name.to_string_lossy());
            if path.rsplit('/').next().is_some_and(|n| n.starts_with('.')) {
                continue;
            }
            // Follows links: mounted configuration is made of them.
            let about = match fs::metadata(entry.path()) {
                Ok(about) => about,
                // Gone since it was listed, or a link to nothing that the project does not need.
                Err(error) if error.kind() == io::ErrorKind::NotFound && !path.ends_with(ending) => continue,
                Err(error) => {
                    self.unread(&path, &failed(&error));
                    continue;
                }
            };
            if about.is_dir() && depth == 0 {
                // One is enough to say it: a loop has no end.
                return self
                    .unread(&path, &format!("folders lie more than {DEPTH} deep: is there a link that leads back?"));
            }
            if about.is_dir() {
                self.walk(root, &path, ending, depth - 1);
            } else if path.ends_with(ending) {
                self.on_disk(&entry.path(), path, &about);
            }
        }
    }

    fn on_disk(&mut self, file: &Path, path: String, about: &fs::Metadata) {
        let is_text = file.file_name().is_some_and(|name| name.to_str().is_some());
        let why = match (is_text, about.is_file(), about.len() > FILE_LIMIT) {
            (false, _, _) => "its name is not UTF-8".to_owned(),
            (_, false, _) => "it is not a regular file".to_owned(),
            (_, _, true) => too_large(),
            _ => match fs::read(file) {
                Ok(bytes) => {
                    let shown = path.clone();
                    return self.file(path, &shown, bytes);
                }
                Err(error) => format!("it cannot be read: {error}"),
            },
        };
        self.unread(&path, &why);
    }
}

#[cfg(test)]
mod tests {
    use super::super::git::GitRepository;
    use super::super::git::tests::{file, repository, sh, untouched};
    use super::*;
    use crate::port::Repository;

    #[tokio::test]
    async fn files_are_found_and_sorted() {
        let dir = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &[u8]| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("pipelines/b/z.sql", b"z");
        put("pipelines/a.sql", "ä\r\n".as_bytes());
        put("pipelines/note.md", b"no");
        put("pipelines/.hidden/x.sql", b"no");
        put("connectors/c.json", b"{}");
        put("connectors/c.sql", b"no");
        put("other/x.sql", b"no");
        let files = GitRepository::new(dir.path()).files().await.unwrap();
        let want = [file("connectors/c.json", "{}"), file("pipelines/a.sql", "ä\r\n"), file("pipelines/b/z.sql", "z")];
        assert_eq!(files, want);
        put("pipelines/bad.sql", b"ok\nnot \xff utf-8");
        put("connectors/large.json", &vec![b' '; 4 * 1024 * 1024 + 1]);
        let error = GitRepository::new(dir.path()).files().await.unwrap_err();
        let faults = ["connectors/large.json: it is larger than 4 MiB", "pipelines/bad.sql: line 2 is not UTF-8"];
        assert_eq!(error, PortError::Unread { files: faults.map(str::to_owned).into() });
        assert_eq!(error.to_string(), faults.join("; "));
    }

    #[tokio::test]
    async fn a_byte_order_mark_is_no_part_of_the_text() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("connectors")).unwrap();
        fs::write(dir.path().join("connectors/c.json"), "\u{feff}{}").unwrap();
        assert_eq!(GitRepository::new(dir.path()).files().await.unwrap(), [file("connectors/c.json", "{}")]);
    }

    #[tokio::test]
    async fn files_of_a_revision_are_read_without_a_checkout() {
        let (dir, repository) = repository();
        let odd = dir.path().join("shop/pipelines/ä b.sql");
        fs::write(&odd, "-- ü\r\nno end").unwrap();
        fs::create_dir_all(dir.path().join("shop/connectors")).unwrap();
        fs::write(dir.path().join("shop/connectors/c.json"), "{}").unwrap();
        fs::write(dir.path().join("shop/pipelines/empty.sql"), "").unwrap();
        fs::write(dir.path().join("shop/pipelines/note.md"), "no").unwrap();
        fs::create_dir_all(dir.path().join("shop/pipelines/.hidden")).unwrap();
        fs::write(dir.path().join("shop/pipelines/.hidden/x.sql"), "no").unwrap();
        sh(dir.path(), &["add", "-A"]);
        sh(dir.path(), &["commit", "-q", "-m", "second"]);
        fs::write(dir.path().join("shop/pipelines/facts/a.sql"), "later\n").unwrap();
        let before = untouched(dir.path());
        let first = repository.files_at("HEAD~1").await.unwrap();
        assert_eq!(first, [file("pipelines/facts/a.sql", "one\n")]);
        let second = repository.files_at("main").await.unwrap();
        let want = [
            file("connectors/c.json", "{}"),
            file("pipelines/empty.sql", ""),
            file("pipelines/facts/a.sql", "working\n"),
            file("pipelines/ä b.sql", "-- ü\r\nno end"),
        ];
        assert_eq!(second, want);
        assert_eq!(repository.files().await.unwrap()[2].text, "later\n");
        assert_eq!(untouched(dir.path()), before);
        let head = sh(dir.path(), &["rev-parse", "HEAD"]);
        assert_eq!(repository.commit("main").await.unwrap(), Some(head));
        assert_eq!(repository.commit("nowhere").await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_revision_that_is_none_is_named() {
        let (dir, repository) = repository();
        for revision in ["nowhere", "--help", "HEAD~9", "", "main:shop"] {
            let refused = repository.files_at(revision).await.unwrap_err();
            assert!(matches!(refused, PortError::Refused { .. }), "{revision}: {refused}");
        }
        let bare = tempfile::tempdir().unwrap();
        let missing = GitRepository::new(bare.path()).files_at("HEAD").await.unwrap_err();
        assert!(matches!(missing, PortError::Missing { system: "git", .. }), "{missing}");
        let gone = GitRepository::new(bare.path().join("gone")).files_at("HEAD").await.unwrap_err();
        assert!(matches!(gone, PortError::Missing { system: "project", .. }), "{gone}");
        fs::write(dir.path().join("shop/pipelines/bad.sql"), b"ok\nnot \xff utf-8").unwrap();
        sh(dir.path(), &["add", "-A"]);
        sh(dir.path(), &["commit", "-q", "-m", "bad"]);
        let garbage = repository.files_at("HEAD").await.unwrap_err().to_string();
        assert!(garbage.contains("HEAD:pipelines/bad.sql") && garbage.contains("line 2 is not UTF-8"), "{garbage}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_in_a_revision_is_an_error() {
        let (dir, repository) = repository();
        std::os::unix::fs::symlink("a.sql", dir.path().join("shop/pipelines/facts/b.sql")).unwrap();
        sh(dir.path(), &["add", "-A"]);
        sh(dir.path(), &["commit", "-q", "-m", "link"]);
        let error = repository.files_at("HEAD").await.unwrap_err().to_string();
        assert!(error.contains("pipelines/facts/b.sql") && error.contains("it is a link"), "{error}");
    }

    #[tokio::test]
    async fn an_empty_project_has_no_files_and_none_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(GitRepository::new(dir.path()).files().await.unwrap(), []);
        let gone = GitRepository::new(dir.path().join("gone")).files().await;
        assert!(matches!(gone, Err(PortError::Missing { .. })), "{gone:?}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_that_leads_back_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("pipelines")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("pipelines"), dir.path().join("pipelines/loop")).unwrap();
        let error = GitRepository::new(dir.path()).files().await.unwrap_err().to_string();
        assert!(error.contains("leads back"), "{error}");
    }
}
