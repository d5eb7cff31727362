"""Brings the programs of the local stack into a cache outside the checkout.

Rules: every downloaded file is compared with the SHA-256 pinned in checksums.txt before it is used; a part is
assembled in a temporary directory and renamed into place, so a cut download leaves nothing half done; a part that is
already there is not touched; a set KAFKA_HOME or FLINK_HOME wins over the download of that part.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from contextlib import contextmanager

HERE = pathlib.Path(__file__).resolve().parent
CHECKSUMS = HERE / "checksums.txt"

KAFKA = "4.2.0"
LOG4J = "2.25.3"
FLINK = "2.2.1"
FLINK_KAFKA = "5.0.0-2.2"
FLINK_AVRO = "2.2.0"
REGISTRY = "3.0.9"
CONVERTER = "2.6.13.Final"
DEBEZIUM = "3.4.0.Final"
# Plugin 3.x wants the parent POM of every file that it copies, and the registry's is not on Maven Central; 2.8 does not.
DEPENDENCY_PLUGIN = {"copy-dependencies": "3.8.1", "copy": "2.8"}

# Jars that the worker itself brings: a second copy inside a plugin directory breaks class loading.
NOT_IN_CONVERTER = ("connect-", "kafka-clients", "slf4j", "lz4-java", "snappy-java", "zstd-jni")


class DownloadError(Exception):
    """A file could not be had, or is not the pinned one."""


def cache_dir():
    """The directory that holds every downloaded program of this set of versions."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return pathlib.Path(base) / "cyanotype" / "stack"


class Programs:
    """Where each program lives on this machine."""

    def __init__(self, cache):
        self.registry = cache / f"registry-{REGISTRY}"
        self.plugins = cache / f"connect-plugins-{DEBEZIUM}-{CONVERTER}"
        self.flink_connectors = cache / f"flink-connectors-{FLINK}-{FLINK_KAFKA}"
        kafka_home = os.environ.get("KAFKA_HOME")
        flink_home = os.environ.get("FLINK_HOME")
        self.kafka_given = bool(kafka_home)
        self.flink_given = bool(flink_home)
        self.kafka = pathlib.Path(kafka_home) / "libs" if kafka_home else cache / f"kafka-{KAFKA}"
        self.flink = pathlib.Path(flink_home) if flink_home else cache / f"flink-{FLINK}"

    def check_given(self):
        """Refuses a KAFKA_HOME or FLINK_HOME that is not what the name says."""
        if self.kafka_given and not list(self.kafka.glob("connect-runtime-4.*.jar")):
            raise DownloadError(
                f"KAFKA_HOME: no connect-runtime-4.*.jar in {self.kafka}; "
                f"name the directory of a Kafka {KAFKA} distribution, or unset KAFKA_HOME to have it downloaded"
            )
        if self.flink_given and not list((self.flink / "lib").glob("flink-dist-2.2.*.jar")):
            raise DownloadError(
                f"FLINK_HOME: no flink-dist-2.2.*.jar in {self.flink / 'lib'}; "
                f"name the directory of a Flink {FLINK} distribution, or unset FLINK_HOME to have it downloaded"
            )


def ensure(say):
    """After it returns every program is on the disk, unpacked, and its files were the pinned ones."""
    cache = cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    programs = Programs(cache)
    programs.check_given()
    with _lock(cache / "lock"):
        # What a killed download left behind; nobody else can be at work here.
        for left in cache.glob("partial-*"):
            shutil.rmtree(left, ignore_errors=True)
        pins = Pins(CHECKSUMS)
        if not programs.kafka_given:
            _part(programs.kafka, say, f"Kafka {KAFKA}", lambda to, work: _kafka(to, work, pins))
        _part(programs.registry, say, f"Apicurio registry {REGISTRY}", lambda to, work: _registry(to, work, pins))
        _part(programs.plugins, say, f"Debezium {DEBEZIUM} and the Avro converter", lambda to, work: _plugins(to, work, pins))
        _part(programs.flink_connectors, say, "Flink's connectors", lambda to, work: _connectors(to, work, pins))
        if not programs.flink_given:
            _part(programs.flink, say, f"Flink {FLINK} (300 MB)", lambda to, work: _flink(to, work, pins))
    return programs


class Pins:
    """The pinned SHA-256 of every file that is downloaded."""

    def __init__(self, path):
        self.path = path
        self.record = bool(os.environ.get("CYANOTYPE_STACK_PIN"))
        self.known = {}
        if path.exists() and not self.record:
            for line in path.read_text().splitlines():
                if line and not line.startswith("#"):
                    digest, name = line.split(None, 1)
                    self.known[name] = digest

    def check(self, directory):
        """Compares every file of a directory with its pin; with CYANOTYPE_STACK_PIN set, pins it instead."""
        for file in sorted(p for p in directory.iterdir() if p.is_file()):
            digest = sha256(file)
            if self.record:
                self.known[file.name] = digest
            elif file.name not in self.known:
                raise DownloadError(f"{file.name} was downloaded but is not in {self.path.name}; "
                                    "the versions in downloads.py and the pins differ")
            elif self.known[file.name] != digest:
                raise DownloadError(f"{file.name} is not the pinned file: sha256 {digest}, expected "
                                    f"{self.known[file.name]}; delete it from the local Maven repository and try again")
        if self.record:
            head = "# sha256 of every file that the local stack downloads; made by CYANOTYPE_STACK_PIN=1 ./x stack download\n"
            self.path.write_text(head + "".join(f"{d}  {n}\n" for n, d in sorted(self.known.items())))


