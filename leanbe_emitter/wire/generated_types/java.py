"""Java: a record for each record, a sealed interface of all bodies, and the class of each event.

They need no library. Jackson (from 2.12) and Gson (from 2.10) fill records without annotations.
"""

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
    Number,
    Shape,
    Text,
)

_PLAIN: Mapping[type[Shape], str] = {
    Text: "String",
    Integer: "long",
    Number: "double",
    Boolean: "boolean",
    FreeForm: "Map<String, Object>",
    Anything: "Object",
}
_BOXED = {**_PLAIN, Integer: "Long", Number: "Double", Boolean: "Boolean"}

_START = """
import java.util.List;
import java.util.Map;

public final class Leanbe {
    private Leanbe() {}

    /** The body of one request. */
    public sealed interface Event {
        String event();
    }

    /** The class of a request's body by its member {@code event}. */
    public static final Map<String, Class<? extends Event>> EVENTS = Map.ofEntries("""


def java(file: TypeFile) -> str:
    """Return the text of ``Leanbe.java``, for Java 17 and later."""
    entries = [
        f'            Map.entry("{event}", {body.name}.class)' for event, body in file.bodies
    ]
    lines = [
        *(f"// {line}".rstrip() for line in HEADER),
        *_START.split("\n"),
        ",\n".join(entries) + ");",
        *(line for record in file.records for line in _record(record, implements="")),
        *(line for _, body in file.bodies for line in _record(body, implements=_IMPLEMENTS)),
        "}",
        "",
    ]
    return "\n".join(lines)


_IMPLEMENTS = " implements Event"


def _record(record: Record, *, implements: str) -> Iterator[str]:
    yield ""
    if record.meaning:
        yield f"    /** {record.meaning} */"
    yield f"    public record {record.name}("
    for field in record.fields:
        is_last = field is record.fields[-1]
        yield f"            /** {meaning_of(field)}{_absence(field)} */"
        end = f"){implements} {{}}" if is_last else ","
        yield f"            {_type(field)} {field.name}{end}"


def _absence(field: Field) -> str:
    return "" if field.required else " Null if absent."


def _type(field: Field) -> str:
    return type_name(field.shape, _PLAIN if field.required else _BOXED, list_of="List<{}>")
