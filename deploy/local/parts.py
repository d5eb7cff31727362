"""The parts of the local stack: how each is configured, started and known to be ready.

Rules: `ready` answers None when the part can be used and else the reason why not, and it asks the part itself;
configuration files are written anew at each start from the settings, so a changed port is enough to move a part.
"""

import base64
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import urllib.error
import urllib.request
import uuid

import processes
from settings import HOST, POSTGRES_PASSWORD, POSTGRES_USER, ROOT

SLOTS = 32
# Small services start twice as fast, and leave the two cores alone, without the optimising compiler.
LIGHT = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
# What Flink's own start scripts open to it on Java 17.
FLINK_OPENS = [
    *(f"--add-opens=java.base/{p}=ALL-UNNAMED" for p in (
        "java.lang", "java.lang.reflect", "java.net", "java.io", "java.nio", "sun.nio.ch", "java.text", "java.time",
        "java.util", "java.util.concurrent", "java.util.concurrent.atomic", "java.util.concurrent.locks")),
    *(f"--add-exports={p}=ALL-UNNAMED" for p in (
        "java.rmi/sun.rmi.registry", "java.security.jgss/sun.security.krb5", "jdk.compiler/com.sun.tools.javac.api",
        "jdk.compiler/com.sun.tools.javac.file", "jdk.compiler/com.sun.tools.javac.parser",
        "jdk.compiler/com.sun.tools.javac.tree", "jdk.compiler/com.sun.tools.javac.util")),
]
LOGGING = """\
rootLogger.level = INFO
rootLogger.appenderRef.out.ref = Console
appender.console.type = Console
appender.console.name = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSS} %-5p %c{1} - %m%n
# Every client prints its whole configuration, and every checkpoint two lines: both bury what matters.
logger.config.name = org.apache.kafka.common.config
logger.config.level = WARN
logger.checkpoint.name = org.apache.flink.runtime.checkpoint.CheckpointCoordinator
logger.checkpoint.level = WARN
logger.appinfo.name = org.apache.kafka.common.utils.AppInfoParser
logger.appinfo.level = WARN
logger.metrics.name = org.apache.kafka.common.metrics
logger.metrics.level = WARN
"""


class Part:
    """One process of the stack."""

    name = title = ""
    ports = ()
    after = ()
    stop_signal = signal.SIGTERM

    def __init__(self, settings, programs, java):
        self.settings, self.programs, self.java = settings, programs, java
        self.state = settings.state
        self.home = settings.state / self.name

    def start(self):
        """Starts the process and returns its Popen."""
        raise NotImplementedError

    def ready(self):
        """None when the part can be used, else why not."""
        raise NotImplementedError

    def address(self):
        """What `status` shows."""
        return self.settings.address(self.ports[0])

    def refresh(self):
        """Called when the part is already running: takes over what may change without a restart."""

    def _run_java(self, options, main, arguments=(), environment=None):
        return processes.start(self.name, [self.java, *options, *main, *arguments], self.state, environment, cwd=self.home)

    def _logging(self):
        file = self.home / "log4j2.properties"
        file.write_text(LOGGING)
        return f"-Dlog4j2.configurationFile={file}"


