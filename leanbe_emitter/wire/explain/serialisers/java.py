"""Java's serialisers: Jackson and Gson with their options, and Map.toString."""

from dataclasses import replace

from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.serialisers import number_formats, string_formats
from leanbe_emitter.wire.explain.serialisers.notation import Layout, Notation, Serialiser, by_utf16

_JACKSON = Notation(strings=string_formats.java_jackson, numbers=number_formats.java, surrogate="?")
_JACKSON_INDENTED = Layout(
    indent="  ", behind_key=" : ", empty_object="{ }", empty_list="[ ]", is_list_inline=True
)
_ELEMENT = Notation(
    strings=string_formats.line_separators, numbers=number_formats.as_it_came, surrogate="?"
)
_ELEMENT_HTML = replace(_ELEMENT, strings=string_formats.java_gson)
_MAP = replace(_ELEMENT, numbers=number_formats.java_double)
_MAP_HTML = replace(_ELEMENT_HTML, numbers=number_formats.java_double)
_PRINTED = Notation(
    strings=string_formats.bare,
    numbers=number_formats.java,
    layout=Layout(between=", ", behind_key="="),
    surrogate="?",
)


def _way(name: str, call: str, notation: Notation) -> Serialiser:
    return Serialiser(name=f"java-{name}", language=Language.JAVA, call=call, notation=notation)


def _dropping(notation: Notation) -> Notation:
    return replace(notation, drops_nulls=True)


_BUILT = "new GsonBuilder()"
_JSON, _AS_MAP = ".toJson(jsonElement)", ".toJson(map)"
JAVA = (
    _way("jackson", "Jackson's writeValueAsString(payload)", _JACKSON),
    _way("gson", f"new Gson(){_JSON}", _dropping(_ELEMENT_HTML)),
    _way("gson-map", f"new Gson(){_AS_MAP}", _dropping(_MAP_HTML)),
    _way("gson-nulls", f"{_BUILT}.serializeNulls().create(){_JSON}", _ELEMENT_HTML),
    _way("gson-map-nulls", f"{_BUILT}.serializeNulls().create(){_AS_MAP}", _MAP_HTML),
    _way("gson-plain", f"{_BUILT}.disableHtmlEscaping().create(){_JSON}", _dropping(_ELEMENT)),
    _way("gson-map-plain", f"{_BUILT}.disableHtmlEscaping().create(){_AS_MAP}", _dropping(_MAP)),
    _way("gson-element", "Gson's jsonElement.toString()", _ELEMENT),
    _way(
        "gson-plain-nulls",
        f"{_BUILT}.disableHtmlEscaping().serializeNulls().create(){_JSON}",
        _ELEMENT,
    ),
    _way(
        "gson-map-plain-nulls",
        f"{_BUILT}.disableHtmlEscaping().serializeNulls().create(){_AS_MAP}",
        _MAP,
    ),
    _way(
        "gson-pretty",
        f"{_BUILT}.setPrettyPrinting().create(){_JSON}",
        replace(_dropping(_ELEMENT_HTML), layout=Layout(indent="  ", behind_key=": ")),
    ),
    _way("jackson-map", "Jackson's writeValueAsString(map)", _JACKSON),
    _way(
        "jackson-sorted",
        "Jackson's writeValueAsString(map) with ORDER_MAP_ENTRIES_BY_KEYS",
        replace(_JACKSON, order=by_utf16),
    ),
    _way(
        "jackson-indented",
        "Jackson's writeValueAsString(payload) with INDENT_OUTPUT",
        replace(_JACKSON, layout=_JACKSON_INDENTED),
    ),
    _way(
        "jackson-ascii",
        "Jackson's writeValueAsString(payload) with ESCAPE_NON_ASCII",
        replace(_JACKSON, strings=string_formats.java_jackson_ascii, surrogate=""),
    ),
    Serialiser(
        name="java-map-to-string",
        language=Language.JAVA,
        call="map.toString()",
        notation=_PRINTED,
        says="is no JSON",
    ),
)
