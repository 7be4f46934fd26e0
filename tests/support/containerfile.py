"""The Containerfile without a container: its steps run as a script, with a folder as root.

Nothing is downloaded. The packages of the lock are linked from the tests' environment, which must
have these very versions. The project itself is built and installed as the file says.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path
from shutil import copy2, copytree, ignore_patterns

from tests.support.command_line import environment
from tests.support.doc_pages import ROOT
from tests.support.fresh_venv import link_distribution

#: Stand-ins for programs that only the image has, or that would download.
_STAND_INS = {
    "python": f'exec "{sys.executable}" "$@"',
    "pip": f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -m tests.support.containerfile "$@"',
    "useradd": "exit 0",
    "install": 'exec mkdir -p "${@: -1}"',
}
#: The folders at the root, as the file names them.
_FOLDERS = re.compile(r"(?<![\w.])/(app|data|src)\b")


def steps(text: str) -> Sequence[tuple[str, str]]:
    """Return the instructions of a Containerfile, each as its keyword and its arguments."""
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(" ", 1)) for line in joined.splitlines() if line]  # type: ignore[misc]


class Image:
    """The image that the Containerfile makes.

    Attributes:
        steps: its instructions.
        environ: the variables of its processes.
    """

    def __init__(self, root: Path) -> None:
        self.steps = steps((ROOT / "Containerfile").read_text())
        self._root = root
        self._cwd = root
        programs = self._stand_ins()
        self.environ = environment({"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"})

    def build(self) -> None:
        """Run the instructions."""
        for word, rest in self.steps:
            match word:
                case "WORKDIR":
                    self._cwd = Path(self.local_paths(rest))
                    self._cwd.mkdir(exist_ok=True)
                case "COPY" if not rest.startswith("--from"):
                    self._copy(*shlex.split(rest)[:-1])
                case "RUN":
                    self.run("sh", "-c", rest)
                case "ENV":
                    self.environ |= dict(self._variables(rest))

    def last(self, word: str) -> str:
        """Return the arguments of the last instruction with a keyword."""
        return [rest for each, rest in self.steps if each == word][-1]

    def command(self, word: str = "CMD") -> Sequence[str]:
        """Return the command of an instruction."""
        words: list[str] = json.loads(self.last(word).partition("CMD")[2] or self.last(word))
        return words

    def local_paths(self, text: str) -> str:
        """Replace the image's folders in a text by their paths on this machine."""
        return _FOLDERS.sub(lambda path: f"{self._root}{path[0]}", text)

    def run(
        self, *words: str, environ: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command in the image, which must succeed."""
        return subprocess.run(
            [self.local_paths(word) for word in words],
            cwd=self._cwd,
            env={**self.environ, **(environ or {})},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )

    @contextmanager
    def started(
        self, *words: str, environ: Mapping[str, str]
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """Start a command in the image; kill it after the block."""
        process = subprocess.Popen(words, cwd=self._cwd, env={**self.environ, **environ})
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def is_healthy(self, environ: Mapping[str, str]) -> bool:
        """Run the image's health check."""
        try:
            self.run(*self.command("HEALTHCHECK"), environ=environ)
        except subprocess.CalledProcessError:
            return False
        return True

    def _stand_ins(self) -> Path:
        folder = self._root / "stand-ins"
        folder.mkdir()
        for name, line in _STAND_INS.items():
            (folder / name).write_text(f"#!/bin/bash\n{line}\n")
            (folder / name).chmod(0o755)
        return folder

    def _copy(self, *sources: str) -> None:
        """Copy the files that ``.dockerignore`` allows; it lists them one by one."""
        lines = (ROOT / ".dockerignore").read_text().splitlines()
        shown = [line[1:] for line in lines if line.startswith("!")]
        for name in shown if sources == (".",) else set(sources) & set(shown):
            source, target = ROOT / name, self._cwd / name
            if source.is_dir():
                copytree(source, target, ignore=ignore_patterns("__pycache__"))
            else:
                copy2(source, target)

    def _variables(self, text: str) -> Iterator[tuple[str, str]]:
        for word in shlex.split(text):
            name, _, value = word.partition("=")
            yield name, self.local_paths(value).replace("$PATH", self.environ["PATH"])


def _pip(python: Path, arguments: Sequence[str]) -> None:
    """Do the work of ``pip --python PYTHON install``."""
    if "--require-hashes" in arguments:
        (site,) = python.parents[1].glob("lib/*/site-packages")
        for line in Path(arguments[-1]).read_text().splitlines():
            if pinned := re.match(r"(\S+)==(\S+) ", line):
                found = distribution(pinned[1])
                assert found.version == pinned[2], line
                link_distribution(found, site)
        return
    kept = [each for each in arguments if each != "--no-cache-dir"]
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--offline", "--python", python, *kept], check=True
    )


if __name__ == "__main__":
    assert sys.argv[1] == "--python"
    assert sys.argv[3] == "install"
    _pip(Path(sys.argv[2]), sys.argv[4:])
