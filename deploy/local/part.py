"""What every part of the local stack has in common.

Rules: `ready` answers None when the part can be used and else the reason why not, and it asks the part itself;
configuration files are written anew at each start from the settings, so a changed port is enough to move a part.
"""

import json
import signal
import subprocess
import urllib.error
import urllib.request

import processes

# A proxy that the environment names is not for 127.0.0.1.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# Small services start twice as fast, and leave the two cores alone, without the optimising compiler.
LIGHT = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
LOGGING = """\
rootLogger.level = INFO
rootLogger.appenderRef.out.ref = Console
appender.console.type = Console
appender.console.name = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSS} %-5p %c{1} - %m%n
# What is printed for every client, checkpoint or transaction buries what matters.
logger.a.name = org.apache.kafka.clients
logger.a.level = WARN
logger.b.name = org.apache.kafka.common
logger.b.level = WARN
logger.c.name = org.apache.flink.kafka.shaded
logger.c.level = WARN
logger.d.name = org.apache.flink.connector.kafka.sink.internal
logger.d.level = WARN
logger.e.name = org.apache.flink.runtime.checkpoint.CheckpointCoordinator
logger.e.level = WARN
logger.f.name = org.apache.flink.runtime.source.coordinator
logger.f.level = WARN
logger.g.name = org.apache.flink.metrics.MetricGroup
logger.g.level = ERROR
logger.h.name = kafka.coordinator.transaction
logger.h.level = WARN
logger.i.name = org.apache.kafka.coordinator.transaction
logger.i.level = WARN
"""


class PartError(Exception):
    """A part could not be started."""


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


def write_properties(path, values):
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))


def run_once(command, what, **options):
    """Runs a command to its end and returns its standard output."""
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise PartError(f"{what} failed:\n" + "\n".join("  " + line for line in done.stdout.strip().splitlines()[-10:]))
    return done.stdout


def get_json(url):
    with _DIRECT.open(url, timeout=5) as answer:
        return json.load(answer)


def http_problem(url):
    try:
        with _DIRECT.open(url, timeout=5):
            return None
    except urllib.error.HTTPError as error:
        return f"answers {error.code}"
    except OSError as error:
        return why(error)


def why(error):
    reason = getattr(error, "reason", error)
    if isinstance(reason, ConnectionRefusedError):
        return "does not listen"
    if isinstance(reason, TimeoutError):
        return "does not answer"
    return str(reason) or type(reason).__name__
