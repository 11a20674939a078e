"""What is due at ``now``: each concern by itself, in transactions of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.orm import Session

from audio_library.store import Store
from server.domain.authority import Actor
from server.domain.errors import KeyMissingError, SlotRefusedError
from server.domain.recurrence import local_day
from server.services import (
    alerting,
    arrears,
    as_run,
    broadcast_deliveries,
    bulletin_results,
    configuring,
    data_plans,
    escalating,
    events,
    guarding,
    hush_deliveries,
    outbox,
    plan_states,
    planning,
    rate_counts,
    reform_day,
    renewing,
    reports,
    sending,
    units,
    unused_sounds,
    upkeep,
    waiting,
)
from server.services.keyring import Keyring
from server.services.plan_watch import PlanWatch
from server.store.engine import Sessions, reading

EVENTS_KEPT = timedelta(days=2)

OFTEN = timedelta(seconds=0.5)
"""At every tick: less than the time between two."""
NOW_AND_THEN = timedelta(seconds=5)
SELDOM = timedelta(minutes=1)
RARELY = timedelta(minutes=10)
"""For what reads every node's whole configuration: a second of work for a province."""
HOURLY = timedelta(hours=1)
"""A place comes free when slots are withdrawn, and each midnight when plans reach a day further."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that the scheduler minds.

    Attributes:
        name: Names its work in the log.
        work: Does what is due; tells how much that was.
        every: How often it is looked at.
    """

    name: str
    work: Callable[[Sessions, datetime], int]
    every: timedelta


@dataclass(slots=True)
class Scheduler:
    """Remembers what was looked at when. All methods belong to one thread."""

    sessions: Sessions
    concerns: tuple[Concern, ...]
    looked_at: dict[str, datetime] = field(default_factory=dict)

    def tick(self, now: datetime) -> int:
        """Do all that is due; what fails does not keep the rest from being done.

        Returns:
            How many concerns failed.
        """
        due = [concern for concern in self.concerns if self._is_due(concern, now)]
        return sum(self._failed(concern, now) for concern in due)

    def _is_due(self, concern: Concern, now: datetime) -> bool:
        last = self.looked_at.get(concern.name)
        # A clock that was set back must not stop everything until it has caught up.
        return last is None or not last <= now < last + concern.every

    def _failed(self, concern: Concern, now: datetime) -> bool:
        self.looked_at[concern.name] = now
        try:
            done = concern.work(self.sessions, now)
        except Exception:  # one concern that fails must not hold up the others, nor the next tick
            log.exception("concern_failed", concern=concern.name)
            return True
        if done:
            log.info(concern.name, count=done)
        return False


@dataclass(slots=True)
class Watched:
    """Work that reads a lot, left out while nothing tells that there is any.

    Attributes:
        work: What is done.
        trace: Sums up in few words what may have made it necessary.
        at_least: How often it is done whatever that says.
    """

    work: Callable[..., int]
    trace: Callable[..., object]
    at_least: timedelta
    seen: object = None
    done_at: datetime | None = None

    def __call__(self, sessions: Sessions, now: datetime) -> int:
        """Do it if it may be due; what had something to do is done again the next time."""
        last = self.done_at
        with sessions.begin() as db:
            found = self.trace(db, now=now)
            if found == self.seen and last is not None and last <= now < last + self.at_least:
                return 0
            done = self.work(db, now=now)
        self.seen, self.done_at = (None if done else found), now
        return done


@dataclass(slots=True)
class Silences:
    """Looks for what has begun since the last time, and now and then over the whole last day."""

    looked_at: datetime | None = None
    looked_back_at: datetime | None = None

    def __call__(self, sessions: Sessions, now: datetime) -> int:
        """Note what has begun, and put on record who kept silent."""
        since = self._since(now)
        with sessions.begin() as db:
            done = as_run.conclude_missed(db, now=now, since=since)
        self.looked_at = now
        if since is None:
            self.looked_back_at = now
        return done

    def _since(self, now: datetime) -> datetime | None:
        """Tell what has been looked through; a slot may be saved some time after it was asked."""
        back, last = self.looked_back_at, self.looked_at
        if back is None or last is None or not back <= last <= now < back + RARELY:
            return None
        return last - SELDOM


