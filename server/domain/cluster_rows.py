"""From the cells of a row to what it says of a cluster; what cannot be read is a fault."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from protocol.errors import BadIdError
from protocol.ids import checked_id
from server.domain.cluster_sheets import HEADINGS, Column, Fault, Tally
from server.domain.languages import language_named

_TEXTS: Mapping[Column, int] = {
    Column.NAME: 200,
    Column.VILLAGE: 200,
    Column.CONTACT_NAME: 200,
    Column.CONTACT_PHONE: 32,
}
_DEGREES = re.compile(r"-?\d{1,3}(?:[.,]\d{1,15})?\Z", re.ASCII)
_PEOPLE = re.compile(r"\d{1,8}\Z", re.ASCII)
_BETWEEN = re.compile("[,;/]")
_COMMUNE_DIGITS = 5
_PHONE_DIGITS = 10
_BEYOND = frozenset({"Cc", "Cs"})


@dataclass(frozen=True, slots=True)
class Row:
    """What one row says; None: nothing.

    Attributes:
        number: Where it stands in the sheet, counted from 1.
        commune: Code or id, as it was written.
    """

    number: int
    commune: str
    name: str
    cluster_id: str | None = None
    village: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    people: int | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    languages: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads rows whose columns stand at ``places``, and takes down their faults."""

    places: Mapping[Column, int]
    tally: Tally

    def row(self, number: int, cells: Sequence[str]) -> Row | None:
        """Read one row; None when it cannot be used."""
        said = {
            column: text
            for column, place in self.places.items()
            if place < len(cells) and cells[place] and (text := " ".join(cells[place].split()))
        }
        usable = [
            self._is_text(number, column, text) for column, text in said.items() if column in _TEXTS
        ]
        for column in (Column.NAME, Column.COMMUNE):
            if column not in said:
                self._note(Fault.CELL_EMPTY, number, column)
                usable.append(False)
        usable.append(self._is_id(number, said.get(Column.CLUSTER_ID)))
        latitude = self._degrees(number, said, Column.LATITUDE, most=90)
        longitude = self._degrees(number, said, Column.LONGITUDE, most=180)
        usable.append(self._is_whole_place(number, said))
        people = self._people(number, said)
        languages = self._languages(number, said)
        usable.append(languages is not None or Column.LANGUAGES not in said)
        if not all(usable) or _WRONG in {latitude, longitude, people}:
            return None
        return Row(
            number=number,
            commune=said[Column.COMMUNE],
            name=said[Column.NAME],
            cluster_id=said.get(Column.CLUSTER_ID),
            village=said.get(Column.VILLAGE),
            latitude=latitude,
            longitude=longitude,
            people=None if people is None else int(people),
            contact_name=said.get(Column.CONTACT_NAME),
            contact_phone=_phone(said.get(Column.CONTACT_PHONE)),
            languages=languages,
        )

    def _is_text(self, number: int, column: Column, text: str) -> bool:
        if len(text) > _TEXTS[column]:
            self._note(Fault.CELL_TOO_LONG, number, column, text)
            return False
        # Zero characters and halves of surrogate pairs are beyond PostgreSQL.
        if not text.isprintable() and any(
            unicodedata.category(one) in {"Cc", "Cs"} for one in text
        ):
            shown = "".join(one if one.isprintable() else "·" for one in text)
            self._note(Fault.CELL_UNREADABLE, number, column, shown)
            return False
        return True

    def _is_id(self, number: int, text: str | None) -> bool:
        if text is None:
            return True
        try:
            checked_id(text)
        except BadIdError:
            self._note(Fault.BAD_ID, number, Column.CLUSTER_ID, text)
            return False
        return True

    def _is_whole_place(self, number: int, said: Mapping[Column, str]) -> bool:
        if (Column.LATITUDE in said) == (Column.LONGITUDE in said):
            return True
        lacking = Column.LONGITUDE if Column.LATITUDE in said else Column.LATITUDE
        self._note(Fault.HALF_A_PLACE, number, lacking)
        return False

    def _degrees(
        self, number: int, said: Mapping[Column, str], column: Column, *, most: float
    ) -> float | None:
        text = said.get(column)
        if text is None:
            return None
        is_number = _DEGREES.match(text) is not None
        degrees = float(text.replace(",", ".")) if is_number else _WRONG
        if abs(degrees) <= most:
            return degrees
        self._note(Fault.FAR_AWAY if is_number else Fault.NOT_A_NUMBER, number, column, text)
        return _WRONG

    def _people(self, number: int, said: Mapping[Column, str]) -> float | None:
        text = said.get(Column.PEOPLE)
        if text is None:
            return None
        if _PEOPLE.match(text):
            return int(text)
        self._note(Fault.NOT_A_NUMBER, number, Column.PEOPLE, text)
        return _WRONG

    def _languages(self, number: int, said: Mapping[Column, str]) -> tuple[str, ...] | None:
        if Column.LANGUAGES not in said:
            return None
        named = [one for one in _BETWEEN.split(said[Column.LANGUAGES]) if one.strip()]
        found = {one: language_named(one) for one in named}
        for one, tag in found.items():
            if tag is None:
                self._note(Fault.UNKNOWN_LANGUAGE, number, Column.LANGUAGES, one.strip())
        tags = sorted({tag for tag in found.values() if tag is not None})
        return tuple(tags) if tags and None not in found.values() else None

    def _note(self, fault: Fault, number: int, column: Column, value: str = "") -> None:
        self.tally.note(fault, number, HEADINGS[column][0], value)


def commune_key(text: str) -> str:
    """Make of a commune's code or id what it is looked up by.

    Spreadsheets take the zeros off the front of codes.
    """
    return text.zfill(_COMMUNE_DIGITS) if text.isdecimal() else text.lower()


def _phone(text: str | None) -> str | None:
    """Put back the zero that a spreadsheet took off the front of a number."""
    lost = text is not None and len(text) == _PHONE_DIGITS - 1 and text.isdecimal()
    return f"0{text}" if lost else text


_WRONG = float("nan")
"""Stands for a number that could not be read: told apart by identity, so it never gets further."""