class Kafka(Part):
    """One KRaft node that is broker and controller."""

    name, title, ports = "kafka", "Kafka", ("kafka", "kafka_controller")

    def start(self):
        self.home.mkdir(parents=True, exist_ok=True)
        config = self.home / "server.properties"
        broker, controller = (self.settings.address(p) for p in self.ports)
        _properties(config, {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{controller}",
            "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{broker}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": self.home / "data",
            # Whoever needs a topic creates it; a misspelt name must be an error here as it is in production.
            "auto.create.topics.enable": "false",
            "num.partitions": 1,
            "default.replication.factor": 1,
            "min.insync.replicas": 1,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 10,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 10,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 1,
            "group.initial.rebalance.delay.ms": 0,
        })
        path = f"{self.programs.kafka}/*"
        if not (self.home / "data" / "meta.properties").exists():
            cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            # A cluster id that begins with a dash would be read as an option.
            _once([self.java, *LIGHT, "-cp", path, self._logging(), "kafka.tools.StorageTool", "format",
                   f"--cluster-id={cluster}", "--config", config], "formatting Kafka's storage")
        return self._run_java(["-Xmx512m", self._logging(), "-cp", path], ["kafka.Kafka"], [config])

    def ready(self):
        """Sends a Metadata request: a broker that is still fenced does not answer with itself."""
        request = struct.pack(">hhih", 3, 1, 7, 1) + b"x" + struct.pack(">i", 0)
        try:
            with socket.create_connection((HOST, self.settings.ports["kafka"]), timeout=2) as link:
                link.sendall(struct.pack(">i", len(request)) + request)
                link.settimeout(5)
                answer = b""
                while len(answer) < 12:
                    block = link.recv(64)
                    if not block:
                        return "closed the connection"
                    answer += block
        except OSError as error:
            return _short(error)
        return None if struct.unpack(">i", answer[8:12])[0] > 0 else "the broker has not joined its cluster yet"


class Registry(Part):
    """Apicurio with its Confluent interface, on a database file, so that ids outlive a restart."""

    name, title, ports = "registry", "Schema registry", ("registry",)

    def start(self):
        self.home.mkdir(parents=True, exist_ok=True)
        jar = next(self.programs.registry.glob("*-runner.jar"))
        return self._run_java(
            ["-Xmx400m", *LIGHT, f"-Dquarkus.http.host={HOST}", f"-Dquarkus.http.port={self.settings.ports['registry']}",
             "-Dapicurio.storage.kind=sql", "-Dapicurio.storage.sql.kind=h2",
             f"-Dapicurio.datasource.url=jdbc:h2:file:{self.home}/db", "-Dquarkus.log.console.color=false"],
            ["-jar", jar])

    def ready(self):
        return _http_problem(self.settings.url("registry", "/apis/ccompat/v7/subjects"))

    def address(self):
        return self.settings.url("registry", "/apis/ccompat/v7")


