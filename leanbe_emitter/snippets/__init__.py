"""Code to start from, as ``leanbe-emitter snippet NAME`` prints it: receivers, and clients.

Invariant: the command prints the files that the tests run. They are part of the package and are not
copied anywhere.
"""

from collections.abc import Mapping
from importlib.resources import files

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.did_you_mean import did_you_mean, there_are

_RECEIVERS = {
    "express": ("express_receiver.js", "Express."),
    "node": ("node_receiver.js", "Node.js without packages."),
    "fastapi": ("fastapi_receiver.py", "FastAPI, with leanbe-emitter."),
    "flask": ("flask_receiver.py", "Flask, with leanbe-emitter."),
    "django": ("django_receiver.py", "Django, with leanbe-emitter."),
    "php": ("php_receiver.php", "PHP without packages."),
    "go": ("go_receiver.go", "Go without modules."),
    "ruby": ("ruby_receiver.rb", "Ruby without gems: a Rack application."),
    "java": ("java_receiver.java", "Java without libraries."),
    "csharp": ("csharp_receiver.cs", "C# with ASP.NET Core. Unproven: no test runs it."),
    "webhook": ("webhook_hooks.yaml", "Debian's program webhook, with openssl."),
}

#: Names of the receivers: a language, a framework or a program.
NAMES = tuple(_RECEIVERS)
#: What each receiver is written in.
MEANINGS: Mapping[str, str] = {name: meaning for name, (_, meaning) in _RECEIVERS.items()}
_CLIENTS = {
    "js": "js_client.js",
    "php": "php_client.php",
    "go": "go_client.go",
    "python": "python_client.py",
}
#: Languages of the clients of a server's API, for test suites.
CLIENT_LANGUAGES = tuple(_CLIENTS)


def snippet(name: str) -> str:
    """Return the text of a receiver; ``name`` is one of ``NAMES``.

    Raises:
        InvalidValue: there is no such receiver; the hint names the nearest.
    """
    if name not in _RECEIVERS:
        hint = did_you_mean(name, NAMES) or there_are(NAMES)
        raise InvalidValue(f"There is no snippet {name!r}.", hint=hint)
    return _text(_RECEIVERS[name][0])


def client(language: str) -> str:
    """Return the text of a client; ``language`` is one of ``CLIENT_LANGUAGES``."""
    return _text(_CLIENTS[language])


def _text(file: str) -> str:
    return files(__name__).joinpath(file).read_text("utf-8")
