"""What of the local stack can be tested without starting it: who is signalled, which ports, which files are trusted."""

import io
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import unittest
from unittest import mock

import downloads
import processes
from settings import DEFAULT_PORTS, Settings, SettingsError


class InDirectory(unittest.TestCase):
    """Gives each test a state directory of its own."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.state = pathlib.Path(scratch.name)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CYANOTYPE_")}
        patch = mock.patch.dict(os.environ, {**clean, "CYANOTYPE_STACK_DIR": str(self.state)}, clear=True)
        patch.start()
        self.addCleanup(patch.stop)


class Processes(InDirectory):
    """A pid is only ours together with its start time."""

    def start(self, code="import time; time.sleep(600)"):
        """Starts a Python child under the name 'part' and makes sure that it is gone after the test."""
        child = processes.start("part", [sys.executable, "-c", code], self.state)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def test_a_started_process_is_found_and_stopped(self):
        child = self.start()
        self.assertEqual(processes.running(self.state, "part"), child.pid)
        self.assertTrue(processes.stop(self.state, "part"))
        self.assertIsNone(processes.running(self.state, "part"))
        self.assertFalse(processes.stop(self.state, "part"))

    def test_a_pid_that_now_belongs_to_another_program_is_left_alone(self):
        child = self.start()
        record = self.state / "pids" / "part.json"
        values = json.loads(record.read_text())
        record.write_text(json.dumps({**values, "started": "another boot/1"}))
        self.assertIsNone(processes.running(self.state, "part"))
        self.assertFalse(processes.stop(self.state, "part"))
        self.assertIsNone(child.poll())

    def test_a_process_that_ignores_the_polite_signal_is_killed(self):
        child = self.start("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)")
        while "deaf" not in processes.last_lines(self.state, "part", 1):
            self.assertIsNone(child.poll())
        with mock.patch.object(processes, "STOP_SECONDS", 0.2):
            self.assertTrue(processes.stop(self.state, "part"))
        self.assertIsNone(processes.running(self.state, "part"))

    def test_a_damaged_record_is_nobody(self):
        (self.state / "pids").mkdir()
        for text in ("", "{", "[]", '{"pid": "x"}', '{"pid": null, "started": null}'):
            (self.state / "pids" / "part.json").write_text(text)
            self.assertIsNone(processes.running(self.state, "part"), text)

    def test_a_dead_child_that_nobody_collected_is_not_running(self):
        child = self.start()
        os.kill(child.pid, signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        self.assertIsNone(processes.running(self.state, "part"))

    def test_a_taken_port_is_seen_with_its_owner(self):
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            port = server.getsockname()[1]
            self.assertFalse(processes.port_is_free(port))
            self.assertIn(f"pid {os.getpid()} ", processes.owner_of_port(port))
        self.assertTrue(processes.port_is_free(port))


class Ports(InDirectory):
    """A variable wins over the stack that is up, which wins over the default."""

    def test_variable_saved_default(self):
        settings = Settings()
        self.assertEqual(settings.ports, DEFAULT_PORTS)
        with mock.patch.dict(os.environ, {"CYANOTYPE_PORT_KAFKA": "20001", "CYANOTYPE_PORT_FLINK": "20002"}):
            Settings().save_ports()
            self.assertEqual(Settings().ports["kafka"], 20001)
        self.assertEqual(Settings().ports["kafka"], 20001)
        self.assertIn("http://127.0.0.1:20002", Settings().environment().values())
        Settings().forget_ports()
        self.assertEqual(Settings().ports, DEFAULT_PORTS)

    def test_a_bad_port_is_named(self):
        for text in ("0", "65536", "-1", "a", "1.5"):
            with mock.patch.dict(os.environ, {"CYANOTYPE_PORT_CONNECT": text}):
                with self.assertRaisesRegex(SettingsError, "CYANOTYPE_PORT_CONNECT"):
                    Settings()

    def test_one_port_for_two_parts_is_refused(self):
        with mock.patch.dict(os.environ, {"CYANOTYPE_PORT_CONNECT": str(DEFAULT_PORTS["kafka"])}):
            with self.assertRaisesRegex(SettingsError, "CYANOTYPE_PORT_KAFKA|CYANOTYPE_PORT_CONNECT"):
                Settings()

    def test_a_damaged_file_of_ports_is_ignored(self):
        for text in ("", "[]", "7", '{"kafka": "x"}'):
            (self.state / "ports.json").write_text(text)
            self.assertEqual(Settings().ports, DEFAULT_PORTS, text)


class Downloads(InDirectory):
    """Only pinned files are used, and an archive writes only below its target."""

    def test_pins(self):
        files, pins = self.state / "files", self.state / "pins.txt"
        files.mkdir()
        (files / "a.jar").write_text("one")
        pins.write_text(f"# a comment\n{downloads.sha256(files / 'a.jar')}  a.jar\n")
        downloads.Pins(pins).check(files)
        (files / "a.jar").write_text("two")
        with self.assertRaisesRegex(downloads.DownloadError, "a.jar is not the pinned file"):
            downloads.Pins(pins).check(files)
        (files / "a.jar").rename(files / "b.jar")
        with self.assertRaisesRegex(downloads.DownloadError, "b.jar was downloaded but is not in pins.txt"):
            downloads.Pins(pins).check(files)

    def test_a_part_that_fails_leaves_nothing(self):
        def build(to, work):
            (to / "half").write_text("x")
            raise downloads.DownloadError("cut")
        with self.assertRaises(downloads.DownloadError):
            downloads._part(self.state / "part-1", lambda text: None, "a part", build)
        self.assertEqual(list(self.state.iterdir()), [])

    def test_unpacking_stays_below_its_target(self):
        archive, to = self.state / "a.tar", self.state / "to"
        with tarfile.open(archive, "w") as tar:
            for name in ("top/lib/ok.jar", "top/../../escaped", "/absolute", "top/also.txt"):
                info = tarfile.TarInfo(name)
                info.size = 1
                tar.addfile(info, io.BytesIO(b"x"))
        downloads._unpack(archive, to, strip=1)
        made = sorted(str(path.relative_to(to)) for path in to.rglob("*") if path.is_file())
        self.assertEqual([name for name in made if name != "absolute"], ["also.txt", "lib/ok.jar"])
        self.assertFalse((self.state.parent / "escaped").exists())

    def test_a_tool_that_fails_is_quoted(self):
        tool = self.state / "tool"
        tool.write_text("#!/bin/sh\necho Unknown host\nexit 1\n")
        tool.chmod(0o755)
        with self.assertRaisesRegex(downloads.DownloadError, "could not download a thing(.|\n)*Unknown host"):
            downloads._run([str(tool)], "a thing")


class CommandLine(InDirectory):
    """The exit codes of the front door."""

    def stack(self, *arguments):
        """Runs stack.py and returns (exit code, everything it printed)."""
        done = subprocess.run([sys.executable, str(downloads.HERE / "stack.py"), *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def test_status_of_a_stack_that_is_down(self):
        code, text = self.stack("status", "--output", "json")
        self.assertEqual(code, 1)
        self.assertEqual({row["problem"] for row in json.loads(text)}, {"not running"})

    def test_down_twice(self):
        self.assertEqual(self.stack("down"), (0, "nothing was running\n"))

    def test_a_bad_setting_is_two(self):
        with mock.patch.dict(os.environ, {"CYANOTYPE_PORT_FLINK": "none"}):
            code, text = self.stack("env")
        self.assertEqual(code, 2)
        self.assertIn("CYANOTYPE_PORT_FLINK=none", text)


if __name__ == "__main__":
    unittest.main()
