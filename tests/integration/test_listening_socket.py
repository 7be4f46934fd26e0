"""The socket that a server listens at."""

import socket

from leanbe_emitter.cli.serve.serve import _listening


def test_an_answer_does_not_wait_for_the_acknowledgement_of_what_came_before() -> None:
    with (
        _listening("127.0.0.1", 0) as sock,
        socket.create_connection(sock.getsockname()),
        sock.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
