"""What the package shows, and what it costs to import."""

import subprocess
import sys

import leanbe_emitter


def loaded_by(statement: str) -> set[str]:
    """Return the names of all modules that a fresh interpreter has loaded after a statement."""
    program = f"import sys\n{statement}\nprint(' '.join(sys.modules))"
    finished = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return set(finished.stdout.split())


def test_every_public_name_is_there() -> None:
    for name in leanbe_emitter.__all__:
        assert getattr(leanbe_emitter, name) is not None
    assert leanbe_emitter.__all__ == sorted(leanbe_emitter.__all__, key=lambda n: (n.islower(), n))
    assert set(leanbe_emitter.__all__) <= set(dir(leanbe_emitter))


def test_a_name_that_is_not_public_is_no_attribute() -> None:
    assert not hasattr(leanbe_emitter, "Leanby")


def test_verify_loads_nothing_heavy() -> None:
    modules = loaded_by("from leanbe_emitter import verify, sign, stringify, InvalidSignature")
    heavy = {"sqlalchemy", "alembic", "click", "rich", "httpx", "httptools", "asyncio", "tenacity"}
    assert modules & heavy == set()
    assert "leanbe_emitter.wire.envelope" in modules
