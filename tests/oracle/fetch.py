"""Brings the jars of `flink` (its parser and planner) or of `avro` (its Java library) into the cache of the local stack's
programs, and prints their directory.

Rules: as in deploy/local/downloads.py, whose parts this uses: every file is compared with its pin in checksums.txt beside
this file before it is used, and what is there already is not touched. CYANOTYPE_STACK_PIN=1 pins what is downloaded.
"""

import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "deploy" / "local"))
sys.dont_write_bytecode = True

import downloads  # noqa: E402

GROUP = "org.apache.flink"
# The planner, and what it expects to find around itself.
LIBRARIES = ("flink-table-planner_2.12", "flink-table-runtime", "flink-table-api-java-bridge", "flink-streaming-java",
             "flink-clients")


AVRO = "1.12.0"


def main():
    parts = {
        "flink": (f"flink-planner-{downloads.FLINK}", f"Flink's planner {downloads.FLINK} (150 MB)", planner),
        "avro": (f"avro-{AVRO}", f"Avro's Java library {AVRO}", avro),
    }
    if len(sys.argv) != 2 or sys.argv[1] not in parts:
        say(f"error: say what is wanted: {' or '.join(parts)}")
        return 2
    name, words, bring = parts[sys.argv[1]]
    cache = downloads.cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / name
    try:
        with downloads._lock(cache / "lock"):
            pins = downloads.Pins(HERE / "checksums.txt")
            downloads._part(target, say, words, lambda to, work: bring(to, work, pins))
    except downloads.DownloadError as error:
        say(f"error: {error}")
        return 2
    print(target)
    return 0


def planner(to, work, pins):
    """The jars of the class path, and beside them, in `corpus`, the one with the statements of Flink's own tests."""
    files = work / "files"
    downloads._maven_dependencies(work, to, [(GROUP, name, downloads.FLINK) for name in LIBRARIES])
    downloads._maven_files(work, files, [(GROUP, LIBRARIES[0], downloads.FLINK, "jar", "tests")])
    for file in files.iterdir():
        shutil.move(str(file), str(to / file.name))
    pins.check(to)
    corpus = to / "corpus"
    corpus.mkdir()
    for file in to.glob("*-tests.jar"):
        file.rename(corpus / file.name)


def avro(to, work, pins):
    """The library that the registries call for compatibility, and what it needs."""
    downloads._maven_dependencies(work, to, [("org.apache.avro", "avro", AVRO)])
    pins.check(to)


def say(text):
    """Progress goes to standard error."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
