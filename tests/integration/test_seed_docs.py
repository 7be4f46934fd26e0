"""docs/seed-files.md shows the example's own file, and what it says is so."""

import re
from pathlib import Path

import pytest

from leanbe_emitter import Leanbe
from leanbe_emitter.seeds import read_seed
from leanbe_emitter.seeds.seed import FIXED_ID, SECTIONS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "seed-files.md").read_text()
EXAMPLE = ROOT / "examples" / "seed.yaml"


def blocks(language: str) -> list[str]:
    """Return the page's blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_shows_the_example_as_it_is() -> None:
    assert blocks("yaml")[0] == EXAMPLE.read_text()


def test_the_example_has_something_of_everything() -> None:
    (globex,) = read_seed(EXAMPLE).content.products
    assert all(globex.entries(each.resource.collection) for each in SECTIONS)
    assert globex.webhook is not None
    assert globex.webhook.url == "http://127.0.0.1:8000/hooks/leanbe"


def test_every_file_of_the_page_can_be_planted(tmp_path: Path) -> None:
    for text in blocks("yaml"):
        (tmp_path / "seed.yaml").write_text(text)
        with Leanbe() as leanbe:
            environ = {"LEANBE_WEBHOOK_SECRET": "whsec_test"}
            assert leanbe.seeds.plant(read_seed(tmp_path / "seed.yaml", environ))
            assert leanbe.products.only().webhook.secret == "whsec_test"


def test_the_page_tells_of_every_member_that_only_a_seed_file_has() -> None:
    for section in SECTIONS:
        for name in {FIXED_ID, *section.names, *section.choices}:
            assert f"`{name}`" in PAGE, name


def test_the_pages_example_in_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "seed.yaml").write_text(EXAMPLE.read_text())
    (example,) = blocks("python")
    exec(compile(example, "seed-files.md", "exec"), {})  # noqa: S102 - our own
