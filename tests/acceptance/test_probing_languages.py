"""Receivers in six languages, written from the article alone: probing names what each does wrong.

The line that the probe prints is put into the receiver, and then the receiver is right: it accepts
all 22 events, and the hard ones of a probe.
"""

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from leanbe_emitter import OneShotSender, Outcome, WebhookTarget
from leanbe_emitter.wire.event_names import EVENT_NAMES
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.probe import ProbeResult
from tests.support.ports import free_port
from tests.support.running_snippets import QUICK_JAVA
from tests.support.waiting import wait_until

pytestmark = pytest.mark.prove

SECRET = "whsec_test"
SOURCES = Path(__file__).parents[1] / "data" / "wrong_receivers"
#: What a whole body's hash, and a signature in a header, are told as.
TOLD_AS = {"header-expected": ["raw-body-hashed", "header-expected"]}


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program with wrong receivers.

    Attributes:
        language: its language.
        source: its file.
        command: starts it in the folder of the file; the port follows.
        wrong: its receivers, by the names of their mistakes.
        mended: the code of a receiver that uses the printed line, instead of ``{}``.
        around: the same for single receivers, whose line is not the whole computation.
    """

    language: Language
    source: str
    command: tuple[str, ...]
    wrong: tuple[str, ...]
    mended: str
    around: Mapping[str, str] = field(default_factory=dict)


_TEXT_IN_RUBY = """raw[11...raw.rindex(',"event":')]"""
PROGRAMS = [
    Program(
        language=Language.PHP,
        source="receiver.php",
        command=("php", "-S", "127.0.0.1:{port}", "receiver.php"),
        wrong=(
            "php-objects",
            "php-arrays-slashes-unicode",
            "php-objects-slashes-unicode-lines",
            "php-arrays-pretty",
            "raw-body-hashed",
        ),
        mended="case '{path}': $signature = {line}\n; break;",
    ),
    Program(
        language=Language.GO,
        source="receiver.go",
        command=("go", "run", "receiver.go", "{port}"),
        wrong=("go-marshal", "go-encoder", "go-raw-marshal", "newline-hashed"),
        mended='case "{path}":\n{line}\nreturn signature',
    ),
    Program(
        language=Language.RUBY,
        source="receiver.rb",
        command=("ruby", "receiver.rb", "{port}"),
        wrong=(
            "ruby-generate",
            "ruby-rails",
            "ruby-generate-script-safe",
            "base64",
            "secret-with-newline",
        ),
        mended='when "{path}" then {line}\n',
        around={
            "base64": f'when "{{path}}"\ntext = {_TEXT_IN_RUBY}\n{{line}}\n',
            "secret-with-newline": f'when "{{path}}"\n{{line}}\nsigned({_TEXT_IN_RUBY}, secret)\n',
        },
    ),
    Program(
        language=Language.JAVA,
        source="Receiver.java",
        command=("java", *QUICK_JAVA, "-cp", "{java}", "Receiver.java", "{port}"),
        wrong=("java-jackson", "java-gson", "java-gson-map", "upper-case"),
        mended='case "{path}": {\n{line}\nreturn signature; }',
        around={
            "upper-case": 'case "{path}": {\n'
            'byte[] text = raw.substring(11, raw.lastIndexOf(",\\"event\\":")).getBytes(UTF_8);\n'
            'Mac mac = Mac.getInstance("HmacSHA256");\n'
            'mac.init(new SecretKeySpec(secret.getBytes(UTF_8), "HmacSHA256"));\n'
            "return {line}\n; }"
        },
    ),
    Program(
        language=Language.PYTHON,
        source="receiver.py",
        command=("python3", "receiver.py", "{port}"),
        wrong=(
            "python-dumps",
            "python-dumps-compact-unicode",
            "python-dumps-sorted-compact",
            "python-str",
            "plain-sha256",
        ),
        mended='if path == "{path}":\n        return {line}\n',
    ),
    Program(
        language=Language.JAVASCRIPT,
        source="receiver.js",
        command=("node", "receiver.js", "{port}"),
        wrong=(
            "js-indent-2",
            "js-twice",
            "js-string",
            "envelope-without-signature-hashed",
            "header-expected",
        ),
        mended='case "{path}": return {line}\n;',
    ),
]
JAVA = ":".join(f"/usr/share/java/{name}.jar" for name in (
    "gson", "jackson-annotations", "jackson-core", "jackson-databind",
))  # fmt: skip


@contextmanager
def running(program: Program, folder: Path, *, mended: str = "") -> Iterator[str]:
    """Run a program, and yield its URL; ``mended`` is the code of further receivers."""
    source = (SOURCES / program.source).read_text("utf-8")
    marked = [line for line in source.splitlines() if line.strip().endswith(" MENDED")]
    assert len(marked) == 1
    (folder / program.source).write_text(source.replace(marked[0], f"{marked[0]}\n{mended}"))
    port = free_port()
    values = {"{port}": str(port), "{java}": JAVA, "127.0.0.1:{port}": f"127.0.0.1:{port}"}
    command = [values.get(each, each) for each in program.command]
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "LEANBE_SECRET": SECRET},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            wait_until(lambda: listens(port), f"{program.source} listens")
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, 9)  # go run starts what it has compiled


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def sender(url: str) -> OneShotSender:
    return OneShotSender(WebhookTarget(url=url, secret=SECRET))


def named(program: Program, url: str) -> Iterator[tuple[str, ProbeResult]]:
    for mistake in program.wrong:
        told = sender(f"{url}/{mistake}").probe()
        assert told.verdict == "named", (mistake, told.summary)
        names = [each.mistake.name for each in told.mistakes]
        assert names == TOLD_AS.get(mistake, [mistake])
        yield mistake, told


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(
            each,
            marks=[] if each.language is Language.PYTHON else [getattr(pytest.mark, tool)],
            id=each.language.value,
        )
        for each in PROGRAMS
        for tool in [{"javascript": "node"}.get(each.language.value, each.language.value)]
    ],
)
def test_a_wrong_receiver_is_named_and_the_printed_line_mends_it(
    program: Program, tmp_path: Path
) -> None:
    with running(program, tmp_path) as url:
        told = dict(named(program, url))
    codes = [
        program.around.get(mistake, program.mended)
        .replace("{path}", f"/mended-{mistake}")
        .replace("{line}", result.mistakes[0].fixes[program.language])
        for mistake, result in told.items()
    ]
    if program.language is Language.PYTHON:
        codes = [f"    {code}" for code in codes]
    with running(program, tmp_path, mended="\n".join(codes)) as url:
        for mistake in program.wrong:
            mended = sender(f"{url}/mended-{mistake}")
            for event in EVENT_NAMES:
                assert mended.send_sample(event).outcome is Outcome.DELIVERED, (mistake, event)
            again = mended.probe()
            assert again.verdict == "accepts-the-right-one", (mistake, again.summary)
            assert len(again.accepted) == again.requests - 1  # the hard ones, too
