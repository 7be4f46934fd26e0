"""Ruby's serialisers: JSON.generate with its options, Rails' to_json, and inspect."""

from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.serialisers import number_formats, string_formats
from leanbe_emitter.wire.explain.serialisers.notation import Layout, Notation, Serialiser
from leanbe_emitter.wire.explain.serialisers.string_formats import StringFormat

_INDENTED = Layout(indent="  ", behind_key=": ", empty_object="{\n}", empty_list="[\n\n]")


def _way(name: str, call: str, strings: StringFormat, layout: Layout | None = None) -> Serialiser:
    return Serialiser(
        name=name,
        language=Language.RUBY,
        call=call,
        notation=Notation(
            strings=strings, numbers=number_formats.ruby, layout=layout or Layout(), surrogate=None
        ),
    )


def _inspect(name: str, call: str, arrow: str) -> Serialiser:
    return Serialiser(
        name=name,
        language=Language.RUBY,
        call=call,
        notation=Notation(
            strings=string_formats.ruby_inspected,
            numbers=number_formats.ruby,
            words=("nil", "true", "false"),
            layout=Layout(between=", ", behind_key=arrow),
            surrogate=None,
        ),
        says="is no JSON",
    )


RUBY = (
    _way("ruby-generate", "JSON.generate(payload)", string_formats.javascript),
    _way("ruby-rails", "payload.to_json in Rails", string_formats.go_html),
    _way(
        "ruby-generate-script-safe",
        "JSON.generate(payload, script_safe: true)",
        string_formats.ruby_script_safe,
    ),
    _way(
        "ruby-generate-ascii", "JSON.generate(payload, ascii_only: true)", string_formats.ruby_ascii
    ),
    _way(
        "ruby-pretty-generate",
        "JSON.pretty_generate(payload)",
        string_formats.javascript,
        _INDENTED,
    ),
    _inspect("ruby-inspect", "payload.inspect", "=>"),
    _inspect("ruby-inspect-3.4", "payload.inspect of Ruby 3.4", " => "),
)
