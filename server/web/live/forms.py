"""The form of an announcement: carried through the confirming page, sent once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from werkzeug.datastructures import MultiDict

from server.domain.errors import Finding
from server.http.wording import N_
from server.services.broadcast_requests import NewBroadcast
from server.web.targets import Picked, picked

MOST_REPEATS = 5
SEVERITIES = (1, 2, 3)
MOST_KEPT_S = 86_400
LOUDNESS = ((0, N_("Full")), (-5, N_("A little softer")), (-10, N_("Half as loud")))
"""In dB below what each cluster's own ceiling lets through; ten are heard as half as loud."""

MISSING = {
    "target": Finding("no-target"),
    "audio": Finding("no-audio"),
    "title": Finding("bad-title"),
}
"""What an announcement cannot do without; the phone says the same where there is no network."""


@dataclass(frozen=True, slots=True)
class UrgentForm:
    """An announcement as it was typed.

    Attributes:
        kept_s: How long the sound is that is still on the phone; 0: there is none.
        request_id: Made once, by the phone that begins it; sending the same one twice is once.
    """

    unit_id: str
    request_id: str = ""
    title: str = ""
    bulletin_class: str = "priority"
    decision_number: str = ""
    severity: int = 1
    asset_digest: str = ""
    repeat: int = 1
    gain_db: int = 0
    kept_s: float = 0.0
    picked: Picked = field(default_factory=Picked)
    mode: str = "real"
    follows: str = ""
    relation: str = ""

    @classmethod
    def sent(cls, form: "MultiDict[str, str]") -> "UrgentForm":
        """Read what was sent."""
        return cls(
            request_id=form.get("request_id", "")[:64],
            unit_id=form.get("unit_id", ""),
            title=form.get("title", "").strip(),
            bulletin_class=form.get("bulletin_class", "priority"),
            decision_number=form.get("decision_number", "").strip(),
            severity=_within(form.get("severity", ""), 1, SEVERITIES[-1]),
            asset_digest=form.get("asset_digest", ""),
            repeat=_within(form.get("repeat", ""), 1, MOST_REPEATS),
            gain_db=_loudness(form.get("gain_db", "")),
            kept_s=_seconds(form.get("kept_s", "")),
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
        lacks = []
        if not (self.picked.units or self.picked.clusters or self.picked.groups):
            lacks.append("target")
        if not (self.asset_digest or self.kept_s):
            lacks.append("audio")
        if not self.title:
            lacks.append("title")
        return [MISSING[what] for what in lacks]


def _within(text: str, least: int, most: int) -> int:
    return min(most, max(least, int(text))) if text.isdecimal() and len(text) <= 2 else least  # noqa: PLR2004 - two digits


def _loudness(text: str) -> int:
    return next((gain_db for gain_db, _name in LOUDNESS if str(gain_db) == text), 0)


def _seconds(text: str) -> float:
    try:
        length_s = float(text)
    except ValueError:
        return 0.0
    return length_s if 0 < length_s <= MOST_KEPT_S else 0.0
