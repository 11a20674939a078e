"""Let one transaction at a time through where no row stands that could be locked."""

import hashlib

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def pass_gate(db: Session, gate: str) -> None:
    """Wait until no other transaction is past the gate, and keep it shut until this one ends.

    What others have committed by then is seen by every later statement. On SQLite a transaction
    that may write is alone from its beginning.
    """
    if db.get_bind().dialect.name == "postgresql":
        key = int.from_bytes(hashlib.sha256(gate.encode()).digest()[:8], signed=True)
        db.execute(select(func.pg_advisory_xact_lock(key)))
