"""Where the limiter counts: in the database, so that several web processes are one wall."""

import hashlib
from datetime import timedelta

from limits.storage import Storage
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from typing_extensions import override

from server.http.context import here, now, reading, writing
from server.services import rate_counts
from server.services.rate_counts import Count

SCHEME = "loa"
_LONGEST_KEY = 200
_LONGEST = timedelta(hours=1)
"""Of all limits that are set: a key alone does not say of which it is."""


class DatabaseStorage(Storage):
    """Counts of the installation that handles the request."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - as its base class has it

    @property
    @override
    def base_exceptions(self) -> type[Exception]:
        """Errors of the storage itself."""
        return SQLAlchemyError

    @override
    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, and tell how many that makes."""
        with writing() as db:
            per = timedelta(seconds=expiry)
            return rate_counts.count(db, _fitting(key), per=per, now=now(), amount=amount).hits

    @override
    def get(self, key: str) -> int:
        """Tell how many there are."""
        with reading() as db:
            return _counted(db, key).hits

    @override
    def get_expiry(self, key: str) -> float:
        """Tell when counting begins anew, in seconds since 1970."""
        with reading() as db:
            return _counted(db, key).ends_at.timestamp()

    @override
    def check(self) -> bool:
        """Say whether it can be used."""
        return here().engine is not None

    @override
    def reset(self) -> int | None:
        """Keep what is counted: nobody may begin anew for all."""
        return None

    @override
    def clear(self, key: str) -> None:
        """Begin anew."""
        with writing() as db:
            rate_counts.clear(db, _fitting(key))


def _counted(db: Session, key: str) -> Count:
    return rate_counts.counted(db, _fitting(key), per=_LONGEST, now=now())


def _fitting(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()