def all_concerns(
    keyring: Keyring, *, plan_days: int, site: str, store: Store
) -> tuple[Concern, ...]:
    """List what the scheduler minds, the most urgent first."""
    plans = partial(publish_plans, keyring=keyring, days=plan_days, watch=PlanWatch())
    lacking = Watched(arrears.bring_up_to_date, arrears.trace, arrears.NUDGE_AGAIN)
    configs = partial(publish_configs, keyring=keyring)
    naming = partial(escalating.name_unanswered, site=site)
    place = partial(place_bulletins, keyring=keyring, days=plan_days)
    carry_out = partial(carry_out_reforms, keyring=keyring, days=plan_days)
    return (
        Concern("hushes_sent_again", in_one_transaction(hush_deliveries.resend_due), OFTEN),
        Concern("orders_sent_again", in_one_transaction(broadcast_deliveries.resend_due), OFTEN),
        Concern("upkeep_sent_again", in_one_transaction(upkeep.resend_due), OFTEN),
        Concern("clusters_named", in_one_transaction(naming), OFTEN),
        Concern("nodes_brought_up_to_date", lacking, OFTEN),
        Concern("waiting_lapsed", in_one_transaction(waiting.lapse), NOW_AND_THEN),
        Concern("broadcasts_concluded", in_one_transaction(as_run.close_ended), OFTEN),
        Concern("silences_recorded", Silences(), NOW_AND_THEN),
        # Before plans and configurations, which carry what nodes must know of keys.
        Concern("keys_renewed", partial(renew_keys, keyring=keyring), HOURLY),
        # Before those are concluded whose time is up.
        Concern("bulletins_placed", place, HOURLY),
        Concern("bulletins_concluded", in_one_transaction(bulletin_results.conclude), SELDOM),
        # Before plans and configurations, which go by what it has passed on.
        Concern("reforms_carried_out", carry_out, NOW_AND_THEN),
        Concern("plans_published", plans, NOW_AND_THEN),
        Concern("configs_published", configs, RARELY),
        Concern("slots_held", in_one_transaction(guarding.refresh), NOW_AND_THEN),
        Concern("messages_dropped", in_one_transaction(outbox.drop_expired), SELDOM),
        Concern("counts_forgotten", in_one_transaction(rate_counts.forget), SELDOM),
        Concern("events_forgotten", in_one_transaction(_forget_events), SELDOM),
        Concern("reports_forgotten", in_one_transaction(reports.forget), SELDOM),
        Concern("data_marks_forgotten", in_one_transaction(data_plans.forget), SELDOM),
        Concern("tests_forgotten", in_one_transaction(alerting.forget), SELDOM),
        Concern("versions_forgotten", in_one_transaction(plan_states.forget), SELDOM),
        Concern("occurrences_forgotten", in_one_transaction(as_run.forget_occurrences), SELDOM),
        Concern("sounds_forgotten", partial(unused_sounds.forget_unused, store=store), HOURLY),
    )


def publish_plans(
    sessions: Sessions,
    now: datetime,
    *,
    keyring: Keyring,
    days: int,
    watch: PlanWatch | None = None,
) -> int:
    """Publish every unit's plan that says something new, each in a transaction of its own.

    SQLite has one writer at a time: an urgent order must not wait for a province of plans.
    Without a watch all units are looked at.
    """
    with reading(sessions) as db:
        tree = units.tree(db, today=local_day(now))
        due = (watch or PlanWatch()).due(db, now=now, units=tree, days=days)
    published = 0
    for unit_id in due:
        try:
            with sessions.begin() as db:
                published += planning.publish_plan(
                    db, unit_id, now=now, keyring=keyring, units=tree, days=days
                )
        except KeyMissingError as error:
            # One unit that cannot sign must not silence the others.
            log.error("plan_not_signed", unit_id=unit_id, error=str(error))  # noqa: TRY400 - no trace needed
    return published


