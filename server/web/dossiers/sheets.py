"""The record of an announcement as tables: what was heard where, and who was told of it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from server.domain.recurrence import LOCAL, local_day
from server.http.languages import gettext
from server.services.dossiers import Dossier
from server.services.tables import Cell, Column, Table
from server.web.dossiers.words import (
    about_words,
    fact_words,
    outcome_words,
    piece_words,
    said_words,
    told_words,
)


def dossier_tables(found: Dossier) -> list[Table]:
    """List what was heard where, second by second, who was told, and by whose authority it was."""
    told = [_told(found)] if found.told else []
    return [_heard(found), *told, _about(found)]


def _about(found: Dossier) -> Table:
    said = ((said_words(one), one.text or about_words(one)) for one in found.said)
    drill = ((gettext("DRILL"), gettext("yes")),) if found.broadcast.mode == "drill" else ()
    rows = (*drill, *fact_words(found), *said)
    columns = Column(gettext("Record of an announcement"), 28), Column(found.broadcast.title, 80)
    return Table(gettext("Record of an announcement"), columns, rows)


def _told(found: Dossier) -> Table:
    columns = (
        Column(gettext("Who"), 24),
        Column(gettext("Channel or telephone"), 24),
        Column(gettext("Told at"), 20),
        Column(gettext("Of what"), 48),
        Column(gettext("What became of it"), 48),
    )
    rows = (
        (
            one.contact_name,
            one.channel_name or one.phone,
            one.alert.created_at,
            one.alert.subject,
            told_words(one.alert),
        )
        for one in found.told
    )
    return Table(gettext("Who was told"), columns, rows)


def _heard(found: Dossier) -> Table:
    columns = (
        Column(gettext("Unit"), 24),
        Column(gettext("Village"), 20),
        Column(gettext("Cluster"), 24),
        Column(gettext("Order received at"), 20),
        Column(gettext("What"), 36),
        Column(gettext("Day"), 12),
        Column(gettext("Begins at"), 10),
        Column(gettext("Ends at"), 20),
        Column(gettext("Sounded for"), 12),
        Column(gettext("Whole"), 8),
        Column(gettext("Outcome"), 36),
        Column(gettext("Known from"), 18),
        Column(gettext("Id"), 22),
    )
    return Table(found.broadcast.title, columns, _rows(found))


def _rows(found: Dossier) -> Iterator[Sequence[Cell]]:
    pieces = piece_words(found)
    for one in found.witnesses:
        place = (one.unit_name, one.village, one.name, one.received_at)
        source = gettext("the node itself") if one.is_own_word else gettext("its silence")
        end = (outcome_words(one), source, one.cluster_id)
        if not one.heard:
            yield (*place, None, None, None, None, timedelta(), None, *end)
        for piece in one.heard:
            yield (
                *place,
                pieces[piece.digest],
                local_day(piece.start),
                piece.start.astimezone(LOCAL).time(),
                piece.end,
                piece.end - piece.start,
                gettext("yes") if piece.is_whole else gettext("no"),
                *end,
            )
