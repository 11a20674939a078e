"""How the urgent page begins when it was led to: a drill, or what follows an announcement."""

from dataclasses import replace

from werkzeug.datastructures import MultiDict

from protocol.messages import Mode
from server.domain.authority import Action, Actor, demand
from server.domain.followups import Relation
from server.domain.recurrence import local_day
from server.http.context import now, reading
from server.services import broadcasting, following, units
from server.web.live.forms import UrgentForm
from server.web.targets import Picked


def begun(form: UrgentForm, asked: "MultiDict[str, str]", *, person: Actor) -> UrgentForm:
    """Fill the form with what its address asks for.

    Raises:
        UnknownThingError: No such announcement.
        NotAllowedError: The person may not see it.
    """
    if follows := asked.get("follows", ""):
        return _after(form, follows, asked.get("as", ""), person=person)
    return replace(form, mode=Mode.DRILL.value) if asked.get("mode") == Mode.DRILL else form


def _after(form: UrgentForm, follows: str, relation: str, *, person: Actor) -> UrgentForm:
    """Prepare what follows: the same loudspeakers, class and decision."""
    known = Relation(relation) if relation in set(Relation) else Relation.ALL_CLEAR
    with reading() as db:
        first = broadcasting.find(db, follows)
        tree = units.tree(db, today=local_day(now()))
        demand(person, Action.VIEW, tree.chain(first.unit_id))
        targets = first.targets
        return replace(
            form,
            unit_id=first.unit_id,
            title=following.title_after(first, known),
            bulletin_class=first.bulletin_class,
            decision_number=first.decision_number,
            severity=first.severity or form.severity,
            picked=Picked(
                tuple(unit for unit in targets["units"] if unit in tree.units),
                tuple(cluster for cluster in targets["clusters"] if cluster in tree.clusters),
            ),
            mode=first.mode,
            follows=first.broadcast_id,
            relation=known.value,
        )
