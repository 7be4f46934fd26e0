"""TypeScript: an interface for each record, and the union of all bodies."""

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
    Text: "string",
    Integer: "number",
    Number: "number",
    Boolean: "boolean",
    FreeForm: "Record<string, unknown>",
    Anything: "unknown",
}


def typescript(file: TypeFile) -> str:
    """Return the text of a TypeScript module."""
    records = [*file.records, *(record for _, record in file.bodies)]
    return (
        "\n".join(
            [
                "/**",
                *(f" * {line}".rstrip() for line in HEADER),
                " */",
                *(line for record in records for line in _interface(record, is_null=file.is_null)),
                "",
                "/** The body of any of these events: `event` tells which. */",
                "export type LeanbeEvent =",
                *(f"  | {record.name}" for _, record in file.bodies),
            ]
        )
        + ";\n"
    )


def _interface(record: Record, *, is_null: bool) -> Iterator[str]:
    yield ""
    if record.meaning:
        yield f"/** {record.meaning} */"
    yield f"export interface {record.name} {{"
    for field in record.fields:
        mark = "?" if not field.required and not is_null else ""
        or_null = " | null" if not field.required and is_null else ""
        yield f"  /** {meaning_of(field)} */"
        yield f"  {field.name}{mark}: {_type(field.shape)}{or_null};"
    yield "}"


def _type(shape: Shape) -> str:
    match shape:
        case Text(choices=(_, *_) as choices):
            return " | ".join(map(json.dumps, choices))
        case Boolean(always=bool() as always):
            return json.dumps(always)
        case _:
            return type_name(shape, _PLAIN, list_of="{}[]")
