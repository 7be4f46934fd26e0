"""Every command of the program, found in the command tree, so that a test misses none."""

from collections.abc import Iterator

import click

from leanbe_emitter.cli.app import program


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Yield each command and group with its path: ``deliveries show``."""
    yield from _below(program, "")


def _below(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        whole = f"{path} {name}".strip()
        yield whole, command
        if isinstance(command, click.Group):
            yield from _below(command, whole)
