"""The receivers that ``snippet`` prints, running; those in Python run in this process."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from leanbe_emitter.delivery.in_process.detect import transport_for
from leanbe_emitter.snippets import snippet
from tests.support.framework_apps import django_wsgi_app
from tests.support.in_process_apps import URL, answers_of
from tests.support.waiting import PATIENCE_SECONDS

SECRET = "whsec_tést"
PATH = "/hooks/leanbe"
#: Folder in which Node.js finds our stand-in for Express.
STAND_IN = Path(__file__).parents[1] / "data" / "node_path"


@dataclass(frozen=True, kw_only=True)
class RunningSnippet:
    """A running receiver.

    Attributes:
        where: the arguments of ``products.create`` that name the receiver.
        status: returns the status with which the receiver answers a body.
        printed: ends the receiver, and returns its output.
    """

    where: Mapping[str, Any]
    status: Callable[[bytes], int]
    printed: Callable[[], str]


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
def run_in_node(name: str, folder: Path, *, stand_in: bool) -> Iterator[RunningSnippet]:
    """Run a receiver in JavaScript, with our stand-in for Express or the installed one."""
    file = folder / "receiver.js"
    file.write_text(snippet(name), "utf-8")
    environ = {"LEANBE_WEBHOOK_SECRET": SECRET, "PORT": "0"}
    if stand_in:
        environ["NODE_PATH"] = str(STAND_IN)
    with subprocess.Popen(
        ["node", str(file)], env={**os.environ, **environ}, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()

        def printed() -> str:
            process.kill()
            return process.communicate()[0]

        yield RunningSnippet(where={"webhook_url": url}, status=_asking(url), printed=printed)
        process.kill()


def _asking(url: str) -> Callable[[bytes], int]:
    def status(body: bytes) -> int:
        headers = {"Content-Type": "application/json"}
        return httpx.post(
            url, content=body, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False
        ).status_code

    return status


def has_express() -> bool:
    """Say whether Node.js finds Express by itself (``NODE_PATH``)."""
    asked = subprocess.run(
        ["node", "-e", "require.resolve('express')"],
        cwd=Path(sys.executable).parent,
        capture_output=True,
        check=False,
    )
    return asked.returncode == 0
