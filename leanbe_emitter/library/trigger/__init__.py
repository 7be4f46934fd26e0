"""Synthetic events: planned, shown by a dry run, recorded, or sent once without a database.

Start with ``triggers.Triggers``, ``recorder.Recorder`` and ``one_shot.OneShotSender``.
"""
