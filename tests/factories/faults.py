"""A day on which something breaks every few minutes, and what a node promises all the same."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from msgspec.structs import replace
from structlog.testing import capture_logs

from edge.gpio.box import TalkPressed, TalkReleased
from edge.parts import Stop
from protocol.messages import BulletinClass, Claim, TalkKey, Turns
from protocol.plan import Span, timeline
from tests.factories.claims import NO_RULES, NOON
from tests.factories.lives import BOOTS_S, Agenda, Node, Server, a_file
from tests.factories.stations import a_programme, an_urgent

LOOK_S = 5.0
EDGE = timedelta(seconds=3)
"""A start, an end or a word may take so long; the world is not looked at more closely."""
SOON = timedelta(seconds=45)
"""What was mended is to be put right in so long: a file brought, a plan taken, the time asked."""
PROGRAMMES = 12
SPEECHES = 8
IN_TURNS = 0.2
TURNS = Turns(order=(0, 1), lasts_s=240, every_s=245)
AWAY_S = 600.0
TALK = "nt-"


@dataclass(frozen=True, slots=True)
class Look:
    """What was to be heard at an instant, and what stood in the way just then."""

    at: datetime
    wanted: str
    excuses: frozenset[str]


@dataclass
class Day:
    """What was seen of a day.

    Attributes:
        looks: One every few seconds.
        broken: What broke, and from when to when.
        findings: What contradicts a promise, in words.
        talks: From when to when somebody pressed the talk key.
    """

    server: Server
    node: Node
    looks: list[Look] = field(default_factory=list)
    broken: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    talks: list[tuple[datetime, datetime]] = field(default_factory=list)

    def heard_at(self, at: datetime) -> str:
        """Name what was heard at an instant."""
        place = bisect_right(self.node.heard, at, key=lambda one: one[1]) - 1
        return self.node.heard[place][0] if place >= 0 and at < self.node.heard[place][2] else ""


class Breaker:
    """Lets a node live through a day, and breaks what can break."""

    def __init__(self, folder: Path, seed: int, hours: float) -> None:
        self._dice, self._agenda = Random(seed), Agenda(NOON)  # noqa: S311 - no secret: the same day every time
        self._over_at = NOON + timedelta(hours=hours)
        made = [a_file(number, self._dice.uniform(200, 1500)) for number in range(PROGRAMMES)]
        made += [a_file(100 + number, self._dice.uniform(10, 60)) for number in range(SPEECHES)]
        self._files = {ref.digest: body for ref, body in made}
        self._songs = [ref for ref, _ in made[:PROGRAMMES]]
        self._speeches = [ref for ref, _ in made[PROGRAMMES:]]
        self._server = Server(self._agenda, self._dice)
        self._node = Node(self._agenda, self._server, folder, self._files)
        self.day = Day(self._server, self._node)
        self._spans: tuple[Span, ...] = ()
        self._was_planned: set[str] = set()
        self._well_since: dict[str, datetime] = {}
        self._number = 0

    def run(self) -> Day:
        """Live the day, and look at what came of it."""
        talk = TalkKey(away_s=0.0, most_s=120.0)
        self._server.configure(pinned=tuple(self._speeches), talk_key=talk)
        self._plan([self._a_programme(minute) for minute in self._minutes()])
        self._agenda.after(LOOK_S, self._look)
        self._agenda.after(120.0, self._break)
        self._agenda.after(600.0, self._announce)
        self._agenda.after(3600.0, self._replan)
        self._agenda.after(5400.0, self._renew_key)
        self._agenda.after(300.0, self._talk)
        self._agenda.after((self._over_at - NOON).total_seconds(), self._end)
        with capture_logs() as said:
            self._node.live()
        for line in said:
            if line["event"] == "event_failed":
                self._find(self._agenda.now, f"an event went wrong: {line}")
        self._judge()
        return self.day

    def at(self, hour: float, act: Callable[[], None]) -> None:
        """Let something happen at an hour of the day; said before it is lived."""
        self._agenda.after(hour * 3600, act)

    # -- what is planned

    def _minutes(self) -> list[int]:
        return list(range(5, int((self._over_at - NOON).total_seconds() / 60), 15))

    def _a_programme(self, minute: int) -> Claim:
        self._number += 1
        song = self._dice.choice(self._songs)
        class_ = self._dice.choice([BulletinClass.ORDINARY] * 3 + [BulletinClass.PRIORITY])
        start = NOON + timedelta(minutes=minute, seconds=self._dice.randrange(60))
        claim = a_programme(
            song, start, claim_id=f"tin-{self._number}", bulletin_class=class_, issued_at=NOON
        )
        if self._dice.random() < IN_TURNS:
            ends = claim.end + timedelta(seconds=TURNS.every_s)
            claim = replace(claim, end=ends, turns=TURNS)
        return claim

    def _plan(self, claims: list[Claim]) -> None:
        self._server.plan(claims)
        here = [_in_the_second_turn(claim) for claim in claims]
        self._spans = timeline(here, NO_RULES, NOON, self._over_at)
        self._was_planned |= {one.claim_id for one in claims}

    def _replan(self) -> None:
        """Change two programmes that are still far off."""
        far = self._agenda.now + timedelta(minutes=20)
        fixed = [one for one in self._server.plan_claims if one.start < far]
        open_ = [one for one in self._server.plan_claims if one.start >= far]
        self._dice.shuffle(open_)
        changed = [
            self._a_programme(int((one.start - NOON).total_seconds() / 60)) for one in open_[:2]
        ]
        self._plan([*fixed, *open_[2:], *changed])
        self._agenda.after(self._dice.uniform(1800, 7200), self._replan)

    def _renew_key(self) -> None:
        """Let the commune sign with its next key; every other time the node is away meanwhile."""
        if self._dice.random() < 0.5:
            self._take_broker(AWAY_S)
            self.day.broken.append(("key", self._agenda.now, self._agenda.now + SOON))
        self._server.renew_key()
        self._agenda.after(self._dice.uniform(7200, 14_400), self._renew_key)

    def _announce(self) -> None:
        self._number += 1
        speech = self._dice.choice(self._speeches)
        now = self._agenda.now
        lasts = timedelta(seconds=speech.duration_s + self._dice.uniform(60, 600))
        claim = an_urgent(speech, now, claim_id=f"khan-{self._number}", end=now + lasts)
        # What is ordered last is to have its record by the end of the day.
        if self._server.has_server and claim.end + SOON < self._over_at:
            self._server.announce(claim)
            if self._dice.random() < 0.3:
                self._agenda.after(
                    self._dice.uniform(1, 40), lambda: self._server.stop(claim.claim_id)
                )
        self._agenda.after(self._dice.uniform(600, 2400), self._announce)

    def _talk(self) -> None:
        self._speak(self._dice.uniform(5, 90))
        self._agenda.after(self._dice.uniform(300, 1800), self._talk)

    def _speak(self, lasts_s: float) -> None:
        """Let somebody speak by the talk key of the box."""
        now = self._agenda.now
        ends = now + timedelta(seconds=lasts_s)
        is_held = any(ended + SOON > now for _pressed, ended in self.day.talks)
        if self._node.is_alive and not is_held and ends + SOON < self._over_at:
            self._agenda.put(TalkPressed())
            self._agenda.after(lasts_s, lambda: self._agenda.put(TalkReleased()))
            self.day.talks.append((now, ends))

    def _end(self) -> None:
        self._agenda.put(Stop())

    # -- what breaks

    def _break(self) -> None:
        self._agenda.after(self._dice.uniform(60, 420), self._break)
        if (self._over_at - self._agenda.now) < timedelta(minutes=15):
            return  # what is left is for coming to rest
        lasts_s = self._dice.choice([5, 20, 60, 300, 900])
        kinds: dict[str, Callable[[float], None]] = {
            "broker": self._take_broker,
            "server": self._take_server,
            "kill": self._kill,
            "power": self._cut_power,
            "clock": self._step_clock,
            "disk": self._fill_disk,
            "file": self._spoil_file,
            "twice": self._say_twice,
            "rubbish": lambda _s: self._server.say_rubbish(),
        }
        kind = self._dice.choice(sorted(kinds))
        ends = self._agenda.now + timedelta(seconds=lasts_s)
        self.day.broken.append((kind, self._agenda.now, ends))
        kinds[kind](lasts_s)

    def _take_broker(self, lasts_s: float) -> None:
        self._server.has_broker = False
        self._node.link.cut()
        self._agenda.after(lasts_s, lambda: setattr(self._server, "has_broker", True))

    def _take_server(self, lasts_s: float) -> None:
        self._server.has_server = False
        self._agenda.after(lasts_s, lambda: setattr(self._server, "has_server", True))

    def _kill(self, _lasts_s: float) -> None:
        self._node.kill()

    def _cut_power(self, lasts_s: float) -> None:
        # Before it is told the time, which may be minutes from what it takes for it.
        self._agenda.after(lasts_s + BOOTS_S + 0.5, lambda: self._speak(30.0))
        self._node.kill(off_s=lasts_s)

    def _step_clock(self, lasts_s: float) -> None:
        self._agenda.machine.wall_s += self._dice.choice([-1, 1]) * lasts_s * 10

    def _fill_disk(self, lasts_s: float) -> None:
        self._server.is_disk_full = True
        self._agenda.after(lasts_s, lambda: setattr(self._server, "is_disk_full", False))

    def _spoil_file(self, _lasts_s: float) -> None:
        there = sorted(self._node.cache.sizes())
        if there:
            self._node.cache.path(self._dice.choice(there)).write_bytes(b"spoiled")

    def _say_twice(self, lasts_s: float) -> None:
        self._server.doubles, self._server.delays_s = 2, 2.0

        def mend() -> None:
            self._server.doubles, self._server.delays_s = 1, 0.0

        self._agenda.after(lasts_s, mend)

    # -- what is seen

    def _look(self) -> None:
        self._agenda.after(LOOK_S, self._look)
        now = self._agenda.now
        span = next((one for one in self._spans if one.start <= now < one.end), None)
        claim = span.claim if span else None
        excuses = set()
        is_reached = self._holds("reached", now, is_so=self._is_reached())
        has_disk = self._holds("disk", now, is_so=not self._server.is_disk_full)
        if not self._node.clock.is_trusted or self._error() > EDGE:
            excuses.add("clock")
            if is_reached:
                self._find(now, "the time was to be had, and is not known")
        if self._server.told_version != self._server.version:
            excuses.add("news")
            if is_reached and now - self._server.plan_at > SOON:
                self._find(now, "a plan was to be had, and is not held")
        for ordered, _, stopped_at in self._server.orders.values():
            is_late = stopped_at is not None and stopped_at + SOON < now < ordered.end
            if is_late and is_reached and f"stop-{ordered.claim_id}" not in self._server.received:
                self._find(now, f"the stop of {ordered.claim_id} was to be had, and is not known")
        if claim is not None and not self._has(claim):
            excuses.add("file")
            named = now - self._server.plan_at < SOON
            is_missed = self._holds("missed", now, is_so=is_reached and has_disk and not named)
            if is_missed:
                self._find(now, f"a file of {claim.claim_id} was to be had, and is not there")
        else:
            self._well_since.pop("missed", None)
        edges = [at for one in self._spans for at in (one.start, one.end)]
        if any(abs(at - now) <= EDGE for at in edges):
            excuses.add("edge")
        self.day.looks.append(Look(now, claim.claim_id if claim else "", frozenset(excuses)))

    def _is_reached(self) -> bool:
        return self._node.is_alive and self._server.has_broker and self._server.has_server

    def _holds(self, what: str, now: datetime, *, is_so: bool) -> bool:
        """Say whether something has been so for as long as it takes to put things right."""
        if not is_so:
            self._well_since.pop(what, None)
            return False
        return now - self._well_since.setdefault(what, now) > SOON

    def _error(self) -> timedelta:
        return abs(self._node.clock.now() - self._agenda.now)

    def _has(self, claim: Claim) -> bool:
        path = self._node.cache.path(claim.content.items[0].digest)
        return path.exists() and path.read_bytes() != b"spoiled"

    def _find(self, at: datetime, words: str) -> None:
        self.day.findings.append(f"{at:%H:%M:%S} {words}")

    # -- what came of it

    def _judge(self) -> None:
        for look in self.day.looks:
            heard = self.day.heard_at(look.at)
            if heard != look.wanted and not self._is_explained(look, heard):
                words = f"{heard or 'nothing'} is heard and not {look.wanted or 'nothing'}"
                self._find(look.at, words)
        self._judge_talks()
        planned = map(_in_the_second_turn, self._server.plan_claims)
        held = [one for one in planned if one.end < self._agenda.now - 4 * SOON]
        ordered = [claim for claim, _, _ in self._server.orders.values()]
        known = {name.partition("-")[2] for name in self._server.received if name[0] == "p"}
        for claim in held + [one for one in ordered if one.claim_id in known]:
            self._judge_records(claim)
        for name in self._server.records.keys() - {one.claim_id for one in held + ordered}:
            if name not in self._was_planned and not name.startswith(TALK):
                self._find(self._agenda.now, f"{name} is on record, and nobody ever ordered it")

    def _judge_talks(self) -> None:
        """Whoever speaks at the box is heard, but for emergencies, and has one record."""
        told = [name for name in self._server.records if name.startswith(TALK)]
        for name in told:
            if len(self._server.records[name]) > 1 and not self._met({"disk"}, NOON, self._over_at):
                self._find(NOON, f"{len(self._server.records[name])} records of {name}")
        whole = 0
        for pressed, released in self.day.talks:
            if any(pressed <= died <= released + EDGE for died, _ in self._node.deaths):
                continue
            whole += not self._met({"disk"}, pressed, released + EDGE)
            for look in self.day.looks:
                heard = self.day.heard_at(look.at)
                is_right = heard.startswith(TALK) or heard in self._server.orders
                is_within = pressed + EDGE < look.at < released - EDGE
                if is_within and not is_right and not self._is_near_a_change(look.at):
                    self._find(look.at, f"{heard or 'nothing'} is heard, and not who speaks")
        if len(told) < whole:
            self._find(NOON, f"{whole} have spoken, and {len(told)} are on record")

    def _judge_records(self, claim: Claim) -> None:
        """Hold what is on record against what was heard."""
        records = self._server.records.get(claim.claim_id, [])
        # What only memory holds when the program is killed is lost, or told once more.
        told_at = max((one.at for one in records), default=claim.end)
        is_forgetful = self._met({"disk"}, claim.start, told_at)
        deaths = sum(claim.start <= died <= claim.end for died, _ in self._node.deaths)
        if not records and is_forgetful and deaths:
            return
        if not records or (len(records) > 1 and not is_forgetful):
            self._find(claim.start, f"{len(records)} records of {claim.claim_id}")
            return
        heard = [one[1:] for one in self._node.heard if one[0] == claim.claim_id]
        told = [(one.start, one.end) for one in records[0].segments]
        most = EDGE * (1 + deaths + len(heard))
        unheard, untold = _beyond(told, heard), _beyond(heard, told)
        is_spoiled = self._met({"file"}, claim.start - SOON, claim.end)
        if (untold > most and not is_forgetful) or (unheard > most and not is_spoiled):
            words = f"{claim.claim_id}: {unheard} on record was not heard, {untold} was and is not"
            self._find(claim.start, words)

    def _met(self, kinds: set[str], start: datetime, end: datetime) -> bool:
        """Say whether something of the kind was broken in a stretch."""
        return any(
            kind in kinds and began < end and ended > start
            for kind, began, ended in self.day.broken
        )

    def _is_explained(self, look: Look, heard: str) -> bool:
        if look.excuses - ({"file"} if heard else set()):
            return True
        if heard in self._server.orders:
            return self._may_sound(heard, look.at)
        if heard.startswith(TALK):
            return any(pressed <= look.at <= ends + EDGE for pressed, ends in self.day.talks)
        is_spoiled = not heard and self._met({"file"}, look.at - EDGE, look.at)
        return is_spoiled or self._is_near_a_change(look.at)

    def _may_sound(self, name: str, at: datetime) -> bool:
        claim, ordered_at, _ = self._server.orders[name]
        knew_at = self._server.received.get(f"stop-{name}")
        is_stopped = knew_at is not None and at > knew_at + EDGE
        return ordered_at <= at <= claim.end + EDGE and not is_stopped

    def _is_near_a_change(self, at: datetime) -> bool:
        """Say whether the node has just come back, or an announcement was just heard."""
        if any(died <= at <= back + 2 * EDGE for died, back in self._node.deaths):
            return True
        turns = (
            instant
            for name, *stretch in self._node.heard
            if name in self._server.orders or name.startswith(TALK)
            for instant in stretch
        )
        return any(abs(instant - at) <= EDGE for instant in turns)


def _in_the_second_turn(claim: Claim) -> Claim:
    """Say of a claim in turns what it is here, by hand."""
    if claim.turns is None:
        return claim
    start = claim.start + timedelta(seconds=TURNS.every_s)
    end = min(claim.end, start + timedelta(seconds=TURNS.lasts_s))
    return replace(claim, start=start, end=end, turns=None)


def _beyond(
    some: list[tuple[datetime, datetime]], others: list[tuple[datetime, datetime]]
) -> timedelta:
    """Tell how much of some stretches no other covers; within each list none overlap."""
    total = sum((end - start for start, end in some), timedelta())
    for start, end in some:
        for begins, ends in others:
            total -= max(timedelta(), min(end, ends) - max(start, begins))
    return total
