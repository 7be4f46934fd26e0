"""Servers that begin with what a seed file says, as users run them."""

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Ran, run_process
from tests.support.server_process import RunningServer, run_server

SEED = """\
products:
  - name: Acme
    webhook: {url: "http://127.0.0.1:9/", secret: env:LEANBE_WEBHOOK_SECRET}
    ideas:
      - {title: Dark mode, _id: 649d2ac49c3a1954e6a2e421}
"""
ENVIRON = {"LEANBE_WEBHOOK_SECRET": "whsec_test"}
FILE = ("--seed-file", "seed.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "seed.yaml").write_text(SEED)
    return tmp_path


def ideas(served: RunningServer) -> list[str]:
    return [each["title"] for each in served.client.get("/products/Acme/ideas").json()["items"]]


def test_seed_is_planted_before_the_first_answer_and_nothing_is_pending(folder: Path) -> None:
    with run_server(folder, "--ephemeral", *FILE, environ=ENVIRON) as served:
        assert ideas(served) == ["Dark mode"]
        secret = served.client.get("/products/Acme/webhook/secret").json()
        assert secret == {"secret": "whsec_test"}
        assert served.client.get("/events").json()["items"] == []
        assert served.client.post("/deliveries/wait").json()["items"] == []
        status, stderr = served.end(signal.SIGTERM)
    assert (status, "Planted seed.yaml." in stderr) == (0, True)


@pytest.mark.parametrize("line", ["    ideas: 5", "    ideas: [{title: ''}]", "   x: 5", "  - {}"])
def test_a_bad_file_is_exit_2_before_anything_is_made(folder: Path, line: str) -> None:
    (folder / "seed.yaml").write_text(f"products:\n  - name: Acme\n{line}\n")
    ran = run_process("serve", "--port", "0", *FILE, cwd=folder)
    assert (ran.status, ran.stdout) == (2, "")
    assert "seed.yaml:3: " in ran.stderr
    assert [each.name for each in folder.iterdir()] == ["seed.yaml"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("  - {name: Acme}", "There is a product 'Acme' already."),
        ("  - {name: B, statuses: []}", "The statuses (none) cannot be a product's."),
        ("  - {name: B, webhook: {url: ftp://b}}", "The URL 'ftp://b' is not an http or https"),
    ],
)
def test_a_refusal_of_the_domain_is_told_with_its_line_before_anything_is_made(
    folder: Path, more: str, said: str
) -> None:
    file = folder / "seed.yaml"
    file.write_text(SEED.replace("env:LEANBE_WEBHOOK_SECRET", "x") + more)
    refused = run_process("serve", "--port", "0", *FILE, cwd=folder)
    assert (refused.status, refused.stdout) == (2, "")
    first, hint, _ = refused.stderr.splitlines()
    assert first.startswith(f"error: Invalid value for '--seed-file': seed.yaml:6: {said}")
    assert hint.startswith("       ")
    assert [each.name for each in folder.iterdir()] == ["seed.yaml"]


def test_a_server_that_is_started_again_goes_on_and_a_reset_begins_again(folder: Path) -> None:
    with run_server(folder, *FILE, environ=ENVIRON) as served:
        served.client.post("/products/Acme/ideas", json={"title": "Light mode"})
    with run_server(folder, *FILE, environ=ENVIRON) as served:
        assert ideas(served) == ["Dark mode", "Light mode"]
        assert served.client.post("/reset").status_code == 204
        assert ideas(served) == ["Dark mode"]
        served.client.post("/products/Acme/ideas", json={"title": "Light mode"})
        served.client.post("/products/Acme/reset")
        assert ideas(served) == ["Dark mode"]
        _, stderr = served.end(signal.SIGTERM)
    assert "There are products already. A reset will plant seed.yaml." in stderr


def test_a_reset_by_another_process_plants_the_same_without_file_or_variable(folder: Path) -> None:
    with run_server(folder, *FILE, environ=ENVIRON) as served:
        (folder / "seed.yaml").unlink()
        served.client.post("/products/Acme/ideas", json={"title": "Light mode"})
        ran = run_process("reset", cwd=folder)
        assert (ran.status, ran.stderr.splitlines()) == (
            0,
            ["Deleted everything.", "Planted seed.yaml again."],
        )
        assert ideas(served) == ["Dark mode"]
        secret = served.client.get("/products/Acme/webhook/secret").json()
        assert secret == {"secret": "whsec_test"}


def test_the_same_ids_come_again_where_that_is_wanted(folder: Path) -> None:
    products: list[Any] = []
    options = ("--ephemeral", "--clock", "manual", *FILE)
    with run_server(folder, *options, environ=ENVIRON) as served:
        for _ in range(2):
            served.client.post("/clock/advance", json={"seconds": 60})
            served.client.post("/reset", json={"ids": "restart"})
            products.append(served.client.get("/products").json())
    assert products[0] == products[1]


CODE = """\
import json, os, sys, urllib.request as r
url = os.environ["LEANBE_EMITTER_URL"] + "/api/v1/products"
names = [each["name"] for each in json.loads(r.urlopen(url).read())["items"]]
secret = json.loads(r.urlopen(url + "/Acme/webhook/secret").read())["secret"]
print(json.dumps([names, secret == os.environ[sys.argv[1]]]))
"""


def run_exec(folder: Path, options: Sequence[str], variable: str) -> Ran:
    command = (sys.executable, "-c", CODE, variable)
    return run_process("exec", *FILE, *options, "--", *command, cwd=folder)


def test_exec_has_a_seeded_server_whose_file_can_name_the_secret(folder: Path) -> None:
    ran = run_exec(folder, (), "LEANBE_WEBHOOK_SECRET")
    assert (ran.status, json.loads(ran.stdout)) == (0, [["Acme"], True])
    (folder / "seed.yaml").write_text(SEED.replace("env:LEANBE_WEBHOOK_SECRET", "env:HOOK"))
    ran = run_exec(folder, ("--secret-env", "HOOK"), "HOOK")
    assert (ran.status, json.loads(ran.stdout)) == (0, [["Acme"], True])


def test_exec_refuses_a_bad_file_before_the_command_runs(folder: Path) -> None:
    (folder / "seed.yaml").write_text("products: 5\n")
    ran = run_exec(folder, (), "X")
    assert (ran.status, ran.stdout) == (2, "")
    assert ran.stderr.startswith("error: seed.yaml:1: products is 5.\n       It has to be a list.")
    (folder / "seed.yaml").write_text("products: [{name: A}, {name: A}]\n")
    ran = run_exec(folder, (), "X")
    assert (ran.status, ran.stdout) == (2, "")
    assert "seed.yaml:1: There is a product 'A' already." in ran.stderr
