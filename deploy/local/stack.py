"""Runs the whole real stack as processes on 127.0.0.1: `stack.py up|down|status|env|download|check`.

Rules: `up` leaves alone what runs and starts what does not; parts that do not need each other start together; success
means that every part answered. Exit codes: 0 done or ready, 1 a part failed or is not ready, 2 could not begin.
"""

import argparse
import fcntl
import json
import os
import shutil
import sys
import threading
import time
from contextlib import contextmanager

import downloads
import flink
import machine
import processes
import services
from part import PartError
from settings import Settings, SettingsError, variable

PARTS = (services.Kafka, services.Postgres, services.Registry, flink.JobManager, flink.TaskManager, flink.SqlGateway,
         services.Connect, services.Prometheus)
STATE_DIRECTORIES = ("kafka", "postgres", "registry", "connect", "flink", "prometheus", "logs", "pids")


class CannotBegin(Exception):
    """Something is in the way: a taken port, or a stack that is up elsewhere."""


class Failed(Exception):
    """A part did not come up or could not be stopped."""


def main():
    parser = argparse.ArgumentParser(prog="./x stack", description="The local stack: every service as a process on 127.0.0.1.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="up|down|status|env|download|check")
    up_command = commands.add_parser("up", help="start what is not running and wait until all is ready")
    up_command.add_argument("--fresh", action="store_true", help="stop everything and forget all data first")
    down_command = commands.add_parser("down", help="stop everything, or the parts that are named; data stays")
    down_command.add_argument("part", nargs="*", metavar="PART", help="a name that `status` shows; `up` starts it again")
    status_command = commands.add_parser("status", help="show every part; exit code 0 only if all are ready")
    status_command.add_argument("--output", choices=("text", "json"), default="text")
    commands.add_parser("env", help="print every address as KEY=VALUE")
    commands.add_parser("download", help="only bring the programs into the cache")
    check_command = commands.add_parser("check", help="only look for the programs that are needed, and install Debian's as root")
    check_command.add_argument("--build", action="store_true", help="also what compiling needs")
    arguments = parser.parse_args()
    try:
        settings = Settings()
        if arguments.command == "up":
            up(settings, arguments.fresh)
        elif arguments.command == "down":
            down(settings, arguments.part)
        elif arguments.command == "status":
            return status(settings, arguments.output)
        elif arguments.command == "env":
            print("".join(f"{name}={value}\n" for name, value in settings.environment().items()), end="")
        elif arguments.command == "check":
            machine.check(say, build=arguments.build)
        else:
            machine.check(say)
            downloads.ensure(say)
    except (CannotBegin, machine.Missing, SettingsError, downloads.DownloadError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error}; is {os.environ.get('CYANOTYPE_STACK_DIR') or '.stack'} of the same user?", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; what was started goes on: `./x stack down` stops it", file=sys.stderr)
        return 1
    return 0


def say(text):
    """Progress goes to standard error."""
    print(text, file=sys.stderr, flush=True)


def up(settings, fresh):
    """After it returns every part of the stack is ready."""
    began = time.monotonic()
    java = machine.check(say)
    programs = downloads.ensure(say)
    with exclusive(settings):
        if fresh:
            stop_all(settings)
            forget(settings)
            settings = Settings()
        every = [part(settings, programs, java) for part in PARTS]
        alive = [part for part in every if processes.running(settings.state, part.name)]
        if alive and settings.saved and settings.saved != settings.ports:
            moved = next(name for name in settings.ports if settings.saved.get(name) != settings.ports[name])
            raise CannotBegin(f"{variable(moved)} is {settings.ports[moved]} but the stack that is up uses "
                              f"{settings.saved.get(moved)}; run `./x stack down` first")
        check_ports(settings, [part for part in every if part not in alive])
        settings.save_ports()
        start_all(settings, every, began)
    say(f"the stack is up after {time.monotonic() - began:.0f} s; `./x stack env` prints its addresses")


