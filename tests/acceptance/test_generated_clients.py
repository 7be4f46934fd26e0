"""Clients that real generators make of the OpenAPI document: they lack no operation, and work.

The generators come from npm and PyPI at pinned versions; without a registry they are skipped.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.api_client import openapi_document
from tests.support.npm_packages import npm_package
from tests.support.server_process import run_server

pytestmark = pytest.mark.prove

UV = Path(sys.executable).with_name("uv")
PYTHON_CLIENT = ("openapi-python-client==0.29.1", "httpx==0.28.1", "attrs==25.4.0")
TOKEN = "tok_generated"


def operation_ids() -> set[str]:
    paths = openapi_document(needs_token=True)["paths"]
    return {operation["operationId"] for path in paths.values() for operation in path.values()}


def run(*command: object, cwd: Path) -> str:
    ran = subprocess.run(
        [*map(str, command)], cwd=cwd, capture_output=True, encoding="utf-8", check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(openapi_document(needs_token=True)), "utf-8")
    return file


def test_openapi_typescript_has_every_operation_and_its_types_compile(
    tmp_path: Path, folder_of_run: Path, document: Path
) -> None:
    generator = npm_package("openapi-typescript", "7.13.0", folder=folder_of_run)
    run("node", generator / "bin" / "cli.js", document, "-o", "api.ts", cwd=tmp_path)
    program = """
        import type { components, operations } from "./api";
        type Made = operations["post_products_product_ideas"]["responses"]["201"];
        export const title = (made: Made["content"]["application/json"]): string =>
          ((idea: components["schemas"]["Idea"]) => idea.title)(made);
        export const code = (problem: components["schemas"]["Problem"]): string => problem.code;
        export const names: Record<keyof operations, true> = NAMES;
        type Body = NonNullable<operations["post_products"]["requestBody"]>;
        export const body: Body["content"]["application/json"] = {
          name: "Acme", assumptions: { pretty_body: true, max_attempts: "3" },
        };
    """
    names = json.dumps(dict.fromkeys(sorted(operation_ids()), True))
    (tmp_path / "program.ts").write_text(program.replace("NAMES", names), "utf-8")
    tsc = npm_package("typescript", "5.9.3", folder=folder_of_run) / "bin" / "tsc"
    run("node", tsc, "--strict", "--noEmit", "--skipLibCheck", "program.ts", cwd=tmp_path)


def test_openapi_python_client_has_every_operation_and_calls_a_server(
    tmp_path: Path, document: Path
) -> None:
    environment = tmp_path / "venv"
    run(UV, "venv", "--quiet", environment, cwd=tmp_path)
    python = environment / "bin" / "python"
    installed = subprocess.run(
        [UV, "pip", "install", "--quiet", "--python", python, *PYTHON_CLIENT],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if installed.returncode:
        pytest.skip(f"PyPI does not give {PYTHON_CLIENT[0]}: {installed.stderr[-200:]}")
    (tmp_path / "config.yaml").write_text("post_hooks: []\n", "utf-8")
    generator = environment / "bin" / "openapi-python-client"
    options = ("--meta", "none", "--config", "config.yaml", "--fail-on-warning")
    generate = ("generate", "--path", document, "--output-path", "client", *options)
    assert "Warning" not in run(generator, *generate, cwd=tmp_path)
    modules = {each.stem for each in (tmp_path / "client" / "api").glob("*/[!_]*.py")}
    assert modules == operation_ids()
    program = Path(__file__).parents[1] / "data" / "generated_clients" / "calls.py"
    shutil.copyfile(program, tmp_path / "calls.py")
    with run_server(tmp_path, "--ephemeral", environ={"LEANBE_EMITTER_TOKEN": TOKEN}) as server:
        told: Any = json.loads(run(python, "calls.py", server.ready["url"], TOKEN, cwd=tmp_path))
    assert told == {
        "product": "Acme",
        "idea": ["Dark mode", True],
        "upvotes": 1,
        "events": ["backlogItem.created", "idea.created", "idea.promoted", "idea.upVoted"],
        "missing": [404, "not_found"],
        "stranger": 401,
    }