def place_bulletins(sessions: Sessions, now: datetime, *, keyring: Keyring, days: int) -> int:
    """Look again for places of priority bulletins that found none; say for how many communes."""
    with reading(sessions) as db:
        waiting = sending.seeking(db, now=now)
    way = sending.Way(now, Actor.operator("scheduler"), keyring, days)
    placed = 0
    for bulletin_id in waiting:
        try:
            with sessions.begin() as db:
                placed += sending.place_again(db, bulletin_id, way=way)
        except SlotRefusedError as refused:
            # What looked free is not for all who were to share it; the next look may find more.
            codes = [found.code for found in refused.findings]
            log.warning("bulletin_not_placed", bulletin_id=bulletin_id, findings=codes)
        except KeyMissingError as error:
            # One sender that cannot sign must not keep the others' bulletins waiting.
            log.error("bulletin_not_signed", bulletin_id=bulletin_id, error=str(error))  # noqa: TRY400 - no trace needed
    return placed


def renew_keys(sessions: Sessions, now: datetime, *, keyring: Keyring) -> int:
    """Give units their next keys in time; without the root key, say that somebody must bring it."""
    try:
        with sessions.begin() as db:
            return renewing.renew_keys(
                db, now=now, keyring=keyring, actor=Actor.operator("scheduler")
            )
    except KeyMissingError as error:
        with reading(sessions) as db:
            due = renewing.ending(db, now=now)
        first = min(due.values()).isoformat()
        log.error("keys_not_renewed", error=str(error), units=len(due), first_ends=first)  # noqa: TRY400 - no trace needed
        return 0


def publish_configs(sessions: Sessions, now: datetime, *, keyring: Keyring) -> int:
    """Publish what nodes' configurations have come to say, some at a time.

    Files that are kept for good, groups, places and keys all change after a node was commissioned.
    """
    with reading(sessions) as db:
        due = configuring.due_nodes(db, now=now)
    _configure(sessions, due, now=now, keyring=keyring)
    return len(due)


def carry_out_reforms(sessions: Sessions, now: datetime, *, keyring: Keyring, days: int) -> int:
    """Do what is to be done of reforms whose day has come; say how many nodes were told.

    Plans go out before configurations, so that no node stands under a unit whose plan is missing.
    """
    with sessions.begin() as db:
        due = reform_day.due(db, now=now)
    if not due:
        return 0
    for reform_id in due:
        with sessions.begin() as db:
            reform_day.begin(db, reform_id, now=now)
    publish_plans(sessions, now, keyring=keyring, days=days)
    told = 0
    for reform_id in due:
        with sessions.begin() as db:
            nodes = reform_day.telling(db, reform_id, now=now).now
        _configure(sessions, nodes, now=now, keyring=keyring)
        told += len(nodes)
        with sessions.begin() as db:
            reform_day.conclude(db, reform_id, now=now)
    return told


def _configure(
    sessions: Sessions, nodes: Sequence[str], *, now: datetime, keyring: Keyring
) -> None:
    for first in range(0, len(nodes), configuring.MOST_AT_ONCE):
        some = nodes[first : first + configuring.MOST_AT_ONCE]
        with sessions.begin() as db:
            configuring.publish_configs(db, some, now=now, keyring=keyring)


def in_one_transaction(work: Callable[..., int]) -> Callable[[Sessions, datetime], int]:
    """Give a service that minds something the one transaction that it asks for."""

    def alone(sessions: Sessions, now: datetime) -> int:
        with sessions.begin() as db:
            return work(db, now=now)

    return alone


def _forget_events(db: Session, *, now: datetime) -> int:
    return events.forget(db, before=now - EVENTS_KEPT)
