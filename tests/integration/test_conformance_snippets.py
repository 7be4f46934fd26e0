"""No false alarm: the receivers that ``snippet`` prints are right, and the checks say so."""

import asyncio
from pathlib import Path

import pytest

from leanbe_emitter.conformance.check_app import AppCheck
from leanbe_emitter.conformance.check_url import UrlCheck, Wanted
from leanbe_emitter.library.runtime.awaitables import drive
from tests.support.checked_receivers import told_wrong
from tests.support.running_snippets import (
    SECRET,
    STAND_IN,
    has_express,
    run_as_told,
    run_in_process,
)

NOTHING: dict[str, str] = {}


@pytest.mark.parametrize("name", ["fastapi", "flask", "django"])
def test_a_snippet_in_python_has_no_finding(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEANBE_WEBHOOK_SECRET", SECRET)
    with run_in_process(name, tmp_path, capsys) as running:
        where = running.where
        report = drive(AppCheck(where["webhook"], path=where["path"], secret=SECRET).run())
    assert told_wrong(report) == NOTHING
    assert report.counts["pass"] > 50


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("node", marks=pytest.mark.node),
        pytest.param("express, stood in for", marks=pytest.mark.node),
        pytest.param("express", marks=[pytest.mark.node, pytest.mark.prove]),
        pytest.param("php", marks=pytest.mark.php),
        pytest.param("ruby", marks=pytest.mark.ruby),
        pytest.param("go", marks=[pytest.mark.go, pytest.mark.prove]),
        pytest.param("java", marks=[pytest.mark.java, pytest.mark.prove]),
    ],
)
def test_a_snippet_in_another_language_has_no_finding(name: str, tmp_path: Path) -> None:
    snippet, _, stood_in_for = name.partition(",")
    if name == "express" and not has_express():
        pytest.skip("Express is not installed where NODE_PATH says")
    environ = {"NODE_PATH": str(STAND_IN)} if stood_in_for else {}
    with run_as_told(snippet, tmp_path, environ=environ) as running:
        report = asyncio.run(UrlCheck(Wanted(url=running.url, secret=SECRET)).run())
    assert told_wrong(report) == NOTHING
    assert report.requests <= 120
