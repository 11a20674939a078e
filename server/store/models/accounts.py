"""People, and what they were granted where."""

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.store.base import Base
from server.store.types import Bytes, Digest, Id, Instant, Name, Wide, Word


class RoleRow(Base):
    """Required by Flask-Security and left empty: rights are grants, decided in one place."""

    __tablename__ = "roles"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[Word] = mapped_column(unique=True)
    description: Mapped[Name | None]


class UserRow(Base):
    """Somebody who may log in. Column names are those that Flask-Security expects of ``web``."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str | None] = mapped_column(String(255), unique=True)
    password: Mapped[str | None] = mapped_column(String(255))
    full_name: Mapped[Name] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    locale: Mapped[Word] = mapped_column(default="vi")
    created_at: Mapped[Instant]

    grants: Mapped[list["GrantRow"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", back_populates="user"
    )


class GrantRow(Base):
    """A role at a unit and all that is under it."""

    __tablename__ = "grants"
    __table_args__ = (UniqueConstraint("user_id", "role", "unit_id"),)

    grant_id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    role: Mapped[Word]
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"))

    user: Mapped[UserRow] = relationship(back_populates="grants", lazy="raise")


class SecondFactorRow(Base):
    """What somebody proves who they are with, besides a password: codes by time.

    Attributes:
        sealed: Its secret, sealed like units' keys; None: not confirmed by a first code yet.
        last_step: The newest step of time whose code was used; no code is good twice.
        pending: The secret that is being set up; it takes the place of ``sealed``.
    """

    __tablename__ = "second_factors"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    sealed: Mapped[Bytes | None]
    set_up_at: Mapped[Instant | None]
    last_step: Mapped[Wide] = mapped_column(default=0)
    pending: Mapped[Bytes | None]


class RecoveryCodeRow(Base):
    """A code that is good once, when the factor is not at hand; only its hash is kept."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    digest: Mapped[Digest] = mapped_column(primary_key=True)
    used_at: Mapped[Instant | None]


class RateCountRow(Base):
    """How often something was tried that may not be tried without end, whichever process saw it.

    Attributes:
        ends_at: First instant at which counting begins anew.
    """

    __tablename__ = "rate_counts"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    hits: Mapped[int]
    ends_at: Mapped[Instant] = mapped_column(index=True)


class CalendarAddressRow(Base):
    """The secret address at which one person's calendar programs read one unit's calendar.

    Attributes:
        secret_digest: Of its secret part, which is kept nowhere.
    """

    __tablename__ = "calendar_addresses"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"), primary_key=True)
    secret_digest: Mapped[Digest] = mapped_column(unique=True)
    created_at: Mapped[Instant]
