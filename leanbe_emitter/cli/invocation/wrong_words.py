"""Advice about a command or an option that does not exist.

First come the words of other tools, because ours may look quite different. Then come ours that are
similar enough to be a slip of the finger; what only looks a little alike misleads.
"""

from collections.abc import Iterable, Mapping, Sequence

from leanbe_emitter.wire.did_you_mean import any_of, did_you_mean

#: The least similarity of a word that was meant: above that of two different words of ours.
_SIMILARITY = 0.7

#: Length of an option of one letter: ``-h``.
_LETTER = 2

#: Commands of other tools, and ours: each with the words that follow its group.
_COMMANDS: Mapping[str, Sequence[str]] = {
    "add": ("create",),
    "cancel": ("discard", "deliveries discard"),
    "config": ("assumptions",),
    "edit": ("update", "set"),
    "emit": ("trigger",),
    "endpoints": ("webhook",),
    "fire": ("trigger",),
    "forward": ("webhook set", "trigger"),
    "get": ("show",),
    "help": ("--help",),
    "init": ("product create",),
    "listen": ("tail", "receiver"),
    "log": ("tail",),
    "logs": ("tail",),
    "ls": ("list",),
    "migrate": ("db upgrade", "upgrade"),
    "new": ("create",),
    "remove": ("delete",),
    "replay": ("redeliver", "deliveries redeliver"),
    "resend": ("redeliver", "deliveries redeliver"),
    "retry": ("redeliver", "deliveries redeliver"),
    "rm": ("delete",),
    "run": ("serve", "exec"),
    "seed": ("serve --seed-file FILE",),
    "start": ("serve",),
    "status": ("info",),
    "version": ("--version",),
}
_URLS = ("--webhook-url", "--to")
_CONTENT = ("--payload @FILE", "--set PATH=VALUE")
#: Options of other tools, and ours; the first word of each is the option.
_OPTIONS: Mapping[str, Sequence[str]] = {
    "--add": ("--set PATH=VALUE",),
    "--all": ("--event '*'",),
    "--bind": ("--host",),
    "--count": ("--times", "--limit"),
    "--data": _CONTENT,
    "--database": ("--db",),
    "--debug": ("--verbose",),
    "--endpoint": _URLS,
    "--force": ("--yes",),
    "--format": ("--output",),
    "--forward-to": _URLS,
    "--json": ("--output json",),
    "--once": ("--drain",),
    "--override": ("--set PATH=VALUE",),
    "--project": ("--product",),
    "--remove": ("--unset PATH",),
    "--repeat": ("--times",),
    "--token": ("--secret",),
    "--type": ("--event",),
    "--url": _URLS,
    "-d": _CONTENT,
    "-f": ("--follow", "--yes"),
    "-H": ("--header",),
    "-n": ("--limit", "--times", "--dry-run"),
    "-o": ("--output",),
    "-p": ("--port", "--product"),
    "-q": ("--quiet",),
    "-v": ("--verbose",),
    "-V": ("--version",),
    "-y": ("--yes",),
}
_WEBHOOK_HAS_IT = "The webhook has it: leanbe-emitter webhook set URL"
_URL_ADVICE = (
    f"{_WEBHOOK_HAS_IT}. To send one request without a webhook: leanbe-emitter send EVENT --to URL."
)
#: Options of a webhook, and what to do in a command about a product that has none of them.
_ELSEWHERE: Mapping[str, str] = {
    "--ca-file": f"{_WEBHOOK_HAS_IT} --ca-file FILE.",
    "--header": f"{_WEBHOOK_HAS_IT} --header NAME:VALUE.",
    "--insecure": f"{_WEBHOOK_HAS_IT} --insecure.",
    "--secret": f"{_WEBHOOK_HAS_IT} --secret SECRET.",
    "--to": _URL_ADVICE,
    "--webhook-url": _URL_ADVICE,
}


def ours_for_command(
    name: str, *, path: str, commands: Sequence[str], options: Iterable[str]
) -> str:
    """Return a sentence about the command that was meant; empty if none is known.

    Args:
        name: the word that is no command.
        path: the words before it.
        commands: the commands there.
        options: the options there.
    """
    known = {*commands, *options}
    ours = [each for each in _COMMANDS.get(name.lower(), ()) if each.split()[0] in known]
    if ours:
        return f"Here that is {any_of(f'{path} {each}' for each in ours)}."
    return did_you_mean(name, commands, similarity=_SIMILARITY)


def ours_for_option(name: str, *, options: Sequence[str]) -> str:
    """Return a sentence about the option that was meant; empty if none is known.

    Args:
        name: the option that does not exist.
        options: the options of the command.
    """
    ours = [each for each in _OPTIONS.get(name, ()) if each.split()[0] in options]
    if ours:
        return f"Here that is {any_of(ours)}."
    for each in (name, *_OPTIONS.get(name, ())):
        if each in _ELSEWHERE and "--product" in options:
            return _ELSEWHERE[each]
    # Two options of one letter are never similar: -H is not -h.
    words = [each for each in options if len(each) > _LETTER]
    return did_you_mean(name, words, similarity=_SIMILARITY)
