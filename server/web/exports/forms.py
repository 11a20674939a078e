"""What is asked for: whose slots, and from which day to which."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from werkzeug.datastructures import MultiDict

from server.domain.errors import Finding
from server.services.exporting import Whose
from server.web.fields import parsed_day
from server.web.formats import dmy

_A_WEEK = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class ExportForm:
    """What was typed; whatever is missing means the week from today on."""

    whose: Whose
    first_day: str
    last_day: str
    cluster_id: str | None = None

    @classmethod
    def sent(cls, args: "MultiDict[str, str]", today: date) -> "ExportForm":
        """Read what was sent."""
        known = args.get("whose", "") in set(Whose)
        first = args.get("from", "").strip() or dmy(today)
        begins = parsed_day(first) or today
        return cls(
            whose=Whose(args["whose"]) if known else Whose.HEARD,
            first_day=first,
            last_day=args.get("until", "").strip() or dmy(begins + _A_WEEK),
            cluster_id=args.get("cluster") or None,
        )

    def parsed(self) -> tuple[tuple[date, date] | None, Sequence[Finding]]:
        """Give the first and the last day, or say that they cannot be read."""
        first, last = parsed_day(self.first_day), parsed_day(self.last_day)
        if first is None or last is None:
            return None, (Finding("bad-day"),)
        return (first, last), ()
