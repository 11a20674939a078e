"""Hours of the demo: the province keeps two half hours for itself, one commune some of its own.

At every hour somebody may sound: whoever looks at the demo may do so at night. There are no quiet
hours, only shorter and softer ones.
"""

from datetime import time

from server.cli.demo import province
from server.services.framing import NewFrame

_RULES = "Quy chế phát thanh của tỉnh (ví dụ)"
_COMMUNE_RULES = "Lịch của đài truyền thanh xã (ví dụ)"
_HALF_AN_HOUR_S = 30 * 60
_AT_NIGHT_S = 15 * 60
_AT_NIGHT_DB = -6.0


def _frame(
    unit_id: str,
    start: time,
    end: time,
    *,
    rank: int | None = None,
    owner: str | None = None,
    limit_s: int | None = None,
    ceiling_db: float | None = None,
) -> NewFrame:
    return NewFrame(
        unit_id,
        "frame",
        start,
        end,
        owner_id=owner,
        owner_rank=rank,
        session_limit_s=limit_s,
        volume_ceiling_db=ceiling_db,
        legal_reference=_RULES if unit_id == province.PROVINCE else _COMMUNE_RULES,
    )


def _night(unit_id: str) -> NewFrame:
    return _frame(unit_id, time(22), time(5), limit_s=_AT_NIGHT_S, ceiling_db=_AT_NIGHT_DB)


FRAMES = (
    _frame(province.PROVINCE, time(5), time(5, 30), rank=0, limit_s=_HALF_AN_HOUR_S),
    _frame(province.PROVINCE, time(5, 30), time(17)),
    _frame(province.PROVINCE, time(17), time(17, 30), rank=0, limit_s=_HALF_AN_HOUR_S),
    _frame(province.PROVINCE, time(17, 30), time(22)),
    _night(province.PROVINCE),
    _frame(province.DONG_VAN, time(5, 30), time(6, 30), owner=province.DONG_VAN),
    _frame(province.DONG_VAN, time(6, 30), time(17)),
    _frame(province.DONG_VAN, time(17, 30), time(18, 30), owner=province.DONG_VAN),
    _frame(province.DONG_VAN, time(18, 30), time(22)),
    _night(province.DONG_VAN),
)
"""The province's first: a commune lays down what it is left."""

CLOSED_MIN = 30
"""For how long at most a commune has to wait until hours are open to it."""
