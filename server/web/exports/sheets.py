"""Slots, what comes of them and what sounded, as tables in the reader's language."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from server.domain.recurrence import LOCAL, local_day
from server.http.languages import gettext
from server.http.wording import reason_sentence
from server.services.as_run import sounded
from server.services.exporting import Planned, PlannedOccurrence, Sounded
from server.services.tables import Cell, Column, Table
from server.store.models import SlotRow
from server.web import words
from server.web.formats import weekday_names
from server.web.place_words import place_words
from server.web.rule_words import rule_words

_MOST_PLACES = 40


def slots_table(planned: Planned) -> Table:
    """List slots."""
    columns = (
        Column(gettext("Unit"), 24),
        Column(gettext("Title"), 36),
        Column(gettext("Class"), 14),
        Column(gettext("Comes back"), 34),
        Column(gettext("Begins at"), 10),
        Column(gettext("Length"), 10),
        Column(gettext("First day"), 12),
        Column(gettext("Last day"), 12),
        Column(gettext("Where"), 36),
        Column(gettext("Content"), 36),
        Column(gettext("Id"), 22),
    )
    rows: Iterable[Sequence[Cell]] = (
        (
            slot.unit.name,
            slot.row.title,
            words.bulletin_class(slot.row.bulletin_class).label,
            rule_words(slot.row),
            slot.row.local_start,
            timedelta(seconds=slot.row.duration_s),
            slot.row.first_day,
            slot.row.last_day,
            place_words(slot, _MOST_PLACES),
            _content(slot.row),
            slot.row.slot_id,
        )
        for slot in planned.slots
    )
    return Table(gettext("Slots"), columns, rows)


def occurrences_table(found: Iterable[PlannedOccurrence]) -> Table:
    """List what comes of slots, in order."""
    columns = (
        Column(gettext("Day"), 12),
        Column(gettext("Weekday"), 12),
        Column(gettext("Begins at"), 10),
        Column(gettext("Ends at"), 20),
        Column(gettext("Length"), 10),
        Column(gettext("Title"), 36),
        Column(gettext("Class"), 14),
        Column(gettext("Unit"), 24),
        Column(gettext("Where"), 36),
        Column(gettext("Id"), 22),
    )
    names = weekday_names()
    rows: Iterable[Sequence[Cell]] = (
        (
            local_day(one.start),
            names[local_day(one.start).weekday()],
            one.start.astimezone(LOCAL).time(),
            one.end,
            one.end - one.start,
            one.slot.row.title,
            words.bulletin_class(one.slot.row.bulletin_class).label,
            one.slot.unit.name,
            place_words(one.slot, _MOST_PLACES),
            one.slot.row.slot_id,
        )
        for one in found
    )
    return Table(gettext("Coming broadcasts"), columns, rows)


def as_run_table(found: Iterable[Sounded]) -> Table:
    """List records of what sounded, in order."""
    columns = (
        Column(gettext("Day"), 12),
        Column(gettext("Begins at"), 10),
        Column(gettext("Ends at"), 20),
        Column(gettext("Sounded for"), 12),
        Column(gettext("Unit"), 24),
        Column(gettext("Village"), 20),
        Column(gettext("Cluster"), 24),
        Column(gettext("What"), 36),
        Column(gettext("Class"), 14),
        Column(gettext("Outcome"), 18),
        Column(gettext("Why"), 36),
        Column(gettext("Id"), 34),
    )
    rows: Iterable[Sequence[Cell]] = (
        (
            local_day(one.row.start or one.row.recorded_at),
            one.row.start.astimezone(LOCAL).time() if one.row.start else None,
            one.row.end,
            sounded(one.row) if one.row.start else None,
            one.unit_name,
            one.village,
            one.cluster,
            one.title,
            words.bulletin_class(one.bulletin_class).label if one.bulletin_class else "",
            words.delivery(one.row.outcome).label,
            reason_sentence(one.row.reason),
            one.row.claim_id,
        )
        for one in found
    )
    return Table(gettext("As-run record"), columns, rows)


def _content(row: SlotRow) -> str:
    if row.relay_url:
        return row.relay_url
    return "; ".join(item.asset.title for item in row.items) or gettext("Live")
