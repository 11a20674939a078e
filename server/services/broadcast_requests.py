"""A broadcast as somebody asks for it: whom it means, and every rule that it breaks."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol.messages import LEAST_GAIN_DB, BulletinClass, LiveSource, Mode, Severity
from server.domain.errors import Finding
from server.domain.targeting import chosen
from server.domain.units import Tree
from server.services.catalogue import may_use
from server.services.drill_labels import marked
from server.services.texts import is_line
from server.store.models import AssetRow, BroadcastRow, DeliveryRow

MOST_REPEATS = 50


@dataclass(frozen=True, slots=True)
class NewBroadcast:
    """An announcement as somebody asks for it.

    Attributes:
        request_id: Made once by the sender; the same one again is the same broadcast.
        groups: Groups whose clusters are all under the unit; resolved here, so that orders name
            units and clusters alone.
        decision_number: The deciding committee's number; needed for an emergency from a unit
            that has others under it (Decree 49/2024/NĐ-CP, articles 7-9).
        mode: ``real``, or ``drill``: marked in its title, and says so before and after each turn.
        follows: The announcement that this one follows, and as what.
        live: Somebody speaks, in place of a file.
    """

    request_id: str
    unit_id: str
    title: str
    bulletin_class: str
    asset_digest: str
    units: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    repeat: int = 1
    gap_s: float = 1.0
    gain_db: float = 0.0
    severity: int = 0
    decision_number: str = ""
    mode: str = "real"
    opening: bool = True
    follows: str | None = None
    relation: str = ""
    live: LiveSource | None = None


def meant_by(places: Tree, new: NewBroadcast) -> frozenset[str]:
    """Resolve what was chosen into clusters."""
    return chosen(
        places, units=new.units, clusters=new.clusters, groups=new.groups, exclude=new.exclude
    )


def is_drill(new: NewBroadcast) -> bool:
    """Say whether it is a rehearsal."""
    return new.mode == Mode.DRILL


def is_same(db: Session, known: BroadcastRow, new: NewBroadcast, places: Tree) -> bool:
    """Compare what was ordered: an edited one under an old id must not be taken for done."""
    title, decision = marked(new.title.strip(), mode=new.mode), new.decision_number.strip()
    before = (known.unit_id, known.title, known.mode, known.bulletin_class, known.asset_digest)
    after = (new.unit_id, title, new.mode, new.bulletin_class, new.asset_digest)
    graver = (known.severity, known.decision_number) != (new.severity, decision)
    louder = (known.repeat, known.gap_s, known.gain_db) != (new.repeat, new.gap_s, new.gain_db)
    is_edited = before != after or graver or louder
    reached = select(DeliveryRow.cluster_id).where(DeliveryRow.broadcast_id == known.broadcast_id)
    return not is_edited and set(db.scalars(reached)) == meant_by(places, new)


def wrong(new: NewBroadcast, places: Tree) -> list[Finding]:
    """Find every rule that it breaks, whatever is going to sound."""
    findings = []
    if not is_line(marked(new.title, mode=new.mode) if new.title.strip() else ""):
        findings.append(Finding("bad-title"))
    if not is_line(new.request_id):
        findings.append(Finding("bad-request-id"))
    if new.decision_number.strip() and not is_line(new.decision_number):
        findings.append(Finding("bad-decision-number"))
    if new.bulletin_class not in set(BulletinClass):
        findings.append(Finding("not-allowed-class", {"class": new.bulletin_class}))
    findings += _out_of_range(new)
    emergency = new.bulletin_class == BulletinClass.EMERGENCY
    if emergency and places.children(new.unit_id) and not new.decision_number.strip():
        findings.append(Finding("decision-number-needed"))
    below = places.clusters_under(new.unit_id)
    inside = set(places.subtree(new.unit_id))
    outside = [unit for unit in new.units if unit not in inside]
    outside += [cluster for cluster in (*new.clusters, *new.exclude) if cluster not in below]
    outside += [
        group
        for group in new.groups
        if not places.groups.get(group, frozenset()) & places.clusters.keys() <= below
    ]
    if outside:
        findings.append(Finding("out-of-scope", {"targets": ", ".join(outside)}))
    elif not meant_by(places, new):
        findings.append(Finding("no-target"))
    return findings


def wrong_audio(new: NewBroadcast, asset: AssetRow | None, places: Tree) -> list[Finding]:
    """Find what is wrong with what is to sound."""
    if new.live is not None:
        return [Finding("audio-unused")] if new.asset_digest else []
    if not new.asset_digest:
        return [Finding("no-audio")]
    if asset is None or not may_use(places, asset, new.unit_id):
        return [Finding("unknown-asset", {"digest": new.asset_digest[:64]})]
    return []


def _out_of_range(new: NewBroadcast) -> list[Finding]:
    """Find what every node would refuse to read, were it signed."""
    checks = {
        "bad-repeat": 1 <= new.repeat <= MOST_REPEATS,
        "bad-gap": 0 <= new.gap_s <= timedelta(days=1).total_seconds(),
        "bad-gain": LEAST_GAIN_DB <= new.gain_db <= 0,
        "bad-severity": new.severity in set(Severity),
        "bad-mode": new.mode in set(Mode),
    }
    return [Finding(code) for code, is_fine in checks.items() if not is_fine]
