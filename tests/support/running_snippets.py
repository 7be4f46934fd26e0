"""The receivers that ``snippet`` prints, running.

Those in Python run in this process. All others run as processes of their own, each started by the
command that stands at the top of its text.
"""

import importlib.util
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest

from leanbe_emitter.delivery.in_process.detect import transport_for
from leanbe_emitter.snippets import snippet
from tests.support.framework_apps import django_wsgi_app
from tests.support.in_process_apps import URL, answers_of
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS, wait_until

SECRET = "whsec_tést"
PATH = "/hooks/leanbe"
#: Folder in which Node.js finds our stand-in for Express.
STAND_IN = Path(__file__).parents[1] / "data" / "node_path"
#: The command at the top of a receiver.
COMMAND = re.compile(r"LEANBE_WEBHOOK_SECRET=whsec_test (.*)")
#: A receiver's word for its address: the whole URL, or the server's.
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
_FILE = re.compile(r"\b[Rr]eceiver\.\w+")
#: Options of Java: most of the time goes into the start, which takes half as long with them.
QUICK_JAVA = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
#: Java otherwise reads and prints ASCII on some machines.
_FOR_JAVA = {"LC_ALL": "C.UTF-8", "JAVA_TOOL_OPTIONS": " ".join(QUICK_JAVA)}
#: The programs that cannot print which port they got.
_TOLD_THEIR_PORT = ("webhook",)
#: The longest start: Go's first one on a machine compiles its HTTP library.
_COMPILING_SECONDS = 300.0
#: What the example of a handler prints.
_PRINTED = re.compile(r"^new idea: .*\n", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class RunningSnippet:
    """A running receiver.

    Attributes:
        where: the arguments of ``products.create`` that name the receiver.
        status: returns the status with which the receiver answers a body.
        printed: returns what its handlers have printed.
    """

    where: Mapping[str, Any]
    status: Callable[[bytes], int]
    printed: Callable[[], str]


@dataclass(frozen=True, kw_only=True)
class SnippetProcess:
    """A receiver as a process of its own.

    Attributes:
        url: the URL of its webhook.
        folder: the folder in which it runs.
    """

    url: str
    folder: Path

    def output(self) -> str:
        """Return its output, until now."""
        return (self.folder / "output").read_text("utf-8")

    def status(self, body: bytes) -> int:
        """Return the status with which it answers a body."""
        address = urlsplit(self.url)
        connection = HTTPConnection(address.netloc, timeout=PATIENCE_SECONDS)
        with closing(connection):
            connection.request("POST", address.path, body, {"Content-Type": "application/json"})
            return connection.getresponse().status

    def running(self) -> RunningSnippet:
        """Return the receiver as it runs from now on."""
        before = len(self.output())
        return RunningSnippet(
            where={"webhook_url": self.url},
            status=self.status,
            # The one in Java prints JSON.
            printed=lambda: "".join(_PRINTED.findall(self.output()[before:])).replace('"', ""),
        )


@contextmanager
def run_in_process(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[RunningSnippet]:
    """Run a receiver in Python; the variable with its secret is set."""
    with _app_of(name, _loaded(name, folder)) as app:
        yield RunningSnippet(
            where={"webhook": transport_for(app, answer_seconds=PATIENCE_SECONDS), "path": PATH},
            status=lambda body: answers_of(app, body, url=URL)[0].status,
            printed=lambda: capsys.readouterr().out,
        )


def _loaded(name: str, folder: Path) -> ModuleType:
    file = folder / f"{name}_snippet.py"
    file.write_text(snippet(name), "utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def _app_of(name: str, module: ModuleType) -> Iterator[Any]:
    if name != "django":
        yield module.app
        return
    django_wsgi_app()
    from django.test import override_settings  # noqa: PLC0415 - after the settings
    from django.urls import include, path  # noqa: PLC0415 - after the settings

    # ``include`` would import a name, and this module has none that can be imported.
    with override_settings(
        ROOT_URLCONF=(path("hooks/", include(module.urlpatterns)),),
        MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
    ):
        yield django_wsgi_app()


@contextmanager
def run_as_told(
    name: str, folder: Path, *, text: str | None = None, environ: Mapping[str, str] | None = None
) -> Iterator[SnippetProcess]:
    """Run a receiver by the command at its top, on a port that was free.

    Args:
        name: the snippet's name.
        folder: where it runs; its file is written there.
        text: what is run instead, the snippet with changes.
        environ: further variables.
    """
    text = text or snippet(name)
    (command,) = COMMAND.findall(text)
    (file,) = set(_FILE.findall(command))
    (folder / file).write_text(text, "utf-8")
    port = free_port() if name in _TOLD_THEIR_PORT else 0
    variables = {"LEANBE_WEBHOOK_SECRET": SECRET, **_FOR_JAVA, **(environ or {})}
    with (
        (folder / "output").open("wb") as output,
        subprocess.Popen(
            ["bash", "-c", command.replace("8000", str(port))],
            cwd=folder,
            env={**os.environ, **variables},
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield SnippetProcess(url=_origin(folder / "output", process) + PATH, folder=folder)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _origin(output: Path, process: "subprocess.Popen[bytes]") -> str:
    """Wait until a receiver prints its address."""

    def found() -> "re.Match[str] | None":
        text = output.read_text("utf-8")
        assert process.poll() is None, text
        return _ADDRESS.search(text)

    wait_until(found, "the receiver prints its address", patience_seconds=_COMPILING_SECONDS)
    address = found()
    assert address is not None
    return address[0]


def has_express() -> bool:
    """Say whether Node.js finds Express by itself (``NODE_PATH``)."""
    asked = subprocess.run(
        ["node", "-e", "require.resolve('express')"],
        cwd=Path(sys.executable).parent,
        capture_output=True,
        check=False,
    )
    return asked.returncode == 0
