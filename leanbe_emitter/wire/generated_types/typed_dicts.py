"""Python: a TypedDict for each record, and the union of all bodies.

A TypedDict is what ``json.loads`` returns: the types cost nothing at run time.
"""

import json
from collections.abc import Iterator, Mapping

from leanbe_emitter.wire.generated_types.records import (
    HEADER,
    Record,
    TypeFile,
    meaning_of,
    type_name,
)
from leanbe_emitter.wire.payloads.shapes import (
    Anything,
    Boolean,
    FreeForm,
    Integer,
    Number,
    Shape,
    Text,
)

_PLAIN: Mapping[type[Shape], str] = {
    Text: "str",
    Integer: "int",
    Number: "float",
    Boolean: "bool",
    FreeForm: "dict[str, Any]",
    Anything: "Any",
}

_NAMES = ("Any", "Literal", "NotRequired", "TypeAlias", "TypedDict")


def typed_dicts(file: TypeFile) -> str:
    """Return the text of a Python module, for Python 3.11 and later."""
    records = [*file.records, *(record for _, record in file.bodies)]
    classes = "\n".join(line for record in records for line in _class(record, is_null=file.is_null))
    used = [name for name in _NAMES if name == "TypeAlias" or name in classes]
    return "\n".join(
        [
            f'"""{HEADER[0]}',
            *HEADER[1:],
            '"""',
            "",
            f"from typing import {', '.join(used)}",
            classes,
            "",
            "",
            "#: The body of any of these events: ``event`` tells which.",
            "LeanbeEvent: TypeAlias = (",
            "    " + "\n    | ".join(record.name for _, record in file.bodies),
            ")",
            "",
        ]
    )


def _class(record: Record, *, is_null: bool) -> Iterator[str]:
    yield from ("", "", f"class {record.name}(TypedDict):")
    if record.meaning:
        yield from (f'    """{record.meaning}"""', "")
    for field in record.fields:
        value = _type(field.shape)
        if not field.required:
            value = f"{value} | None" if is_null else f"NotRequired[{value}]"
        yield f"    {field.name}: {value}"
        yield f'    """{meaning_of(field)}"""'


def _type(shape: Shape) -> str:
    match shape:
        case Text(choices=(_, *_) as choices):
            return f"Literal[{', '.join(map(json.dumps, choices))}]"
        case Boolean(always=bool() as always):
            return f"Literal[{always}]"
        case _:
            return type_name(shape, _PLAIN, list_of="list[{}]")
