"""What programs are sent of administrative units."""

from server.api.schemas.common import Answer


class UnitAnswer(Answer):
    """An administrative unit."""

    unit_id: str
    name: str
    level_rank: int
    parent_id: str | None


class UnitList(Answer):
    """The tree as it is today, from the top down."""

    units: list[UnitAnswer]