class Postgres(Part):
    """A cluster of its own, with logical decoding, beside whatever the machine runs."""

    name, title, ports = "postgres", "PostgreSQL", ("postgres",)
    # Fast shutdown: SIGTERM would wait for every client to leave.
    stop_signal = signal.SIGINT

    def start(self):
        self.home.mkdir(parents=True, exist_ok=True)
        user = "postgres" if os.geteuid() == 0 else None
        data = data_directory(self.settings, user)
        programs = postgres_programs()
        environment = {"LC_ALL": "C.UTF-8", "TZ": "UTC"}
        if not data.exists():
            data.parent.mkdir(parents=True, exist_ok=True)
            fresh = data.with_name(data.name + ".new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            password = self.home / "password"
            password.write_text(POSTGRES_PASSWORD + "\n")
            options = {}
            if user:
                entry = pwd.getpwnam(user)
                os.chown(fresh, entry.pw_uid, entry.pw_gid)
                options = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            with open(password) as stdin:
                _once([programs / "initdb", "-D", fresh, "-U", POSTGRES_USER, "--auth=scram-sha-256",
                       "--pwfile=/dev/stdin", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
                      "creating the PostgreSQL cluster", stdin=stdin, env={**os.environ, **environment}, cwd="/", **options)
            fresh.rename(data)
        values = {
            "listen_addresses": HOST,
            "port": self.settings.ports["postgres"],
            "unix_socket_directories": "",
            "wal_level": "logical",
            "max_wal_senders": 40,
            "max_replication_slots": 40,
            "max_connections": 200,
            # A slot that nobody reads any more must not fill the disk.
            "max_slot_wal_keep_size": "4GB",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        settings = [word for name, value in values.items() for word in ("-c", f"{name}={value}")]
        return processes.start(self.name, [programs / "postgres", "-D", data, *settings], self.state, environment, user=user, cwd="/")

    def ready(self):
        done = subprocess.run([postgres_programs() / "pg_isready", "-q", "-h", HOST, "-p", str(self.settings.ports["postgres"])],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return {0: None, 1: "is starting", 2: "does not answer"}.get(done.returncode, "cannot be asked")


class Connect(Part):
    """A Kafka Connect worker with the Debezium source, the Debezium JDBC sink and the Avro converter."""

    name, title, ports, after = "connect", "Kafka Connect", ("connect",), ("kafka",)

    def start(self):
        self.home.mkdir(parents=True, exist_ok=True)
        config = self.home / "connect.properties"
        values = {
            "bootstrap.servers": self.settings.address("kafka"),
            "group.id": "connect",
            "listeners": self.settings.url("connect"),
            "rest.advertised.host.name": HOST,
            "plugin.path": self.programs.plugins,
            "plugin.discovery": "only_scan",
            "config.storage.topic": "connect-configs",
            "offset.storage.topic": "connect-offsets",
            "status.storage.topic": "connect-status",
            "config.storage.replication.factor": 1,
            "offset.storage.replication.factor": 1,
            "status.storage.replication.factor": 1,
            "offset.storage.partitions": 5,
            "status.storage.partitions": 3,
            # A sink's progress is what its group committed; a minute, the default, is too long to wait for.
            "offset.flush.interval.ms": 1000,
            "scheduled.rebalance.max.delay.ms": 0,
        }
        for side in ("key", "value"):
            values[f"{side}.converter"] = "io.apicurio.registry.utils.converter.AvroConverter"
            values.update({f"{side}.converter.apicurio.registry.{name}": value for name, value in {
                "url": self.settings.url("registry", "/apis/registry/v2"),
                "as-confluent": "true",
                "use-id": "contentId",
                "headers.enabled": "false",
                "auto-register": "true",
                "artifact-resolver-strategy": "io.apicurio.registry.serde.strategy.TopicIdStrategy",
            }.items()})
        _properties(config, values)
        return self._run_java(["-Xmx768m", "-XX:+UseSerialGC", self._logging(), "-cp", f"{self.programs.kafka}/*"],
                              ["org.apache.kafka.connect.cli.ConnectDistributed"], [config])

    def ready(self):
        try:
            plugins = {plugin["class"] for plugin in _get(self.settings.url("connect", "/connector-plugins"))}
        except (OSError, ValueError, KeyError, TypeError) as error:
            return _short(error)
        for needed in ("io.debezium.connector.postgresql.PostgresConnector", "io.debezium.connector.jdbc.JdbcSinkConnector"):
            if needed not in plugins:
                return f"has not loaded {needed}"
        return _http_problem(self.settings.url("connect", "/health"))

    def address(self):
        return self.settings.url("connect")


class Flink(Part):
    """What the three Flink processes share: one configuration and one class path."""

    def configure(self):
        """Writes the configuration directory and returns the class path and environment."""
        home = self.state / "flink"
        conf = home / self.name
        for directory in (conf, home / "checkpoints", home / "savepoints", home / "tmp"):
            directory.mkdir(parents=True, exist_ok=True)
        values = {
            "jobmanager.rpc.address": HOST,
            "jobmanager.rpc.port": self.settings.ports["flink_rpc"],
            "jobmanager.bind-host": HOST,
            "jobmanager.memory.process.size": "1g",
            "rest.address": HOST,
            "rest.bind-address": HOST,
            "rest.port": self.settings.ports["flink"],
            "taskmanager.host": HOST,
            "taskmanager.bind-host": HOST,
            "taskmanager.numberOfTaskSlots": SLOTS,
            "taskmanager.memory.task.heap.size": "1536m",
            "taskmanager.memory.managed.size": "256m",
            "taskmanager.memory.network.min": "256m",
            "taskmanager.memory.network.max": "256m",
            "taskmanager.memory.task.off-heap.size": "128m",
            # Every job loads its own generated code.
            "taskmanager.memory.jvm-metaspace.size": "512m",
            "parallelism.default": 1,
            "state.backend.type": "hashmap",
            "execution.checkpointing.interval": "2s",
            "execution.checkpointing.storage": "filesystem",
            "execution.checkpointing.dir": (home / "checkpoints").as_uri(),
            "execution.checkpointing.savepoint-dir": (home / "savepoints").as_uri(),
            # Figures older than this answer nothing about a catch-up; the default is 10 s.
            "metrics.fetcher.update-interval": 500,
            # Two shared cores: a busy minute is not a dead process.
            "heartbeat.timeout": 120000,
            "pekko.ask.timeout": "60 s",
            "execution.target": "remote",
            "sql-gateway.endpoint.rest.address": HOST,
            "sql-gateway.endpoint.rest.bind-address": HOST,
            "sql-gateway.endpoint.rest.port": self.settings.ports["sql_gateway"],
            "io.tmp.dirs": home / "tmp",
        }
        (conf / "config.yaml").write_text("".join(f"{name}: {value}\n" for name, value in values.items()))
        self.home = conf
        environment = {"FLINK_CONF_DIR": str(conf), "FLINK_LIB_DIR": str(self.programs.flink / "lib"),
                       "FLINK_OPT_DIR": str(self.programs.flink / "opt")}
        # The planner comes through its loader jar; a second one on the class path would win over it.
        path = f"{self.programs.flink}/lib/*:{self.programs.flink_connectors}/*"
        logging = self._logging().replace("-Dlog4j2.", "-Dlog4j.")
        return path, environment, [logging, *FLINK_OPENS, f"-Djava.io.tmpdir={home / 'tmp'}"]


class JobManager(Flink):
    """Flink's JobManager of the session cluster."""

    name, title, ports = "flink-jobmanager", "Flink JobManager", ("flink", "flink_rpc")

    def start(self):
        path, environment, options = self.configure()
        return self._run_java(["-Xmx640m", "-XX:+UseSerialGC", *options, "-cp", path],
                              ["org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"],
                              ["--configDir", self.home, "--executionMode", "cluster"], environment)

    def ready(self):
        return _http_problem(self.settings.url("flink", "/overview"))

    def address(self):
        return self.settings.url("flink")


class TaskManager(Flink):
    """Flink's one TaskManager."""

    name, title = "flink-taskmanager", "Flink TaskManager"

    def start(self):
        path, environment, options = self.configure()
        bash = f"{self.programs.flink}/bin/bash-java-utils.jar"
        done = _once([self.java, *LIGHT, "-cp", f"{bash}:{self.programs.flink}/lib/*",
                      "org.apache.flink.runtime.util.bash.BashJavaUtils", "GET_TM_RESOURCE_PARAMS", "--configDir", self.home],
                     "computing the TaskManager's memory")
        mark = "BASH_JAVA_UTILS_EXEC_RESULT:"
        answers = [line.split(mark, 1)[1] for line in done.splitlines() if mark in line]
        if len(answers) != 2:
            raise PartError("Flink did not print the TaskManager's memory; is FLINK_HOME a Flink 2.2 distribution?")
        return self._run_java([*answers[0].split(), "-XX:+UseG1GC", *options, "-cp", path],
                              ["org.apache.flink.runtime.taskexecutor.TaskManagerRunner"],
                              ["--configDir", self.home, *answers[1].split()], environment)

    def ready(self):
        try:
            slots = _get(self.settings.url("flink", "/overview"))["slots-total"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            return _short(error)
        return None if slots >= SLOTS else f"the JobManager knows {slots} of {SLOTS} slots"

    def address(self):
        return f"{SLOTS} slots"


class SqlGateway(Flink):
    """Flink's SQL Gateway, which submits to the session cluster."""

    name, title, ports = "flink-sql-gateway", "Flink SQL Gateway", ("sql_gateway",)

    def start(self):
        path, environment, options = self.configure()
        client = f"{self.programs.flink}/opt/" + "flink-sql-client-2.2.1.jar"
        found = sorted((self.programs.flink / "opt").glob("flink-sql-client-*.jar"))
        return self._run_java(["-Xmx1g", "-XX:+UseSerialGC", *options, "-cp", f"{path}:{found[0] if found else client}"],
                              ["org.apache.flink.table.gateway.SqlGateway"], [], environment)

    def ready(self):
        return _http_problem(self.settings.url("sql_gateway", "/v1/info"))

    def address(self):
        return self.settings.url("sql_gateway")


class Prometheus(Part):
    """Prometheus, which scrapes the daemon and loads the project's alert rules."""

    name, title, ports = "prometheus", "Prometheus", ("prometheus",)

    def start(self):
        self._copy_config()
        return processes.start(self.name, [
            shutil.which("prometheus"), f"--config.file={self.home}/prometheus.yml", f"--storage.tsdb.path={self.home}/data",
            f"--web.listen-address={self.address_and_port()}", "--storage.tsdb.retention.time=7d"], self.state, cwd=self.home)

    def refresh(self):
        if self._copy_config():
            processes.reload(self.state, self.name)

    def _copy_config(self):
        """Copies deploy/prometheus with the daemon's port put in. True if anything changed."""
        self.home.mkdir(parents=True, exist_ok=True)
        changed = False
        for source in sorted((ROOT / "deploy" / "prometheus").glob("*.yml")):
            text = source.read_text().replace("127.0.0.1:18080", self.settings.address("daemon"))
            target = self.home / source.name
            if not target.exists() or target.read_text() != text:
                target.write_text(text)
                changed = True
        return changed

    def address_and_port(self):
        """host:port to listen on."""
        return self.settings.address("prometheus")

    def ready(self):
        return _http_problem(self.settings.url("prometheus", "/-/ready"))

    def address(self):
        return self.settings.url("prometheus")


ALL = (Kafka, Postgres, Registry, JobManager, TaskManager, SqlGateway, Connect, Prometheus)


class PartError(Exception):
    """A part could not be started."""


def postgres_programs():
    """The directory of the newest PostgreSQL server that Debian's packages installed, or None."""
    found = [p.parent for p in pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb") if (p.parent / "postgres").exists()]
    return max(found, key=lambda p: int(p.parent.name) if p.parent.name.isdigit() else 0, default=None)


def data_directory(settings, user):
    """Where the cluster lives: in the state directory, or in /var/tmp where the server's user cannot reach that."""
    home = settings.state / "postgres"
    if user:
        entry = pwd.getpwnam(user)
        home.mkdir(parents=True, exist_ok=True)
        reachable = subprocess.run(["test", "-x", str(home)], user=entry.pw_uid, group=entry.pw_gid, extra_groups=[], cwd="/")
        if reachable.returncode != 0:
            return pathlib.Path("/var/tmp") / f"cyanotype-postgres-{uuid.uuid5(uuid.NAMESPACE_URL, settings.state.as_uri())}"
    return home / "data"


def _properties(path, values):
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))


def _once(command, what, **options):
    """Runs a command to its end and returns its standard output."""
    options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise PartError(f"{what} failed:\n" + "\n".join("  " + line for line in done.stdout.strip().splitlines()[-10:]))
    return done.stdout


def _get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


def _http_problem(url):
    try:
        with urllib.request.urlopen(url, timeout=5):
            return None
    except urllib.error.HTTPError as error:
        return f"answers {error.code}"
    except OSError as error:
        return _short(error)


def _short(error):
    reason = getattr(error, "reason", error)
    if isinstance(reason, ConnectionRefusedError):
        return "does not listen"
    if isinstance(reason, TimeoutError):
        return "does not answer"
    return str(reason) or type(reason).__name__
