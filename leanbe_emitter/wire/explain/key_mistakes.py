"""Mistakes in the key: the secret is read, changed or chosen wrongly. Common ones come first."""

import base64
import binascii
import contextlib
from collections.abc import Callable, Iterator

from leanbe_emitter.wire.explain.mistakes import KeyMistake, Saying
from leanbe_emitter.wire.explain.repairs import (
    READ_OR_FAIL,
    READ_PRESENT,
    READ_TRIMMED,
    READ_WITHOUT_QUOTES,
    Repair,
    use_the_key,
)
from leanbe_emitter.wire.signing import to_utf8

#: The mistake of using a variable's name; it gives too many keys to be tried with each content.
NAMES_OF_VARIABLES = "secret-not-expanded"
_PREFIX = "whsec_"
#: Names of variables that people give to a webhook's secret.
_VARIABLES = (
    "LEANBE_SECRET",
    "LEANBE_WEBHOOK_SECRET",
    "WEBHOOK_SECRET",
    "SECRET",
    "LEANBE_SIGNING_SECRET",
    "SIGNING_SECRET",
)
_REFERENCES = ("${}", "${{{}}}", "%{}%", "{}", "env:{}", "process.env.{}", "{{{{ {} }}}}")


def _texts(of: Callable[[str], Iterator[str]]) -> Callable[[str], Iterator[bytes]]:
    return lambda secret: map(to_utf8, of(secret))


def _with_newline(secret: str) -> Iterator[str]:
    yield from (f"{secret}\n", f"{secret}\r\n", f"{secret}\r")


def _with_space(secret: str) -> Iterator[str]:
    yield from (f" {secret}", f"{secret} ", f" {secret} ", f"{secret}\t")


def _in_quotes(secret: str) -> Iterator[str]:
    yield from (f'"{secret}"', f"'{secret}'", f'"{secret}', f'{secret}"')


def _missing(_secret: str) -> Iterator[str]:
    yield from ("", "undefined", "null", "None", "nil", "<nil>")


def _references(_secret: str) -> Iterator[str]:
    for reference in _REFERENCES:
        yield from map(reference.format, _VARIABLES)


def _without_prefix(secret: str) -> Iterator[str]:
    if secret.startswith(_PREFIX):
        yield secret.removeprefix(_PREFIX)


def _trimmed(secret: str) -> Iterator[str]:
    yield from (secret.strip(), secret.strip("\"' \t\r\n"))


def _in_other_case(secret: str) -> Iterator[str]:
    yield from (secret.upper(), secret.lower())


def _from_hex(secret: str) -> Iterator[bytes]:
    for digits in (secret, secret.removeprefix(_PREFIX)):
        with contextlib.suppress(ValueError):
            yield bytes.fromhex(digits)


def _from_base64(secret: str) -> Iterator[bytes]:
    for text in (secret, secret.removeprefix(_PREFIX)):
        padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        with contextlib.suppress(binascii.Error, ValueError):
            yield base64.b64decode(padded, validate=True)
        with contextlib.suppress(binascii.Error, ValueError):
            yield base64.urlsafe_b64decode(padded)


def _mistake(
    name: str, says: tuple[str, str, str], keys: Callable[[str], Iterator[bytes]], repair: Repair
) -> KeyMistake:
    verb, words, advice = says
    return KeyMistake(
        name=name, words=Saying(verb=verb, object=words, advice=advice), keys=keys, repair=repair
    )


KEYS = (
    _mistake(
        "secret-with-newline",
        (
            "use",
            "a secret that ends with a newline, as files and shell commands add one",
            "Remove it.",
        ),
        _texts(_with_newline),
        READ_TRIMMED,
    ),
    _mistake(
        "secret-with-space",
        ("use", "a secret with a space before or behind it", "Remove the space."),
        _texts(_with_space),
        READ_TRIMMED,
    ),
    _mistake(
        "secret-in-quotes",
        (
            "use",
            "a secret with quotes around it, as some settings parsers keep them",
            "Remove them.",
        ),
        _texts(_in_quotes),
        READ_WITHOUT_QUOTES,
    ),
    _mistake(
        "secret-missing",
        ("use", "a secret that is empty or missing", "Set it."),
        _texts(_missing),
        READ_OR_FAIL,
    ),
    _mistake(
        NAMES_OF_VARIABLES,
        (
            "use",
            "the name of a variable as the secret, such as $LEANBE_SECRET",
            "Use the variable's value: nothing replaced the name.",
        ),
        _texts(_references),
        READ_OR_FAIL,
    ),
    _mistake(
        "secret-without-prefix",
        ("remove", "the prefix whsec_ from the secret", "Keep it."),
        _texts(_without_prefix),
        use_the_key("the whole secret"),
    ),
    _mistake(
        "secret-hex-decoded",
        ("decode", "the secret from hex", "Use its characters as the key."),
        _from_hex,
        use_the_key(
            'not Buffer.from(secret, "hex")',
            "not bytes.fromhex(secret)",
            "not hex2bin($secret)",
            "not hex.DecodeString(secret)",
            'not [secret].pack("H*")',
            "not HexFormat.of().parseHex(secret)",
            "not Convert.FromHexString(secret)",
        ),
    ),
    _mistake(
        "secret-base64-decoded",
        ("decode", "the secret from base64", "Use its characters as the key."),
        _from_base64,
        use_the_key(
            'not Buffer.from(secret, "base64")',
            "not base64.b64decode(secret)",
            "not base64_decode($secret)",
            "not base64.StdEncoding.DecodeString(secret)",
            "not Base64.decode64(secret)",
            "not Base64.getDecoder().decode(secret)",
            "not Convert.FromBase64String(secret)",
        ),
    ),
    _mistake(
        "secret-trimmed",
        ("trim", "the secret", "Keep the spaces or quotes around it."),
        _texts(_trimmed),
        use_the_key("the secret as it is, not trimmed"),
    ),
    _mistake(
        "secret-in-other-case",
        ("change", "the secret to upper or lower case", "Keep its letters as they are."),
        _texts(_in_other_case),
        use_the_key("the secret as it is"),
    ),
)


def other_secret(label: str, secret: str) -> KeyMistake:
    """Return the mistake of using another secret; the label describes it to people."""
    return _mistake(
        "other-secret",
        ("use", f"the wrong secret: {label}", "Use the present secret of this product."),
        lambda _: iter([to_utf8(secret)]),
        READ_PRESENT,
    )
