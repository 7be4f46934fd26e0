"""The generated types in their languages: each body that is emitted fits them, and none is lost."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import ConfigDict, TypeAdapter, ValidationError

from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.event_names import EVENT_NAMES
from leanbe_emitter.wire.generated_types import LANGUAGES
from leanbe_emitter.wire.generated_types.records import type_file
from tests.support.emitted_bodies import emitted_bodies
from tests.support.npm_packages import npm_package
from tests.support.running_snippets import QUICK_JAVA

PROGRAMS = Path(__file__).parents[1] / "data" / "generated_types"
#: Payloads of another shape: optional members are null, updates tell what changed, and so on.
OTHER_SHAPE = {
    "unset": "null",
    "include_changes": "true",
    "idea_request_ref_key": "_id",
    "deleted_payload": "id",
    "vote_payload": "idea",
    "signature_location": "header",
}
JARS = [f"/usr/share/java/jackson-{name}.jar" for name in ("core", "databind", "annotations")]
SHAPES: dict[str, dict[str, str]] = {"article": {}, "other_shape": OTHER_SHAPE}
each_shape = pytest.mark.parametrize("assume", SHAPES.values(), ids=SHAPES)


def types_in(language: str, assume: dict[str, str]) -> str:
    return LANGUAGES[language](type_file(EVENT_NAMES, parse_assumptions(assume)))


def run(*command: object, bodies: list[str], cwd: Path) -> Any:
    """Return what a program makes of the bodies; it must know that one event is unknown."""
    variables = {"GOTOOLCHAIN": "local", "LC_ALL": "C.UTF-8"}
    ran = subprocess.run(
        [*map(str, command)],
        input=json.dumps(bodies),
        capture_output=True,
        encoding="utf-8",
        cwd=cwd,
        env={**os.environ, **variables},
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "unknown"), ran.stderr
    return json.loads(ran.stdout)


def without_null(value: Any) -> Any:
    """Return a JSON value without the members that are null."""
    if isinstance(value, dict):
        return {key: without_null(each) for key, each in value.items() if each is not None}
    return [*map(without_null, value)] if isinstance(value, list) else value


@pytest.mark.php
def test_php_decodes_each_body_without_a_loss(tmp_path: Path) -> None:
    for assume in ({}, OTHER_SHAPE):
        bodies = emitted_bodies(assume)
        (tmp_path / "leanbe.php").write_text(types_in("php", assume), "utf-8")
        decoded = run("php", PROGRAMS / "decode.php", "leanbe.php", bodies=bodies, cwd=tmp_path)
        assert without_null(decoded) == [without_null(json.loads(body)) for body in bodies]


@pytest.mark.go
@each_shape
def test_go_decodes_each_body_without_a_loss(tmp_path: Path, assume: dict[str, str]) -> None:
    bodies = emitted_bodies(assume)
    (tmp_path / "leanbe").mkdir()
    (tmp_path / "leanbe" / "leanbe.go").write_text(types_in("go", assume), "utf-8")
    (tmp_path / "go.mod").write_text("module receiver\n\ngo 1.18\n", "utf-8")
    shutil.copyfile(PROGRAMS / "decode.go", tmp_path / "decode.go")
    assert run("go", "run", ".", bodies=bodies, cwd=tmp_path) == [*map(json.loads, bodies)]
    listed = subprocess.run(
        ["gofmt", "-l", "leanbe"], capture_output=True, cwd=tmp_path, check=True
    )
    assert listed.stdout == b""


@pytest.mark.java
@pytest.mark.prove
@each_shape
def test_java_decodes_each_body_without_a_loss(tmp_path: Path, assume: dict[str, str]) -> None:
    bodies = emitted_bodies(assume)
    (tmp_path / "Leanbe.java").write_text(types_in("java", assume), "utf-8")
    class_path = os.pathsep.join([str(tmp_path), *JARS])
    quick = [f"-J{each}" for each in QUICK_JAVA]
    compiler = ("javac", *quick, "-Xlint:all", "-Werror", "-cp", class_path, "-d", str(tmp_path))
    subprocess.run([*compiler, "Leanbe.java", PROGRAMS / "Decode.java"], cwd=tmp_path, check=True)
    decoded = run("java", *QUICK_JAVA, "-cp", class_path, "Decode", bodies=bodies, cwd=tmp_path)
    assert without_null(decoded) == [without_null(json.loads(body)) for body in bodies]


def module_of(text: str) -> ModuleType:
    """Return the generated Python module, with closed types that pydantic can check."""
    module = ModuleType("leanbe_types")
    exec(text.replace("from typing import", "from typing_extensions import"), vars(module))  # noqa: S102 - our own text
    for each in vars(module).values():
        if isinstance(each, type) and each.__module__ == "leanbe_types":
            each.__pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[attr-defined]
    return module


@each_shape
def test_python_types_fit_each_body_and_nothing_else(assume: dict[str, str]) -> None:
    union: Any = module_of(types_in("python", assume)).LeanbeEvent
    event: TypeAdapter[Any] = TypeAdapter(union)
    for body in emitted_bodies(assume):
        assert event.validate_json(body) == json.loads(body)
        wrong = json.loads(body)
        wrong["payload"]["titel"] = "misspelt"
        with pytest.raises(ValidationError):
            event.validate_python(wrong)


def python_program(module: str, bodies: list[str]) -> str:
    lines = [f"import {module} as types", ""]
    for body in bodies:
        name = type_name(body)
        lines += [f"def of_{len(lines)}() -> types.{name}:", f"    return {json.loads(body)!r}"]
    lines += [
        "def title_of(body: types.LeanbeEvent) -> str:",
        '    if body["event"] == "idea.created":',
        '        return body["payload"]["ideaRequests"][0]["title"]',
        '    return body["event"]',
    ]
    return "\n".join([*lines, ""])


def type_name(body: str) -> str:
    event = str(json.loads(body)["event"])
    return "".join(part[0].upper() + part[1:] for part in event.split("."))


@pytest.mark.prove
def test_type_checkers_accept_each_body_as_its_python_type(tmp_path: Path) -> None:
    for name, assume in SHAPES.items():
        text = python_program(f"{name}_types", emitted_bodies(assume))
        (tmp_path / f"{name}_types.py").write_text(types_in("python", assume), "utf-8")
        (tmp_path / f"{name}_program.py").write_text(text, "utf-8")
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}', "utf-8")
    programs = [f"{name}_program.py" for name in SHAPES]
    for checker in (("mypy", "--strict", *programs), ("basedpyright",)):
        ran = subprocess.run(
            [sys.executable, "-m", *checker], cwd=tmp_path, capture_output=True, check=False
        )
        assert ran.returncode == 0, ran.stdout.decode()


@pytest.mark.prove
def test_tsc_accepts_each_body_as_its_typescript_type(tmp_path: Path, folder_of_run: Path) -> None:
    for name, assume in SHAPES.items():
        text = typescript_program(f"{name}_types", emitted_bodies(assume))
        (tmp_path / f"{name}_types.ts").write_text(types_in("typescript", assume), "utf-8")
        (tmp_path / f"{name}_program.ts").write_text(text, "utf-8")
    tsc = npm_package("typescript", "5.9.3", folder=folder_of_run) / "bin" / "tsc"
    programs = [f"{name}_program.ts" for name in SHAPES]
    # The declarations of TypeScript's own library are not what is checked.
    options = ("--strict", "--noEmit", "--exactOptionalPropertyTypes", "--skipLibCheck")
    checked = subprocess.run(
        ["node", tsc, *options, *programs], cwd=tmp_path, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout.decode()


def typescript_program(module: str, bodies: list[str]) -> str:
    names = [*map(type_name, bodies)]
    lines = [f"import type {{ {', '.join(sorted({*names, 'LeanbeEvent'}))} }} from './{module}';"]
    for name, body in zip(names, bodies, strict=True):
        lines.append(f"export const of{len(lines)}: {name} = {body};")
    lines += [
        "export const title = (body: LeanbeEvent): string | undefined =>",
        "  body.event === 'idea.created' ? body.payload.ideaRequests[0]?.title : body.event;",
        "// @ts-expect-error: a misspelt member is found",
        "export const wrong = (body: LeanbeEvent) => body.payload.titel;",
    ]
    return "\n".join([*lines, ""])
