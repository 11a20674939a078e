"""A sheet of clusters: what its columns are, and which faults a row may have."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from server.domain.errors import Finding, RefusedRequestError
from server.domain.names import folded

MOST_ROWS = 50_000
MOST_FAULTS = 2_000
"""With so many a sheet is not read any further."""

SHOWN_OF_A_KIND = 20
EXAMPLE_ID = "vi-du"
"""Id of the template's example: its row is passed over."""

_SHOWN_CHARACTERS = 60


class Column(StrEnum):
    """What a sheet may say of a cluster."""

    CLUSTER_ID = "cluster_id"
    NAME = "name"
    VILLAGE = "village"
    COMMUNE = "commune"
    LATITUDE = "latitude"
    LONGITUDE = "longitude"
    PEOPLE = "people"
    CONTACT_NAME = "contact_name"
    CONTACT_PHONE = "contact_phone"
    LANGUAGES = "languages"
    DATA_PLAN_MB = "data_plan_mb"
    DATA_PLAN_DAY = "data_plan_day"

    # Enum's own is written in Python; a large sheet asks for it millions of times.
    __hash__ = str.__hash__


HEADINGS: Mapping[Column, tuple[str, ...]] = MappingProxyType(
    {
        Column.CLUSTER_ID: ("Mã cụm", "Mã cụm loa", "cluster_id", "id"),
        Column.NAME: ("Tên cụm", "Tên cụm loa", "name"),
        Column.VILLAGE: ("Thôn, bản", "Thôn", "Bản", "Thôn/bản", "Tổ dân phố", "village"),
        Column.COMMUNE: ("Mã xã", "Mã xã/phường", "commune", "unit"),
        Column.LATITUDE: ("Vĩ độ", "latitude", "lat"),
        Column.LONGITUDE: ("Kinh độ", "longitude", "lon"),
        Column.PEOPLE: ("Số dân", "Dân số", "people"),
        Column.CONTACT_NAME: ("Người liên hệ", "contact_name", "contact"),
        Column.CONTACT_PHONE: ("Điện thoại", "Số điện thoại", "contact_phone", "phone"),
        Column.LANGUAGES: ("Ngôn ngữ", "Tiếng", "languages", "language"),
        Column.DATA_PLAN_MB: ("Dung lượng SIM/tháng", "Gói dữ liệu", "data_plan"),
        Column.DATA_PLAN_DAY: ("Ngày bắt đầu gói", "data_plan_day"),
    }
)
"""Headings by which each column is known, marks and case apart; the template writes the first."""

NEEDED = (Column.NAME, Column.COMMUNE)

_KNOWN = {folded(heading): column for column, all_ in HEADINGS.items() for heading in all_}


class Fault(StrEnum):
    """What can be wrong with a sheet or with one of its rows."""

    UNREADABLE = "sheet-unreadable"
    ENCODING = "sheet-encoding"
    TOO_LARGE = "sheet-too-large"
    EMPTY = "sheet-empty"
    TOO_LONG = "sheet-too-long"
    NO_COLUMN = "sheet-no-column"
    COLUMN_TWICE = "sheet-column-twice"
    CELL_EMPTY = "cell-empty"
    CELL_TOO_LONG = "cell-too-long"
    CELL_UNREADABLE = "cell-unreadable"
    BAD_ID = "cell-bad-id"
    NOT_A_NUMBER = "cell-not-a-number"
    UNKNOWN_LANGUAGE = "cell-unknown-language"
    BAD_DATA_PLAN = "cell-bad-data-plan"
    UNKNOWN_COMMUNE = "row-unknown-commune"
    NOT_YOURS = "row-not-yours"
    HALF_A_PLACE = "row-half-a-place"
    FAR_AWAY = "row-far-away"
    MOVED = "row-moved"
    ID_TWICE = "row-id-twice"
    NAME_TWICE = "row-name-twice"
    MORE_UNREAD = "sheet-more-unread"


@dataclass(frozen=True, slots=True)
class Faults:
    """All faults of one kind: how many, the first of them, and in which rows the others are."""

    count: int
    shown: tuple[Finding, ...]
    more_rows: tuple[int, ...] = ()

    @property
    def not_shown(self) -> int:
        """How many are told by their rows alone."""
        return self.count - len(self.shown)

    @property
    def told(self) -> tuple[Finding, ...]:
        """The first ones, and in a sentence of its own how many more there are, and where."""
        if not self.not_shown:
            return self.shown
        rows = _stretches(self.more_rows)
        more = {"count": str(self.not_shown), "rows": rows, "of": self.shown[0].code}
        return (*self.shown, Finding("more-rows", more))


