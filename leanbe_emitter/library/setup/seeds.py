"""``leanbe.seeds``: the seed file of a database, planted at its beginning and by each reset.

The database stores the seed file, so that every process that resets it plants the same. The module
that reads seed files is imported only if there is one.
"""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from leanbe_emitter.library.runtime.transactions import Transactions, one_transaction
from leanbe_emitter.storage.queries.reset import StoredSeed, lock, store_seed, stored_seed
from leanbe_emitter.storage.schema.tables import ProductRow

if TYPE_CHECKING:
    from os import PathLike

    from leanbe_emitter.seeds import Seed
    from leanbe_emitter.seeds.planting import Planter


class Seeds:
    """The seed file of a handle's database. Planting it records no events.

    The objects of the seed file count as older than all events.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    @one_transaction
    def plant(self, seed: "Seed | str | PathLike[str]") -> bool:
        """Plant a seed file, and store it for each reset.

        Args:
            seed: a YAML or JSON file, or the result of ``leanbe_emitter.seeds.read_seed``.

        Returns:
            Whether the file was planted now. A database that has a product stays unchanged until
            it is reset.

        Raises:
            InvalidValue: the file cannot be read, or has mistakes. The message has one line for
                each mistake, which begins with the file's name and the line number.
            Conflict: the file contradicts itself.
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
        """Return the name of the stored seed file, if there is one."""
        with self._transactions.looking() as session:
            seed = stored_seed(session)
            return None if seed is None else seed.name

    def replant(self, session: Session, *, now: datetime | None = None) -> None:
        """Plant the stored seed file in a database that this transaction emptied."""
        if (planter := self._kept(session, now=now)) is not None:
            planter.plant()

    def replant_product(self, session: Session, row: ProductRow) -> None:
        """Plant a product of the stored seed file that this transaction emptied."""
        if (planter := self._kept(session)) is not None:
            planter.replant(row)

    def _kept(self, session: Session, *, now: datetime | None = None) -> "Planter | None":
        seed = stored_seed(session)
        if seed is None:
            return None
        from leanbe_emitter.seeds import seed_of  # noqa: PLC0415 - loads YAML

        return self._planter(seed_of(*seed), session, now=now or self._transactions.clock.now())

    def _planter(self, seed: "Seed", session: Session, *, now: datetime) -> "Planter":
        from leanbe_emitter.seeds.planting import Planter  # noqa: PLC0415 - loads YAML

        begin = partial(self._transactions.action, session)
        return Planter(seed, session, begin=begin, now=now)
