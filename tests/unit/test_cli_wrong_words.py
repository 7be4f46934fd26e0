"""A word that is none of ours is answered with the word that was meant, or with none."""

import pytest

from tests.support.command_line import run

HAS_IT = "The webhook has it: leanbe-emitter webhook set URL"
SEND = "leanbe-emitter send EVENT --to URL"


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("trigger idea.created --override title=x", "Here that is --set PATH=VALUE."),
        ("trigger --json", "Here that is --output json."),
        ("trigger -o json", "Here that is --output."),
        ("product create Acme --url http://127.0.0.1/", "Here that is --webhook-url."),
        ("send idea.created --forward-to http://127.0.0.1/", "Here that is --to."),
        ("product show --product Acme", "Here that is an argument: leanbe-emitter product show P."),
        ("trigger --prodct Acme", "Did you mean --product?"),
        ("listen", "Here that is leanbe-emitter tail or leanbe-emitter receiver."),
        ("logs", "Here that is leanbe-emitter tail."),
        ("replay", "Here that is leanbe-emitter deliveries redeliver."),
        ("deliveries replay", "Here that is leanbe-emitter deliveries redeliver."),
        ("help", "Here that is leanbe-emitter --help."),
        ("product help", "Here that is leanbe-emitter product --help."),
        ("version", "Here that is leanbe-emitter --version."),
        ("-V", "Here that is --version."),
        ("triger idea.created", "Did you mean trigger?"),
        ("deliveries redeliver --all", "Here that is --event '*'."),
        ("worker --once", "Here that is --drain."),
        ("seed acme.yaml", "Here that is leanbe-emitter serve --seed-file FILE."),
        ("trigger -H A:b", f"{HAS_IT} --header NAME:VALUE."),
        ("trigger idea.created --secret x", f"{HAS_IT} --secret SECRET."),
        ("trigger --url x", f"{HAS_IT}. To send one request without a webhook: {SEND}."),
        ("trigger --webhook-url x", f"{HAS_IT}. To send one request without a webhook: {SEND}."),
        ("idea create Dark", "Write an option before it: --title Dark"),
        ("idea create title=Dark", "Write an option before it: --set title=Dark"),
        ("customer create Ana", "Write an option before it: --email Ana"),
        ("webhook rotate Acme", "Name a product with --product."),
        ("assumptions set max_attempts=3", "Write name and value apart: max_attempts 3"),
        ("trigger x --set-json x=NaN", "JSON has no such number."),
        ('trigger x --set-json x={"a":', 'JSON is like {"name": "Acme"}: put names and texts'),
        ("trigger x --set-json x=Dark", "Text needs quotes ('\"text\"'); --set takes text"),
        ("trigger x --times two", "Help: leanbe-emitter trigger --help"),
    ],
)
def test_a_word_of_other_tools_or_a_slip_is_answered_with_ours(
    line: str, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = run(capsys, *line.split())
    assert (ran.status, ran.stdout) == (2, "")
    assert ran.stderr.splitlines()[1].strip().startswith(advice)


@pytest.mark.parametrize("line", ["verify --url x", "tail --override x", "trigger --user x"])
def test_an_option_that_only_looks_alike_is_not_offered(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command, option, _ = line.split()
    said = f"error: leanbe-emitter {command} has no option {option}.\n"
    assert run(capsys, *line.split()).stderr == (
        f"{said}       Help: leanbe-emitter {command} --help\n"
    )


@pytest.mark.parametrize("words", [(), ("clock",), ("clock", "show")])
def test_the_short_option_shows_the_help_too(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    short, long = run(capsys, *words, "-h"), run(capsys, *words, "--help")
    assert short == long
    assert short.status == 0


def test_a_time_in_words_is_answered_with_the_durations_that_work(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = run(capsys, "deliveries", "list", "--since", "yesterday").stderr
    assert "'yesterday' is no duration." in told
    assert "500ms, 10s, 2m, 1h or 30d" in told
    assert "Or write an instant like 2026-11-26T00:00:00Z." in told
