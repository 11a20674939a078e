"""What follows an announcement: the all-clear, or a correction."""

from dataclasses import dataclass
from enum import StrEnum

from protocol.messages import BulletinClass
from server.domain.errors import Finding


class Relation(StrEnum):
    """What an announcement is to the one that it follows."""

    NONE = ""
    ALL_CLEAR = "all-clear"
    CORRECTION = "correction"


_RANK = {BulletinClass.ORDINARY: 0, BulletinClass.PRIORITY: 1, BulletinClass.EMERGENCY: 2}


@dataclass(frozen=True, slots=True)
class First:
    """The announcement that is followed, as far as the rule asks.

    Attributes:
        is_over: Nothing of it can sound any more, or it was stopped.
    """

    unit_id: str
    bulletin_class: str
    mode: str
    is_over: bool


def follow_findings(
    first: First, *, relation: str, unit_id: str, bulletin_class: str, mode: str
) -> list[Finding]:
    """Find what keeps an announcement from following another.

    It comes after it and not into it, from the same unit, of no higher class; and what follows a
    drill is a drill, what follows the real thing is real.
    """
    findings = []
    if relation not in {Relation.ALL_CLEAR, Relation.CORRECTION}:
        findings.append(Finding("bad-relation"))
    if first.unit_id != unit_id:
        findings.append(Finding("follows-other-unit"))
    if not first.is_over:
        findings.append(Finding("follows-too-early"))
    if first.mode != mode:
        findings.append(Finding("follows-other-mode"))
    known = set(BulletinClass)
    if bulletin_class in known and first.bulletin_class in known:
        wanted, before = BulletinClass(bulletin_class), BulletinClass(first.bulletin_class)
        if _RANK[wanted] > _RANK[before]:
            findings.append(Finding("follows-higher-class"))
    return findings
