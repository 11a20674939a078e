"""From the cells of rows to what they say of clusters; what cannot be read is a fault.

A sheet may have half a million cells, most of them again and again the same: each spelling of a
column's cells is read once, and rows are put together out of whole columns.
"""

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

from protocol.errors import BadIdError
from protocol.ids import checked_id
from server.domain.cluster_sheets import EXAMPLE_ID, HEADINGS, Column, Fault, Tally
from server.domain.data_plans import FIRST_DAYS, DataPlan, read_volume
from server.domain.languages import language_named

AT_ONCE = 1_000
"""So many rows are read together; after too many faults no more are."""

_DEGREES = re.compile(r"-?\d{1,3}(?:[.,]\d{1,15})?\Z", re.ASCII)
_PEOPLE = re.compile(r"\d{1,8}\Z", re.ASCII)
_BETWEEN = re.compile("[,;/]")
_COMMUNE_DIGITS = 5
_PHONE_DIGITS = 10
_NOWHERE = sys.maxsize
_BEYOND = frozenset({"Cc", "Cs"})


class Row(NamedTuple):
    """What one row says; None: nothing.

    Attributes:
        number: Where it stands in the sheet, counted from 1.
        commune: Code or id, as it was written.
    """

    number: int
    cluster_id: str | None
    name: str
    village: str | None
    commune: str
    latitude: float | None
    longitude: float | None
    people: int | None
    contact_name: str | None
    contact_phone: str | None
    languages: tuple[str, ...] | None
    data_plan_mb: int | None
    data_plan_day: int | None


@dataclass(frozen=True, slots=True)
class _Wrong:
    """What is wrong with a cell: each fault, and the value that it shows."""

    faults: tuple[tuple[Fault, str], ...]


Cells = Sequence[str]
_Judge = Callable[[str], object]


class _Read(dict[str, Any]):
    """What each spelling of a column's cells says: None where it says nothing."""

    def __init__(self, judge: _Judge) -> None:
        super().__init__()
        self._judge = judge
        self.any_wrong = False

    def __missing__(self, cell: str) -> object:
        """Read it for the first time."""
        text = " ".join(cell.split())
        said = self[cell] = self._judge(text) if text else None
        self.any_wrong = self.any_wrong or isinstance(said, _Wrong)
        return said


class Reader:
    """Reads rows whose columns stand at ``places``, and takes down their faults."""

    def __init__(self, places: Mapping[Column, int], tally: Tally) -> None:
        """Begin with nothing read."""
        self.tally = tally
        self._columns = [(places.get(one, _NOWHERE), _Read(_JUDGES[one])) for one in Column]

    def rows(self, numbered: Iterable[tuple[int, Cells]]) -> Iterator[Row]:
        """Read some rows, those without any cell and the template's example passed over.

        What has a fault is left out; with more faults than anybody would read no more is read.
        """
        there = [(number, cells) for number, cells in numbered if any(cells)]
        nothing = [None] * len(there)
        by_place = list(zip_longest(*(cells for _, cells in there), fillvalue=""))
        columns = [
            list(map(read.__getitem__, by_place[place])) if place < len(by_place) else nothing
            for place, read in self._columns
        ]
        any_wrong = any(read.any_wrong for _, read in self._columns)
        numbers = [number for number, _ in there]
        for row in map(Row._make, zip(numbers, *columns, strict=True)):
            if self.tally.is_full:
                self.tally.stop(row.number)
                return
            if row.cluster_id == EXAMPLE_ID:
                continue
            is_whole = row.name is not None and row.commune is not None
            is_whole &= (row.latitude is None) is (row.longitude is None)
            if is_whole and not (any_wrong and any(isinstance(said, _Wrong) for said in row)):
                yield row
            else:
                self._note(row)

    def _note(self, row: Row) -> None:
        """Take down all that is wrong with a row."""
        said: Mapping[Column, object] = dict(zip(Column, row[1:], strict=True))
        for column in (Column.NAME, Column.COMMUNE):
            if said[column] is None:
                self._fault(Fault.CELL_EMPTY, row.number, column)
        for column, value in said.items():
            for fault, shown in value.faults if isinstance(value, _Wrong) else ():
                self._fault(fault, row.number, column, shown)
        lacking = [one for one in (Column.LATITUDE, Column.LONGITUDE) if said[one] is None]
        if len(lacking) == 1:
            self._fault(Fault.HALF_A_PLACE, row.number, lacking[0])

    def _fault(self, fault: Fault, number: int, column: Column, shown: str = "") -> None:
        self.tally.note(fault, number, HEADINGS[column][0], shown)


