"""The command ``leanbe-emitter`` for shells: a fork of the program does what is typed.

``warm_process`` writes this text into a folder, with the address in the place of its name.
"""

import json
import os
import signal
import socket
import sys

#: Where to ask for a fork.
ADDRESS = "@ADDRESS@"


def main() -> None:
    """Pass arguments, folder, variables and streams on; pass signals on; end with the status."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as reports:
        reports.connect(ADDRESS)
        request = {
            "module": "leanbe_emitter",
            "arguments": sys.argv[1:],
            "folder": str(os.getcwd()),  # noqa: PTH109 - pathlib takes a while to import
            "variables": dict(os.environ),
        }
        socket.send_fds(reports, [json.dumps(request).encode()], [0, 1, 2])
        process = int(reports.recv(64))
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda given, _: os.kill(process, given))
        status = os.waitstatus_to_exitcode(int(reports.recv(64)))
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


if __name__ == "__main__":
    main()
