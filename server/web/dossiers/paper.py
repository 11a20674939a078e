"""The record of an announcement on paper: A4, as a PDF."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import cast

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos
from typing_extensions import override

from server.http.languages import gettext
from server.services.dossiers import Dossier, Witness
from server.web.dossiers.fonts import whole_font
from server.web.dossiers.words import (
    about_words,
    fact_words,
    outcome_words,
    piece_words,
    said_words,
    told_words,
)
from server.web.formats import dmy_hm, hms

_FONT = "be-vietnam-pro"
_WEIGHTS = {"": 400, "B": 700}

_MARGIN_MM, _LINE_MM, _LABEL_MM = 18, 5.2, 42
_QUIET, _INK, _DRILL = (90, 100, 115), (20, 25, 35), (150, 75, 0)
_COLUMNS_MM = (44, 20, 66, 44)
"""Cluster, when the order came, what was heard when, and how it ended."""
_ROW_MM, _MOST_ROWS = 4.2, 48
"""Rows of text in a line of the table; so many fill most of a page."""
_LEAST_TABLE_MM = 40
"""Heading, names of the columns and a first line stay together."""


def dossier_paper(found: Dossier, *, now: datetime) -> bytes:
    """Write the record of an announcement as a PDF file."""
    paper = _Paper(found, now)
    paper.head()
    paper.facts()
    paper.said()
    paper.told()
    paper.clusters()
    return bytes(paper.output())


class _Paper(FPDF):
    """Pages of one record."""

    def __init__(self, found: Dossier, now: datetime) -> None:
        super().__init__(format="A4")
        self._found, self._now = found, now
        self._pieces = piece_words(found)
        self._broken: dict[tuple[float, str], list[str]] = {}
        for style, weight in _WEIGHTS.items():
            self.add_font(_FONT, style, whole_font(weight))
        self.set_margins(_MARGIN_MM, _MARGIN_MM)
        self.set_auto_page_break(auto=True, margin=_MARGIN_MM)
        self.set_title(found.broadcast.title)
        self.set_creator("Loa Làng")
        self.set_creation_date(now)
        self.add_page()

    @override
    def footer(self) -> None:
        """Close each page: what it belongs to, and its number."""
        self.set_y(-_MARGIN_MM + 4)
        self._pen(7.5, ink=_QUIET)
        row = self._found.broadcast
        made = gettext("made on %(when)s", when=dmy_hm(self._now))
        self.cell(0, 4, f"{row.broadcast_id} · {made}")
        self.set_x(_MARGIN_MM)
        self.cell(0, 4, f"{self.page_no()}/{{nb}}", align="R")

    def head(self) -> None:
        """Say what this is."""
        row = self._found.broadcast
        self._pen(10, ink=_QUIET)
        self._text(self._found.unit_name)
        self._pen(17, bold=True)
        self._text(gettext("Record of an announcement"), 8)
        if row.mode == "drill":
            self._pen(12, bold=True, ink=_DRILL)
            self._text(gettext("DRILL"), 6)
        self._pen(13, bold=True)
        self._text(row.title, 6.5)
        self.ln(2)

    def facts(self) -> None:
        """Say who ordered it, by what right, where and when."""
        for name, said in fact_words(self._found):
            self._fact(name, said)

    def said(self) -> None:
        """Give what was said, with its text where there is one."""
        self._section(gettext("What was said"))
        for said in self._found.said:
            self._pen(9.5, bold=True)
            self._text(said_words(said))
            self._pen(8, ink=_QUIET)
            self._text(about_words(said), 4.2)
            self._text(f"SHA-256 {said.digest}", 4.2)
            if said.text:
                self._pen(9.5)
                self._text(said.text)
            self.ln(1.5)

    def told(self) -> None:
        """Give who was told of it, when, and what became of that."""
        if self._found.told:
            self._section(gettext("Who was told"))
        for one in self._found.told:
            self._pen(9.5, bold=True)
            self._text(" · ".join(filter(None, (one.contact_name, one.channel_name or one.phone))))
            self._pen(8, ink=_QUIET)
            self._text(f"{hms(one.alert.created_at)} {one.alert.subject}", 4.2)
            self._text(told_words(one.alert), 4.2)
            self.ln(1)

    def clusters(self) -> None:
        """Give what was heard at each cluster, to the second."""
        if self.will_page_break(_LEAST_TABLE_MM):
            self.add_page()
        self._section(gettext("Each cluster"))
        self._columns()
        for one in self._found.witnesses:
            village = f"{one.village} · " if one.village else ""
            self._line(
                (
                    f"{village}{one.name}\n{one.unit_name}",
                    hms(one.received_at),
                    self._heard(one),
                    outcome_words(one),
                )
            )

    def _columns(self) -> None:
        names = ("Cluster", "Order received at", "What was heard", "Outcome")
        self._pen(8, bold=True)
        self._cells(self._split(map(gettext, names)))

    def _heard(self, one: Witness) -> str:
        return "\n".join(
            f"{hms(piece.start)}–{hms(piece.end)} {self._pieces[piece.digest]}"
            + ("" if piece.is_whole else f" ({gettext('not whole')})")
            for piece in one.heard
        )

    def _line(self, cells: Sequence[str]) -> None:
        """Write one line of the table; a page's end tears it only where it fills a page itself."""
        self._pen(8)
        split = self._split(cells)
        for first in range(0, max(map(len, split)), _MOST_ROWS):
            part = [lines[first : first + _MOST_ROWS] for lines in split]
            if self.will_page_break(_height_mm(part)):
                self.add_page()
                self._columns()
                self._pen(8)
            self._cells(part)

    def _cells(self, split: Sequence[Sequence[str]]) -> None:
        top, left = self.get_y(), float(_MARGIN_MM)
        self.set_draw_color(*_QUIET)
        self.set_line_width(0.1)
        self.line(_MARGIN_MM, top, _MARGIN_MM + sum(_COLUMNS_MM), top)
        for width, lines in zip(_COLUMNS_MM, split, strict=True):
            for number, line in enumerate(lines):
                self.set_xy(left, top + 0.8 + _ROW_MM * number)
                self.cell(width, _ROW_MM, line)
            left += width
        self.set_xy(_MARGIN_MM, top + _height_mm(split))

    def _split(self, cells: Iterable[str]) -> list[list[str]]:
        return [self._lines(*one) for one in zip(_COLUMNS_MM, cells, strict=True)]

    def _lines(self, width_mm: float, text: str) -> list[str]:
        """Break a text into lines; hundreds of clusters say the same, so it is done once."""
        known = self._broken.get((width_mm, text))
        if known is None:
            parts = (self._broken_line(width_mm - 2, line) for line in text.split("\n"))
            known = self._broken[width_mm, text] = [one for part in parts for one in part]
        return known

    def _broken_line(self, width_mm: float, line: str) -> list[str]:
        # To measure takes a third of the time in which it is looked for where to break.
        if self.get_string_width(line) <= width_mm - 2 * self.c_margin:
            return [line]
        lines = MethodReturnValue.LINES
        return cast(
            "list[str]", self.multi_cell(width_mm, _ROW_MM, line, dry_run=True, output=lines)
        )

    def _section(self, name: str) -> None:
        self.ln(3)
        self._pen(11, bold=True)
        self._text(name, 6.5)

    def _fact(self, name: str, said: str) -> None:
        self._pen(9.5, ink=_QUIET)
        top = self.get_y()
        self.cell(_LABEL_MM, _LINE_MM, name)
        self._pen(9.5)
        self.set_xy(_MARGIN_MM + _LABEL_MM, top)
        self._text(said)

    def _text(self, text: str, height_mm: float = _LINE_MM) -> None:
        self.multi_cell(0, height_mm, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _pen(self, size: float, *, bold: bool = False, ink: tuple[int, int, int] = _INK) -> None:
        self.set_font(_FONT, "B" if bold else "", size)
        self.set_text_color(*ink)


def _height_mm(split: Sequence[Sequence[str]]) -> float:
    return _ROW_MM * max(map(len, split)) + 1.6
