"""The keys of an installation: the root key on disk, the units' keys sealed in the database.

The root key signs certificates only; it may be taken off the machine once the units have theirs.
"""

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from protocol.messages import BulletinClass, Certificate
from protocol.signing import ROOT_ISSUER, SigningKey, certify, public_from_text, public_text
from server.domain.errors import KeyMissingError, SealBrokenError
from server.store.models import UnitKeyRow

KEY_LIFE = timedelta(days=730)

ROOT_PRIVATE = "root.key"
ROOT_PUBLIC = "root.pub"
SEAL = "seal.key"
FLASK = "pages.key"
GATEWAY = "gateway.password"
LIVE = "live.password"


def create_secrets(folder: Path) -> None:
    """Make every secret that is not there yet; those that are, stay."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / ROOT_PUBLIC).exists():
        root = Ed25519PrivateKey.generate()
        pem = root.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write_once(folder / ROOT_PRIVATE, pem)
        _write_once(folder / ROOT_PUBLIC, public_text(root.public_key()).encode())
    _write_once(folder / SEAL, Fernet.generate_key())
    _write_once(folder / FLASK, secrets.token_urlsafe(48).encode())
    for name in (GATEWAY, LIVE):
        _write_once(folder / name, secrets.token_urlsafe(24).encode())


def secret_text(folder: Path, name: str) -> str:
    """Read one secret."""
    return (folder / name).read_text().strip()


def _write_once(path: Path, content: bytes) -> None:
    """Write a file that is never half there and never replaced, readable by its owner alone."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


@dataclass(frozen=True, slots=True)
class Keyring:
    """Opens and issues the keys of units."""

    root_public: Ed25519PublicKey
    _root: SigningKey | None
    _seal: Fernet

    @classmethod
    def open(cls, folder: Path) -> "Keyring":
        """Read the secrets of an installation."""
        private = folder / ROOT_PRIVATE
        root = None
        if private.exists():
            key = load_pem_private_key(private.read_bytes(), None)
            if isinstance(key, Ed25519PrivateKey):
                root = SigningKey(ROOT_ISSUER, key)
        return cls(
            public_from_text(secret_text(folder, ROOT_PUBLIC)),
            root,
            Fernet((folder / SEAL).read_bytes()),
        )

    def seal(self, secret: bytes) -> bytes:
        """Seal what the database keeps and only the server's programs may read."""
        return self._seal.encrypt(secret)

    def unseal(self, sealed: bytes) -> bytes:
        """Open what was sealed.

        Raises:
            SealBrokenError: It was sealed with another seal, or is damaged.
        """
        try:
            return self._seal.decrypt(sealed)
        except InvalidToken as error:
            raise SealBrokenError from error

    @property
    def may_issue(self) -> bool:
        """Whether the root key is on this machine, so that units can get keys."""
        return self._root is not None

    def issue(
        self,
        db: Session,
        *,
        unit_id: str,
        level: int,
        configures: bool,
        now: datetime,
        signs_from: datetime | None = None,
    ) -> UnitKeyRow:
        """Make a key for a unit and let the root key vouch for it, from now or from some day on.

        Raises:
            KeyMissingError: The root key is not on this machine.
        """
        if self._root is None:
            raise KeyMissingError(ROOT_ISSUER)
        key = SigningKey(unit_id, Ed25519PrivateKey.generate())
        since = signs_from or now
        certificate = Certificate(
            unit=unit_id,
            level=level,
            public_key=public_text(key.private.public_key()),
            key_id=key.key_id,
            classes=tuple(BulletinClass),
            configures=configures,
        )
        raw = key.private.private_bytes_raw()
        row = UnitKeyRow(
            key_id=key.key_id,
            unit_id=unit_id,
            sealed_private=self.seal(raw),
            certificate=certify(self._root, certificate, issued_at=since, expires=since + KEY_LIFE),
            configures=configures,
            valid_from=since,
            valid_to=since + KEY_LIFE,
        )
        db.add(row)
        return row

    def unit_key(self, db: Session, unit_id: str, *, now: datetime) -> SigningKey:
        """Open the newest valid key of a unit.

        Raises:
            KeyMissingError: It has none.
        """
        row = _signing(db.scalars(_valid(now).where(UnitKeyRow.unit_id == unit_id)), now)
        if row is None:
            raise KeyMissingError(unit_id)
        return self._opened(row)

    def configuring_key(self, db: Session, *, now: datetime) -> SigningKey:
        """Open a key that may sign configurations and acknowledgements.

        Raises:
            KeyMissingError: No unit has one.
        """
        row = _signing(db.scalars(_valid(now).where(UnitKeyRow.configures)), now)
        if row is None:
            raise KeyMissingError("configuration")
        return self._opened(row)

    def _opened(self, row: UnitKeyRow) -> SigningKey:
        raw = self.unseal(row.sealed_private)
        return SigningKey(row.unit_id, Ed25519PrivateKey.from_private_bytes(raw))


def certificates(db: Session, units: Iterable[str], *, now: datetime) -> tuple[str, ...]:
    """List the certificates of some units and of those that may configure: all that may be met."""
    wanted = UnitKeyRow.unit_id.in_(tuple(units)) | UnitKeyRow.configures
    rows = db.scalars(_valid(now).where(wanted))
    return tuple(sorted(row.certificate.decode() for row in rows))


def certificates_by_unit(
    db: Session, units: Iterable[str], *, now: datetime
) -> dict[str, tuple[str, ...]]:
    """Name the keys whose certificates each unit's plan carries: its own, and the configuring."""
    valid = _valid(now).with_only_columns(
        UnitKeyRow.unit_id, UnitKeyRow.key_id, UnitKeyRow.configures
    )
    keys = db.execute(valid).all()
    configuring = {key for _, key, configures in keys if configures}
    own: dict[str, set[str]] = {unit: set() for unit in units}
    for unit, key, _ in keys:
        if unit in own:
            own[unit].add(key)
    return {unit: tuple(sorted(held | configuring)) for unit, held in own.items()}


def revoked_keys(db: Session) -> tuple[str, ...]:
    """List the keys that are no longer trusted."""
    revoked = select(UnitKeyRow.key_id).where(UnitKeyRow.revoked_at.is_not(None))
    return tuple(db.scalars(revoked.order_by(UnitKeyRow.key_id)))


def _signing(rows: Iterable[UnitKeyRow], now: datetime) -> UnitKeyRow | None:
    """Choose the newest key that signs by now; else the oldest: a clock may have been set back."""
    newest_first = tuple(rows)
    begun = (row for row in newest_first if row.valid_from <= now)
    return next(begun, newest_first[-1] if newest_first else None)


def _valid(now: datetime) -> Select[UnitKeyRow]:
    """Ask for the keys that are good, or will be: who is to believe them must know them before."""
    return (
        select(UnitKeyRow)
        .where(UnitKeyRow.revoked_at.is_(None), UnitKeyRow.valid_to > now)
        .order_by(UnitKeyRow.valid_from.desc())
    )
