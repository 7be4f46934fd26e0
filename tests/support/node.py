"""A Node.js process as the oracle: its output is what receivers in JavaScript would write.

One process serves a whole test module. A question is a line of JSON, and so is its answer.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Self

_PROGRAM = r"""
const crypto = require('crypto');
const ask = {
  restringify: (text) => JSON.stringify(JSON.parse(text)),
  indent: (text) => JSON.stringify(JSON.parse(text), null, 2),
  run: (source, ...given) => new Function('crypto', 'given', source)(crypto, given),
  signature: (payload, webhookSecret) =>
    crypto.createHmac('sha256', webhookSecret).update(JSON.stringify(payload)).digest('hex'),
  verifies: (body, secret) => {
    const { payload, signature } = JSON.parse(body);
    return ask.signature(payload, secret) === signature;
  },
};
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const [name, ...given] = JSON.parse(line);
  let answer;
  try { answer = { value: ask[name](...given) }; } catch (error) { answer = { error: `${error}` }; }
  process.stdout.write(JSON.stringify(answer) + '\n');
});
"""


class Refused(Exception):
    """Node.js raised an error, whose text this is."""


class Node:
    """Questions to a running Node.js process."""

    def __init__(self, questions: IO[str], answers: IO[str]) -> None:
        self._questions = questions
        self._answers = answers

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Self]:
        """Start the process, and end it after the block."""
        command = ["node", "--stack-size=4000", "--eval", _PROGRAM]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            yield cls(process.stdin, process.stdout)
            process.stdin.close()

    def restringify(self, text: str) -> str:
        """Return ``JSON.stringify(JSON.parse(text))``."""
        return str(self._ask("restringify", text))

    def indent(self, text: str) -> str:
        """Return ``JSON.stringify(JSON.parse(text), null, 2)``."""
        return str(self._ask("indent", text))

    def signature(self, payload: Any, secret: str) -> str:
        """Return the payload's signature by the article's formula."""
        return str(self._ask("signature", payload, secret))

    def verifies(self, body: str, secret: str) -> bool:
        """Say whether the article's formula verifies the body."""
        return bool(self._ask("verifies", body, secret))

    def run(self, source: str, *given: Any) -> Any:
        """Return the result of a function body that can use ``crypto`` and ``given``."""
        return self._ask("run", source, *given)

    def _ask(self, *question: Any) -> Any:
        self._questions.write(json.dumps(question, allow_nan=False) + "\n")
        self._questions.flush()
        answer = json.loads(self._answers.readline())
        if "error" in answer:
            raise Refused(answer["error"])
        return answer.get("value")
