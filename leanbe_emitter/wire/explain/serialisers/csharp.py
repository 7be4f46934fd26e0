"""C#'s serialisers, by their documentation: System.Text.Json and Newtonsoft.Json."""

from dataclasses import replace

from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.serialisers import number_formats, string_formats
from leanbe_emitter.wire.explain.serialisers.notation import Layout, Notation, Serialiser
from leanbe_emitter.wire.explain.serialisers.number_formats import newtonsoft_instant

_INDENTED = Layout(indent="  ", behind_key=": ")
_DEFAULT = Notation(
    strings=string_formats.csharp_default, numbers=number_formats.as_it_came, surrogate=None
)
_RELAXED = replace(_DEFAULT, strings=string_formats.csharp_relaxed)
_NEWTONSOFT = Notation(
    strings=string_formats.newtonsoft, numbers=number_formats.dotnet, surrogate="\ufffd"
)


def _way(name: str, call: str, notation: Notation) -> Serialiser:
    return Serialiser(name=f"csharp-{name}", language=Language.CSHARP, call=call, notation=notation)


CSHARP = (
    _way("text-json", "JsonSerializer.Serialize(payload)", _DEFAULT),
    _way(
        "text-json-relaxed",
        "JsonSerializer.Serialize(payload) with UnsafeRelaxedJsonEscaping",
        _RELAXED,
    ),
    _way(
        "text-json-indented",
        "JsonSerializer.Serialize(payload) with WriteIndented",
        replace(_DEFAULT, layout=_INDENTED),
    ),
    _way(
        "newtonsoft",
        "JsonConvert.SerializeObject(jObject)",
        replace(_NEWTONSOFT, replaces=newtonsoft_instant),
    ),
    _way("newtonsoft-texts", "JsonConvert.SerializeObject(jObject) without dates", _NEWTONSOFT),
    _way(
        "newtonsoft-indented",
        "JsonConvert.SerializeObject(jObject, Formatting.Indented)",
        replace(_NEWTONSOFT, replaces=newtonsoft_instant, layout=_INDENTED),
    ),
)
