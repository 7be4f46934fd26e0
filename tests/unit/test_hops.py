"""The tracer of the hop table counts code of one folder, and looks through all other code."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.hops import walking


def functions_in(file: Path, source: str, **names: object) -> dict[str, Any]:
    """Return the functions of a source text, as if the file contained it."""
    namespace: dict[str, Any] = dict(names)
    exec(compile(source, str(file), "exec"), namespace)  # noqa: S102 - the test's own text
    return namespace


def test_a_walk_counts_files_and_functions_once_and_every_move_between_files(
    tmp_path: Path,
) -> None:
    low = functions_in(tmp_path / "low.py", "def store(): pass\n")
    high = functions_in(
        tmp_path / "high.py",
        "def act():\n    check()\n    store()\n    store()\ndef check(): pass\n",
        **low,
    )
    with walking(tmp_path) as walk:
        high["act"]()
    assert walk.files == {str(tmp_path / "low.py"), str(tmp_path / "high.py")}
    assert {each.co_name for each in walk.functions} == {"act", "check", "store"}
    assert walk.moves == 2


def test_a_move_is_counted_through_code_of_other_folders(tmp_path: Path) -> None:
    def foreign(call: Callable[[], object]) -> object:
        return call()

    package = tmp_path / "package"
    low = functions_in(package / "low.py", "def store(): pass\n")
    high = functions_in(
        package / "high.py", "def act(): foreign(store)\n", foreign=foreign, store=low["store"]
    )
    with walking(package) as walk:
        high["act"]()
    assert {each.co_name for each in walk.functions} == {"act", "store"}
    assert walk.moves == 1
