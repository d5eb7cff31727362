"""What can be set about the local stack: ports and directories.

Rules: a port comes from its environment variable, else from the stack that is up in this directory, else from the
default; everything listens on 127.0.0.1 only.
"""

import json
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
POSTGRES_USER = "postgres"
# Known to everybody on purpose: the server listens on 127.0.0.1 only and holds nothing but examples.
POSTGRES_PASSWORD = "postgres"

DEFAULT_PORTS = {
    "daemon": 18080,
    "registry": 18081,
    "connect": 18083,
    "sql_gateway": 18084,
    "flink": 18088,
    "flink_rpc": 18089,
    "kafka": 19092,
    "kafka_controller": 19093,
    "postgres": 15432,
    "prometheus": 19090,
}


class SettingsError(Exception):
    """A setting that cannot be used; the message names the variable."""


class Settings:
    """The ports and directories of one stack."""

    def __init__(self):
        self.state = pathlib.Path(os.environ.get("CYANOTYPE_STACK_DIR") or ROOT / ".stack").absolute()
        self._saved_file = self.state / "ports.json"
        self.saved = self._read_saved()
        self.ports = {name: self._port(name, default) for name, default in DEFAULT_PORTS.items()}
        self.timeout = _number("CYANOTYPE_STACK_TIMEOUT", 240, 1, 3600)
        seen = {}
        for name, port in self.ports.items():
            if port in seen:
                raise SettingsError(f"{variable(name)} and {variable(seen[port])} are both {port}; give each its own port")
            seen[port] = name

    def _read_saved(self):
        try:
            saved = json.loads(self._saved_file.read_text())
            return {name: int(port) for name, port in saved.items() if name in DEFAULT_PORTS}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}

    def _port(self, name, default):
        return _number(variable(name), self.saved.get(name, default), 1, 65535)

    def save_ports(self):
        """Remembers the ports for as long as this stack is up, so that `status` and `env` name the right ones."""
        self.state.mkdir(parents=True, exist_ok=True)
        self._saved_file.write_text(json.dumps(self.ports, indent=1) + "\n")

    def forget_ports(self):
        """The next `up` starts from the variables and defaults again."""
        self._saved_file.unlink(missing_ok=True)

    def url(self, name, path=""):
        """The base address of an HTTP part."""
        return f"http://{HOST}:{self.ports[name]}{path}"

    def address(self, name):
        """host:port of a part."""
        return f"{HOST}:{self.ports[name]}"

    def environment(self):
        """Every address, as the names and values that `env` prints."""
        port = self.ports["postgres"]
        flink = (self.state / "flink").as_uri()
        return {
            "CYANOTYPE_STACK_KAFKA": self.address("kafka"),
            "CYANOTYPE_STACK_REGISTRY": self.url("registry", "/apis/ccompat/v7"),
            "CYANOTYPE_STACK_REGISTRY_APICURIO": self.url("registry", "/apis/registry/v2"),
            "CYANOTYPE_STACK_CONNECT": self.url("connect"),
            "CYANOTYPE_STACK_FLINK": self.url("flink"),
            "CYANOTYPE_STACK_SQL_GATEWAY": self.url("sql_gateway"),
            "CYANOTYPE_STACK_SAVEPOINTS": f"{flink}/savepoints",
            "CYANOTYPE_STACK_POSTGRES": f"postgresql://{POSTGRES_USER}:{POSTGRES_PASSWORD}@{HOST}:{port}/postgres",
            "CYANOTYPE_STACK_POSTGRES_HOST": HOST,
            "CYANOTYPE_STACK_POSTGRES_PORT": str(port),
            "CYANOTYPE_STACK_POSTGRES_USER": POSTGRES_USER,
            "CYANOTYPE_STACK_POSTGRES_PASSWORD": POSTGRES_PASSWORD,
            "CYANOTYPE_STACK_PROMETHEUS": self.url("prometheus"),
            "CYANOTYPE_STACK_DAEMON": self.url("daemon"),
            "CYANOTYPE_STACK_LOGS": str(self.state / "logs"),
        }


def variable(name):
    """The environment variable that sets a port."""
    return f"CYANOTYPE_PORT_{name.upper()}"


def _number(name, default, least, most):
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise SettingsError(f"{name}={text}: give a number from {least} to {most}")
    return int(text)
