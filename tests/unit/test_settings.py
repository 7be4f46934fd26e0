"""An argument beats the environment, which beats the default."""

import dataclasses

import pytest

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.settings import LogLevel, Settings, variable


def test_an_argument_beats_the_environment_and_the_environment_the_default() -> None:
    environ = {"LEANBE_EMITTER_CONCURRENCY": "8", "LEANBE_EMITTER_PER_PRODUCT": "4"}
    settings = Settings.from_environment(environ, concurrency=2, per_product=None)
    assert (settings.concurrency, settings.per_product, settings.max_depth) == (2, 4, 200)


def test_every_setting_has_a_variable() -> None:
    texts = {
        "db": "sqlite:///other.db",
        "log_level": "INFO",
        "sqlite_synchronous": "full",
        "host": "0.0.0.0",
        "lease_seconds": "2m",
        "poll_seconds": "20ms",
        "assume": "backoff=1s,2s,max_attempts=3",
        "allow_targets": "example.com, 10.0.0.0/8",
    }
    names = [each.name for each in dataclasses.fields(Settings) if each.name != "only_targets"]
    environ = {variable(name): texts.get(name, "7") for name in names}
    settings = Settings.from_environment(environ)
    assert all(getattr(settings, n) != getattr(Settings(), n) for n in names)
    assert settings.log_level is LogLevel.INFO
    assert settings.lease_seconds == 120
    assert set(settings.assume) == {"backoff", "max_attempts"}
    assert settings.allow_targets == ("example.com", "10.0.0.0/8")


def test_the_only_targets_have_a_variable_and_contradict_allowed_ones() -> None:
    only = {"LEANBE_EMITTER_ONLY_TARGETS": "127.0.0.1, hooks.test"}
    assert Settings.from_environment(only).target_rules.only == ("127.0.0.1", "hooks.test")
    with pytest.raises(InvalidValue, match="only_targets contradict") as refused:
        Settings.from_environment(only, allow_targets=("10.0.0.0/8",))
    assert "--only-targets" in refused.value.hints.command


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    assert Settings.from_environment({"LEANBE_EMITTER_DB": ""}) == Settings()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CONCURRENCY", "many"),
        ("PER_PRODUCT", "0"),
        ("LEASE_SECONDS", "soon"),
        ("MAX_DEPTH", "-3"),
        ("PORT", "65536"),
        ("MAX_REQUEST_BYTES", "0"),
        ("MAX_CONNECTIONS", "-1"),
        ("LOG_LEVEL", "chatty"),
        ("HOST", "http://127.0.0.1"),
        ("ALLOW_TARGETS", "10.0.0.0/99"),
        ("ONLY_TARGETS", "10.0.0.0/99"),
        ("ONLY_TARGETS", " , "),
        ("ASSUME", "max_attempts"),
        ("ASSUME", "max_atempts=3"),
    ],
)
def test_an_invalid_value_is_refused_naming_the_variable(name: str, text: str) -> None:
    with pytest.raises(InvalidValue, match=f"LEANBE_EMITTER_{name}: "):
        Settings.from_environment({f"LEANBE_EMITTER_{name}": text})


def test_a_number_that_is_nothing_is_refused_in_code_too() -> None:
    with pytest.raises(InvalidValue, match="concurrency"):
        Settings(concurrency=0)


@pytest.mark.parametrize("token", [" ", "tok test", "tok_\n", "ü😀", "tok\x07", "tok\udcff"])
def test_a_token_that_no_header_carries_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(InvalidValue, match="LEANBE_EMITTER_TOKEN: ") as refused:
        Settings.from_environment({"LEANBE_EMITTER_TOKEN": token})
    told = f"{refused.value.message} {refused.value.hint}"
    assert "ASCII" in told
    assert not token.strip() or token.strip() not in told


def test_a_token_may_hold_every_visible_character_of_ascii() -> None:
    token = "".join(map(chr, range(0x21, 0x7F)))
    assert Settings.from_environment({"LEANBE_EMITTER_TOKEN": token}).token == token


def test_a_token_is_in_no_repr() -> None:
    assert "tok_test" not in repr(Settings(token="tok_test"))


@pytest.mark.parametrize(
    ("host", "exposed"),
    [
        ("127.0.0.1", False),
        ("127.1.2.3", False),
        ("::1", False),
        ("localhost", False),
        ("0.0.0.0", True),
        ("::", True),
        ("192.168.0.7", True),
        ("leanbe.example", True),
    ],
)
def test_webhooks_may_point_to_less_where_others_reach_the_server(host: str, exposed: bool) -> None:  # noqa: FBT001 - a column of the table
    assert Settings(host=host).target_rules.exposed is exposed
