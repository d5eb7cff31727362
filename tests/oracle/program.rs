//! A Java program under `java`, as a process that answers questions.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long one process may take for all its questions: some plans Flink's optimizer never finishes.
const PATIENCE: Duration = Duration::from_secs(400);

/// A program and the jars that it needs.
pub struct Program {
    /// The folder of its sources, and what `fetch.py` calls its jars.
    name: &'static str,
    /// The class that is started.
    main: &'static str,
    /// What it offers to Java's service loader: the service, and the classes.
    services: &'static [(&'static str, &'static str)],
    jars: OnceLock<PathBuf>,
    classes: OnceLock<PathBuf>,
}

impl Program {
    pub const fn new(
        name: &'static str,
        main: &'static str,
        services: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { name, main, services, jars: OnceLock::new(), classes: OnceLock::new() }
    }

    /// Asks one process all questions; the answers come in order.
    pub fn ask(&self, questions: Vec<Value>) -> Vec<Value> {
        let mut process = self.start();
        let stdin = process.stdin.take().unwrap();
        let expected = questions.len();
        let stdout = process.stdout.take().unwrap();
        let writer = thread::spawn(move || write(stdin, &questions));
        let reader = thread::spawn(move || {
            let lines = BufReader::new(stdout).lines();
            lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect::<Vec<Value>>()
        });
        let deadline = Instant::now() + PATIENCE;
        let ended = loop {
            match process.try_wait().unwrap() {
                Some(ended) => break ended,
                None if Instant::now() > deadline => {
                    process.kill().unwrap();
                    break process.wait().unwrap();
                }
                None => thread::sleep(Duration::from_millis(50)),
            }
        };
        let answers = reader.join().unwrap();
        writer.join().unwrap();
        let complete = ended.success() && answers.len() == expected;
        assert!(complete, "{} of {expected} answers: {}", answers.len(), self.complaint());
        answers
    }

    fn start(&self) -> Child {
        let path = format!("{}:{}/*", self.classes().display(), self.jars().display());
        let log = std::fs::File::create(self.log()).unwrap();
        Command::new("java")
            // The compiler that needs long to warm up does not pay for a run of a minute.
            .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx1500m", "-Xss8m"])
            // Flink's serializers look into the JDK.
            .args(["--add-opens", "java.base/java.util=ALL-UNNAMED", "--add-opens", "java.base/java.lang=ALL-UNNAMED"])
            .args(["-cp", &path, self.main])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("java on the path")
    }

    fn log(&self) -> PathBuf {
        scratch().join(format!("java-{}.log", self.name))
    }

    fn complaint(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        log.lines().filter(|line| !line.starts_with("SLF4J")).take(20).collect::<Vec<_>>().join("\n")
    }

    /// The directory of the jars, downloaded if need be.
    pub fn jars(&self) -> &Path {
        self.jars.get_or_init(|| {
            let fetch = here().join("fetch.py");
            let done = Command::new("python3").arg(fetch).arg(self.name).stderr(Stdio::inherit()).output().unwrap();
            assert!(done.status.success(), "the jars of `{}` could not be brought here", self.name);
            PathBuf::from(String::from_utf8(done.stdout).unwrap().trim())
        })
    }

    /// The directory of the compiled program.
    fn classes(&self) -> &Path {
        self.classes.get_or_init(|| {
            let classes = scratch().join(format!("java-{}", self.name));
            let services = classes.join("META-INF/services");
            std::fs::create_dir_all(&services).unwrap();
            for (service, offered) in self.services {
                std::fs::write(services.join(service), offered).unwrap();
            }
            let sources = std::fs::read_dir(here().join("java").join(self.name)).unwrap();
            let done = Command::new("javac")
                .args(["-nowarn", "-proc:none", "-d"])
                .arg(&classes)
                .arg("-cp")
                .arg(format!("{}/*", self.jars().display()))
                .args(sources.map(|file| file.unwrap().path()))
                .output()
                .expect("javac on the path");
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            classes
        })
    }
}

fn write(mut stdin: ChildStdin, questions: &[Value]) {
    for question in questions {
        // A process that ended early shows in the number of answers.
        if writeln!(stdin, "{question}").is_err() {
            return;
        }
    }
}

fn scratch() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

fn here() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle"))
}
