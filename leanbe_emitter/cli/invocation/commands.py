"""The classes of all commands: global options anywhere on the line, help that ends in an example.

If a global option stands several times, the last one wins. Its value is in the ``Invocation``,
which a command gets by ``@click.pass_obj``.
"""

import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import click

from leanbe_emitter.cli.invocation.exit_status import CommandMissing
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.output import OutputFormat
from leanbe_emitter.cli.invocation.wrong_words import ours_for_command, ours_for_option
from leanbe_emitter.wire.did_you_mean import there_are

if TYPE_CHECKING:
    _Choice = click.Choice[str]
else:  # click 8.1's class takes no type argument
    _Choice = click.Choice


class EnumChoice(_Choice):
    """A choice of an enum's values, in upper or lower case; the command gets the member.

    click before 8.2 knows choices of texts only, so the enum's values are the choices.
    """

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__([each.value for each in kind], case_sensitive=False)
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the member of the text."""
        return self._kind(super().convert(value, param, ctx))


Callback = Callable[..., object]

#: The variable in which a shell's completion script asks the program for completions.
COMPLETION_VARIABLE = "_LEANBE_EMITTER_COMPLETE"


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    invocation = context.ensure_object(Invocation)
    if value is not None:
        setattr(invocation, parameter.name, value)


def _global_options() -> list[click.Option]:
    """Return new global options, because click binds an option to one command."""
    keep: dict[str, Any] = {"expose_value": False, "callback": _keep}
    flag: dict[str, Any] = {"is_flag": True, "default": None, **keep}
    return [
        click.Option(
            ["--db"],
            metavar="URL",
            help="Database; else LEANBE_EMITTER_DB, else sqlite:///leanbe-emitter.db.",
            **keep,
        ),
        click.Option(
            ["--output"],
            type=EnumChoice(OutputFormat),
            help="Output format; default: table on a terminal, else plain.",
            **keep,
        ),
        click.Option(["--quiet"], help="Print only errors on stderr, no notices.", **flag),
        click.Option(["--verbose"], help="Print the whole log on stderr.", **flag),
        click.Option(["--log-json"], help="Print each log entry as a line of JSON.", **flag),
    ]


class _CommandWithExample(click.Command):
    """A command whose help has a section of global options, and ends in an example.

    Args:
        example: the end of the help; the tests run it.
        words: sections of the help with words that the command takes, and their meanings.
    """

    def __init__(
        self,
        *args: Any,
        example: str,
        words: Mapping[str, Mapping[str, str]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.example = example
        self.words = words or {}
        self.global_options = _global_options()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words; the error about a wrong option names ours."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise click.UsageError(_no_option(error.option_name, self, ctx), ctx) from None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own parameters, then the global ones."""
        return [*super().get_params(ctx), *self.global_options]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of this command, its words and subcommands, and the global options."""
        own = [p for p in self.get_params(ctx) if p not in self.global_options]
        options = [p for p in own if isinstance(p, click.Option)]
        _write(formatter, "Options", [option.get_help_record(ctx) for option in options])
        for title, meanings in self.words.items():
            _write(formatter, title, list(meanings.items()))
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)
        records = [option.get_help_record(ctx) for option in self.global_options]
        _write(formatter, "Global options", records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example; the tests run it."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Example"):
            formatter.write("".join(f"  {line}\n" for line in self.example.splitlines()))


def _write(
    formatter: click.HelpFormatter, title: str, records: Sequence[tuple[str, str] | None]
) -> None:
    rows = [record for record in records if record is not None]
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows)


class Command(_CommandWithExample):
    """A command that is no group."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse one argument too many; the error says how this command names a product."""
        ctx.allow_extra_args = True  # click's own error says nothing about products
        rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            raise click.UsageError(_too_many(self, rest), ctx)
        return rest

    def invoke(self, ctx: click.Context) -> object:
        """Configure the log by the global options, then run the command."""
        ctx.ensure_object(Invocation).configure_log()
        return super().invoke(ctx)


