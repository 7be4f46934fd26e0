"""The page docs/ci.md is true: it shows YAML, and its commands work."""

import re
import shlex
import subprocess
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import yaml

from tests.support.command_line import environment
from tests.support.containerfile import Image
from tests.support.doc_pages import ROOT
from tests.support.example_suites import Example
from tests.support.waiting import wait_until

PAGE = (ROOT / "docs" / "ci.md").read_text()
SNIPPETS: Mapping[str, dict[str, Any]] = {
    name: yaml.safe_load(text)
    for name, text in re.findall(r"<!-- run: ([a-z ]+) -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)
}


@pytest.fixture
def example(tmp_path: Any) -> Example:
    return Example("node", tmp_path)


def commands_of(name: str) -> list[str]:
    """Return the lines that a job types."""
    if name.startswith("gitlab"):
        lines: list[str] = SNIPPETS[name]["suite"]["script"]
        return lines
    steps = SNIPPETS[name]["jobs"]["suite"]["steps"]
    return [step["run"] for step in steps if "run" in step and "if" not in step]


def the_line(name: str, beginning: str) -> list[str]:
    """Return the words of the one line that begins so, without that."""
    (line,) = (line for line in commands_of(name) if line.startswith(beginning))
    return shlex.split(line.removeprefix(beginning))


def node(example: Example, *words: str, environ: Mapping[str, str]) -> None:
    """Run a command in the folder of the suite; it has to succeed."""
    ran = subprocess.run(
        words, cwd=example.folder, env=environ, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_there_is_a_snippet_for_each_way_and_each_service() -> None:
    assert set(SNIPPETS) == {
        f"{service} {way}" for service in ("github", "gitlab") for way in ("exec", "container")
    }
    for name in SNIPPETS:
        assert commands_of(name)[-1].endswith("node --test")


@pytest.mark.node
@pytest.mark.prove
def test_the_suite_passes_by_the_last_line_which_is_the_same_everywhere(
    image: Image, example: Example
) -> None:
    lines = [commands_of(name)[-1] for name in ("github exec", "gitlab exec")]
    (line,) = {each.removeprefix("venv/bin/") for each in lines}
    node(example, *shlex.split(line), environ=environment({"PATH": image.environ["PATH"]}))


@pytest.mark.node
@pytest.mark.prove
def test_the_suite_passes_beside_the_container(image: Image, example: Example, port: int) -> None:
    run = the_line("github container", "docker run --detach --name emitter --network host --env ")
    variable, name, *command = run
    assert (name, image.last("EXPOSE")) == ("leanbe-emitter", "5326")
    set_name, _, value = variable.partition("=")
    told = {set_name: value, "LEANBE_EMITTER_PORT": str(port)}
    with image.started(*command, environ=told):
        image.run(*the_line("github container", "docker exec emitter "), environ=told)
        there = {"LEANBE_EMITTER_URL": f"http://127.0.0.1:{port}"}
        node(example, "node", "--test", environ=environment(there))


@pytest.mark.prove
def test_the_service_of_a_job_is_well_by_the_name_that_the_job_knows(
    image: Image, port: int
) -> None:
    job = SNIPPETS["gitlab container"]["suite"]
    (service,) = job["services"]
    url = httpx.URL(job["variables"]["LEANBE_EMITTER_URL"])
    assert (url.host, str(url.port)) == (service["alias"], image.last("EXPOSE"))
    told = {"LEANBE_EMITTER_PORT": str(port)}
    with image.started(*service["command"], environ=told):
        wait_until(lambda: image.is_healthy(told), "it is well")
        asked = httpx.get(
            f"http://127.0.0.1:{port}/api/v1/products",
            headers={"host": url.netloc.decode()},
            trust_env=False,
            timeout=30,
        )
    assert asked.status_code == 200


def test_the_image_is_built_from_what_is_there_and_published_to_this_machine() -> None:
    build = "docker build --tag leanbe-emitter --file leanbe-emitter/Containerfile leanbe-emitter"
    assert build in commands_of("github container")
    assert f"{build}\ndocker run --detach --publish 127.0.0.1:5326:5326 leanbe-emitter\n" in PAGE
    assert (ROOT / "Containerfile").is_file()
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
