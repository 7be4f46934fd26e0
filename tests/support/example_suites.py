"""The suites of ``examples/``, run as a user runs a copy of the folder."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.command_line import environment_without_pytest
from tests.support.warm_process import process_class

FOLDER = Path(__file__).parents[2] / "examples"
NAMES = ("fastapi", "flask", "django")

#: A plugin that forbids listening, connecting and sleeping.
QUIET = """
import socket
import time

def refuse(*arguments, **named):
    raise AssertionError(f"this suite must not do this: {arguments}")

for name in ("bind", "listen", "connect"):
    setattr(socket.socket, name, refuse)
time.sleep = refuse
"""

# Plugins that each suite needs: loading all installed ones takes half of the process's time.
_PLUGINS = {
    "fastapi": ("syrupy", "anyio.pytest_plugin"),
    "flask": (),
    "django": ("pytest_django.plugin",),
}


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A run of a suite.

    Attributes:
        status: the exit status.
        printed: the output.
        failed: the report of each failed test, by the test's name.
    """

    status: int
    printed: str
    failed: Mapping[str, str]


class Example:
    """A copy of an example in a temporary folder.

    Attributes:
        folder: the folder of the copy.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self.folder = folder / name
        shutil.copytree(
            FOLDER / name, self.folder, ignore=shutil.ignore_patterns(".*", "__pycache__")
        )

    def apply_flaw(self, flaw: str) -> None:
        """Put a mistake into the receiver: apply one of the example's patches."""
        patch = (self.folder / "flaws" / f"{flaw}.patch").read_text()
        file = self.folder / patch.partition("+++ b/")[2].partition("\n")[0]
        file.write_text(patched(file.read_text(), patch))

    def read(self, name: str) -> str:
        """Return the text of a file of the copy."""
        return (self.folder / name).read_text()

    def write(self, name: str, text: str) -> None:
        """Add or replace a file of the copy."""
        (self.folder / name).write_text(text)

    def run(self, *options: str, plugins: Sequence[str] = ()) -> Ran:
        """Run the suite in its own process, with the plugins that it needs and the given ones."""
        needed = ("leanbe_emitter.pytest_plugin", *_PLUGINS[self._name], *plugins)
        named = [option for each in needed for option in ("-p", each)]
        finished = self.python("-m", "pytest", *named, "-p", "no:cacheprovider", *options)
        return Ran(
            status=finished.returncode, printed=finished.stdout, failed=_reports(finished.stdout)
        )

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the copy."""
        command = [sys.executable, *arguments]
        variables = {**environment_without_pytest(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        with process_class(command, variables)(
            command,
            cwd=self.folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                printed, _ = process.communicate(timeout=300)
            finally:
                process.kill()
        return subprocess.CompletedProcess(command, process.returncode, printed)


def patched(text: str, patch: str) -> str:
    """Apply a patch as ``patch -p1`` does; each hunk must fit at exactly one place."""
    parts = re.split(r"^@@ -\d+,(\d+) \+\d+,(\d+) @@\n", patch, flags=re.MULTILINE)[1:]
    for old_count, new_count, hunk in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        lines = hunk.splitlines(keepends=True)
        old, new = _side(lines, "-"), _side(lines, "+")
        assert (old.count("\n"), new.count("\n")) == (int(old_count), int(new_count)), hunk
        assert text.count(old) == 1, f"the hunk fits at {text.count(old)} places:\n{hunk}"
        text = text.replace(old, new)
    return text


def _side(lines: Sequence[str], sign: str) -> str:
    return "".join(line[1:] for line in lines if line[0] in {" ", sign})


def _reports(printed: str) -> dict[str, str]:
    failures = printed.partition("= FAILURES =")[2].partition("= short test summary info =")[0]
    parts = re.split(r"^_{3,} (\S+) _{3,}$", failures, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))
