"""The Containerfile and compose.yaml do what they say, step by step, without a container."""

import re
import signal
import tomllib
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from leanbe_emitter.delivery.worker import worker
from leanbe_emitter.server import serving
from leanbe_emitter.server_process import STOP_SECONDS
from leanbe_emitter.settings import Settings
from tests.support.containerfile import Image
from tests.support.doc_pages import ROOT
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.waiting import wait_until

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())


def get(port: int, **headers: str) -> int:
    """Ask the server in the image for its products; return the status."""
    url = f"http://127.0.0.1:{port}/api/v1/products"
    return httpx.get(url, headers=headers, trust_env=False, timeout=30).status_code


@pytest.mark.prove
def test_it_serves_without_an_argument_to_whoever_asks_by_its_names(
    image: Image, port: int
) -> None:
    environ = {"LEANBE_EMITTER_PORT": str(port)}
    with image.started(*image.command(), environ=environ) as process:
        wait_until(lambda: image.is_healthy(environ), "it is well")
        names = ("127.0.0.1", f"localhost:{port}", "leanbe-emitter:5326", "evil.example")
        assert [get(port, host=name) for name in names] == [200, 200, 200, 403]
        process.send_signal(signal.Signals[image.last("STOPSIGNAL")])
        assert process.wait(60) == 0
    assert not image.is_healthy(environ)


@pytest.mark.prove
def test_a_token_that_is_set_is_asked_for_and_every_name_is_known_then(
    image: Image, port: int
) -> None:
    environ = {"LEANBE_EMITTER_PORT": str(port), "LEANBE_EMITTER_TOKEN": "let-me-in"}
    with image.started(*image.command(), environ=environ):
        wait_until(lambda: image.is_healthy(environ), "it is well")
        assert get(port) == 401
        assert get(port, host="ci.example", authorization="Bearer let-me-in") == 200


@pytest.mark.prove
def test_it_is_no_root_keeps_its_database_in_a_volume_and_tells_the_port(image: Image) -> None:
    assert int(image.last("USER")) > 0
    folder = image.local_paths(image.last("VOLUME"))
    assert image.environ["LEANBE_EMITTER_DB"] == f"sqlite:///{folder}/leanbe-emitter.db"
    assert int(image.last("EXPOSE")) == Settings().port


def test_it_has_what_the_project_needs_as_the_tests_have_it_and_no_tool_of_theirs() -> None:
    pinned = locked_hashes("requirements-image.lock")
    tested = locked_hashes("requirements.lock")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["postgres"]]
    assert {canonicalize_name(Requirement(each).name) for each in needed} <= {
        each.partition("==")[0] for each in pinned
    }
    assert {each: tested.get(each) for each in pinned} == pinned
    assert "pytest" not in {each.partition("==")[0] for each in pinned}


def locked_hashes(name: str) -> dict[str, set[str]]:
    """Return the hashes of each version that a lock names."""
    lines = (ROOT / name).read_text().replace("\\\n", "").splitlines()
    return {line.split()[0]: set(re.findall("sha256:[0-9a-f]+", line)) for line in lines}


def service(name: str, *, db: str, port: int) -> tuple[list[str], dict[str, str]]:
    """Return command and variables of a service, on this machine."""
    described = COMPOSE["services"][name]
    asked = described["environment"]
    assert asked == {"LEANBE_EMITTER_DB": "postgresql://leanbe:leanbe@postgres/leanbe"}
    environ = {"LEANBE_EMITTER_DB": db, "LEANBE_EMITTER_PORT": str(port)}
    return described["command"], environ


@pytest.mark.prove
def test_a_server_and_two_workers_share_postgresql_and_one_is_enough(
    image: Image, postgresql_url: str, port: int
) -> None:
    with ExitStack() as running, LoopbackReceiver.listening() as receiver:
        command, environ = service("server", db=postgresql_url, port=port)
        running.enter_context(image.started(*command, environ=environ))
        health = COMPOSE["services"]["server"]["healthcheck"]["test"][1:]
        assert health == image.command("HEALTHCHECK")
        wait_until(lambda: image.is_healthy(environ), "the tables are there")
        command, environ = service("worker", db=postgresql_url, port=port)
        workers = [
            running.enter_context(image.started(*command, environ=environ))
            for _ in range(COMPOSE["services"]["worker"]["deploy"]["replicas"])
        ]
        api = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", trust_env=False, timeout=60)
        with api:
            webhook = {"url": receiver.url, "secret": "whsec_test"}
            api.post("/products", json={"name": "Acme", "webhook": webhook}).raise_for_status()
            for title in ("Dark mode", "Light mode"):
                made = api.post("/products/Acme/ideas", json={"title": title})
                after = {"after": made.headers["Leanbe-Emitter-Cursor"], "status": "delivered"}
                api.post("/deliveries/wait", json=after).raise_for_status()
                workers[0].kill()  # before the second
                workers[0].wait()
    assert len(receiver.requests) == len(workers) == 2


def test_a_stop_gives_the_server_the_time_that_it_may_take() -> None:
    longest = serving.GRACE_SECONDS + worker.GRACE_SECONDS
    assert longest + 5 <= STOP_SECONDS
    for name in ("server", "worker"):
        assert COMPOSE["services"][name]["stop_grace_period"] == f"{STOP_SECONDS}s"
    assert f"--stop-timeout {STOP_SECONDS}" in (ROOT / "docs" / "ci.md").read_text()


def test_a_service_waits_for_the_health_of_those_before_and_nobody_else_gets_in() -> None:
    services = COMPOSE["services"]
    waits = {
        name: {other: how["condition"] for other, how in each.get("depends_on", {}).items()}
        for name, each in services.items()
    }
    assert waits == {
        "postgres": {},
        "server": {"postgres": "service_healthy"},
        "worker": {"server": "service_healthy"},
    }
    # Compose pulls an image before it builds any, where a service says nothing of how to build it.
    assert services["worker"]["build"] == services["server"]["build"]
    for port in services["server"]["ports"]:
        assert port.startswith("127.0.0.1:")
    assert "ports" not in services["postgres"]
