"""Kafka, the schema registry, PostgreSQL, Kafka Connect and Prometheus."""

import base64
import os
import pathlib
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import uuid

import processes
from part import LIGHT, Part, get_json, http_problem, run_once, why, write_properties
from settings import HOST, POSTGRES_PASSWORD, POSTGRES_USER, ROOT


class Kafka(Part):
    """One KRaft node that is broker and controller."""

    name, title, ports = "kafka", "Kafka", ("kafka", "kafka_controller")

    def start(self):
        self.home.mkdir(parents=True, exist_ok=True)
        config = self.home / "server.properties"
        broker, controller = (self.settings.address(p) for p in self.ports)
        write_properties(config, {
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
            # Flink's exactly-once sinks take a new id at each checkpoint: the default of a week fills the heap in a long run.
            "transactional.id.expiration.ms": 7200000,
            "producer.id.expiration.ms": 7200000,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 1,
            "group.initial.rebalance.delay.ms": 0,
        })
        path = f"{self.programs.kafka}/*"
        if not (self.home / "data" / "meta.properties").exists():
            cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            # A cluster id that begins with a dash would be read as an option.
            run_once([self.java, *LIGHT, "-cp", path, self._logging(), "kafka.tools.StorageTool", "format",
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
            return why(error)
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
             f"-Dapicurio.datasource.url=jdbc:h2:file:{self.home}/db", "-Dquarkus.http.access-log.enabled=false"],
            ["-jar", jar])

    def ready(self):
        return http_problem(self.settings.url("registry", "/apis/ccompat/v7/subjects"))

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
            options = {}
            with tempfile.NamedTemporaryFile("w", dir="/tmp") as password:
                password.write(POSTGRES_PASSWORD + "\n")
                password.flush()
                if user:
                    entry = pwd.getpwnam(user)
                    os.chown(fresh, entry.pw_uid, entry.pw_gid)
                    os.chown(password.name, entry.pw_uid, entry.pw_gid)
                    options = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
                run_once([programs / "initdb", "-D", fresh, "-U", POSTGRES_USER, "--auth=scram-sha-256",
                       f"--pwfile={password.name}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
                      "creating the PostgreSQL cluster", env={**os.environ, **environment}, cwd="/", **options)
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
        programs = postgres_programs()
        if programs is None:
            return "is not installed any more"
        done = subprocess.run([programs / "pg_isready", "-q", "-h", HOST, "-p", str(self.settings.ports["postgres"])],
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
        write_properties(config, values)
        return self._run_java(["-Xmx768m", "-XX:+UseSerialGC", self._logging(), "-cp", f"{self.programs.kafka}/*"],
                              ["org.apache.kafka.connect.cli.ConnectDistributed"], [config])

    def ready(self):
        try:
            plugins = {plugin["class"] for plugin in get_json(self.settings.url("connect", "/connector-plugins"))}
        except (OSError, ValueError, KeyError, TypeError) as error:
            return why(error)
        for needed in ("io.debezium.connector.postgresql.PostgresConnector", "io.debezium.connector.jdbc.JdbcSinkConnector"):
            if needed not in plugins:
                return f"has not loaded {needed}"
        return http_problem(self.settings.url("connect", "/health"))

    def address(self):
        return self.settings.url("connect")


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
        sources = sorted((ROOT / "deploy" / "prometheus").glob("*.yml"))
        gone = [copy for copy in self.home.glob("*.yml") if copy.name not in {source.name for source in sources}]
        for copy in gone:
            copy.unlink()
        changed = bool(gone)
        for source in sources:
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
        return http_problem(self.settings.url("prometheus", "/-/ready"))

    def address(self):
        return self.settings.url("prometheus")


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
