"""PHP: a class for each record, an abstract class of all bodies, and a method that decodes one."""

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
    Field,
    FreeForm,
    Integer,
    ListOf,
    Number,
    Object,
    Shape,
    Text,
)

_PLAIN: Mapping[type[Shape], str] = {
    Text: "string",
    Integer: "int",
    Number: "int|float",
    Boolean: "bool",
    FreeForm: r"\stdClass",
    Anything: "mixed",
}

_START = r"""
declare(strict_types=1);

namespace Leanbe;

/** The body of one request. */
abstract class Event
{
    /**
     * Return the body of a request as an object of its event's class.
     *
     * @throws \JsonException the body is not JSON
     * @throws \TypeError the body has no such members
     * @throws \UnexpectedValueException the event is unknown
     */
    public static function decode(string $body): self
    {
        $data = json_decode($body, flags: JSON_THROW_ON_ERROR);
        return match ($data->event ?? null) {"""
_END = r"""            default => throw new \UnexpectedValueException('this event is unknown'),
        };
    }
}"""


def php(file: TypeFile) -> str:
    """Return the text of a PHP file, for PHP 8.1 and later."""
    return "\n".join(
        [
            "<?php",
            "",
            *(f"// {line}".rstrip() for line in HEADER),
            *_START.split("\n"),
            *(f"            '{event}' => {body.name}::from($data)," for event, body in file.bodies),
            _END,
            *(line for record in file.records for line in _class(record, extends="")),
            *(line for _, body in file.bodies for line in _class(body, extends=" extends Event")),
            "",
        ]
    )


def _class(record: Record, *, extends: str) -> Iterator[str]:
    yield ""
    if record.meaning:
        yield f"/** {record.meaning} */"
    yield f"final class {record.name}{extends}"
    yield from ("{", "    public function __construct(")
    for field in record.fields:
        yield f"        /** {_list_type(field)}{meaning_of(field)} */"
        yield f"        public readonly {_declared(field)} ${field.name},"
    yield from ("    ) {", "    }", "")
    yield r"    public static function from(\stdClass $data): self"
    yield from ("    {", "        return new self(")
    yield from (f"            {field.name}: {_value(field)}," for field in record.fields)
    yield from ("        );", "    }", "}")


def _list_type(field: Field) -> str:
    return f"@var list<{field.shape.item.name}> " if isinstance(field.shape, ListOf) else ""


def _declared(field: Field) -> str:
    declared = type_name(field.shape, _PLAIN, list_of="array")
    if field.required or isinstance(field.shape, Anything):
        return declared
    return f"{declared}|null" if "|" in declared else f"?{declared}"


def _value(field: Field) -> str:
    got = f"$data->{field.name}"
    match field.shape:
        case Object(name=name):
            made = f"{name}::from({got})"
            return made if field.required else f"isset({got}) ? {made} : null"
        case ListOf(item=item):
            made = f"array_map({item.name}::from(...), {got})"
            return made if field.required else f"isset({got}) ? {made} : null"
        case _:
            return got if field.required else f"{got} ?? null"
