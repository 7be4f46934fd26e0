"""What the global options come to: where the database is, the form of the output, the notices."""

import os
import sys
from dataclasses import dataclass
from typing import Any

from leanbe_emitter.cli.invocation import logs
from leanbe_emitter.cli.invocation.output import Form
from leanbe_emitter.settings import LogLevel, Settings


@dataclass(kw_only=True)
class Invocation:
    """One run of the program; a field is None (or false) until an option sets it."""

    db: str | None = None
    output: Form | None = None
    quiet: bool = False
    verbose: bool = False
    log_json: bool = False

    @property
    def form(self) -> Form:
        """The form of what is printed: a table only where somebody looks at it."""
        if self.output is not None:
            return self.output
        return Form.TABLE if sys.stdout.isatty() else Form.PLAIN

    def settings(self, **arguments: Any) -> Settings:
        """Return the settings: these arguments beat the environment, which beats the defaults.

        Raises:
            InvalidValue: a variable of the environment holds what is refused.
        """
        return Settings.from_environment(
            os.environ, db=self.db, log_level=self._log_level(), **arguments
        )

    def begin(self) -> None:
        """Begin the log."""
        logs.begin(self.settings().log_level, as_json=self.log_json)

    def notice(self, text: str) -> None:
        """Tell something on stderr that is no data."""
        if not self.quiet:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    def _log_level(self) -> LogLevel | None:
        if self.quiet:
            return LogLevel.ERROR
        return LogLevel.DEBUG if self.verbose else None
