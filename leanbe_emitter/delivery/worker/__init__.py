"""Workers: claim, attempt and settle deliveries, in a loop or for a caller who waits.

Way in: ``worker.Worker`` and ``foreground.Foreground``; ``metrics``, ``attempt_log`` and
``watcher`` show their work.
"""