class SheetRefusedError(RefusedRequestError):
    """A sheet has faults; nothing of it was taken."""

    def __init__(self, faults: Sequence[Faults]) -> None:
        """Keep the faults, by kind."""
        self.faults = tuple(faults)
        super().__init__([finding for kind in faults for finding in kind.told])


def refused(fault: Fault) -> SheetRefusedError:
    """Refuse a whole sheet for one reason."""
    return SheetRefusedError([Faults(1, (Finding(fault.value),))])


@dataclass(slots=True)
class Tally:
    """Counts faults, and keeps the first of each kind: a bad sheet has as many as it has cells.

    Of the others it keeps the rows: whoever corrects the sheet wants all of them at once.
    """

    _all: int = 0
    _counts: dict[Fault, int] = field(default_factory=dict)
    _shown: dict[Fault, list[Finding]] = field(default_factory=dict)
    _more: dict[Fault, list[int]] = field(default_factory=dict)

    def note(self, fault: Fault, row: int, heading: str = "", value: str = "") -> None:
        """Take down one fault."""
        self._all += 1
        count = self._counts[fault] = self._counts.get(fault, 0) + 1
        if count > SHOWN_OF_A_KIND:
            self._more.setdefault(fault, []).append(row)
            return
        short = value if len(value) <= _SHOWN_CHARACTERS else value[: _SHOWN_CHARACTERS - 1] + "…"
        fields = {"row": str(row), "column": heading, "value": short}
        self._shown.setdefault(fault, []).append(Finding(fault.value, fields))

    @property
    def is_full(self) -> bool:
        """Whether there is more than anybody would read."""
        return self._all >= MOST_FAULTS

    def stop(self, row: int) -> None:
        """Take down that this row and those after it were not read; it is told once."""
        if Fault.MORE_UNREAD in self._counts:
            return
        stopped = {"row": str(row), "count": str(MOST_FAULTS)}
        self._counts[Fault.MORE_UNREAD] = 1
        self._shown[Fault.MORE_UNREAD] = [Finding(Fault.MORE_UNREAD.value, stopped)]

    def faults(self) -> tuple[Faults, ...]:
        """Give what was taken down, kind by kind."""
        return tuple(
            Faults(count, tuple(self._shown[one]), tuple(self._more.get(one, ())))
            for one, count in self._counts.items()
        )


def _stretches(rows: Iterable[int]) -> str:
    """Write numbers down shortly: ``22–61, 64``."""
    found: list[tuple[int, int]] = []
    for row in sorted(set(rows)):
        if found and found[-1][1] == row - 1:
            found[-1] = found[-1][0], row
        else:
            found.append((row, row))
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in found)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns stand.

    Attributes:
        row: Number of the row of headings, counted from 1; 0 when there is none.
        places: Position of each column that is there.
        passed_over: Headings that mean nothing here.
    """

    row: int
    places: Mapping[Column, int]
    passed_over: tuple[str, ...]


def layout(rows: Sequence[Sequence[str]], tally: Tally) -> Layout:
    """Find the headings: they are the first row with anything in it."""
    number, headings = next(
        ((number, row) for number, row in enumerate(rows, 1) if any(row)), (0, ())
    )
    if not number:
        tally.note(Fault.EMPTY, 0)
        return Layout(0, {}, ())
    places: dict[Column, int] = {}
    passed_over = []
    for place, heading in enumerate(headings):
        column = _KNOWN.get(folded(heading).rstrip(" *"))
        if column is None:
            passed_over.extend([heading] if heading.strip() else [])
        elif column in places:
            tally.note(Fault.COLUMN_TWICE, number, heading)
        else:
            places[column] = place
    for column in NEEDED:
        if column not in places:
            tally.note(Fault.NO_COLUMN, number, HEADINGS[column][0])
    if len(rows) - number > MOST_ROWS:
        tally.note(Fault.TOO_LONG, number, value=str(MOST_ROWS))
    return Layout(number, places, tuple(passed_over))
