"""Workers: claim, attempt and settle deliveries, in a loop or for a caller who waits.

Way in: ``worker.Worker`` and ``foreground.Foreground``; ``metrics`` and ``attempt_log`` show their
work.
"""