class Group(_CommandWithExample, click.Group):
    """Commands under one noun."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Require a command: what click does without one depends on its version."""
        if not args and not ctx.resilient_parsing:
            raise CommandMissing(ctx)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the named command; the error about a wrong name suggests the nearest."""
        name = args[0]
        known = self.get_command(ctx, name)
        if known is None and not ctx.resilient_parsing and not name.startswith("-"):
            raise click.UsageError(_no_command(name, self, ctx), ctx)
        return super().resolve_command(ctx, args)


def _too_many(command: click.Command, rest: Sequence[str]) -> str:
    options = {option for each in command.params for option in each.opts}
    advice = _option_before(rest[0], options, is_new=command.name == "create")
    if not advice and "--product" in options:
        advice = "Name a product with --product."
    return f"There is one argument too many: {rest[0]!r}.\n{advice}".rstrip()


def _option_before(word: str, options: Collection[str], *, is_new: bool) -> str:
    """Return which option belongs before a word of a command that takes only options."""
    naming = ["--set"] if "=" in word else ["--title", "--email"] if is_new else []
    found = [each for each in naming if each in options]
    return f"Write an option before it: {found[0]} {shlex.quote(word)}" if found else ""


def _no_command(name: str, group: click.Group, context: click.Context) -> str:
    known = group.list_commands(context)
    ours = ours_for_command(
        name, path=context.command_path, commands=known, options=_options_of(group, context)
    )
    return f"There is no command {name!r}.\n{ours or there_are(known)}"


def _no_option(name: str, command: click.Command, context: click.Context) -> str:
    ours = _as_argument(name, command, context)
    ours = ours or ours_for_option(name, options=_options_of(command, context))
    return f"{context.command_path} has no option {name}.\n{ours}".rstrip()


def _as_argument(name: str, command: click.Command, context: click.Context) -> str:
    """Return a sentence if the option is an argument of this command, else nothing."""
    for each in command.get_params(context):
        if isinstance(each, click.Argument) and f"--{each.name}" == name:
            word = each.make_metavar(context)
            return f"Here that is an argument: {context.command_path} {word}."
    return ""


def _options_of(command: click.Command, context: click.Context) -> list[str]:
    return [
        option for each in command.get_params(context) for option in each.opts if "-" in option[0]
    ]


class RootGroup(Group):
    """The program: it loads a command's module when the command is named.

    Args:
        sections: the commands of each section, each with its line of help. The command
            ``idea-request`` of the section ``Act`` is ``idea_request`` in ``cli/act/idea_request``.
    """

    def __init__(
        self, *args: Any, sections: Mapping[str, Mapping[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sections = sections

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands, in the order of the help."""
        return [name for commands in self.sections.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Load and return one command."""
        for title, commands in self.sections.items():
            if cmd_name in commands:
                folder, word = _module_name(title), _module_name(cmd_name)
                module = import_module(f"leanbe_emitter.cli.{folder}.{word}")
                return cast("click.Command", getattr(module, word))
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the commands by section, without loading any."""
        for title, commands in self.sections.items():
            _write(formatter, title, list(commands.items()))


def _module_name(words: str) -> str:
    return words.lower().replace("-", "_").replace(" ", "_")


def command(
    name: str,
    *,
    example: str,
    ends_in_command: bool = False,
    words: Mapping[str, Mapping[str, str]] | None = None,
) -> Callable[[Callback], click.Command]:
    """Return the decorator of a command that belongs to no group.

    Args:
        name: the command's name.
        example: the end of the help.
        ends_in_command: whether the first word that is no option begins another command, with
            options of its own.
        words: sections of the help with words that the command takes, and their meanings.
    """
    settings = {"allow_interspersed_args": not ends_in_command}
    return click.command(name, cls=Command, example=example, words=words, context_settings=settings)


def group(name: str, *, example: str) -> Callable[[Callback], Group]:
    """Return the decorator of a group."""
    return click.group(name, cls=Group, example=example)


def subcommand(
    parent: Group, name: str, *, example: str, words: Mapping[str, Mapping[str, str]] | None = None
) -> Callable[[Callback], click.Command]:
    """Return the decorator of a command of a group.

    Args:
        parent: the group.
        name: the command's name in the group.
        example: the end of the help.
        words: sections of the help with words that the command takes, and their meanings.
    """
    return parent.command(name, cls=Command, example=example, words=words)
