"""People, and what they were granted where."""

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.store.base import Base
from server.store.types import Digest, Id, Instant, Name, Word


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
