"""A worker without root's rights: ``python -m tests.support.unprivileged_worker DB``.

Root can write to read-only folders. So the process becomes ``nobody``, after it has loaded all
modules that ``nobody`` might not be able to read.
"""

import os
import pwd
import sys

from leanbe_emitter import Leanbe
from leanbe_emitter.cli.invocation.log_setup import configure_log
from leanbe_emitter.settings import LogLevel

if __name__ == "__main__":
    (db,) = sys.argv[1:]
    configure_log(LogLevel.WARNING, as_json=False)
    Leanbe(db).close()
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
    with Leanbe(db) as leanbe:
        leanbe.work()
