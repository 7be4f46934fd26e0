"""A checkout of another commit: its product, run by today's programs where they are public."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.checkouts import OWN, Checkout

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "benchmarks"


def git(*arguments: str) -> str:
    """Return what Git says."""
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    """Check out the commit on which the working tree stands."""
    if not (ROOT / ".git").exists():
        pytest.skip("only a checkout has commits")
    with Checkout.of("HEAD") as made:
        yield made


def test_a_checkout_runs_todays_programs(checkout: Checkout) -> None:
    programs = {each.name for each in PROGRAMS.glob("*.py")}
    assert {each.name for each in checkout.root.glob("benchmarks/*.py")} == programs
    for name in programs - OWN:
        assert (checkout.root / "benchmarks" / name).read_bytes() == (PROGRAMS / name).read_bytes()


def test_programs_that_know_the_products_inside_are_the_checkouts_own(checkout: Checkout) -> None:
    for name in OWN:
        own = git("show", f"HEAD:benchmarks/{name}")
        assert (checkout.root / "benchmarks" / name).read_text().strip() == own


def test_a_checkout_has_todays_server_which_knows_nothing_of_the_product(
    checkout: Checkout,
) -> None:
    for name in ("postgresql.py", "ports.py"):
        text = (ROOT / "tests" / "support" / name).read_text()
        assert (checkout.root / "tests" / "support" / name).read_text() == text
        assert "from leanbe_emitter" not in text


def test_nothing_of_a_checkout_is_left() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("only a checkout has commits")
    with Checkout.of("HEAD") as made:
        pass
    assert not made.root.exists()
    assert str(made.root) not in git("worktree", "list")


def test_only_what_a_checkout_brings_itself_knows_the_product_inside() -> None:
    public = (
        "from leanbe_emitter import",
        "from leanbe_emitter.__main__ import main",
        "from leanbe_emitter.clock import stopwatch",
        "from leanbe_emitter.testing import",
    )
    inside = {
        each.name
        for each in PROGRAMS.rglob("*.py")
        for line in each.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith(("from leanbe_emitter", "import leanbe_emitter"))
        and not line.strip().startswith(public)
    }
    assert inside <= OWN