def sha256(path):
    """The hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def _lock(path):
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _part(target, say, what, build):
    if target.exists():
        return
    say(f"downloading {what}")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="partial-") as scratch:
        made, work = pathlib.Path(scratch) / "made", pathlib.Path(scratch) / "work"
        made.mkdir()
        work.mkdir()
        build(made, work)
        made.rename(target)


def _kafka(to, work, pins):
    _maven_dependencies(work, to, [
        ("org.apache.kafka", "kafka_2.13", KAFKA),
        ("org.apache.kafka", "connect-runtime", KAFKA),
        # Without a log4j binding Kafka's errors are silent.
        ("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J),
    ])
    pins.check(to)


def _registry(to, work, pins):
    files = work / "files"
    _maven_files(work, files, [("io.apicurio", "apicurio-registry-app", REGISTRY, "tar.gz", "all")])
    pins.check(files)
    _unpack(next(files.iterdir()), to, strip=0)


def _plugins(to, work, pins):
    files, jars = work / "files", work / "jars"
    _maven_files(work, files, [
        ("io.debezium", "debezium-connector-postgres", DEBEZIUM, "tar.gz", "plugin"),
        ("io.debezium", "debezium-connector-jdbc", DEBEZIUM, "tar.gz", "plugin"),
    ])
    pins.check(files)
    for archive in files.iterdir():
        name = archive.name.split("-" + DEBEZIUM)[0]
        (to / name).mkdir()
        _unpack(archive, to / name, strip=1)
    _maven_dependencies(work, jars, [("io.apicurio", "apicurio-registry-utils-converter", CONVERTER)])
    pins.check(jars)
    converter = to / "apicurio-avro-converter"
    converter.mkdir()
    for jar in jars.iterdir():
        if not jar.name.startswith(NOT_IN_CONVERTER):
            shutil.move(str(jar), str(converter / jar.name))


def _connectors(to, work, pins):
    _maven_files(work, to, [
        ("org.apache.flink", "flink-sql-gateway", FLINK, "jar", ""),
        ("org.apache.flink", "flink-sql-connector-kafka", FLINK_KAFKA, "jar", ""),
        ("org.apache.flink", "flink-sql-avro-confluent-registry", FLINK_AVRO, "jar", ""),
    ])
    pins.check(to)


def _flink(to, work, pins):
    wheels = work / "wheels"
    _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
          "--disable-pip-version-check", "--dest", str(wheels), f"apache-flink-libraries=={FLINK}"],
         "apache-flink-libraries from the Python package index")
    pins.check(wheels)
    wanted = ("pyflink/lib/", "pyflink/opt/flink-sql-client", "pyflink/bin/", "pyflink/plugins/")
    with zipfile.ZipFile(next(wheels.iterdir())) as wheel:
        for name in wheel.namelist():
            if name.startswith(wanted):
                wheel.extract(name, work)
    for part in (work / "pyflink").iterdir():
        shutil.move(str(part), str(to / part.name))


def _unpack(archive, to, strip):
    """Unpacks the plain files of a tar archive without their first `strip` directories."""
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            inner = pathlib.PurePosixPath(member.name).parts[strip:]
            if not member.isreg() or not inner or ".." in inner or inner[0] == "/":
                continue
            path = to.joinpath(*inner)
            path.parent.mkdir(parents=True, exist_ok=True)
            with tar.extractfile(member) as source, open(path, "wb") as out:
                shutil.copyfileobj(source, out)


def _maven_dependencies(work, to, artifacts):
    """Copies artifacts and everything that they need at run time into a directory."""
    lines = "".join(
        f"<dependency><groupId>{g}</groupId><artifactId>{a}</artifactId><version>{v}</version></dependency>"
        for g, a, v in artifacts)
    _maven(work, f"<dependencies>{lines}</dependencies>", "", "copy-dependencies", artifacts,
           ["-DincludeScope=runtime", f"-DoutputDirectory={to}"])


def _maven_files(work, to, artifacts):
    """Copies single files into a directory; their dependencies are not looked at."""
    items = "".join(
        f"<artifactItem><groupId>{g}</groupId><artifactId>{a}</artifactId><version>{v}</version><type>{t}</type>"
        + (f"<classifier>{c}</classifier>" if c else "") + "</artifactItem>"
        for g, a, v, t, c in artifacts)
    _maven(work, "", f"<configuration><artifactItems>{items}</artifactItems></configuration>", "copy", artifacts,
           [f"-DoutputDirectory={to}"])


def _maven(work, dependencies, configuration, goal, artifacts, options):
    pom = work / "pom.xml"
    pom.write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>cyanotype</groupId><artifactId>local-stack</artifactId><version>1</version><packaging>pom</packaging>"
        f"{dependencies}<build><plugins><plugin><groupId>org.apache.maven.plugins</groupId>"
        f"<artifactId>maven-dependency-plugin</artifactId><version>{DEPENDENCY_PLUGIN[goal]}</version>{configuration}"
        "</plugin></plugins></build></project>\n")
    what = ", ".join(f"{a[1]} {a[2]}" for a in artifacts)
    _run(["mvn", "--batch-mode", "--quiet", "--file", str(pom), f"dependency:{goal}", *options], what + " from Maven Central")


def _run(command, what):
    """Runs a download tool, twice if the first try fails: a registry that hiccups is the usual reason."""
    for attempt in (1, 2):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            return
        # Maven remembers a miss for a day; -U makes the second try ask again.
        if attempt == 1 and command[0] == "mvn":
            command = [*command, "-U"]
    tail = "\n".join("  " + line for line in done.stdout.strip().splitlines()[:8])
    raise DownloadError(f"could not download {what}; is this machine online, and does `{command[0]}` reach its registry? "
                        f"It said:\n{tail}")
