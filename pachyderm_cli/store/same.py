"""Whether two stores are one database, whatever their URLs say."""

from __future__ import annotations

import secrets

from sqlalchemy import text

from pachyderm_cli.store.existing import file_of
from pachyderm_cli.store.statement import Statement, Transaction
from pachyderm_cli.store.store import Store

_HOLD = Statement(text("SELECT pg_advisory_xact_lock(:key)"))
_TRY = Statement(text("SELECT pg_try_advisory_xact_lock(:key)"))


def is_same_database(one: Store, other: Store) -> bool:
    """Tell whether what is written to the one is in the other.

    Two names may mean one server: a lock that is taken there by the one is not to be had by the other.
    """
    if one.is_sqlite != other.is_sqlite:
        return False
    if one.is_sqlite:
        mine, its = file_of(one), file_of(other)
        return mine.resolve() == its.resolve() or (mine.exists() and its.exists() and mine.samefile(its))
    key = {"key": secrets.randbits(62)}

    def hold(transaction: Transaction) -> bool:
        transaction.rows(_HOLD, key)
        ((is_free,),) = other.write(lambda its: its.rows(_TRY, key))
        return not is_free

    return one.write(hold)
