"""The article's own formula, run by Node.js where it is installed: a judge who is not us."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# The formula as the article has it, fed with each body that the receiver kept (contract a.1, 6).
_PROGRAM = """
const crypto = require('crypto');
const fs = require('fs');
const webhookSecret = process.env.WEBHOOK_SECRET;
let verified = 0;
for (const file of process.argv.slice(1)) {
  const { payload, signature } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const computed = crypto.createHmac('sha256', webhookSecret)
    .update(JSON.stringify(payload)).digest('hex');
  if (computed === signature) verified += 1;
}
console.log(verified);
"""

#: How long Node.js may take, in seconds.
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """How many of the bodies the formula verifies, in a version of Node.js; none if not asked."""

    verified: int
    bodies: int
    version: str

    @property
    def agrees(self) -> bool:
        """Whether it verifies all of them."""
        return self.verified == self.bodies

    @property
    def remark(self) -> str:
        """What it found, in a sentence; empty where nobody asked it."""
        if not self.version:
            return ""
        return (
            f"The article's own formula, run in Node.js {self.version}, "
            f"verifies {self.verified} of {self.bodies} bodies."
        )


#: What Node.js says where it is not installed, or was not asked: nothing against anybody.
NOT_ASKED = Judgement(verified=0, bodies=0, version="")


def judge(bodies: Sequence[Path], secret: str) -> Judgement:
    """Run the formula over the files of bodies, if Node.js is installed."""
    node = shutil.which("node")
    if node is None:
        return NOT_ASKED
    verified = _run(node, "-e", _PROGRAM, "--", *map(str, bodies), secret=secret)
    version = _run(node, "--version", secret=secret)
    return Judgement(
        verified=int(verified) if verified.isdecimal() else 0, bodies=len(bodies), version=version
    )


def _run(node: str, *arguments: str, secret: str) -> str:
    finished = subprocess.run(  # noqa: S603 - Node.js, found on PATH
        [node, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        env={**os.environ, "WEBHOOK_SECRET": secret},
    )
    return finished.stdout.strip()
