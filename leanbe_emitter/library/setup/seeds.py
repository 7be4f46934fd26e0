"""The seed file of a database: planted at its beginning, and again by each reset.

It is a row of the database, so that whichever process resets it plants the same. What reads seed
files is loaded where there is one.
"""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.storage.queries.reset import lock
from leanbe_emitter.storage.queries.seed_file import StoredSeed, store_seed, stored_seed
from leanbe_emitter.storage.schema.tables import ProductRow

if TYPE_CHECKING:
    from os import PathLike

    from leanbe_emitter.seeds import Seed
    from leanbe_emitter.seeds.planting import Planter


class Seeds:
    """What a handle's database begins with, now and after each reset.

    It was there before the story: no event of it is recorded, and none is owed.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def plant(self, seed: "Seed | str | PathLike[str]") -> bool:
        """Plant what a seed file says, and keep it for each reset.

        Args:
            seed: a file of YAML or JSON, or what ``leanbe_emitter.seeds.read_seed`` made of one.

        Returns:
            Whether it was planted now: a database that has a product is left as it is until it is
            reset.

        Raises:
            InvalidValue: the file cannot be read, or something in it is refused; the message has a
                line for each mistake, which begins with file and line.
            Conflict: what it says contradicts itself.
        """
        from leanbe_emitter.seeds import Seed, read_seed  # noqa: PLC0415 - loads YAML

        seed = seed if isinstance(seed, Seed) else read_seed(seed)
        with self._transactions.acting() as action:
            lock(action.session)
            store_seed(action.session, StoredSeed(seed.name, seed.text))
            if action.session.scalar(select(exists(select(ProductRow.id)))):
                return False
            self._planter(seed, action.session, now=action.now).plant()
            return True

    def name(self) -> str | None:
        """Return the name of the file that each reset plants, if there is one."""
        with self._transactions.looking() as session:
            seed = stored_seed(session)
            return None if seed is None else seed.name

    def replant(self, session: Session, *, now: datetime | None = None) -> None:
        """Plant what is kept in a database that was emptied in this transaction."""
        if (planter := self._kept(session, now=now)) is not None:
            planter.plant()

    def replant_product(self, session: Session, row: ProductRow) -> None:
        """Plant what the kept seed has of a product that was emptied in this transaction."""
        if (planter := self._kept(session)) is not None:
            planter.replant(row)

    def _kept(self, session: Session, *, now: datetime | None = None) -> "Planter | None":
        seed = stored_seed(session)
        if seed is None:
            return None
        from leanbe_emitter.seeds import seed_of  # noqa: PLC0415 - loads YAML

        return self._planter(seed_of(*seed), session, now=now or self._transactions.now())

    def _planter(self, seed: "Seed", session: Session, *, now: datetime) -> "Planter":
        from leanbe_emitter.seeds.planting import Planter  # noqa: PLC0415 - loads YAML

        begin = partial(self._transactions.action, session)
        return Planter(seed, session, begin=begin, now=now)
