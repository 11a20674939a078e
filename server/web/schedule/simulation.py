"""What saving the slot in the form would change, drawn before and after."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import render_template

from server.domain.authority import Action, demand
from server.domain.errors import SlotRefusedError
from server.domain.recurrence import day_bounds, local_day
from server.domain.units import Tree
from server.http.context import actor, here, now, reading
from server.http.languages import gettext
from server.services import simulation, units
from server.services.scheduling import TimelineSpan
from server.services.simulation import DayChange, Group
from server.web.schedule.forms import SlotForm
from server.web.schedule.presenters import ClusterDay, Drawing, drawn

MOST_GROUPS = 12


@dataclass(frozen=True, slots=True)
class DrawnDays:
    """Days on which the same changes at the same hours, and the first of them drawn."""

    days: tuple[date, ...]
    before: tuple[TimelineSpan, ...]
    after: tuple[TimelineSpan, ...]
    drawing: Drawing


@dataclass(frozen=True, slots=True)
class DrawnGroup:
    """Clusters at which the same changes."""

    names: tuple[str, ...]
    days: tuple[DrawnDays, ...]


def fragment(form: SlotForm, slot_id: str = "") -> str:
    """Show what saving a form would change, or what is wrong with it; nothing is saved."""
    new, findings = form.parsed()
    instant, effect = now(), None
    groups: tuple[DrawnGroup, ...] = ()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        demand(actor(), Action.SCHEDULE, tree.chain(form.unit_id))
        if new is not None:
            try:
                effect = simulation.simulate(
                    db,
                    new,
                    now=instant,
                    actor=actor(),
                    replacing=slot_id,
                    plan_days=here().settings.plan_days,
                )
            except SlotRefusedError as refused:
                findings = refused.findings
    if effect is not None:
        findings = effect.findings
        groups = tuple(_drawn(group, tree, instant) for group in effect.groups[:MOST_GROUPS])
    return render_template(
        "schedule/simulation.html",
        effect=effect,
        groups=groups,
        findings=findings,
        not_drawn=len(effect.groups) - len(groups) if effect else 0,
    )


def _drawn(group: Group, tree: Tree, now: datetime) -> DrawnGroup:
    names = tuple(name for _, name in group.clusters)
    return DrawnGroup(names, tuple(_drawn_days(group.days, tree, now)))


def _drawn_days(changes: Sequence[DayChange], tree: Tree, now: datetime) -> Iterator[DrawnDays]:
    """Draw a day once for all days on which the same changes."""
    alike: dict[object, list[DayChange]] = {}
    for change in changes:
        midnight = day_bounds(change.day)[0]
        same = tuple(
            tuple(
                (one.start - midnight, one.end - midnight, one.title, one.unit_name) for one in part
            )
            for part in (change.before, change.after)
        )
        alike.setdefault(same, []).append(change)
    for days in alike.values():
        first = days[0]
        bands = (
            ClusterDay(gettext("Before"), first.before),
            ClusterDay(gettext("After"), first.after),
        )
        drawing = drawn(bands, tree, day_bounds(first.day), now, merge=False)
        yield DrawnDays(tuple(one.day for one in days), first.before, first.after, drawing)
