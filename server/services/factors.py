"""A second factor: codes by time from an app, and recovery codes that are good once each."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from passlib.exc import TokenError
from passlib.totp import TOTP
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from server.domain.authority import Actor
from server.domain.errors import FactorRefusedError, Finding
from server.services import audit, rate_counts
from server.services.keyring import Keyring
from server.store.gates import pass_gate
from server.store.models import RecoveryCodeRow, SecondFactorRow, UserRow

ISSUER = "Loa Làng"
MOST_TRIES = 5
TRIES_PER = timedelta(minutes=10)
"""With three codes good at a time, a guesser who never rests needs years."""

CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_CODE_LENGTH, _GROUP = 12, 4
_WINDOW_S = 30
_TOTP_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody has set up."""

    set_up_at: datetime | None = None
    is_begun: bool = False
    codes_left: int = 0

    @property
    def has_factor(self) -> bool:
        """Whether there is one."""
        return self.set_up_at is not None


@dataclass(frozen=True, slots=True)
class Tried:
    """How a try has ended.

    Attributes:
        wait_s: Seconds until the next one is taken; 0: at once.
    """

    is_proven: bool
    wait_s: int = 0


def standing(db: Session, user_id: int) -> Standing:
    """Tell what somebody has set up."""
    row = db.get(SecondFactorRow, user_id)
    if row is None:
        return Standing()
    left = select(func.count()).where(
        RecoveryCodeRow.user_id == user_id, RecoveryCodeRow.used_at.is_(None)
    )
    return Standing(row.set_up_at, row.pending is not None, db.scalars(left).one())


def begin(db: Session, user_id: int, *, keyring: Keyring) -> None:
    """Make a secret that counts once a first code was typed; what is set up stays till then."""
    pass_gate(db, f"factor {user_id}")
    row = db.get(SecondFactorRow, user_id)
    if row is None:
        row = SecondFactorRow(user_id=user_id, last_step=0)
        db.add(row)
    row.pending = keyring.seal(TOTP(new=True).key)


def pending(db: Session, user: UserRow, *, keyring: Keyring) -> TOTP:
    """Open the secret that is being set up, to be shown to its owner.

    Raises:
        FactorRefusedError: None is.
    """
    row = db.get(SecondFactorRow, user.id)
    if row is None or row.pending is None:
        raise FactorRefusedError([Finding("factor-not-begun")])
    return _opened(row.pending, keyring, label=user.username)


def confirm(
    db: Session, user: UserRow, code: str, *, now: datetime, keyring: Keyring, actor: Actor
) -> tuple[str, ...]:
    """Take the secret into use; give new recovery codes, which nobody sees a second time.

    Raises:
        FactorRefusedError: None is being set up, or the code is not its.
    """
    pass_gate(db, f"factor {user.id}")
    step = _step(pending(db, user, keyring=keyring), code, 0, now)
    if step is None:
        raise FactorRefusedError([Finding("wrong-code")])
    row = db.get_one(SecondFactorRow, user.id)
    row.sealed, row.pending, row.set_up_at, row.last_step = row.pending, None, now, step
    audit.record(db, actor=actor, action="set-up-factor", subject=user.username, now=now)
    return new_codes(db, user, now=now, actor=actor)


def new_codes(db: Session, user: UserRow, *, now: datetime, actor: Actor) -> tuple[str, ...]:
    """Make new recovery codes in the stead of all there were."""
    pass_gate(db, f"factor {user.id}")
    made = tuple(_new_code() for _ in range(CODES))
    db.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user.id))
    db.add_all(RecoveryCodeRow(user_id=user.id, digest=_digest(code)) for code in made)
    audit.record(db, actor=actor, action="new-recovery-codes", subject=user.username, now=now)
    return made


def remove(db: Session, user: UserRow, *, now: datetime, actor: Actor) -> None:
    """Forget somebody's second factor and all codes. Twice is once."""
    pass_gate(db, f"factor {user.id}")
    db.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user.id))
    db.execute(delete(SecondFactorRow).where(SecondFactorRow.user_id == user.id))
    rate_counts.clear(db, _key(user))
    audit.record(db, actor=actor, action="remove-factor", subject=user.username, now=now)


def prove(
    db: Session, user: UserRow, code: str, *, now: datetime, keyring: Keyring, actor: Actor
) -> Tried:
    """Try a code of the app or a recovery code: each is good once, and wrong ones are counted.

    A wrong code is told by what is returned, not by an error: its count has to be kept.
    """
    pass_gate(db, f"factor {user.id}")
    before = rate_counts.counted(db, _key(user), per=TRIES_PER, now=now)
    if before.hits >= MOST_TRIES:
        return Tried(is_proven=False, wait_s=before.wait_s(now))
    typed = _bare(code)
    is_totp = len(typed) == _TOTP_LENGTH and typed.isdecimal()
    is_right = (
        _use_step(db, user, typed, now, keyring)
        if is_totp
        else _use_code(db, user, typed, now=now, actor=actor)
    )
    if is_right:
        rate_counts.clear(db, _key(user))
        return Tried(is_proven=True)
    audit.record(db, actor=actor, action="wrong-code", subject=user.username, now=now)
    after = rate_counts.count(db, _key(user), per=TRIES_PER, now=now)
    return Tried(is_proven=False, wait_s=after.wait_s(now) if after.hits >= MOST_TRIES else 0)


def _use_step(db: Session, user: UserRow, typed: str, now: datetime, keyring: Keyring) -> bool:
    row = db.get(SecondFactorRow, user.id, populate_existing=True)
    if row is None or row.sealed is None:
        return False
    step = _step(_opened(row.sealed, keyring), typed, row.last_step, now)
    if step is None:
        return False
    row.last_step = step
    return True


def _use_code(db: Session, user: UserRow, typed: str, *, now: datetime, actor: Actor) -> bool:
    row = db.get(RecoveryCodeRow, (user.id, _digest(typed)), populate_existing=True)
    if row is None or row.used_at is not None:
        return False
    row.used_at = now
    audit.record(db, actor=actor, action="use-recovery-code", subject=user.username, now=now)
    return True


def _step(secret: TOTP, typed: str, last_step: int, now: datetime) -> int | None:
    """Find the step of time that a code is of; None: of none that is still good."""
    try:
        found = secret.match(
            _bare(typed), time=now, window=_WINDOW_S, last_counter=last_step or None
        )
    except TokenError:
        return None
    return int(found.counter)


def _opened(sealed: bytes, keyring: Keyring, label: str | None = None) -> TOTP:
    return TOTP(key=keyring.unseal(sealed), format="raw", issuer=ISSUER, label=label)


def _new_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))
    return "-".join(letters[at : at + _GROUP] for at in range(0, _CODE_LENGTH, _GROUP))


def _bare(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


def _digest(code: str) -> str:
    # Sixty bits by chance: a quick hash is as good as a slow one.
    return hashlib.sha256(_bare(code).encode()).hexdigest()


def _key(user: UserRow) -> str:
    return f"factor {user.id}"
