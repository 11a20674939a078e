"""What all that programs send and are sent is made of."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

from protocol.ids import DIGEST_PATTERN, ID_PATTERN
from server.domain.recurrence import is_usable

# JSON Schema knows no ``\Z``; there, as in Rust's engine, a dollar sign is the very end.
_ID = ID_PATTERN.replace(r"\Z", "$")
_DIGEST = DIGEST_PATTERN.replace(r"\Z", "$")
_MOST = 5000
ALL_WEEK = 127


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def printable(text: str) -> str:
    """Refuse control characters, and cut off the blanks around a text."""
    # A database refuses the null character, and nobody means the other controls.
    if any(ord(sign) < ord(" ") or 0xD800 <= ord(sign) <= 0xDFFF for sign in text):  # noqa: PLR2004 - bounds of the surrogates
        message = "control characters are not allowed"
        raise ValueError(message)
    return text.strip()


def _usable(day: date) -> date:
    if not is_usable(day):
        message = "too near the calendar's ends"
        raise ValueError(message)
    return day


def _at_usable_day(instant: datetime) -> datetime:
    _usable(instant.date())
    return instant


Id = Annotated[str, Field(pattern=_ID)]
Digest = Annotated[str, Field(pattern=_DIGEST)]
Text = Annotated[str, AfterValidator(printable)]
Title = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(printable)]
Instant = Annotated[AwareDatetime, PlainSerializer(_iso, return_type=str)]
Day = Annotated[date, AfterValidator(_usable)]
Moment = Annotated[AwareDatetime, AfterValidator(_at_usable_day)]
BulletinClassName = Literal["ordinary", "priority", "emergency"]
Ids = Annotated[tuple[Id, ...], Field(max_length=_MOST)]


class Request(BaseModel):
    """Something sent to us: fields that we do not know are an error, not a surprise."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """Something that we send."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class UnitQuery(Request):
    """Whose things are asked for."""

    unit_id: Id


class FindingAnswer(Answer):
    """One thing that is wrong."""

    code: str
    detail: str
    fields: dict[str, str]
