"""What this node holds: configuration, plans and orders.

Each is verified when it arrives, and again when it is loaded from disk. Rules and values only:
what to keep is returned, and ``edge.store`` keeps it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import structs

from edge.playout import Programme
from edge.runs import ClaimKey, key_of, moved_claim
from protocol.errors import BadTopicError, Refusal, RefusedError
from protocol.messages import (
    Acknowledge,
    AssetRef,
    BulletinClass,
    Certificate,
    Claim,
    ClaimKind,
    Config,
    Hush,
    HushState,
    Identify,
    Interval,
    LiftHush,
    Mode,
    Plan,
    Play,
    Restart,
    Signed,
    SignedTime,
    SoundCheck,
    Stop,
    Upkeep,
)
from protocol.plan import Place, claims_at, is_targeted
from protocol.policy import Policy, Silence, is_emergency, merge
from protocol.signing import (
    Trust,
    Verified,
    audience_node,
    audience_unit,
    check_scope,
    trust,
    unverified,
    verify,
)
from protocol.topics import Kind, parse
from protocol.topics import Place as TopicPlace
from protocol.turns import in_its_turn

KEPT_AFTER = timedelta(days=1)
"""How long an order is remembered after it has expired, so that a late copy is known."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A token as it stands on disk.

    Attributes:
        kind: ``config``, ``plan`` or ``order``.
        name: Node, unit, or the order's own id.
        accepted_at: When it was found good; its times are not asked again.
        forget_at: When it means nothing any more.
    """

    kind: str
    name: str
    raw: bytes
    accepted_at: datetime
    forget_at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """A play, a stop, a hush, a lift or an order to this one box that was accepted."""

    message: Play | Stop | Hush | LiftHush | Upkeep
    issued_at: datetime
    expires: datetime
    accepted_at: datetime

    @property
    def claim_id(self) -> str:
        """The claim, the hush or the order it is about."""
        match self.message:
            case Play(claim=claim) | SoundCheck(claim=claim):
                return claim.claim_id
            case Stop(claim_id=claim_id):
                return claim_id
            case Hush(state=state) | LiftHush(state=state):
                return state.hush_id
            case Identify(order_id=order_id) | Restart(order_id=order_id):
                return order_id

    @property
    def is_grave(self) -> bool:
        """Whether it orders silence, or a real emergency: nothing may hold that up."""
        match self.message:
            case Stop() | Hush():
                return True
            case Play(claim=claim):
                return is_emergency(claim)
            case LiftHush() | SoundCheck() | Identify() | Restart():
                return False

    @property
    def matters_until(self) -> datetime:
        """When it means nothing any more."""
        match self.message:
            case Play(claim=claim) | SoundCheck(claim=claim):
                return max(claim.end, self.expires) + KEPT_AFTER
            case Identify() | Restart():
                return self.expires + KEPT_AFTER
            case Stop(until=until):
                return max(until, self.expires) + KEPT_AFTER
            case Hush() | LiftHush():
                # The plan that says it too may not come for long; these are few.
                return _NEVER


@dataclass(frozen=True, slots=True)
class Holdings:
    """All that counts on this node. Without a configuration nothing does.

    Attributes:
        key_silence: What somebody ordered by the silence key of the box, if it still counts.
        talk: What somebody speaks by the talk key of the box.
    """

    node: str
    root: Ed25519PublicKey
    config: Config | None = None
    plans: Mapping[str, Plan] = field(default_factory=lambda: MappingProxyType({}))
    orders: Mapping[str, Order] = field(default_factory=lambda: MappingProxyType({}))
    key_silence: Silence | None = None
    talk: Claim | None = None

    @property
    def place(self) -> Place | None:
        """Where the cluster stands."""
        if self.config is None:
            return None
        return Place(self.config.cluster, tuple(step.unit for step in self.config.chain))

    @property
    def policy(self) -> Policy:
        """What the units above the cluster laid down and ordered."""
        place = self.place
        commune = place.chain[-1] if place and place.chain else None
        merged = merge(self._plans_top_down(), commune, self._ordered_hushes())
        pressed = () if self.key_silence is None else (self.key_silence,)
        return replace(merged, stops=self._stops(), silences=(*merged.silences, *pressed))

    @property
    def plan_versions(self) -> dict[str, int]:
        """Which plan of each unit is held."""
        return {unit: plan.version for unit, plan in self.plans.items()}

    def programme(self, *, at_start: bool = False) -> Programme:
        """Sum up what counts for playing."""
        if self.config is None:
            return Programme(at_start=at_start)
        return Programme(
            cluster=self.config.cluster,
            claims=MappingProxyType(self._claims()),
            policy=self.policy,
            ceiling_db=self.config.volume_ceiling_db,
            delay=timedelta(seconds=self.config.delay_s),
            at_start=at_start,
        )

    def moved(self, by: timedelta) -> "Holdings":
        """Let what was begun at the box go on as it is by a clock that was moved."""
        key, talk = self.key_silence, self.talk
        if key is not None:
            key = replace(key, start=key.start + by, end=key.end + by)
        if talk is not None:
            talk = moved_claim(talk, by)
        return replace(self, key_silence=key, talk=talk)

    def pinned(self) -> tuple[AssetRef, ...]:
        """List the files that are kept for good."""
        return self.config.pinned if self.config else ()

    def _claims(self) -> dict[ClaimKey, Claim]:
        place = self.place
        if place is None:
            return {}
        planned = claims_at(self._plans_top_down(), place)
        ordered = [
            order.message.claim
            for order in self.orders.values()
            if isinstance(order.message, Play | SoundCheck)
            and is_targeted(order.message.claim.targets, place)
        ]
        # The later word counts, whichever way it came and whenever; the plan's where equal.
        told = sorted([*ordered, *planned], key=lambda claim: claim.issued_at)
        said = () if self.talk is None else (self.talk,)
        return {key_of(claim): claim for claim in (*told, *said)}

    def _stops(self) -> Mapping[tuple[str, str], datetime]:
        stops: dict[tuple[str, str], datetime] = {}
        for order in self.orders.values():
            if isinstance(order.message, Stop):
                name = order.message.unit, order.message.claim_id
                # At once, also by a clock that is behind the server's.
                at = min(order.issued_at, order.accepted_at)
                stops[name] = min(at, stops.get(name, at))
        return MappingProxyType(stops)

    def _ordered_hushes(self) -> Iterator[tuple[str, HushState]]:
        for order in self.orders.values():
            if isinstance(order.message, Hush | LiftHush):
                state = order.message.state
                # At once, also by a clock that is behind the server's.
                since = min(state.since, order.accepted_at)
                yield order.message.unit, structs.replace(state, since=since)

    def _plans_top_down(self) -> tuple[Plan, ...]:
        chain = self.place.chain if self.place else ()
        return tuple(self.plans[unit] for unit in chain if unit in self.plans)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that changes what is held."""

    holdings: Holdings
    kept: Kept
    order: Order | None = None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The server has these reports."""

    report_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timed:
    """The server's time, for whoever asked with this nonce."""

    nonce: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A genuine order, issued before others that are known: it may be one of long ago."""

    order: Order


@dataclass(frozen=True, slots=True)
class Repeated:
    """An order that is already held came again."""

    token_id: str
    claim_id: str


@dataclass(frozen=True, slots=True)
class HeldAlready:
    """A plan or configuration that this node holds: whoever sent it again may not know so."""


@dataclass(frozen=True, slots=True)
class Unconcerned:
    """Genuine, and meant for others."""


Verdict = Accepted | Acknowledged | Timed | Doubtful | Repeated | HeldAlready | Unconcerned


def receive(
    held: Holdings,
    topic: str,
    raw: bytes,
    now: datetime,
    *,
    newest_issued: datetime | None = None,
) -> Verdict:
    """Judge a message that came over the wire.

    Args:
        held: What counts so far.
        topic: Where it came.
        raw: What came.
        now: The time.
        newest_issued: When the newest order was issued that is remembered, while the time is not
            known: what was issued before may have ended long ago.

    Raises:
        RefusedError: It is not to be acted on.
    """
    try:
        place = parse(topic)
    except BadTopicError as error:
        raise RefusedError(Refusal.UNKNOWN_KIND, str(error)) from error
    verified = _verified(held, place, raw, now)
    match verified.token.msg:
        case Config() as config:
            return _take_config(held, config, _kept("config", held.node, verified, raw, now))
        case Plan() as plan:
            told = _with_turns_begun(held, plan, verified.issued_at)
            return _take_plan(held, told, _kept("plan", plan.unit, verified, raw, now))
        case (
            Play() | Stop() | Hush() | LiftHush() | SoundCheck() | Identify() | Restart()
        ) as message:
            order = Order(message, verified.issued_at, verified.expires, now)
            kept = replace(
                _kept("order", verified.token.jti, verified, raw, now),
                forget_at=order.matters_until,
            )
            verdict = _take_order(held, order, kept, now)
            is_old = newest_issued is not None and order.issued_at < newest_issued
            if is_old and isinstance(verdict, Accepted):
                return Doubtful(order)
            return verdict
        case Acknowledge(report_ids=report_ids):
            return Acknowledged(report_ids)
        case SignedTime(nonce=nonce, at=at):
            return Timed(nonce, at)
        case Certificate():
            raise RefusedError(Refusal.UNKNOWN_KIND, "a certificate travels inside a plan")


def held_on_disk(
    empty: Holdings, tokens: Iterable[Kept]
) -> tuple[Holdings, tuple[tuple[Kept, RefusedError], ...]]:
    """Build the holdings from what is on disk, verifying every token as on the day it came.

    Also used when the configuration changes: a key may have been revoked, a unit may have gone.

    Returns:
        The holdings, and the tokens that are no good any more, with the reason.
    """
    held = replace(empty, config=None, plans=MappingProxyType({}), orders=MappingProxyType({}))
    bad: list[tuple[Kept, RefusedError]] = []
    rank = {"config": 0, "plan": 1, "order": 2}
    for kept in sorted(tokens, key=lambda kept: (rank[kept.kind], kept.accepted_at, kept.name)):
        try:
            held = _reheld(held, kept)
        except RefusedError as error:
            bad.append((kept, error))
    return held, tuple(bad)


def _reheld(held: Holdings, kept: Kept) -> Holdings:
    message = unverified(kept.raw).msg
    match message:
        case Config():
            place = TopicPlace(Kind.CONFIG, held.node)
        case Plan():
            place = TopicPlace(Kind.PLAN, message.unit)
        case _:
            place = TopicPlace(Kind.NODE_ORDER, held.node)
    verified = _verified(held, place, kept.raw, kept.accepted_at)
    match verified.token.msg:
        case Config() as config:
            return replace(held, config=config)
        case Plan() as plan:
            return replace(held, plans=MappingProxyType({**held.plans, plan.unit: plan}))
        case (
            Play() | Stop() | Hush() | LiftHush() | SoundCheck() | Identify() | Restart()
        ) as told:
            order = Order(told, verified.issued_at, verified.expires, kept.accepted_at)
            return replace(held, orders=MappingProxyType({**held.orders, kept.name: order}))
        case Acknowledge() | SignedTime() | Certificate():
            raise RefusedError(Refusal.UNKNOWN_KIND, "is not kept")


def _verified(held: Holdings, place: TopicPlace, raw: bytes, now: datetime) -> Verified:
    """Check signature, times, audience, topic and scope."""
    if held.config is None and place.kind is not Kind.CONFIG:
        raise RefusedError(Refusal.NO_CONFIG, place.kind.value)
    believed = _believed(held, raw, place.kind)
    verified = verify(raw, believed, audiences=_audiences(held), now=now)
    _check_topic(verified, place, held)
    if held.place is not None and place.kind is not Kind.CONFIG:
        _check_scope(verified, held.place)
    return verified


def _believed(held: Holdings, raw: bytes, kind: Kind) -> Trust:
    """Find whom to believe about one token.

    A plan or configuration carries the certificates that it needs. Reading them before anything
    is verified is safe, because ``trust`` takes only what the pinned root key has signed; and a
    key that is known to be revoked stays so, whatever the token says.
    """
    certificates = [text for plan in held.plans.values() for text in plan.certificates]
    revoked: set[str] = set()
    if kind in {Kind.CONFIG, Kind.PLAN}:
        carrier = unverified(raw).msg
        if isinstance(carrier, Config | Plan):
            certificates += carrier.certificates
        if isinstance(carrier, Config):
            revoked |= set(carrier.revoked_keys)
    if held.config is not None:
        certificates += held.config.certificates
        revoked |= set(held.config.revoked_keys)
    return trust(held.root, dict.fromkeys(certificates), revoked)


def _audiences(held: Holdings) -> frozenset[str]:
    units = held.place.chain if held.place else ()
    return frozenset({audience_node(held.node), *(audience_unit(unit) for unit in units)})


def _check_topic(verified: Verified, place: TopicPlace, held: Holdings) -> None:
    """Refuse what came by a topic on which such a thing is not said."""
    if not _fits(verified.token.msg, place, held.node):
        raise RefusedError(Refusal.OUT_OF_SCOPE, f"not to be said on {place.kind.value}")


def _fits(message: Signed, place: TopicPlace, node: str) -> bool:
    match message:
        case Config():
            return place == TopicPlace(Kind.CONFIG, node) and message.node == node
        case Plan():
            return place == TopicPlace(Kind.PLAN, message.unit)
        case Play() | Stop() | Hush() | LiftHush():
            return place.kind in {Kind.ORDER, Kind.NODE_ORDER}
        case SoundCheck() | Identify() | Restart() | Acknowledge() | SignedTime():
            return place.kind is Kind.NODE_ORDER
        case Certificate():
            return False


def _check_scope(verified: Verified, place: Place) -> None:
    match verified.token.msg:
        case Plan() | Play() | Stop() | Hush() | LiftHush():
            check_scope(verified, place.chain)
        case (SoundCheck() | Identify() | Restart()) as order:
            check_scope(verified, place.chain)
            if order.cluster != place.cluster:
                raise RefusedError(Refusal.OUT_OF_SCOPE, f"not {order.cluster}")
        case Config() | Acknowledge() | SignedTime() | Certificate():
            pass


def _kept(kind: str, name: str, verified: Verified, raw: bytes, now: datetime) -> Kept:
    return Kept(kind, name, raw, accepted_at=now, forget_at=verified.expires + KEPT_AFTER)


def _take_config(held: Holdings, config: Config, kept: Kept) -> Verdict:
    if held.config is not None and not _is_newer(config.version, held.config.version):
        return HeldAlready()
    # The plans and orders are held anew under it by the caller, from disk.
    return Accepted(replace(held, config=config), replace(kept, forget_at=_NEVER))


def _take_plan(held: Holdings, plan: Plan, kept: Kept) -> Verdict:
    known = held.plans.get(plan.unit)
    if known is not None and not _is_newer(plan.version, known.version):
        return HeldAlready()
    plans = MappingProxyType({**held.plans, plan.unit: plan})
    return Accepted(replace(held, plans=plans), replace(kept, forget_at=_NEVER))


def _with_turns_begun(held: Holdings, plan: Plan, issued_at: datetime) -> Plan:
    """Leave to what began before a plan was issued the turn that it has here.

    The new one may have passed, and neighbours keep theirs too.
    """
    known = held.plans.get(plan.unit)
    if known is None or held.config is None:
        return plan
    turn = known.turns.get(held.config.cluster, 0)
    before = {claim.claim_id: in_its_turn(claim, turn) for claim in known.claims}
    claims = tuple(
        _timed_as(before.get(claim.claim_id), claim)
        if claim.kind is ClaimKind.SCHEDULED and claim.start <= issued_at
        else claim
        for claim in plan.claims
    )
    return structs.replace(plan, claims=claims)


def _timed_as(before: Claim | None, claim: Claim) -> Claim:
    if before is None or (claim.turns is None and claim.start == before.start):
        return claim
    end = min(before.end, claim.end)
    return structs.replace(claim, start=before.start, end=end, turns=None)


def _take_order(held: Holdings, order: Order, kept: Kept, now: datetime) -> Verdict:
    if kept.name in held.orders:
        return Repeated(kept.name, order.claim_id)
    if isinstance(order.message, Play):
        claim = order.message.claim
        if held.place is None or not is_targeted(claim.targets, held.place):
            return Unconcerned()
        if _is_all_quiet(claim, held.policy, now):
            raise RefusedError(Refusal.QUIET_HOURS, claim.claim_id)
    orders = {jti: old for jti, old in held.orders.items() if old.matters_until > now}
    return Accepted(
        replace(held, orders=MappingProxyType({**orders, kept.name: order})), kept, order
    )


def _is_newer(version: int, held_version: int) -> bool:
    """Compare versions of a thing of which only the newest counts.

    Raises:
        RefusedError: It is older than what is held.
    """
    if version < held_version:
        raise RefusedError(Refusal.STALE_VERSION, f"{version} after {held_version}")
    return version > held_version


def _is_all_quiet(claim: Claim, policy: Policy, now: datetime) -> bool:
    """Say whether a claim could not sound at any instant that is left of it."""
    if claim.bulletin_class is BulletinClass.EMERGENCY and claim.mode is Mode.REAL:
        return False
    at = max(now, claim.start)
    while at < claim.end:
        quiet = _quiet_at(policy.quiet, at)
        if quiet is None:
            return False
        at = quiet.end
    return True


def _quiet_at(quiet: Iterable[Interval], at: datetime) -> Interval | None:
    return next((stretch for stretch in quiet if stretch.covers(at)), None)


_NEVER = datetime(9000, 1, 1, tzinfo=UTC)
