"""Looks for the programs that the stack and the build need, and installs Debian's packages where that is allowed.

Rules: as root, missing Debian packages are installed; as anybody else nothing is changed and the one line to run is
printed. Java, Maven and Rust are the user's choice and are never installed.
"""

import os
import re
import shutil
import subprocess
import sys

import services


class Missing(Exception):
    """The machine lacks something; the message says how to get it."""


def check(say, build=False):
    """After it returns everything that is needed is there. Answers the java command."""
    java, problems = _java()
    if not shutil.which("mvn"):
        problems.append("Maven, the command mvn (Debian: maven)")
    if build and not shutil.which("cargo"):
        problems.append("Rust, the command cargo (see rustup.rs)")
    if problems:
        raise Missing("missing on this machine:\n" + "\n".join("  " + line for line in problems))
    missing = _packages(build)
    if missing:
        _install(missing, say)
        still = _packages(build)
        if still:
            raise Missing(f"still missing after installing {', '.join(still)}: {', '.join(still.values())}")
    return java


def _java():
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else shutil.which("java")
    wanted = "Java 17 or newer (Debian: openjdk-17-jre-headless)"
    if not java or not os.access(java, os.X_OK):
        return None, [wanted + (f": JAVA_HOME is {home}, which holds no bin/java" if home else "")]
    answer = _run([java, "-version"])
    found = re.search(r'version "(\d+)', answer.stdout)
    if found is None or int(found.group(1)) < 17:
        return None, [f"{wanted}: {java} is version {found.group(1) if found else 'unknown'}; set JAVA_HOME to a newer one"]
    return java, []


def _packages(build):
    """The missing Debian packages, each with what it is for."""
    missing = {}
    if services.postgres_programs() is None:
        missing["postgresql"] = "PostgreSQL's server"
    if not shutil.which("prometheus"):
        missing["prometheus"] = "Prometheus"
    if not os.environ.get("FLINK_HOME") and _run([sys.executable, "-m", "pip", "--version"]).returncode != 0:
        missing["python3-pip"] = f"pip for {sys.executable}"
    if build:
        if not (shutil.which("cc") and shutil.which("make")):
            missing["build-essential"] = "a C compiler and make"
        if not shutil.which("pkg-config"):
            missing["pkg-config"] = "pkg-config"
        if "pkg-config" in missing or _run(["pkg-config", "--exists", "openssl"]).returncode != 0:
            missing["libssl-dev"] = "OpenSSL's headers"
    return missing


def _install(missing, say):
    line = f"apt-get install --no-install-recommends {' '.join(missing)}"
    what = ", ".join(missing.values())
    if not shutil.which("apt-get"):
        raise Missing(f"missing on this machine: {what}; on Debian or Ubuntu that is: sudo {line}")
    if os.geteuid() != 0:
        raise Missing(f"missing on this machine: {what}; run: sudo {line}")
    say(f"installing {what} from Debian's packages")
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *missing]):
        done = _run(command, {**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        if done.returncode != 0:
            tail = "\n".join("  " + text for text in done.stdout.strip().splitlines()[-6:])
            raise Missing(f"`{' '.join(command)}` failed:\n{tail}\ninstall by hand: {line}")


def _run(command, environment=None):
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
