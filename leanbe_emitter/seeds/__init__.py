"""Seed files: what a database is to begin with, now and after each reset.

What is planted was there before the story: it is made by the domain's own actions, and none of
their events is recorded.
"""

from leanbe_emitter.seeds.file import Seed, read_seed, seed_of

__all__ = ["Seed", "read_seed", "seed_of"]
