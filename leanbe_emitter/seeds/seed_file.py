"""Reading seed files: parse, check the members, and check the rest by a trial."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath

from pydantic import ValidationError

from leanbe_emitter.errors import InvalidValue, LeanbeError
from leanbe_emitter.seeds.content import Content
from leanbe_emitter.seeds.seed import Seed, blamed, line_of, place
from leanbe_emitter.seeds.trial_planting import find_mistakes
from leanbe_emitter.seeds.yaml_parser import Located, Unreadable, locate
from leanbe_emitter.strict_model import Path, field_error_of

#: How many mistakes one error shows.
_MOST_MISTAKES = 20


def read_seed(file: str | os.PathLike[str], environ: Mapping[str, str] = os.environ) -> Seed:
    """Read and check a seed file, YAML or JSON.

    Args:
        file: the path of the file.
        environ: the variables for ``env:NAME``.

    Raises:
        InvalidValue: the file cannot be read, or has several mistakes. The message has a line for
            each mistake, which begins with file and line.
        LeanbeError: the error of the only mistake; its message begins with file and line.
    """
    name = os.fspath(file)
    located = _located(name, FilePath(file))
    try:
        content = Content.model_validate(located.value, context=environ)
    except ValidationError as error:
        raise _refused(name, located.lines, _mistakes(error)) from None
    seed = Seed(name=name, content=content, lines=located.lines)
    if found := find_mistakes(seed):
        raise _refused(name, located.lines, found)
    return seed


def seed_of(name: str, text: str) -> Seed:
    """Return the seed that a database has stored.

    Raises:
        InvalidValue: another version of the program stored it, and this one cannot read it.
    """
    try:
        return Seed(name=name, content=Content.model_validate_json(text))
    except ValidationError as error:
        raise _refused(name, {}, _mistakes(error)) from None


def _located(name: str, file: FilePath) -> Located:
    try:
        return locate(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InvalidValue(f"{name!r} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise InvalidValue(f"{name!r} is no UTF-8: byte {error.start} is wrong.") from None
    except Unreadable as error:
        raise InvalidValue(f"{name}:{error.line}: {error.reason}") from None


def _mistakes(error: ValidationError) -> list[tuple[Path, LeanbeError]]:
    found = [
        field_error_of(each, Content, whole="The file") for each in error.errors(include_url=False)
    ]
    return [(each.path, InvalidValue(each.message, hint=each.hint)) for each in found]


def _refused(
    name: str, lines: Mapping[Path, int], found: Sequence[tuple[Path, LeanbeError]]
) -> LeanbeError:
    """Return one error for all mistakes, in the order of their lines."""
    in_order = sorted(found, key=lambda each: line_of(lines, each[0]) or 0)
    errors = [blamed(error, place(name, lines, path)) for path, error in in_order]
    if len(errors) == 1:
        return errors[0]
    more = len(errors) - _MOST_MISTAKES
    shown = "\n".join(str(each) for each in errors[:_MOST_MISTAKES])
    return InvalidValue(shown, hint=f"And {more} more." if more > 0 else "")