def commune_key(text: str) -> str:
    """Make of a commune's code or id what it is looked up by.

    Spreadsheets take the zeros off the front of codes.
    """
    return text.zfill(_COMMUNE_DIGITS) if text.isdecimal() else text.lower()


def _text(most: int) -> _Judge:
    def judged(text: str) -> object:
        if len(text) > most:
            return _wrong(Fault.CELL_TOO_LONG, text)
        # Zero characters and halves of surrogate pairs are beyond PostgreSQL.
        if not text.isprintable() and any(unicodedata.category(one) in _BEYOND for one in text):
            shown = "".join(one if one.isprintable() else "·" for one in text)
            return _wrong(Fault.CELL_UNREADABLE, shown)
        return text

    return judged


def _id(text: str) -> object:
    try:
        return checked_id(text)
    except BadIdError:
        return _wrong(Fault.BAD_ID, text)


def _degrees(most: float) -> _Judge:
    def judged(text: str) -> object:
        if _DEGREES.match(text) is None:
            return _wrong(Fault.NOT_A_NUMBER, text)
        degrees = float(text.replace(",", "."))
        return degrees if abs(degrees) <= most else _wrong(Fault.FAR_AWAY, text)

    return judged


def _people(text: str) -> object:
    return int(text) if _PEOPLE.match(text) else _wrong(Fault.NOT_A_NUMBER, text)


def _data_plan(text: str) -> object:
    amount_mb = read_volume(text)
    is_known = amount_mb is not None and DataPlan(amount_mb).is_sensible
    return amount_mb if is_known else _wrong(Fault.BAD_DATA_PLAN, text)


def _day_of_month(text: str) -> object:
    day = int(text) if _PEOPLE.match(text) else 0
    return day if day in FIRST_DAYS else _wrong(Fault.NOT_A_NUMBER, text)


def _phone(text: str) -> object:
    """Put back the zero that a spreadsheet took off the front of a number."""
    lost = len(text) == _PHONE_DIGITS - 1 and text.isdecimal()
    return _PHONE_TEXT(f"0{text}" if lost else text)


def _languages(text: str) -> object:
    named = [one.strip() for one in _BETWEEN.split(text) if one.strip()]
    found = {one: language_named(one) for one in named}
    unknown = [one for one, tag in found.items() if tag is None] or ([] if named else [text])
    if unknown:
        return _Wrong(tuple((Fault.UNKNOWN_LANGUAGE, one) for one in unknown))
    return tuple(sorted({tag for tag in found.values() if tag is not None}))


def _wrong(fault: Fault, shown: str) -> _Wrong:
    return _Wrong(((fault, shown),))


def _as_it_is(text: str) -> object:
    return text


_PHONE_TEXT = _text(32)
_JUDGES: Mapping[Column, _Judge] = {
    Column.CLUSTER_ID: _id,
    Column.NAME: _text(200),
    Column.VILLAGE: _text(200),
    Column.COMMUNE: _as_it_is,
    Column.LATITUDE: _degrees(90),
    Column.LONGITUDE: _degrees(180),
    Column.PEOPLE: _people,
    Column.CONTACT_NAME: _text(200),
    Column.CONTACT_PHONE: _phone,
    Column.LANGUAGES: _languages,
    Column.DATA_PLAN_MB: _data_plan,
    Column.DATA_PLAN_DAY: _day_of_month,
}
