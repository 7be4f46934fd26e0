"""Commands that need no database, as processes: what is on stdout, on stderr, and the status."""

import hashlib
import hmac
import json
import os
import sys
from pathlib import Path

import pytest

from tests.support.command_line import run_process
from tests.support.command_tree import all_commands

EXAMPLES = json.loads((Path(__file__).parents[1] / "data" / "examples.json").read_text("utf-8"))
SECRET = EXAMPLES["secret"]
ENVELOPE = EXAMPLES["envelopes"][0]
ON_PATH = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
HEAVY = ("sqlalchemy", "alembic", "httpx", "rich", "jsonschema", "tenacity")


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    paths = [path.split() for path, _ in all_commands()]
    code = (
        "import json, sys; from leanbe_emitter.cli.app import main\n"
        "for path in json.loads(sys.argv[1]): main([*path, '--help'])\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    program = (sys.executable, "-c", code, json.dumps([[], *paths]))
    ran = run_process(cwd=tmp_path, program=program)
    loaded = json.loads(ran.stdout.splitlines()[-1])
    assert "leanbe_emitter.cli.receive.sign" in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_garbage_is_looked_for_rarely_and_not_at_the_end(tmp_path: Path) -> None:
    code = (
        "import atexit, gc\n"
        "looks = []; gc.callbacks.append(lambda phase, _: looks.append(phase))\n"
        "atexit.register(lambda: print(looks.count('start'), gc.get_freeze_count() > 50_000))\n"
        "from leanbe_emitter.__main__ import main; main()"
    )
    program = (sys.executable, "-c", code)
    ran = run_process("product", "list", "--db", ":memory:", cwd=tmp_path, program=program)
    looks, is_left_alone = ran.stdout.split()
    assert int(looks) < 50  # with 700 new objects for each it would be some 200
    assert is_left_alone == "True"


def test_sign_prints_the_hex_and_nothing_else(tmp_path: Path) -> None:
    payload = json.dumps(ENVELOPE["payload"], indent=4).encode()
    ran = run_process("sign", "--secret", SECRET, "--payload", "-", cwd=tmp_path, stdin=payload)
    assert (ran.status, ran.stdout, ran.stderr) == (0, ENVELOPE["signature"] + "\n", "")


def test_verify_prints_the_envelope_or_says_why_not(tmp_path: Path) -> None:
    body = json.dumps(ENVELOPE, ensure_ascii=False).encode()
    arguments = ("verify", "--body", "-", "--output", "json", "--secret")
    good = run_process(*arguments, SECRET, cwd=tmp_path, stdin=body)
    assert (good.status, json.loads(good.stdout)) == (0, ENVELOPE)
    bad = run_process(*arguments, "whsec_other", cwd=tmp_path, stdin=body)
    assert (bad.status, bad.stdout) == (1, "")
    assert bad.stderr.startswith("error: The signature does not fit the payload.")
    assert "whsec_other" not in bad.stderr


def test_explain_names_the_mistake_and_its_repair(tmp_path: Path) -> None:
    body = json.dumps(ENVELOPE, ensure_ascii=False, separators=(",", ":")).encode()
    raw = hmac.digest(SECRET.encode(), body, "sha256").hex()
    arguments = ("explain", "--secret", SECRET, "--body", "-")
    found = run_process(*arguments, "--got", raw, cwd=tmp_path, stdin=body)
    assert (found.status, found.stderr) == (0, "")
    assert "You hash the raw body" in found.stdout
    assert "JSON.stringify(body.payload)" in found.stdout
    hashed = tmp_path / "hashed"
    hashed.write_text(json.dumps(ENVELOPE["payload"]), encoding="utf-8")
    compared = run_process(
        *arguments, "--hashed", f"@{hashed}", "--lang", "php", cwd=tmp_path, stdin=body
    )
    assert (compared.status, compared.stderr) == (0, "")
    assert "The first difference is at byte" in compared.stdout
    assert "  PHP         hash_hmac('sha256', " in compared.stdout
    none = run_process(*arguments, "--got", "0" * 64, cwd=tmp_path, stdin=body)
    assert (none.status, none.stderr.splitlines()) == (
        1,
        ["error: No known mistake explains what the receiver computed."],
    )
    sound = run_process(*arguments, "--output", "json", cwd=tmp_path, stdin=body)
    assert sound.status == 1
    assert json.loads(sound.stdout)["mistakes"][0]["signatures"] == [raw]
    wrong = run_process(*arguments, cwd=tmp_path, stdin=body.replace(b'"event"', b'"evnt"'))
    assert (wrong.status, wrong.stderr) == (0, "")


def test_explain_goes_by_the_assumptions_that_the_body_was_made_under(tmp_path: Path) -> None:
    payload = json.dumps(ENVELOPE["payload"], ensure_ascii=False, separators=(",", ":")).encode()
    plain = hashlib.sha256(payload + SECRET.encode()).hexdigest()
    members = {name: value for name, value in ENVELOPE.items() if name != "signature"}
    body = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
    arguments = (
        *("explain", "--secret", SECRET, "--body", "-", "--got", ENVELOPE["signature"]),
        *("--assume", "signature_scheme=sha256-payload-secret"),
        *("--assume", "signature_location=header"),
    )
    length = ("--header", f"Content-Length: {len(body)}")
    header = (*length, "--header", f"X-Leanbe-Signature: {plain}")
    found = run_process(*arguments, *header, cwd=tmp_path, stdin=body)
    assert (found.status, found.stderr) == (0, "")
    assert "The request was made under" in found.stdout
    assert "signature_scheme=sha256-payload-secret" in found.stdout
    without = run_process(*arguments, cwd=tmp_path, stdin=body)
    assert (without.status, without.stdout) == (2, "")
    assert "X-Leanbe-Signature, and no header was given" in without.stderr


def test_explain_takes_assumptions_from_the_environment_and_options_first(tmp_path: Path) -> None:
    body = json.dumps(ENVELOPE, ensure_ascii=False, separators=(",", ":")).encode()
    arguments = ("explain", "--secret", SECRET, "--body", "-", "--got", "0" * 64)
    environ = {"LEANBE_EMITTER_ASSUME": "signature_scheme=sha256-payload-secret"}
    told = "made under signature_scheme="
    assumed = run_process(*arguments, cwd=tmp_path, stdin=body, environ=environ)
    assert f"{told}sha256-payload-secret" in assumed.stdout
    option = ("--assume", "signature_scheme=sha256-secret-payload")
    nearer = run_process(*arguments, *option, cwd=tmp_path, stdin=body, environ=environ)
    assert f"{told}sha256-secret-payload" in nearer.stdout


def test_a_schema_is_json_schema_or_the_types_of_a_language(tmp_path: Path) -> None:
    ran = run_process("schema", "idea.created", cwd=tmp_path)
    assert json.loads(ran.stdout)["title"] == "idea.created"
    ran = run_process("schema", "idea.created", "--format", "typescript", cwd=tmp_path)
    assert "export interface IdeaCreated {\n" in ran.stdout
    assert "IdeaUpdated" not in ran.stdout
    ran = run_process("schema", "--all", "--format", "python", cwd=tmp_path)
    assert ran.stdout.count("(TypedDict):") > 22
    ran = run_process("schema", "--all", cwd=tmp_path)
    assert len(json.loads(ran.stdout)["$defs"]) == 22
    for wrong in ((), ("idea.created", "--all")):
        ran = run_process("schema", *wrong, cwd=tmp_path)
        assert (ran.status, ran.stdout) == (2, "")
        assert "Give either an EVENT or --all." in ran.stderr
    ran = run_process("schema", "idea.upvoted", cwd=tmp_path)
    assert (ran.status, ran.stdout) == (2, "")
    assert "idea.upVoted" in ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("sign", "--secret", "s"),
        ("sign", "--secret", "s", "--payload", "@none.json"),
        ("sign", "--secret", "s", "--payload", "-"),
        ("sign", "--secret", "env:NOT_SET_ANYWHERE", "--payload", "-"),
        ("no-such-command",),
        ("assumptions", "show", "x", "--output", "yaml"),
        ("assumptions", "list", "more"),
    ],
)
def test_wrong_usage_is_2_with_a_line_and_without_a_traceback(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ran = run_process(*arguments, cwd=tmp_path, stdin=b"{")
    assert (ran.status, ran.stdout) == (2, "")
    assert ran.stderr.startswith("error: ")
    assert "Traceback" not in ran.stderr


def test_a_reader_that_leaves_early_causes_no_complaint(tmp_path: Path) -> None:
    command = f"{sys.executable} -m leanbe_emitter assumptions list | head -n 1; echo $PIPESTATUS"
    ran = run_process("-c", f"{command}", cwd=tmp_path, program=("bash",))
    first, status = ran.stdout.splitlines()
    assert first.startswith("signature_location\t")
    assert (status, ran.stderr) == ("0", "")


@pytest.mark.parametrize(
    ("shell", "status", "stderr"),
    [
        ("leanbe-emitter assumptions list >&-", 0, ""),
        ("leanbe-emitter nonsense 2>&-", 2, ""),
        ("leanbe-emitter nonsense 2>/dev/full", 2, ""),
        ("leanbe-emitter assumptions list >/dev/full", 3, "error: No space left on device.\n"),
    ],
)
def test_the_status_says_what_happened_even_if_nothing_can_be_written(
    tmp_path: Path, shell: str, status: int, stderr: str
) -> None:
    ran = run_process("-c", shell, cwd=tmp_path, program=("bash",), environ=ON_PATH)
    assert (ran.status, ran.stderr) == (status, stderr)


def test_colour_is_for_terminals_that_want_it(tmp_path: Path) -> None:
    script = f"{sys.executable} -m leanbe_emitter assumptions list --output table"
    ran = run_process("-c", script, cwd=tmp_path, program=("sh",))
    assert "\x1b" not in ran.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_of_each_shell_asks_this_program(tmp_path: Path, shell: str) -> None:
    ran = run_process("completion", shell, cwd=tmp_path)
    assert (ran.status, ran.stderr) == (0, "")
    assert f"_LEANBE_EMITTER_COMPLETE={shell}_complete" in ran.stdout


def test_bash_completes_commands_and_names(tmp_path: Path) -> None:
    script = """
        eval "$(leanbe-emitter completion bash)"
        for words in "leanbe-emitter ver" "leanbe-emitter assumptions show trig"; do
            COMPREPLY=(); COMP_WORDS=($words); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _leanbe_emitter_completion "leanbe-emitter" "" ""
            echo "${COMPREPLY[@]}"
        done"""
    ran = run_process("-c", script, cwd=tmp_path, program=("bash", "--norc"), environ=ON_PATH)
    assert ran.stdout.splitlines() == ["verify", "triggered_at"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
@pytest.mark.parametrize("command", ["trigger", "schema", "send"])
def test_event_names_complete_with_their_meaning(tmp_path: Path, shell: str, command: str) -> None:
    last = {"zsh": "2", "fish": "idea.u"}[shell]
    ran = run_process(
        cwd=tmp_path,
        environ={
            "_LEANBE_EMITTER_COMPLETE": f"{shell}_complete",
            "COMP_WORDS": f"leanbe-emitter {command} idea.u",
            "COMP_CWORD": last,
        },
    )
    assert ran.status == 0
    assert "idea.upVoted" in ran.stdout
    assert "idea.updated" in ran.stdout
    assert "idea.created" not in ran.stdout
    assert "edited" in ran.stdout


def test_the_environment_names_the_database_and_an_option_beats_it(tmp_path: Path) -> None:
    environ = {"LEANBE_EMITTER_DB": "sqlite:///one.db"}
    run_process("db", "upgrade", cwd=tmp_path, environ=environ)
    run_process("db", "upgrade", "--db", "sqlite:///two.db", cwd=tmp_path, environ=environ)
    assert sorted(path.name for path in tmp_path.glob("*.db")) == ["one.db", "two.db"]


def test_to_look_at_a_database_does_not_make_it(tmp_path: Path) -> None:
    for command in ("check", "current"):
        ran = run_process("db", command, cwd=tmp_path)
        assert (ran.status, ran.stdout) == (3, "")
        assert "db upgrade" in ran.stderr
    assert list(tmp_path.iterdir()) == []
    assert run_process("db", "upgrade", cwd=tmp_path).status == 0
    assert run_process("db", "check", cwd=tmp_path).status == 0


def test_the_command_and_the_module_are_the_same_program(tmp_path: Path) -> None:
    script = str(Path(sys.executable).with_name("leanbe-emitter"))
    by_name = run_process("--help", cwd=tmp_path, program=(script,))
    assert by_name == run_process("--help", cwd=tmp_path)
    assert by_name.status == 0
