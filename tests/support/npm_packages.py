"""Packages of npm at pinned versions, for proofs; without a registry, their tests are skipped."""

import fcntl
import subprocess
from pathlib import Path

import pytest


def npm_package(name: str, version: str, *, folder: Path) -> Path:
    """Install a package once a run, by the worker that needs it first; return its folder.

    Args:
        name: the package.
        version: its exact version.
        folder: the folder of the run.
    """
    place = folder / "npm" / f"{name}-{version}"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "node_modules" / name).is_dir():
            _install(f"{name}@{version}", place)
    return place / "node_modules" / name


def _install(package: str, place: Path) -> None:
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(place)]
    ran = subprocess.run([*command, package], capture_output=True, encoding="utf-8", check=False)
    if ran.returncode:
        pytest.skip(f"npm cannot install {package}: {ran.stderr.strip()[-200:]}")
