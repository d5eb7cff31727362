"""Starts, finds and stops the long-running processes of the local stack.

Rules: a process is known by its pid and its start time together, so a pid that the system gave to another program is
never signalled; a process is stopped by the recorded pid only, first with SIGTERM, then with SIGKILL; each has one log
file, and the log of the run before is kept beside it.
"""

import json
import os
import pathlib
import pwd
import signal
import socket
import subprocess
import time

STOP_SECONDS = 30


def start(name, command, state, environment=None, user=None, cwd=None):
    """Starts a process in its own session, records it, and returns its Popen."""
    log = log_file(state, name)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    options = {}
    if user:
        entry = pwd.getpwnam(user)
        options = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": os.getgrouplist(user, entry.pw_gid)}
    with open(log, "wb") as out:
        process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                   env={**os.environ, **(environment or {})}, cwd=cwd, start_new_session=True, **options)
    record = {"pid": process.pid, "started": _start_time(process.pid), "command": os.path.basename(str(command[0]))}
    path = _pid_file(state, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record) + "\n")
    return process


def running(state, name):
    """The pid of the recorded process if it is alive and still the same process, else None."""
    try:
        record = json.loads(_pid_file(state, name).read_text())
        pid, started = int(record["pid"]), record["started"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if started is not None and _start_time(pid) == started else None


def stop(state, name, how=signal.SIGTERM):
    """After it returns the recorded process is gone. True if there was one to stop."""
    pid = running(state, name)
    if pid is not None:
        _signal(pid, how)
        deadline = time.monotonic() + STOP_SECONDS
        while running(state, name) is not None:
            if time.monotonic() > deadline:
                _signal(pid, signal.SIGKILL)
                deadline = time.monotonic() + STOP_SECONDS
            _reap(pid)
            time.sleep(0.05)
    _pid_file(state, name).unlink(missing_ok=True)
    return pid is not None


def reload(state, name):
    """Asks a running process to read its configuration again."""
    pid = running(state, name)
    if pid is not None:
        _signal(pid, signal.SIGHUP)


def log_file(state, name):
    """The file that holds everything a process printed since its last start."""
    return state / "logs" / f"{name}.log"


def last_lines(state, name, count):
    """The end of a process's log, for an error message."""
    try:
        text = log_file(state, name).read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join("  " + line[:300] for line in text.splitlines()[-count:])


def port_is_free(port):
    """Whether a server could listen on 127.0.0.1 at this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def owner_of_port(port):
    """'pid 12 (java)' for the process that listens on a port, or '' where that cannot be seen."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = pathlib.Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                sockets.add(f"socket:[{fields[9]}]")
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(fd) in sockets for fd in (process / "fd").iterdir()):
                return f"pid {process.name} ({(process / 'comm').read_text().strip()})"
        except OSError:
            continue
    return ""


def _pid_file(state, name):
    return state / "pids" / f"{name}.json"


def _start_time(pid):
    """A value that differs for every process that ever gets this pid; None if there is no such live process."""
    try:
        # The name in the second field may hold spaces and brackets, so count from its last bracket.
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else f"{boot}/{fields[19]}"


def _signal(pid, how):
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        pass


def _reap(pid):
    """Collects a child that this very program started; somebody else's child is not ours to collect."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