def start_all(settings, every, began):
    """Starts the parts in threads, each when the parts that it needs are ready."""
    done = {part.name: threading.Event() for part in every}
    problems = {}

    def run(part):
        try:
            for name in part.after:
                done[name].wait()
                if name in problems:
                    raise PartError(f"needs {name}, which did not come up")
            bring_up(settings, part)
            say(f"{time.monotonic() - began:5.0f} s  {part.title} is ready: {part.address()}")
        except (PartError, OSError) as error:
            problems[part.name] = f"{part.title}: {error}"
        finally:
            done[part.name].set()

    threads = [threading.Thread(target=run, args=(part,), daemon=True) for part in every]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise Failed("\n".join(problems.values()))


def bring_up(settings, part):
    """After it returns the part is ready. A part that is running is left alone."""
    child = None
    if processes.running(settings.state, part.name):
        part.refresh()
    else:
        child = part.start()
    deadline = time.monotonic() + settings.timeout
    while True:
        problem = part.ready()
        if problem is None:
            return
        if child is not None and child.poll() is not None:
            raise PartError(f"ended with exit code {child.returncode}; {where(settings, part)}")
        if child is None and not processes.running(settings.state, part.name):
            raise PartError(f"went down while waiting for it; {where(settings, part)}")
        if time.monotonic() > deadline:
            raise PartError(f"not ready after {settings.timeout} s: {problem}; {where(settings, part)}\n"
                                  "CYANOTYPE_STACK_TIMEOUT sets the seconds to wait")
        time.sleep(0.2)


def where(settings, part):
    """The log's path and its last lines."""
    return f"see {processes.log_file(settings.state, part.name)}:\n{processes.last_lines(settings.state, part.name, 15)}"


def down(settings, names):
    """After it returns nothing of this stack runs, or none of the named parts; data stays."""
    unknown = [name for name in names if name not in [part.name for part in PARTS]]
    if unknown:
        raise CannotBegin(f"there is no part {unknown[0]}; the parts are {', '.join(part.name for part in PARTS)}")
    with exclusive(settings):
        if names:
            stopped = [part.name for part in PARTS
                       if part.name in names and processes.stop(settings.state, part.name, part.stop_signal)]
        else:
            stopped = stop_all(settings)
            settings.forget_ports()
    say(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")


def stop_all(settings):
    """Stops the clients of Kafka and PostgreSQL first, then these two."""
    stopped = []
    servers = [part for part in PARTS if part.name in ("kafka", "postgres")]
    for wave in ([part for part in PARTS if part not in servers], servers):
        threads = [threading.Thread(target=lambda p=part: processes.stop(settings.state, p.name, p.stop_signal)
                                    and stopped.append(p.name)) for part in wave]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return sorted(stopped)


def forget(settings):
    """Deletes the stack's data: only directories that the stack itself made."""
    shutil.rmtree(services.data_directory(settings, "postgres" if os.geteuid() == 0 else None), ignore_errors=True)
    for name in STATE_DIRECTORIES:
        shutil.rmtree(settings.state / name, ignore_errors=True)
    settings.forget_ports()


def status(settings, output):
    """Prints each part; 0 only if all are ready."""
    every = [part(settings, None, None) for part in PARTS]
    rows = []
    for part in every:
        pid = processes.running(settings.state, part.name)
        problem = part.ready() if pid else "not running"
        rows.append({"part": part.name, "pid": pid, "address": part.address(), "ready": problem is None, "problem": problem,
                     "log": str(processes.log_file(settings.state, part.name))})
    if output == "json":
        print(json.dumps(rows, indent=1))
    else:
        for row in rows:
            print(f"{row['part']:<18} {row['pid'] or '-':>8}  {row['address']:<40} {row['problem'] or 'ready'}")
    return 0 if all(row["ready"] for row in rows) else 1


@contextmanager
def exclusive(settings):
    """One `up` or `down` at a time for one state directory."""
    settings.state.mkdir(parents=True, exist_ok=True)
    with open(settings.state / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("waiting for another ./x stack of this directory")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def check_ports(settings, starting):
    """Refuses to start anything while a port that is needed belongs to another program."""
    taken = []
    for part in starting:
        for name in part.ports:
            port = settings.ports[name]
            if not processes.port_is_free(port):
                owner = processes.owner_of_port(port)
                taken.append(f"port {port}, which {part.title} needs, is taken{f' by {owner}' if owner else ''}; "
                             f"stop that program or set {variable(name)} to a free port")
    if taken:
        raise CannotBegin("\n".join(taken))


if __name__ == "__main__":
    sys.exit(main())
