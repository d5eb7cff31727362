"""Flink: a session cluster with one TaskManager, and the SQL Gateway that submits to it."""

import uuid

from part import LIGHT, Part, PartError, get_json, http_problem, run_once, why
from settings import HOST

SLOTS = 32
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
        return http_problem(self.settings.url("flink", "/overview"))

    def address(self):
        return self.settings.url("flink")


class TaskManager(Flink):
    """Flink's one TaskManager."""

    name, title = "flink-taskmanager", "Flink TaskManager"

    def start(self):
        path, environment, options = self.configure()
        bash = f"{self.programs.flink}/bin/bash-java-utils.jar"
        done = run_once([self.java, *LIGHT, "-cp", f"{bash}:{self.programs.flink}/lib/*",
                      "org.apache.flink.runtime.util.bash.BashJavaUtils", "GET_TM_RESOURCE_PARAMS", "--configDir", self.home],
                     "computing the TaskManager's memory")
        mark = "BASH_JAVA_UTILS_EXEC_RESULT:"
        answers = [line.split(mark, 1)[1] for line in done.splitlines() if mark in line]
        if len(answers) != 2:
            raise PartError("Flink did not print the TaskManager's memory; is FLINK_HOME a Flink 2.2 distribution?")
        # The JobManager counts the slots of a dead TaskManager for a while, so each start has a name of its own.
        name = f"taskmanager-{uuid.uuid4().hex[:12]}"
        self._name_file().write_text(name)
        return self._run_java([*answers[0].split(), "-XX:+UseG1GC", *options, "-cp", path],
                              ["org.apache.flink.runtime.taskexecutor.TaskManagerRunner"],
                              ["--configDir", self.home, *answers[1].split(), "-D", f"taskmanager.resource-id={name}"], environment)

    def ready(self):
        try:
            name = self._name_file().read_text()
            known = get_json(self.settings.url("flink", "/taskmanagers"))["taskmanagers"]
            slots = next((manager["slotsNumber"] for manager in known if manager["id"] == name), 0)
        except (OSError, ValueError, KeyError, TypeError) as error:
            return why(error)
        return None if slots >= SLOTS else f"has {slots} of {SLOTS} slots at the JobManager"

    def _name_file(self):
        return self.state / "flink" / self.name / "resource-id"

    def address(self):
        return f"{SLOTS} slots"


class SqlGateway(Flink):
    """Flink's SQL Gateway, which submits to the session cluster."""

    name, title, ports = "flink-sql-gateway", "Flink SQL Gateway", ("sql_gateway",)

    def start(self):
        path, environment, options = self.configure()
        clients = sorted((self.programs.flink / "opt").glob("flink-sql-client-*.jar"))
        if not clients:
            raise PartError(f"no flink-sql-client-*.jar in {self.programs.flink / 'opt'}; is FLINK_HOME a whole distribution?")
        return self._run_java(["-Xmx1g", "-XX:+UseSerialGC", *options, "-cp", f"{path}:{clients[0]}"],
                              ["org.apache.flink.table.gateway.SqlGateway"], [], environment)

    def ready(self):
        return http_problem(self.settings.url("sql_gateway", "/v1/info"))

    def address(self):
        return self.settings.url("sql_gateway")
