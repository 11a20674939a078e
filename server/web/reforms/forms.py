"""What the pages of a reform send, made into changes of its draft."""

import re
from dataclasses import replace

from werkzeug.datastructures import MultiDict

from server.domain.errors import Finding
from server.domain.names import hyphenated
from server.domain.reforms import FOLLOW, Hand, How, Proposal, VillageWay, Way
from server.domain.units import NewUnit
from server.web.fields import parsed_day

Sent = MultiDict[str, str]

_MADE_CHARACTERS = 60
_RANK = re.compile("[0-9]{1,4}")


def basics(before: Proposal, sent: Sent) -> tuple[Proposal, list[Finding]]:
    """Read title, day and legal reference."""
    day = parsed_day(sent.get("valid_from", ""))
    changed = replace(
        before,
        title=sent.get("title", "").strip(),
        legal_reference=sent.get("legal_reference", "").strip(),
        valid_from=day or before.valid_from,
    )
    return changed, [] if day else [Finding("bad-day", {"at": "valid_from"})]


def with_born(before: Proposal, sent: Sent) -> tuple[Proposal, list[Finding]]:
    """Add a new unit; its id is made of its code or name where none was typed."""
    latitude, longitude = _degrees(sent, "latitude"), _degrees(sent, "longitude")
    findings = []
    if "wrong" in {latitude, longitude} or (latitude is None) is not (longitude is None):
        findings.append(Finding("reform-bad-point", {"at": "born", "unit": sent.get("name", "")}))
    name = sent.get("name", "").strip()
    if not name:
        findings.append(Finding("bad-name", {"at": "born"}))
    rank = sent.get("level_rank", "")
    if findings or not _RANK.fullmatch(rank):
        return before, findings or [Finding("reform-unknown-level", {"at": "born", "level": rank})]
    new = NewUnit(
        sent.get("unit_id", "").strip() or _made_id(before, sent),
        name,
        int(rank),
        sent.get("parent_id") or before.under,
        code=sent.get("code", "").strip()[:32] or None,
        latitude=latitude if isinstance(latitude, float) else None,
        longitude=longitude if isinstance(longitude, float) else None,
    )
    return replace(before, born=(*before.born, new)), []


def without_born(before: Proposal, unit_id: str) -> Proposal:
    """Take a new unit out."""
    return replace(before, born=tuple(new for new in before.born if new.unit_id != unit_id))


def with_units(before: Proposal, units: list[str]) -> Proposal:
    """Add units that change; they are to end, and to go whole to the only new one if there is."""
    known = {way.unit_id for way in before.ways}
    to = (before.born[0].unit_id,) if len(before.born) == 1 else ()
    added = (Way(unit, to=to) for unit in dict.fromkeys(units) if unit not in known)
    return replace(before, ways=(*before.ways, *added))


def without_unit(before: Proposal, unit_id: str) -> Proposal:
    """Leave a unit as it is after all."""
    return replace(before, ways=tuple(way for way in before.ways if way.unit_id != unit_id))


def with_way(before: Proposal, unit_id: str, sent: Sent) -> Proposal:
    """Read what becomes of one unit."""
    how = How(sent["how"]) if sent.get("how") in set(How) else How.WHOLE
    to_one = sent.get("to_one", "")
    many = tuple(dict.fromkeys(sent.getlist("to")))
    every = tuple(new.unit_id for new in before.born)
    to = {How.WHOLE: (to_one,) if to_one else (), How.NEAREST: many or every, How.STAY: ()}[how]
    named = zip(sent.getlist("village"), sent.getlist("village_to"), strict=False)
    way = Way(
        unit_id,
        ends=sent.get("ends") != "no",
        how=how,
        to=to,
        villages=tuple(VillageWay(village, taker) for village, taker in named if taker),
        children=sent.get("children") or None,
        parent=sent.get("parent") or None,
        slots=sent.get("slots") or FOLLOW,
        people=sent.get("people") or FOLLOW,
    )
    ways = tuple(way if one.unit_id == unit_id else one for one in before.ways)
    return replace(before, ways=ways)


def with_hands(before: Proposal, sent: Sent) -> Proposal:
    """Read where single clusters go, and which slots end after all."""
    told = dict(zip(sent.getlist("cluster"), sent.getlist("hand"), strict=False))
    kept = [hand for hand in before.hands if hand.cluster_id not in told]
    new = [Hand(cluster, to) for cluster, to in told.items() if to]
    shown = set(sent.getlist("slot_shown"))
    ended = [slot for slot in before.ended_slots if slot not in shown]
    return replace(
        before,
        hands=(*kept, *new),
        ended_slots=tuple(dict.fromkeys((*ended, *sent.getlist("slot_ends")))),
    )


def _made_id(before: Proposal, sent: Sent) -> str:
    named = sent.get("code", "").strip() or sent.get("name", "")
    return f"{before.under}-{hyphenated(named)}"[:_MADE_CHARACTERS].rstrip("-")


def _degrees(sent: Sent, name: str) -> float | str | None:
    text = sent.get(name, "").strip().replace(",", ".")
    if not text:
        return None
    digits = text.removeprefix("-").replace(".", "", 1)
    return float(text) if digits.isascii() and digits.isdecimal() else "wrong"
