"""Go's serialisers: encoding/json of maps and of raw messages, and fmt."""

from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.serialisers import number_formats, string_formats
from leanbe_emitter.wire.explain.serialisers.notation import (
    Layout,
    Notation,
    Serialiser,
    by_code_point,
)

_HTML, _LINES = string_formats.go_html, string_formats.line_separators


def _way(name: str, call: str, notation: Notation) -> Serialiser:
    return Serialiser(name=name, language=Language.GO, call=call, notation=notation)


_MAP = Notation(strings=_HTML, order=by_code_point, surrogate="\ufffd", numbers=number_formats.go)
_MAP_NUMBER = Notation(
    strings=_HTML, order=by_code_point, surrogate="\ufffd", numbers=number_formats.as_it_came
)
_MAP_LINE = Notation(
    strings=_HTML, order=by_code_point, surrogate="\ufffd", end="\n", numbers=number_formats.go
)
_MAP_PLAIN_LINE = Notation(
    strings=_LINES, order=by_code_point, surrogate="\ufffd", end="\n", numbers=number_formats.go
)
_MAP_PLAIN = Notation(
    strings=_LINES, order=by_code_point, surrogate="\ufffd", numbers=number_formats.go
)
_MAP_INDENT = Notation(
    strings=_HTML,
    order=by_code_point,
    surrogate="\ufffd",
    numbers=number_formats.go,
    layout=Layout(indent="  ", behind_key=": "),
)
_RAW = Notation(strings=_HTML, numbers=number_formats.as_it_came)
_RAW_LINE = Notation(strings=_HTML, numbers=number_formats.as_it_came, end="\n")
_RAW_PLAIN_LINE = Notation(numbers=number_formats.as_it_came, end="\n")
_PRINTED = Notation(
    strings=string_formats.bare,
    numbers=number_formats.go_value,
    words=("<nil>", "true", "false"),
    order=by_code_point,
    layout=Layout(between=" ", opened="map[", closed="]"),
    surrogate="\ufffd",
)
GO = (
    _way("go-marshal", "json.Marshal(payload)", _MAP),
    _way("go-raw-marshal", "json.Marshal(json.RawMessage(payload))", _RAW),
    _way("go-encoder", "json.NewEncoder(w).Encode(payload)", _MAP_LINE),
    _way(
        "go-encoder-plain",
        "json.NewEncoder(w).Encode(payload) with SetEscapeHTML(false)",
        _MAP_PLAIN_LINE,
    ),
    _way(
        "go-encoder-trimmed",
        "json.NewEncoder(w).Encode(payload) with SetEscapeHTML(false), trimmed",
        _MAP_PLAIN,
    ),
    _way("go-raw-encoder", "json.NewEncoder(w).Encode(json.RawMessage(payload))", _RAW_LINE),
    _way(
        "go-raw-encoder-plain",
        "json.NewEncoder(w).Encode(json.RawMessage(payload)) with SetEscapeHTML(false)",
        _RAW_PLAIN_LINE,
    ),
    _way("go-marshal-number", "json.Marshal(payload) after UseNumber()", _MAP_NUMBER),
    _way("go-marshal-indent", 'json.MarshalIndent(payload, "", "  ")', _MAP_INDENT),
    Serialiser(
        name="go-sprint",
        language=Language.GO,
        call="fmt.Sprint(payload)",
        notation=_PRINTED,
        says="is no JSON",
    ),
)
