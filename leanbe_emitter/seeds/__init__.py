"""Seed files: the content that a database begins with, and gets back at each reset.

``read_seed`` is the way in. The domain's own actions plant the content, and nobody records their
events: the content was there before the first event.
"""

from leanbe_emitter.seeds.seed import Seed
from leanbe_emitter.seeds.seed_file import read_seed, seed_of

__all__ = ["Seed", "read_seed", "seed_of"]
