"""The form of an announcement: carried through the confirming page, sent once."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from werkzeug.datastructures import MultiDict

from server.domain.errors import Finding
from server.http.wording import N_
from server.services.broadcasting import NewBroadcast
from server.web.targets import Picked, picked

MOST_REPEATS = 5
SEVERITIES = (1, 2, 3)
LOUDNESS = ((0, N_("Full")), (-5, N_("A little softer")), (-10, N_("Half as loud")))
"""In dB below what each cluster's own ceiling lets through; ten are heard as half as loud."""


@dataclass(frozen=True, slots=True)
class UrgentForm:
    """An announcement as it was typed.

    Attributes:
        request_id: Made once, when the form is first shown; sending the same one twice is once.
    """

    request_id: str
    unit_id: str
    title: str = ""
    bulletin_class: str = "priority"
    decision_number: str = ""
    severity: int = 1
    asset_digest: str = ""
    repeat: int = 1
    gain_db: int = 0
    picked: Picked = field(default_factory=Picked)
    mode: str = "real"
    follows: str = ""
    relation: str = ""

    @classmethod
    def fresh(cls, unit_id: str) -> "UrgentForm":
        """Begin an announcement."""
        return cls(request_id=uuid.uuid4().hex, unit_id=unit_id)

    @classmethod
    def sent(cls, form: "MultiDict[str, str]") -> "UrgentForm":
        """Read what was sent."""
        return cls(
            request_id=form.get("request_id", "")[:64] or uuid.uuid4().hex,
            unit_id=form.get("unit_id", ""),
            title=form.get("title", "").strip(),
            bulletin_class=form.get("bulletin_class", "priority"),
            decision_number=form.get("decision_number", "").strip(),
            severity=_within(form.get("severity", ""), 1, SEVERITIES[-1]),
            asset_digest=form.get("asset_digest", ""),
            repeat=_within(form.get("repeat", ""), 1, MOST_REPEATS),
            gain_db=_loudness(form.get("gain_db", "")),
            picked=picked(form.getlist("unit"), form.getlist("village"), form.getlist("group")),
            mode="drill" if form.get("mode") == "drill" else "real",
            follows=form.get("follows", "")[:64],
            relation=form.get("relation", "")[:32],
        )

    @property
    def new(self) -> NewBroadcast:
        """What it asks for."""
        emergency = self.bulletin_class == "emergency"
        return NewBroadcast(
            request_id=self.request_id,
            unit_id=self.unit_id,
            title=self.title,
            bulletin_class=self.bulletin_class,
            asset_digest=self.asset_digest,
            units=self.picked.units,
            clusters=self.picked.clusters,
            groups=self.picked.groups,
            repeat=self.repeat,
            gain_db=self.gain_db,
            severity=self.severity if emergency else 0,
            decision_number=self.decision_number if emergency else "",
            mode=self.mode,
            follows=self.follows or None,
            relation=self.relation,
        )

    def missing(self) -> Sequence[Finding]:
        """Say what is not filled in yet, before anything is confirmed."""
        findings = []
        if not (self.picked.units or self.picked.clusters or self.picked.groups):
            findings.append(Finding("no-target"))
        if not self.asset_digest:
            findings.append(Finding("no-audio"))
        if not self.title:
            findings.append(Finding("bad-title"))
        return findings


def _within(text: str, least: int, most: int) -> int:
    return min(most, max(least, int(text))) if text.isdecimal() and len(text) <= 2 else least  # noqa: PLR2004 - two digits


def _loudness(text: str) -> int:
    return next((gain_db for gain_db, _name in LOUDNESS if str(gain_db) == text), 0)
