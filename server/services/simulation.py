"""What saving a slot would change: which clusters, on which days, before and after; not saved."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol.messages import Claim, ClaimKind, Plan, StartMode, WhenCut
from protocol.plan import Place, is_targeted
from protocol.policy import merge
from protocol.turns import in_its_turn
from server.domain.authority import Action, Actor, demand
from server.domain.compilation import claims_in_turns
from server.domain.errors import Finding, SlotRefusedError, UnknownThingError
from server.domain.recurrence import LOCAL, day_bounds, local_day
from server.domain.slots import Slot, slot_of_claim
from server.domain.turn_taking import NO_TURNS, Sharing
from server.domain.units import Tree
from server.domain.vicinity import Hours, Wish, near
from server.services import planning
from server.services.announced import lasting_by_unit, over_by_now
from server.services.planning import PLAN_DAYS, Heard
from server.services.scheduling import NEW, TimelineSpan, check_slot, slack_s, spans_of
from server.services.slot_requests import NewSlot, files_of, findings, value_of
from server.services.slot_values import slot_value
from server.services.turn_taking import sharing_of, turns_of
from server.services.units import tree
from server.store.models import ClusterRow, SlotRow
from server.store.queries import lists
from server.store.queries.slots import running

MOST_DAYS = 7
_MOST_NAMED = 10_000
"""Slots that a database is asked for by name; where more matter, it is asked for all."""


@dataclass(frozen=True, slots=True)
class DayChange:
    """What of a local day is heard no longer, and what is heard instead."""

    day: date
    before: tuple[TimelineSpan, ...]
    after: tuple[TimelineSpan, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Clusters at which the same changes, by id and name."""

    clusters: tuple[tuple[str, str], ...]
    days: tuple[DayChange, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """What saving a slot would do on the first days on which it comes.

    Attributes:
        days: Days that were looked at.
        reached: How many clusters the slot reaches, or reached before.
        loses_to: Titles and units of what is heard in its stead; empty: quiet hours.
        is_silent: It holds its time, and nothing sounds until somebody goes live.
        slack_s: How much longer it lasts than its files; negative: that much of their end is cut.
            None: it lasts just as long, or that cannot be said of what fills it.
        sharing: How its time is shared out where loudspeakers take turns; None: they do not.
        findings: What stands against saving it.
    """

    days: tuple[date, ...]
    reached: int
    groups: tuple[Group, ...]
    loses_to: tuple[tuple[str, str], ...]
    is_silent: bool
    slack_s: float | None
    sharing: Sharing | None
    findings: tuple[Finding, ...]

    @property
    def changed(self) -> int:
        """How many clusters change."""
        return sum(len(group.clusters) for group in self.groups)


def simulate(
    db: Session,
    new: NewSlot,
    *,
    now: datetime,
    actor: Actor,
    replacing: str = "",
    plan_days: int = PLAN_DAYS,
) -> Effect:
    """Tell what saving a slot would change, as a new one or in place of one; write nothing.

    It is looked at as far ahead as plans go, or else where the slot first comes.

    Raises:
        NotAllowedError: The actor may not schedule for the unit.
        UnknownThingError: No slot to replace, or it has been withdrawn.
        SlotRefusedError: Its own fields are wrong, or it would never come.
    """
    units = tree(db, today=local_day(now))
    demand(actor, Action.SCHEDULE, units.chain(new.unit_id))
    old, created_at = _replaced(db, new, replacing, units, now)
    files = files_of(db, new)
    wrong = findings(new, files, units, now)
    if wrong:
        raise SlotRefusedError(wrong)
    wanted = value_of(new, files, units, slot_id=replacing or NEW, created_at=created_at)
    days = _days(wanted, old, now, plan_days)
    stretch = day_bounds(days[0])[0], day_bounds(days[-1])[1]
    reached = wanted.clusters | (old.clusters if old else frozenset())
    changes = _Changes(db, wanted, old, stretch, units, now)
    by_difference = changes.group(sorted(reached), days)
    names = _names(db, reached)
    groups = [
        Group(tuple(sorted(((one, names[one]) for one in alike), key=lambda pair: pair[1])), found)
        for alike, found in by_difference
        if found
    ]
    return Effect(
        days,
        len(reached),
        tuple(sorted(groups, key=lambda group: (-len(group.clusters), group.clusters))),
        tuple(sorted(changes.loses_to)),
        is_silent=not changes.claims,
        slack_s=slack_s(db, new),
        sharing=sharing_of(db, wanted, units),
        findings=tuple(check_slot(db, new, now=now, actor=actor, replacing=replacing)),
    )


def _replaced(
    db: Session, new: NewSlot, slot_id: str, units: Tree, now: datetime
) -> tuple[Slot | None, datetime]:
    if not slot_id:
        return None, now
    row = lists.slot(db, slot_id)
    if row is None or row.withdrawn_at is not None:
        raise UnknownThingError("slot", slot_id)
    if row.unit_id != new.unit_id:
        raise SlotRefusedError([Finding("other-unit")])
    return slot_value(row, units), row.created_at


def _days(wanted: Slot, old: Slot | None, now: datetime, plan_days: int) -> tuple[date, ...]:
    """Choose the first days on which either is to be heard."""
    first = wanted.rule.next_occurrence(now)
    if first is None:
        raise SlotRefusedError([Finding("never")])
    until = planning.window(now, plan_days)[1]
    coming = [
        *wanted.rule.occurrences(now, until),
        *(old.rule.occurrences(now, until) if old else ()),
    ]
    touched = {
        day
        for start, end in coming or [first]
        for day in (local_day(start), local_day(end - timedelta(microseconds=1)))
        if day >= local_day(now)
    }
    return tuple(islice(sorted(touched), MOST_DAYS))


def _names(db: Session, clusters: Iterable[str]) -> dict[str, str]:
    wanted = set(clusters)
    rows = db.execute(select(ClusterRow.cluster_id, ClusterRow.village, ClusterRow.name))
    return {one: village or name for one, village, name in rows if one in wanted}


class _Changes:
    """Compares what clusters go by before and after; those that go by the same share an answer."""

    def __init__(
        self,
        db: Session,
        wanted: Slot,
        old: Slot | None,
        stretch: tuple[datetime, datetime],
        units: Tree,
        now: datetime,
    ) -> None:
        self._wanted, self._units, self._now = wanted, units, now
        self._old_id = old.slot_id if old else None
        self._start, self._end = stretch
        self._turns = turns_of(db, [wanted.unit_id], units).get(wanted.unit_id, NO_TURNS)
        self.claims = claims_in_turns(wanted, *stretch, self._turns)
        self.loses_to: set[tuple[str, str]] = set()
        clusters = wanted.clusters | (old.clusters if old else frozenset())
        chains = {units.chain(units.clusters[one]) for one in clusters}
        above = list(dict.fromkeys(unit_id for chain in chains for unit_id in chain))
        over = over_by_now(db, above, start=self._start, end=self._end, now=now)
        only = _matters(db, above, [one for one in (wanted, old) if one], over.claims, stretch, now)
        self._plans = {
            plan.unit: plan
            for plan in planning.plans_of(
                db, above, start=self._start, end=self._end, now=now, units=units, only=only
            )
        }
        self._over = over.claims
        self._policies = {
            chain: replace(
                merge([self._plans[unit_id] for unit_id in chain], chain[-1]), stops=over.stops
            )
            for chain in chains
        }
        self._by_slot = {unit_id: _by_slot(plan) for unit_id, plan in self._plans.items()}

    def group(
        self, clusters: Sequence[str], days: Sequence[date]
    ) -> list[tuple[list[str], tuple[DayChange, ...]]]:
        """Put clusters at which the same changes together."""
        known: dict[object, tuple[DayChange, ...]] = {}
        groups: dict[object, tuple[list[str], tuple[DayChange, ...]]] = {}
        for cluster in clusters:
            chain = self._units.chain_of_cluster(cluster)
            place = Place(cluster, chain)
            heard = tuple(self._targeting(place))
            is_reached = is_targeted(self._wanted.targets, place)
            turns = tuple(self._plans[unit_id].turns.get(cluster, 0) for unit_id in chain)
            own_turn = self._turns.get(cluster, 0)
            alike = (chain, is_reached, turns, own_turn, tuple(ref for ref, _ in heard))
            if alike not in known:
                claims = tuple(claim for _, some in heard for claim in some)
                come = [in_its_turn(one, own_turn) for one in self.claims] if is_reached else []
                known[alike] = self._change(Heard(claims, self._policies[chain]), days, come)
            found = known[alike]
            same = tuple(
                (change.day, tuple(map(_sound, change.before)), tuple(map(_sound, change.after)))
                for change in found
            )
            groups.setdefault(same, ([], found))[0].append(cluster)
        return list(groups.values())

    def _targeting(self, place: Place) -> Iterator[tuple[object, tuple[Claim, ...]]]:
        for unit_id in place.chain:
            turn = self._plans[unit_id].turns.get(place.cluster, 0)
            for ref, claims in self._by_slot[unit_id].items():
                if is_targeted(claims[0].targets, place):
                    in_turns = claims[0].turns is not None
                    here = (in_its_turn(claim, turn) for claim in claims) if in_turns else claims
                    yield (unit_id, ref), tuple(here)
        for claim in self._over:
            if claim.unit in place.chain and is_targeted(claim.targets, place):
                yield (claim.unit, claim.claim_id), (claim,)

    def _change(
        self, heard: Heard, days: Sequence[date], come: Sequence[Claim]
    ) -> tuple[DayChange, ...]:
        gone = [claim for claim in heard.claims if self._is_replaced(claim)]
        heard = _beside(heard, (*gone, *come))
        left = tuple(claim for claim in heard.claims if not self._is_replaced(claim))
        wanted = replace(heard, claims=(*left, *come))
        before = spans_of(heard, self._start, self._end, self._units)
        after = spans_of(wanted, self._start, self._end, self._units)
        ours = {claim.claim_id for claim in self.claims}
        for span in after:
            silenced = span.claim is None and any(one.claim_id in ours for one in span.losers)
            beaten = span.claim is not None and span.claim.claim_id not in ours
            meets = any(one.start < span.end and span.start < one.end for one in come)
            if span.end > self._now and meets and (silenced or beaten):
                self.loses_to.add((span.title, span.unit_name))
        return tuple(_compared(before, after, days, self._now))

    def _is_replaced(self, claim: Claim) -> bool:
        return (
            claim.kind is ClaimKind.SCHEDULED
            and claim.unit == self._wanted.unit_id
            and slot_of_claim(claim.claim_id) == self._old_id
        )


def _beside(heard: Heard, changed: Sequence[Claim]) -> Heard:
    """Leave out all that cannot have to do with some claims: what does not touch them in time.

    Nor what touches those that touch them, and so on.
    """
    stretches: list[tuple[datetime, datetime]] = []
    marks = {id(claim) for claim in changed}
    together: tuple[datetime, datetime, bool] | None = None
    rest = (claim for claim in heard.claims if id(claim) not in marks)
    for claim in sorted((*rest, *changed), key=lambda claim: claim.start):
        if together is None or claim.start >= together[1]:
            if together and together[2]:
                stretches.append(together[:2])
            together = claim.start, claim.end, id(claim) in marks
        else:
            start, end, marked = together
            together = start, max(end, claim.end), marked or id(claim) in marks
    if together and together[2]:
        stretches.append(together[:2])

    def matters(start: datetime, end: datetime) -> bool:
        return any(start < until and since < end for since, until in stretches)

    policy = heard.policy
    return Heard(
        tuple(claim for claim in heard.claims if matters(claim.start, claim.end)),
        replace(
            policy,
            frames=tuple(one for one in policy.frames if matters(one.start, one.end)),
            quiet=tuple(one for one in policy.quiet if matters(one.start, one.end)),
        ),
    )


def _by_slot(plan: Plan) -> Mapping[str, tuple[Claim, ...]]:
    """Keep the claims of one slot together: they target the same."""
    found: dict[str, tuple[Claim, ...]] = {}
    for claim in plan.claims:
        scheduled = claim.kind is ClaimKind.SCHEDULED
        ref = slot_of_claim(claim.claim_id) if scheduled else claim.claim_id
        found[ref] = (*found.get(ref, ()), claim)
    return found


def _compared(
    before: Sequence[TimelineSpan],
    after: Sequence[TimelineSpan],
    days: Sequence[date],
    now: datetime,
) -> Iterator[DayChange]:
    was, will = {_sound(span) for span in before}, {_sound(span) for span in after}
    gone = [span for span in before if span.claim and span.end > now and _sound(span) not in will]
    come = [span for span in after if span.claim and span.end > now and _sound(span) not in was]
    for day in days:
        change = DayChange(day, tuple(_on(day, gone)), tuple(_on(day, come)))
        if change.before or change.after:
            yield change


def _on(day: date, spans: Iterable[TimelineSpan]) -> Iterator[TimelineSpan]:
    return (span for span in spans if local_day(span.start) == day)


def _sound(span: TimelineSpan) -> tuple[object, ...]:
    """Name what is heard in a span, not how it was asked for."""
    claim = span.claim
    if claim is None:
        return span.start, span.end
    return (
        span.start,
        span.end,
        span.title,
        claim.unit,
        claim.bulletin_class,
        claim.kind,
        claim.start,
        claim.content,
        claim.gain_db,
    )


def _matters(
    db: Session,
    unit_ids: Sequence[str],
    changed: Sequence[Slot],
    over: Iterable[Claim],
    stretch: tuple[datetime, datetime],
    now: datetime,
) -> set[str] | None:
    """Name the slots that must be known to tell what changes; None: all."""
    rows = db.execute(
        select(
            SlotRow.slot_id,
            SlotRow.local_start,
            SlotRow.duration_s,
            SlotRow.start_mode,
            SlotRow.when_cut,
        ).where(
            SlotRow.unit_id.in_(unit_ids),
            SlotRow.withdrawn_at.is_(None),
            running(local_day(stretch[0]), local_day(stretch[1])),
        )
    )
    wishes = [
        Wish(
            slot_id,
            _hours(at.hour * 3600 + at.minute * 60 + at.second, length_s),
            depends=start_mode != StartMode.CUT or when_cut != WhenCut.REJOIN,
        )
        for slot_id, at, length_s, start_mode, when_cut in rows
    ]
    announced = lasting_by_unit(db, unit_ids, now=now)
    for claim in (*over, *(one for some in announced.values() for one in some)):
        lasts_s = (claim.end - claim.start).total_seconds()
        begins = claim.start.astimezone(LOCAL)
        begins_s = begins.hour * 3600 + begins.minute * 60 + begins.second
        wishes.append(Wish(claim.claim_id, _hours(begins_s, lasts_s + 1), depends=True))
    hours = [
        _hours(
            one.rule.local_start.hour * 3600
            + one.rule.local_start.minute * 60
            + one.rule.local_start.second,
            one.rule.length.total_seconds(),
        )
        for one in changed
    ]
    found = near(wishes, hours)
    return found if found is not None and len(found) <= _MOST_NAMED else None


def _hours(begins_s: float, lasts_s: float) -> Hours:
    return Hours(begins_s, begins_s + lasts_s)
