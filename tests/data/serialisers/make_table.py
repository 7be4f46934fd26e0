"""Make ``table.json``: what real serialisers of many languages make of payload texts.

It needs PHP, Go, Ruby with ActiveSupport, Java with Jackson and Gson, Node.js and Python. C# is not
run: its rows in ``documented.json`` follow its documentation, and are copied from there.

    python tests/data/serialisers/make_table.py
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
JARS = ":".join(
    f"/usr/share/java/{name}.jar"
    for name in ("jackson-core", "jackson-databind", "jackson-annotations", "gson")
)
#: The program of each language, which reads a list of texts and prints its rows.
PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "javascript": ("node", "serialise.js"),
    "python": (sys.executable, "serialise.py"),
    "php": ("php", "serialise.php"),
    "go": ("go", "run", "serialise.go"),
    "ruby": ("ruby", "serialise.rb"),
    "java": ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", JARS, "Serialise.java"),
}
#: Payload texts that serialisers treat in different ways.
HARD: Mapping[str, str] = {
    "accents": '{"title":"Zoë Müller à côté, Ærø"}',
    "emoji": '{"title":"Night 🌙 mode","🌙":1}',
    "html": '{"html":"<b>&</b>","quotes":"\'\\"`=+","path":"a/b\\\\c","end":"</script>"}',
    "line separators": '{"text":"a\u2028b\u2029c\u0085d\u00a0e\ufefff"}',
    "controls": '{"text":"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\x7f\x80"}',
    "lone surrogate": '{"text":"\\ud800 x"}',
    "1e21": '{"number":1e+21,"more":-2.5e+25}',
    "1e-7": '{"number":1e-7,"more":-2.5e-10}',
    "1.5e300": '{"number":1.5e+300}',
    "small": '{"numbers":[0.00001,0.000001,0.0001,0.001,0.1,5e-324]}',
    "fractions": '{"numbers":[0.5,-1.25,3.14,100.01,0.30000000000000004,1234567.891]}',
    "large": '{"numbers":[10000000,123456789,10000000000000000,100000000000000000000]}',
    "long integers": '{"numbers":[9007199254740991,9007199254740992,9223372036854776000]}',
    "longer integers": '{"numbers":[18446744073709552000,123456789012345680000]}',
    "large fractions": '{"numbers":[12345678.5,1234567890123.5,4503599627370497.5]}',
    "zero": '{"upvotes":0,"score":7}',
    "negative": '{"balance":-5,"numbers":[-0.5,-1e-7]}',
    "negative zero": '{"number":-0}',
    "empty object": '{"image":{}}',
    "empty": '{"image":{},"tags":[],"nested":{"a":{"b":{}}},"list":[{},[],[[]]]}',
    "no members": "{}",
    "no items": "[]",
    "indexes": '{"0":"a","1":"b"}',
    "nested indexes": '{"rows":{"0":{"x":1},"1":{"x":2}},"some":{"1":1,"3":2}}',
    "unordered indexes": '{"2":1,"10":2,"b":3}',
    "odd keys": '{"":1,"a b":2,"é/<":3,"$set":4,"01":5,"-1":6,"true":7}',
    "order": '{"b":1,"B":2,"a":3,"_id":4,"aa":{"z":1,"y":2},"ä":5}',
    "order beyond the first plane": '{"\uff5e":1,"🌙":2,"z":3}',
    "list of objects": '{"list":[{"b":1,"a":2},{"d":[{"c":1,"a":null}]}]}',
    "nulls": '{"a":null,"b":[null,1],"c":{"d":null}}',
    "booleans": '{"yes":true,"no":false}',
    "instants": '{"a":"2026-11-24T12:00:00.310Z","b":"2026-11-24T12:00:00.000Z","c":"1990-05-01"}',
    "numeric texts": '{"zip":"00123","count":"42","price":"1.50","exponent":"1e3","sign":"-7"}',
    "a text": '"Zoë / <b>"',
    "a list": '[1,"é",null,{"a":1.5}]',
    "a number": "5",
    "deep": '{"a":[[[{"b":[{"c":[[],{"d":[1]}]}]}]]]}',
}


def payload_texts() -> dict[str, str]:
    """Return the payload texts of the 22 examples and the hard ones, by name."""
    examples = json.loads((HERE.parent / "examples.json").read_text(encoding="utf-8"))
    return {
        each["event"]: json.dumps(each["payload"], ensure_ascii=False, separators=(",", ":"))
        for each in examples["envelopes"]
    } | dict(HARD)


def rows_of(language: str, texts: list[str]) -> tuple[str, dict[str, list[bytes | None]]]:
    """Run a language's program; return its version, and its serialisers' outputs by name."""
    ran = subprocess.run(
        PROGRAMS[language],
        input=json.dumps(texts),
        capture_output=True,
        encoding="utf-8",
        cwd=HERE,
        check=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    told = json.loads(ran.stdout)
    return told["version"], {
        name: [None if each is None else base64.b64decode(each) for each in row]
        for name, row in told["rows"].items()
    }


def documented(texts: dict[str, str]) -> Iterator[tuple[str, str, bytes]]:
    """Yield serialiser, name of the text and output for each row that follows documentation."""
    told = json.loads((HERE / "documented.json").read_text(encoding="utf-8"))
    for serialiser, outputs in told["rows"].items():
        for name, output in outputs.items():
            assert name in texts, name
            yield serialiser, name, output.encode()


def table() -> dict[str, Any]:
    """Return the whole table: for each text the outputs, each with the serialisers that gave it."""
    texts = payload_texts()
    versions = {"csharp": "not run: by its documentation"}
    outputs: dict[str, dict[str, list[str]]] = {name: {} for name in texts}
    refused: dict[str, list[str]] = {name: [] for name in texts}
    for language in PROGRAMS:
        versions[language], rows = rows_of(language, [*texts.values()])
        for serialiser in sorted(rows):
            for name, written in zip(texts, rows[serialiser], strict=True):
                if written is None:
                    refused[name].append(serialiser)
                else:
                    outputs[name].setdefault(_text(written), []).append(serialiser)
    for serialiser, name, written in documented(texts):
        outputs[name].setdefault(_text(written), []).append(serialiser)
    return {
        "versions": versions,
        "texts": [
            {
                "name": name,
                "text": text,
                "outputs": [{**_shown(o), "by": " ".join(by)} for o, by in outputs[name].items()],
                "refused": " ".join(refused[name]),
            }
            for name, text in texts.items()
        ],
    }


#: A longer output is told by its SHA-256 alone, so that the table stays readable.
LONGEST = 500


def _shown(output: str) -> dict[str, str]:
    if len(output) <= LONGEST:
        return {"text": output}
    return {"sha256": hashlib.sha256(output.encode("utf-8", "surrogateescape")).hexdigest()}


def _text(written: bytes) -> str:
    # Bytes that are no UTF-8 become lone surrogates, which JSON can hold as escapes.
    return written.decode("utf-8", "surrogateescape")


if __name__ == "__main__":
    made = json.dumps(table(), indent=1) + "\n"
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "table.json"
    place.write_text(made, encoding="ascii")
