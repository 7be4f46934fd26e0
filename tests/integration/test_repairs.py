"""The lines that ``explain`` gives as a repair, run in their languages on bodies that are hard.

PHP, Ruby and Python start quickly. Go and Java are compiled first, so their lines run in ``prove``.
"""

import base64
import hashlib
import hmac
import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.envelope import seal
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.received_request import ReceivedRequest
from leanbe_emitter.wire.explain.repairs import signature_line
from tests.support.running_snippets import QUICK_JAVA
from tests.support.serialiser_table import FOLDER, TABLE

SECRET = "whsec_test"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
#: Leanbe writes these two otherwise.
NOT_CANONICAL = {"negative zero", "large fractions"}
TEXTS = [each["text"] for each in TABLE["texts"] if each["name"] not in NOT_CANONICAL]
ASSUMED: tuple[dict[str, str], ...] = (
    {},
    {"signature_scheme": "sha256-payload-secret"},
    {"signature_scheme": "sha256-secret-payload"},
    {"signed_content": "envelope-without-signature"},
    {"signed_content": "envelope-without-signature", "signature_location": "header"},
)
PHP = """<?php
$secret = 'whsec_test';
foreach (json_decode(stream_get_contents(STDIN)) as $encoded) {
    $raw = base64_decode($encoded);
    echo (
        LINE
    ), "\\n";
}
"""
RUBY = """
require "json"; require "openssl"; require "digest"
secret = "whsec_test"
JSON.parse($stdin.read).each do |encoded|
  raw = encoded.unpack1("m").force_encoding("UTF-8")
  puts(
    LINE
  )
end
"""
#: One program has the lines of all assumptions, because its compiler takes most of the time.
GO = """package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
)

var _ = hmac.New
var _ = bytes.LastIndex

func main() {
	secret := "whsec_test"
	var bodies [][]byte
	json.NewDecoder(os.Stdin).Decode(&bodies)
	for number, raw := range bodies {
		switch number / COUNT {
		LINES
		}
	}
}
"""
JAVA = """
import static java.nio.charset.StandardCharsets.UTF_8;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Scanner;
import java.security.MessageDigest;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Repaired {
    public static void main(String[] arguments) throws Exception {
        String secret = "whsec_test";
        Scanner bodies = new Scanner(System.in).useDelimiter("[\\\\s\\",\\\\[\\\\]]+");
        for (int number = 0; bodies.hasNext(); number++) {
            String raw = new String(Base64.getDecoder().decode(bodies.next()), UTF_8);
            switch (number / COUNT) {
            LINES
            }
        }
    }
}
"""


def bodies(assumptions: AssumptionSet) -> list[bytes]:
    return [
        seal(
            text, event="idea.created", triggered_at=NOON, secret=SECRET, assumptions=assumptions
        ).body.encode()
        for text in TEXTS
    ]


def right(assumptions: AssumptionSet) -> list[str]:
    sealed = [
        seal(text, event="idea.created", triggered_at=NOON, secret=SECRET, assumptions=assumptions)
        for text in TEXTS
    ]
    return [str(each.signature) for each in sealed]


def printed(program: list[str], source: Path, text: str, *assumed: AssumptionSet) -> list[str]:
    source.write_text(text, encoding="utf-8")
    encoded = [base64.b64encode(body).decode() for each in assumed for body in bodies(each)]
    ran = subprocess.run(
        [*program, str(source)],
        input=json.dumps(encoded),
        capture_output=True,
        encoding="utf-8",
        check=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    return ran.stdout.split()


@pytest.mark.parametrize("assumed", ASSUMED, ids=str)
@pytest.mark.php
def test_the_line_of_php_computes_every_signature(tmp_path: Path, assumed: dict[str, str]) -> None:
    assumptions = parse_assumptions(assumed)
    text = PHP.replace("LINE", signature_line(Language.PHP, assumptions))
    assert printed(["php"], tmp_path / "r.php", text, assumptions) == right(assumptions)


@pytest.mark.parametrize("assumed", ASSUMED, ids=str)
@pytest.mark.ruby
def test_the_line_of_ruby_computes_every_signature(tmp_path: Path, assumed: dict[str, str]) -> None:
    assumptions = parse_assumptions(assumed)
    text = RUBY.replace("LINE", signature_line(Language.RUBY, assumptions))
    assert printed(["ruby"], tmp_path / "r.rb", text, assumptions) == right(assumptions)


@pytest.mark.parametrize("assumed", ASSUMED, ids=str)
def test_the_line_of_python_computes_every_signature(assumed: dict[str, str]) -> None:
    assumptions = parse_assumptions(assumed)
    line = signature_line(Language.PYTHON, assumptions)
    known = {"hmac": hmac, "hashlib": hashlib, "secret": SECRET}
    computed = [
        eval(line, {**known, "raw": raw})  # noqa: S307 - our own line
        for raw in bodies(assumptions)
    ]
    assert computed == right(assumptions)


@pytest.mark.prove
@pytest.mark.go
def test_the_line_of_go_computes_every_signature(tmp_path: Path) -> None:
    assumed = [*map(parse_assumptions, ASSUMED)]
    cases = [
        f"case {number}:\n\t\t{signature_line(Language.GO, each)}\n\t\tfmt.Println(signature)"
        for number, each in enumerate(assumed)
    ]
    text = GO.replace("LINES", "\n\t\t".join(cases)).replace("COUNT", str(len(TEXTS)))
    signatures = [signature for each in assumed for signature in right(each)]
    assert printed(["go", "run"], tmp_path / "r.go", text, *assumed) == signatures


@pytest.mark.prove
@pytest.mark.java
def test_the_line_of_java_computes_every_signature(tmp_path: Path) -> None:
    assumed = [*map(parse_assumptions, ASSUMED)]
    cases = []
    for number, each in enumerate(assumed):
        line = signature_line(Language.JAVA, each)
        if not line.startswith("Mac "):  # an expression
            line = f"String signature = {line.replace(' // String', '; // String', 1)}"
        cases.append(f"case {number} -> {{\n{line}\nSystem.out.println(signature);\n}}")
    text = JAVA.replace("LINES", "\n".join(cases)).replace("COUNT", str(len(TEXTS)))
    signatures = [signature for each in assumed for signature in right(each)]
    assert printed(["java", *QUICK_JAVA], tmp_path / "Repaired.java", text, *assumed) == signatures


@pytest.mark.prove
@pytest.mark.node
@pytest.mark.php
@pytest.mark.go
@pytest.mark.ruby
@pytest.mark.java
def test_the_table_is_what_the_installed_languages_write(tmp_path: Path) -> None:
    made = tmp_path / "table.json"
    program = ["python3", str(FOLDER / "make_table.py"), str(made)]
    subprocess.run(program, check=True)
    table = json.loads(made.read_text(encoding="ascii"))
    assert table["texts"] == TABLE["texts"], table["versions"]


def test_every_body_is_a_slice_that_the_lines_find() -> None:
    for assumed in ASSUMED:
        assumptions = parse_assumptions(assumed)
        for body, signature in zip(bodies(assumptions), right(assumptions), strict=True):
            headers = [("X-Leanbe-Signature", signature)]
            request = ReceivedRequest.of(body, SECRET, headers=headers, assumptions=assumptions)
            assert request.has_slice
