"""A text of YAML or JSON as one value, and the line on which each part of it stands.

Plain scalars mean what they mean in JSON, so that ``NO`` is a country and ``2026-01-01`` a text.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from leanbe_emitter.strict_model import Path
from leanbe_emitter.wire.stringify import JSON

_TAG: Final = "tag:yaml.org,2002:"
#: Plain scalars that are no texts: what they are, how they look, and how they begin.
_SCALARS: Final = (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?(0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", list("-0123456789")),
)
_KINDS: Final = frozenset(_TAG + name for name in ("null", "bool", "int", "float", "str"))


#: So many values the aliases of a file may repeat: a few lines of aliases of aliases would fill the
#: memory of any machine.
MOST_REPEATED: Final = 100_000


class Unreadable(Exception):
    """The text is no YAML or JSON that could be a file of ours.

    Attributes:
        line: where, counted from 1.
        reason: what is wrong there, a sentence.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Located:
    """A value, and where its parts stand."""

    value: JSON
    lines: Mapping[Path, int]


def locate(text: str) -> Located:
    """Read a text; in JSON, too, a member's name has at most 1024 characters, as it is written.

    Raises:
        Unreadable: it is neither YAML nor JSON, has a name twice, nests too deeply, or has aliases
            that repeat too much.
    """
    try:
        is_json, value = _as_json(text)
        # In JSON a tab is white space anywhere; YAML does not take it between values.
        loader = _Loader(text.replace("\t", " ") if is_json else text)
        try:
            reading = _Reading(loader)
            read = reading.value(loader.get_single_node(), ())
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _unreadable(error) from None
    except yaml.YAMLError as error:
        raise Unreadable(1, f"{error}.") from None
    except RecursionError:
        raise Unreadable(1, "It is nested too deeply.") from None
    return Located(value=value if is_json else read, lines=reading.lines)


def _as_json(text: str) -> tuple[bool, JSON]:
    """Return whether a text is JSON, and its value: YAML reads some escapes otherwise."""
    try:
        return True, json.loads(text)
    except ValueError:
        return False, None


class _Loader(yaml.SafeLoader):
    """Reads nothing but JSON's kinds of values."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 - as its base has it


for _name, _look, _begins in _SCALARS:
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"^(?:{_look})$"), _begins)


class _Reading:
    """Makes values of nodes, and notes their lines."""

    def __init__(self, loader: _Loader) -> None:
        self.lines: dict[Path, int] = {}
        self._loader = loader
        self._read = set[yaml.Node]()
        self._repeated = 0

    def value(self, node: yaml.Node | None, path: Path) -> JSON:
        if node is None:  # an empty text
            self.lines[path] = 1
            return None
        self.lines.setdefault(path, _line(node))
        self._count(node)
        match node:
            case yaml.MappingNode(tag="tag:yaml.org,2002:map"):
                return dict(self._members(node, path))
            case yaml.SequenceNode(tag="tag:yaml.org,2002:seq"):
                return [self.value(each, (*path, i)) for i, each in enumerate(node.value)]
            case yaml.ScalarNode(tag=tag) if tag in _KINDS:
                return self._loader.construct_object(node)
            case _:
                raise Unreadable(_line(node), f"{node.tag} is no kind of value here.")

    def _count(self, node: yaml.Node) -> None:
        if node in self._read:
            self._repeated += 1
        if self._repeated > MOST_REPEATED:
            raise Unreadable(
                _line(node),
                f"Aliases of this file repeat more than {MOST_REPEATED} values, this one too.",
            )
        self._read.add(node)

    def _members(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, JSON]]:
        seen = set[str]()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise Unreadable(_line(key), "A member's name has to be a text.")
            if key.value in seen:
                raise Unreadable(_line(key), f"{key.value!r} is there twice.")
            seen.add(key.value)
            self.lines[*path, key.value] = _line(key)
            yield key.value, self.value(value, (*path, key.value))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _unreadable(error: yaml.MarkedYAMLError) -> Unreadable:
    mark = error.problem_mark or error.context_mark
    reason = ", ".join(filter(None, (error.context, error.problem)))
    return Unreadable(1 if mark is None else mark.line + 1, f"This is no YAML: {reason}.")
