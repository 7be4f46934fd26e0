"""How the address of a server is written, and where one is asked."""

#: Who listens at all addresses is asked at the loopback's.
_ASKED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def authority_of(host: str, port: int) -> str:
    """Return a host and a port as a URL has them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def url_of(host: str, port: int) -> str:
    """Return the URL at which a server is asked that listens at a host."""
    return f"http://{authority_of(_ASKED_AT.get(host, host), port)}"
