"""What programs send and are sent of groups of clusters."""

from typing import Annotated

from pydantic import Field

from server.api.schemas.common import Answer, Id, Ids, Request, Title


class GroupRequest(Request):
    """Clusters to be chosen together; without an id one is made of the names."""

    unit_id: Id
    name: Title
    group_id: Id | None = None
    clusters: Ids = ()


class GroupChange(Request):
    """What a group is to be; with ``version`` only if nobody has changed it since."""

    name: Title
    clusters: Ids
    version: Annotated[str, Field(max_length=64)] | None = None
    lie_over: Annotated[
        bool,
        Field(description="Slots that reach more by it may lie over those of lower levels."),
    ] = False


class GroupAnswer(Answer):
    """A group of clusters; it has no rank."""

    group_id: str
    name: str
    unit_id: str
    clusters: tuple[str, ...]
    version: str


class GroupList(Answer):
    """Groups, by name."""

    groups: list[GroupAnswer]
