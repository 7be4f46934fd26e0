"""The article's own formula, run by Node.js if it is installed: an independent check."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# The article's formula, applied to each body that the receiver kept (contract a.1, 6).
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
class NodeCheck:
    """Number of verified bodies; the version of Node.js is empty if the formula did not run."""

    verified: int
    bodies: int
    version: str

    @property
    def agrees(self) -> bool:
        """Whether the formula verifies all bodies."""
        return self.verified == self.bodies

    @property
    def remark(self) -> str:
        """The result in a sentence; empty if Node.js did not run."""
        if not self.version:
            return ""
        return (
            f"The article's own formula, run in Node.js {self.version}, "
            f"verifies {self.verified} of {self.bodies} bodies."
        )


#: The check of a demo for which Node.js did not run.
NOT_RUN = NodeCheck(verified=0, bodies=0, version="")


def check_with_node(bodies: Sequence[Path], secret: str) -> NodeCheck:
    """Run the formula over the files of bodies, if Node.js is installed."""
    node = shutil.which("node")
    if node is None:
        return NOT_RUN
    verified = _run(node, "-e", _PROGRAM, "--", *map(str, bodies), secret=secret)
    return NodeCheck(
        verified=int(verified) if verified.isdecimal() else 0,
        bodies=len(bodies),
        version=_run(node, "--version", secret=secret),
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
