"""Where a server that listens is asked."""


def url_of(host: str, port: int) -> str:
    """Return the URL to ask; who listens at all addresses is asked at the loopback's."""
    asked = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    name = f"[{asked}]" if ":" in asked else asked
    return f"http://{name}:{port}"
