"""Packages of npm at pinned versions, for proofs; without a registry, their tests are skipped."""

import subprocess
from pathlib import Path

import pytest


def npm_package(name: str, version: str, *, folder: Path) -> Path:
    """Install a package once a run; return its folder.

    Args:
        name: the package.
        version: its exact version.
        folder: the folder of the run.
    """
    place = folder / "npm" / f"{name}-{version}"
    if not (place / "node_modules" / name).is_dir():
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(place)]
        ran = subprocess.run(
            [*command, f"{name}@{version}"], capture_output=True, encoding="utf-8", check=False
        )
        if ran.returncode:
            pytest.skip(f"npm cannot install {name}@{version}: {ran.stderr.strip()[-200:]}")
    return place / "node_modules" / name
