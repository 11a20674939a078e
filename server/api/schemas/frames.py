"""What programs send and are sent of time frames and quiet hours."""

from datetime import time
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from protocol.messages import LEAST_GAIN_DB
from server.api.schemas.common import ALL_WEEK, Answer, Id, Request, printable


def _midnight(text: object) -> object:
    return "00:00" if text in {"24:00", "24:00:00"} else text


class FrameRequest(Request):
    """Hours to lay down, by the clock on the wall in Asia/Ho_Chi_Minh; 24:00 is midnight.

    An end not after the start lies on the next day. Owned by a unit, or by each unit of a level for
    itself; by neither: open to all under the unit.
    """

    unit_id: Id
    kind: Literal["frame", "quiet"] = "frame"
    weekdays: Annotated[int, Field(ge=0, le=ALL_WEEK)] = ALL_WEEK
    local_start: time
    local_end: Annotated[time, BeforeValidator(_midnight)]
    owner_id: Id | None = None
    owner_rank: Annotated[int, Field(ge=0, le=9)] | None = None
    session_limit_s: Annotated[int, Field(ge=60, le=86_400)] | None = None
    volume_ceiling_db: (
        Annotated[float, Field(ge=LEAST_GAIN_DB, le=0, allow_inf_nan=False)] | None
    ) = None
    legal_reference: Annotated[str, Field(max_length=200), AfterValidator(printable)] = ""


class FrameChange(FrameRequest):
    """Hours as they are to be from now on, and the version that was changed."""

    version: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class Confirmation(Request):
    """Whether it is to be done even where slots are left outside the hours then open to them."""

    confirmed: bool = False


class FrameAnswer(Answer):
    """Hours that hold at a unit, and which unit laid them down."""

    frame_id: str
    unit_id: str
    kind: str
    weekdays: int
    local_start: time
    local_end: time
    owner_id: str | None
    owner_rank: int | None
    session_limit_s: int | None
    volume_ceiling_db: float | None
    legal_reference: str
    version: Annotated[str, Field(description="To be sent with a change.")]


class FrameList(Answer):
    """All that holds at a unit, the top unit's first."""

    frames: list[FrameAnswer]
