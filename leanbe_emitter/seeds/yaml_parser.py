"""Parsing YAML or JSON into one value, with the line of each part.

Plain scalars have the types of JSON: ``NO`` and ``2026-01-01`` are texts.
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
#: Plain scalars that are no texts: their type, their pattern, and their first characters.
_SCALARS: Final = (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?(0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", list("-0123456789")),
)
_KINDS: Final = frozenset(_TAG + name for name in ("null", "bool", "int", "float", "str"))


#: How many values the aliases of a file may repeat. Without a limit, a few lines of nested aliases
#: would fill the memory.
MOST_REPEATED: Final = 100_000


class Unreadable(Exception):
    """The text is no YAML or JSON that this program reads.

    Attributes:
        line: the line of the problem, counted from 1.
        reason: the problem, as a sentence.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Located:
    """A value, and the lines of its parts."""

    value: JSON
    lines: Mapping[Path, int]


def locate(text: str) -> Located:
    """Parse a text. The name of a member has at most 1024 characters, also in JSON.

    Raises:
        Unreadable: the text is neither YAML nor JSON, has a name twice, is nested too deeply, or
            has aliases that repeat too much.
    """
    try:
        is_json, value = _as_json(text)
        # In JSON a tab is white space anywhere; YAML does not take it between values.
        loader = _Loader(text.replace("\t", " ") if is_json else text)
        try:
            parser = _NodeParser(loader)
            read = parser.value(loader.get_single_node(), ())
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _unreadable(error) from None
    except yaml.YAMLError as error:
        raise Unreadable(1, f"{error}.") from None
    except RecursionError:
        raise Unreadable(1, "It is nested too deeply.") from None
    return Located(value=value if is_json else read, lines=parser.lines)


def _as_json(text: str) -> tuple[bool, JSON]:
    """Return whether a text is JSON, and its value. YAML reads some escapes otherwise."""
    try:
        return True, json.loads(text)
    except ValueError:
        return False, None


class _Loader(yaml.SafeLoader):
    """Loads only values of the types of JSON."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 - as in its base class


for _name, _look, _begins in _SCALARS:
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"^(?:{_look})$"), _begins)


class _NodeParser:
    """Constructs values from nodes, and notes their lines."""

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
                raise Unreadable(_line(node), f"{node.tag} is no type of JSON.")

    def _count(self, node: yaml.Node) -> None:
        if node in self._read:
            self._repeated += 1
        if self._repeated > MOST_REPEATED:
            raise Unreadable(
                _line(node),
                f"Aliases of this file repeat more than {MOST_REPEATED} values, with this one.",
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
