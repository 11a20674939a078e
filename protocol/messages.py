"""One frozen model for each message, and how it is written down.

JSON in UTF-8. Instants are ISO 8601 with an offset; durations, lengths and positions are seconds.
Receivers ignore fields they do not know and refuse kinds they do not know.
"""

from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Annotated, TypeVar

import msgspec

from protocol.errors import Refusal, RefusedError
from protocol.ids import CLAIM_ID_PATTERN, DIGEST_PATTERN, ID_PATTERN, KEY_ID_PATTERN

Id = Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]
ClaimIdText = Annotated[str, msgspec.Meta(pattern=CLAIM_ID_PATTERN)]
Digest = Annotated[str, msgspec.Meta(pattern=DIGEST_PATTERN)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Length = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
LEAST_GAIN_DB = -60
GainDb = Annotated[float, msgspec.Meta(ge=LEAST_GAIN_DB, le=0)]
Text = Annotated[str, msgspec.Meta(max_length=500)]

RELAY_PATTERN = r"^https?://[!-~]{1,500}\Z"
ASKED_PATTERN = r"^[0-9a-f]{32,64}\Z"
NONCE_PATTERN = r"^[0-9a-f]{0,64}\Z"
PUBLIC_KEY_PATTERN = r"^[A-Za-z0-9_-]{43}\Z"

MAX_WHOLE = 2**53 - 1
"""Largest whole number that every JSON reader keeps exactly."""

Trouble = Annotated[str, msgspec.Meta(max_length=64)]
Equipment = Annotated[tuple[Trouble, ...], msgspec.Meta(max_length=20)]
Nonce = Annotated[str, msgspec.Meta(pattern=NONCE_PATTERN)]
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_WHOLE)]
Version = Annotated[int, msgspec.Meta(ge=1, le=MAX_WHOLE)]
Turn = Annotated[int, msgspec.Meta(ge=0, le=999)]
Rank = Annotated[int, msgspec.Meta(ge=-MAX_WHOLE, le=MAX_WHOLE)]

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""No claim lies outside: near the ends of the calendar no instant can be reckoned with."""

MAX_PLAIN_BYTES = 64 * 1024
"""Longest message a node sends."""


class BulletinClass(StrEnum):
    """The three classes of Circular 39/2020/TT-BTTTT."""

    ORDINARY = "ordinary"
    PRIORITY = "priority"
    EMERGENCY = "emergency"


class Severity(IntEnum):
    """How grave an emergency is, in the steps of CAP 1.2, the gravest highest."""

    UNKNOWN = 0
    MINOR = 1
    MODERATE = 2
    SEVERE = 3
    EXTREME = 4


class Mode(StrEnum):
    """Whether something is meant, or rehearsed."""

    REAL = "real"
    DRILL = "drill"


class ClaimKind(StrEnum):
    """Where a claim comes from; ``local`` is made by a node for its own talk key, never sent."""

    SCHEDULED = "scheduled"
    ANNOUNCEMENT = "announcement"
    LIVE = "live"
    CHECK = "check"
    LOCAL = "local"


class WhenCut(StrEnum):
    """What becomes of a claim that a higher one displaced, once that one has ended."""

    REJOIN = "rejoin"
    RESUME = "resume"
    DROP = "drop"


class StartMode(StrEnum):
    """How a claim takes over from one that it wins against and that is sounding."""

    CUT = "cut"
    WAIT = "wait"
    NEXT = "next"


class _Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A piece of a message; it holds nothing that could hold it, so no garbage is sought in it."""


class AssetRef(_Wire, frozen=True):
    """An audio file by its digest, with its exact length when decoded."""

    digest: Digest
    duration_s: Length
    size_bytes: Annotated[int, msgspec.Meta(ge=1, le=MAX_WHOLE)]


class Relay(_Wire, frozen=True):
    """A radio station on the internet, which each node pulls by itself."""

    url: Annotated[str, msgspec.Meta(pattern=RELAY_PATTERN)]


class LiveSource(_Wire, frozen=True):
    """Somebody who speaks while the claim lasts; see ``protocol.live`` for how it comes.

    Attributes:
        public_key: Made for this one broadcast, raw Ed25519, base64url without padding.
        delay_s: Every frame is heard this long after it was captured, on all nodes.
        max_length_s: Longest that is spoken, counted from the end of the opening.
        label: What a drill says of itself. Whoever speaks says it first, so it is for nodes that
            join later: they sound it from their own disk before they listen.
    """

    public_key: Annotated[str, msgspec.Meta(pattern=PUBLIC_KEY_PATTERN)]
    delay_s: Annotated[float, msgspec.Meta(ge=0.1, le=5)]
    max_length_s: Annotated[float, msgspec.Meta(ge=1, le=3600)]
    label: AssetRef | None = None


class Content(_Wire, frozen=True):
    """What sounds: an opening once, then the items, all of them ``repeat`` times.

    Attributes:
        relay: Sounds after the opening until the claim ends; then there are no items.
        live: The same for somebody who speaks.

    Raises:
        ValueError: None of items, relay and live, or more than one.
    """

    items: Annotated[tuple[AssetRef, ...], msgspec.Meta(max_length=500)] = ()
    opening: AssetRef | None = None
    repeat: Annotated[int, msgspec.Meta(ge=1, le=50)] = 1
    gap_s: Length = 0.0
    relay: Relay | None = None
    live: LiveSource | None = None

    def __post_init__(self) -> None:
        """Refuse what says nothing, or two things."""
        if bool(self.items) + (self.relay is not None) + (self.live is not None) != 1:
            raise ValueError("content is either items or a relay or live")


class Targets(_Wire, frozen=True):
    """Clusters that are meant: all under ``units``, and ``clusters``, but not ``exclude``."""

    units: tuple[Id, ...] = ()
    clusters: tuple[Id, ...] = ()
    exclude: tuple[Id, ...] = msgspec.field(default=(), name="except")


class Turns(_Wire, frozen=True):
    """How a claim is heard where loudspeakers overlap: in one turn after the other.

    Attributes:
        order: The turns that there are, the first to sound first.
        lasts_s: How long a turn lasts.
        every_s: From the beginning of one turn to that of the next.

    Raises:
        ValueError: A turn comes twice, or begins before the one before it is over.
    """

    order: Annotated[tuple[Turn, ...], msgspec.Meta(min_length=2, max_length=50)]
    lasts_s: Length
    every_s: Length

    def __post_init__(self) -> None:
        """Refuse what would let two sound at once."""
        if len(set(self.order)) < len(self.order) or self.every_s < self.lasts_s:
            raise ValueError("turns follow each other")


class Claim(_Wire, frozen=True):
    """One thing that wants to be heard.

    Attributes:
        claim_id: Slot and start of the occurrence, or the broadcast's id.
        unit: Unit that issued it.
        level: Level of that unit, 0 at the top; smaller is higher.
        bulletin_class: Order of pre-emption.
        issued_at: When it was decided; the later of two equally grave emergencies wins.
        start: First instant of sound.
        end: First instant at which it may no longer sound.
        gain_db: Loudness against the full level, never above 0.
        start_mode: ``cut`` begins at its start; ``wait`` lets the file that is sounding end, at
            most ``wait_s`` seconds; ``next`` lets it end, however long that takes.
        turns: How those that it targets take turns; None: all sound at once.
    """

    claim_id: ClaimIdText
    unit: Id
    level: Annotated[int, msgspec.Meta(ge=0, le=9)]
    bulletin_class: BulletinClass = msgspec.field(name="class")
    kind: ClaimKind
    issued_at: Instant
    start: Instant
    end: Instant
    content: Content
    targets: Targets
    title: Text = ""
    mode: Mode = Mode.REAL
    severity: Severity = Severity.UNKNOWN
    languages: tuple[Annotated[str, msgspec.Meta(max_length=16)], ...] = ()
    gain_db: GainDb = 0.0
    when_cut: WhenCut = WhenCut.REJOIN
    start_mode: StartMode = StartMode.CUT
    wait_s: Length = 0.0
    turns: Turns | None = None

    def covers(self, now: datetime) -> bool:
        """Say whether ``now`` lies in the claim's own time."""
        return self.start <= now < self.end


class Interval(_Wire, frozen=True):
    """A half-open stretch of time."""

    start: Instant
    end: Instant

    def covers(self, now: datetime) -> bool:
        """Say whether ``now`` lies in it."""
        return self.start <= now < self.end


class Frame(Interval, frozen=True):
    """A stretch of time that belongs to one unit's programmes."""

    owner: Id


class Ceiling(Interval, frozen=True):
    """A stretch of time in which nothing but a real emergency may be louder than this."""

    volume_ceiling_db: GainDb


class HushState(_Wire, frozen=True):
    """What a unit has said of one silence; of its words in one mode the highest number counts.

    Attributes:
        hush_id: Names the silence, from the order to be silent to its lift.
        number: Grows with every order to be silent and every lift of the unit.
        until: When it was lifted; None while it lasts.
        spares_emergencies: Whether real emergencies sound all the same.
        lifted_by: Who asked for the lift, and who approved it.

    Raises:
        ValueError: Lifted by fewer than two, or not lifted by some.
    """

    hush_id: ClaimIdText
    number: Version
    since: Instant
    until: Instant | None = None
    mode: Mode = Mode.REAL
    spares_emergencies: bool = False
    by: Text = ""
    reason: Text = ""
    lifted_by: tuple[Text, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a lift that two people did not agree on."""
        if len(self.lifted_by) != len(set(self.lifted_by)) or len(self.lifted_by) not in {0, 2}:
            raise ValueError("a hush is lifted by two people")
        if bool(self.lifted_by) != (self.until is not None):
            raise ValueError("a hush is lifted by whom and when, or lasts")


class Rules(_Wire, frozen=True):
    """What one unit has laid down for the clusters under it."""

    frames: tuple[Frame, ...] = ()
    quiet: tuple[Interval, ...] = ()
    volume_ceiling_db: GainDb = 0.0
    ceilings: tuple[Ceiling, ...] = ()
    hushes: Annotated[tuple[HushState, ...], msgspec.Meta(max_length=2)] = ()


class Plan(_Wire, frozen=True, tag="plan", tag_field="kind"):
    """All that one unit has published for the coming days.

    Attributes:
        turns: Whose turn it is when, by cluster, where a claim is heard in turns; those that are
            not named are in turn 0.

    Raises:
        ValueError: A claim lies centuries away.
    """

    unit: Id
    version: Version
    start: Instant
    end: Instant
    claims: tuple[Claim, ...] = ()
    rules: Rules = Rules()
    ranks: dict[str, Rank] = msgspec.field(default_factory=dict)
    certificates: tuple[str, ...] = ()
    turns: dict[str, Turn] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be reckoned with."""
        for claim in self.claims:
            _check_within_reach(claim.start, claim.end)


class UnitPlace(_Wire, frozen=True):
    """One step of a cluster's chain of units."""

    unit: Id
    level: Annotated[int, msgspec.Meta(ge=0, le=9)]


class TalkKey(_Wire, frozen=True):
    """Who stands at the box may speak by its key and its microphone, without any order.

    Attributes:
        away_s: So long must the broker not have been reached before; 0: it need not be away, and
            quiet hours hold for it. With any other they do not: nobody else could warn then.
        most_s: The longest that is spoken at once, the opening not counted.
        opening: Heard first, where it is on disk.
    """

    away_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)]
    most_s: Annotated[float, msgspec.Meta(ge=5, le=900)]
    opening: AssetRef | None = None


class Config(_Wire, frozen=True, tag="config", tag_field="kind"):
    """What one node must know before it may make a sound.

    Attributes:
        chain: Units above the cluster, from the top down.
        certificates: Tokens by which the root key vouches for the units' keys.
        revoked_keys: Key ids that are no longer trusted, whatever vouches for them.
        audio: Base addresses of the audio files, tried in order.
        pinned: Files kept for good, such as the opening chime.
        delay_s: How much later than by the clock all of the cluster's sound is heard.
        talk_key: When the talk key of the box may be used; None: never.
    """

    node: Id
    cluster: Id
    version: Version
    chain: Annotated[tuple[UnitPlace, ...], msgspec.Meta(min_length=1, max_length=10)]
    certificates: tuple[str, ...]
    revoked_keys: tuple[str, ...] = ()
    groups: tuple[Id, ...] = ()
    languages: tuple[str, ...] = ()
    latitude: float | None = None
    longitude: float | None = None
    volume_ceiling_db: GainDb = 0.0
    audio: tuple[str, ...] = ()
    pinned: tuple[AssetRef, ...] = ()
    delay_s: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    talk_key: TalkKey | None = None


class Play(_Wire, frozen=True, tag="play", tag_field="kind"):
    """Order: sound this claim.

    Raises:
        ValueError: It lies centuries away.
    """

    claim: Claim

    def __post_init__(self) -> None:
        """Refuse what cannot be reckoned with."""
        _check_within_reach(self.claim.start, self.claim.end)


class Stop(_Wire, frozen=True, tag="stop", tag_field="kind"):
    """Order: this claim is over, for good; remembered until ``until``.

    Raises:
        ValueError: That is centuries away.
    """

    claim_id: ClaimIdText
    unit: Id
    until: Instant

    def __post_init__(self) -> None:
        """Refuse what cannot be reckoned with."""
        _check_within_reach(self.until)


class Hush(_Wire, frozen=True, tag="hush", tag_field="kind"):
    """Order: be silent until a lift; the unit's plan says the same, and goes on saying it.

    Raises:
        ValueError: It is lifted already.
    """

    unit: Id
    state: HushState

    def __post_init__(self) -> None:
        """Refuse what says the contrary."""
        if self.state.until is not None:
            raise ValueError("a lifted hush is no hush")


class LiftHush(_Wire, frozen=True, tag="lift-hush", tag_field="kind"):
    """Order: this silence is over.

    Raises:
        ValueError: It still lasts.
    """

    unit: Id
    state: HushState

    def __post_init__(self) -> None:
        """Refuse what says the contrary."""
        if self.state.until is None:
            raise ValueError("a lift says when")


class SoundCheck(_Wire, frozen=True, tag="sound-check", tag_field="kind"):
    """Order to one node: sound this once, so that it is heard whether the loudspeakers work.

    Attributes:
        claim: Real, it gives way to all else; rehearsed, it may cut what is ordinary.

    Raises:
        ValueError: The claim is anything but a check of the unit at this one cluster, or lies
            centuries away.
    """

    unit: Id
    cluster: Id
    claim: Claim

    def __post_init__(self) -> None:
        """Refuse what would be more than a check."""
        claim = self.claim
        is_check = claim.kind is ClaimKind.CHECK and claim.bulletin_class is BulletinClass.ORDINARY
        is_here = claim.unit == self.unit and claim.targets == Targets(clusters=(self.cluster,))
        if not (is_check and is_here and claim.content.items):
            raise ValueError("a sound check is a check at one cluster")
        _check_within_reach(claim.start, claim.end)


class Identify(_Wire, frozen=True, tag="identify", tag_field="kind"):
    """Order to one node: blink the lamps, so that somebody finds the box."""

    unit: Id
    cluster: Id
    order_id: ClaimIdText
    lasts_s: Annotated[float, msgspec.Meta(ge=1, le=300)]


class Restart(_Wire, frozen=True, tag="restart", tag_field="kind"):
    """Order to one node: begin anew, once what sounds has ended or at once."""

    unit: Id
    cluster: Id
    order_id: ClaimIdText
    at_once: bool = False


Upkeep = SoundCheck | Identify | Restart
"""Orders to the one node at a cluster, for whoever looks after it."""


class Acknowledge(_Wire, frozen=True, tag="acknowledge", tag_field="kind"):
    """Order to one node: these reports are safe with the server and may be forgotten."""

    report_ids: Annotated[tuple[str, ...], msgspec.Meta(max_length=500)]


class SignedTime(_Wire, frozen=True, tag="time", tag_field="kind"):
    """Answer to one node that asked the time: it was ``at`` when this was signed.

    Attributes:
        nonce: What the node asked with, so that no older answer is taken for this one.
    """

    nonce: Annotated[str, msgspec.Meta(pattern=ASKED_PATTERN)]
    at: Instant


class Certificate(_Wire, frozen=True, tag="certificate", tag_field="kind"):
    """The root key vouches for a unit's key.

    Attributes:
        public_key: Raw Ed25519 public key, base64url without padding.
        key_id: First 16 hexadecimal digits of the SHA-256 of the raw public key.
        classes: Classes of bulletin that this key may order.
        configures: Whether it may sign configurations, acknowledgements and the time.
    """

    unit: Id
    level: Annotated[int, msgspec.Meta(ge=0, le=9)]
    public_key: Annotated[str, msgspec.Meta(max_length=64)]
    key_id: Annotated[str, msgspec.Meta(pattern=KEY_ID_PATTERN)]
    classes: tuple[BulletinClass, ...]
    configures: bool = False


Signed = (
    Plan
    | Config
    | Play
    | Stop
    | Hush
    | LiftHush
    | SoundCheck
    | Identify
    | Restart
    | Acknowledge
    | SignedTime
    | Certificate
)


class PresenceState(StrEnum):
    """What is known of a node's being there."""

    HERE = "here"
    LEAVING = "leaving"
    LOST = "lost"


class Presence(_Wire, frozen=True, tag="presence", tag_field="kind"):
    """Birth, leave or will of a node.

    Attributes:
        nonce: Asks for the time; empty where it is not asked for.
        equipment: What is wired to its board, by name; None where it does not tell.
    """

    node: Id
    state: PresenceState
    at: Instant | None = None
    software: Text = ""
    config_version: Count = 0
    plan_versions: dict[str, Count] = msgspec.field(default_factory=dict)
    on_air: str = ""
    nonce: Nonce = ""
    equipment: Equipment | None = None


ReportId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Received(_Wire, frozen=True, tag="received", tag_field="kind"):
    """Report: an order was verified and is on disk.

    Attributes:
        claim_id: The claim, the hush or the order it was about.
        message_id: The order's own id, which tells the receipt of a stop from that of a play.
    """

    report_id: ReportId
    claim_id: ClaimIdText
    at: Instant
    message_id: str = ""


class Refused(_Wire, frozen=True, tag="refused", tag_field="kind"):
    """Report: a message was not acted on.

    Attributes:
        topic: Where it came from.
        message_id: The token's own id where it could be read, else the start of its SHA-256.
        claim_id: The claim it was about, where that could be read from a verified token.
        count: How many alike this report stands for.
    """

    report_id: ReportId
    at: Instant
    topic: Text
    reason: Refusal
    message_id: str = ""
    claim_id: str = ""
    detail: Text = ""
    count: Count = 1


class Started(_Wire, frozen=True, tag="started", tag_field="kind"):
    """Report: the first sample sounded at ``at``, from ``position_s`` of the content."""

    report_id: ReportId
    claim_id: ClaimIdText
    at: Instant
    position_s: float = 0.0


class Preempted(_Wire, frozen=True, tag="preempted", tag_field="kind"):
    """Report: a higher claim took the loudspeakers at ``at``."""

    report_id: ReportId
    claim_id: ClaimIdText
    at: Instant
    by: str


class Outcome(StrEnum):
    """How a play ended."""

    PLAYED = "played"
    CUT = "cut"
    STOPPED = "stopped"
    FAILED = "failed"
    MISSED = "missed"


class Segment(Interval, frozen=True):
    """A stretch in which a claim sounded, from ``position_s`` of its content."""

    position_s: float


class FrameTally(_Wire, frozen=True):
    """How the frames of a live broadcast came to a node.

    Attributes:
        heard: Frames that were there in time.
        late: Frames that came after their time.
        missing: Frames that were not there in time; those that came late are among them.
    """

    heard: Count
    late: Count
    missing: Count


class SoundVerdict(StrEnum):
    """What a node's microphone, or a wire from its loudspeaker, says of a sound."""

    HEARD = "heard"
    TOO_QUIET = "too-quiet"
    BUZZING = "buzzing"
    SILENT_HORN = "silent-horn"
    UNCLEAR = "unclear"


class SoundProof(_Wire, frozen=True):
    """What was heard of a claim, held against what was sent to the loudspeaker.

    Attributes:
        verdict: ``heard`` as usual; ``too-quiet``; ``buzzing`` when mains hum is louder;
            ``silent-horn`` when it was not found; ``unclear`` when noise may have covered it.
        sent_dbfs: How loud it was sent, in the band from 300 to 3400 Hz.
        level_dbfs: How loud it was heard in that band; all that was heard where it was not found.
        correlation: How well what was heard follows what was sent.
        delay_s: How much later it was heard than the node meant it to be.
    """

    verdict: SoundVerdict
    sent_dbfs: float
    level_dbfs: float
    correlation: Annotated[float, msgspec.Meta(ge=0, le=1)]
    delay_s: float | None = None


class ChainLink(_Wire, frozen=True):
    """The place of a record in the chain of its node's records; see ``protocol.chain``.

    Attributes:
        chain: Names the chain; a node that has lost its memory begins a new one.
        number: 1 for the first record of the chain, and one more for each.
        previous: Digest of the record before it; 64 zeros in the first.
    """

    chain: Id
    number: Version
    previous: Digest


class AsRun(_Wire, frozen=True, tag="as-run", tag_field="kind"):
    """Report: the one final record of one claim at one cluster.

    Attributes:
        outcome: ``played`` whole; ``cut`` when parts did not sound; ``stopped`` by order;
            ``failed`` or ``missed`` when nothing sounded.
        reason: Why, when the outcome is not ``played``.
        segments: When it sounded, in order; empty when it never did.
        frames: How the frames of a live broadcast came.
        proof: What was heard of it, where the node listens.
        link: Its place among the node's records; None from a node that does not chain them, or
            could not keep it.
    """

    report_id: ReportId
    claim_id: ClaimIdText
    cluster: Id
    at: Instant
    outcome: Outcome
    reason: Text = ""
    segments: tuple[Segment, ...] = ()
    frames: FrameTally | None = None
    proof: SoundProof | None = None
    link: ChainLink | None = None


class Done(_Wire, frozen=True, tag="done", tag_field="kind"):
    """Report: an order that makes no sound was carried out.

    Attributes:
        claim_id: The order.
        detail: With what, where that is not plain.
    """

    report_id: ReportId
    claim_id: ClaimIdText
    at: Instant
    detail: Text = ""


class Alarms(_Wire, frozen=True, tag="alarms", tag_field="kind"):
    """Report: what is amiss at the node; sent at its start and whenever it changes.

    Attributes:
        standing: Every alarm that stands at ``at``, by name; those not named do not stand.
    """

    report_id: ReportId
    at: Instant
    standing: Annotated[tuple[Id, ...], msgspec.Meta(max_length=20)] = ()


ClaimReport = Received | Refused | Started | Preempted | AsRun | Done
"""Reports that are about one claim, or one order."""

Report = ClaimReport | Alarms


class ClockSource(StrEnum):
    """By what a node knows the time."""

    NETWORK = "network"
    SERVER = "server"
    BATTERY = "battery"
    NONE = "none"


class NetworkKind(StrEnum):
    """By what a node reaches the server."""

    ETHERNET = "ethernet"
    WIFI = "wifi"
    MOBILE = "mobile"
    OTHER = "other"


class ToneHeard(_Wire, frozen=True):
    """What became of the newest test tone of a node that listens to its loudspeaker.

    Attributes:
        at: When it sounded.
        verdict: ``heard``, ``silent-horn``, or ``unclear`` when noise may have covered it.
        level_dbfs: How loud it was heard; all that was heard, where it was not found.
        delay_s: How much later it was heard than the node meant it to be.
    """

    at: Instant
    verdict: SoundVerdict
    level_dbfs: float
    delay_s: float | None = None


class Telemetry(_Wire, frozen=True, tag="telemetry", tag_field="kind"):
    """Measurements of a node; a sign of life even when all else is unknown.

    Attributes:
        refused: How many messages were refused since the start, by reason.
        clock_trusted: Whether the node knows the time well enough to keep a schedule by it.
        clock_source: By what it knows the time.
        clock_error_s: How wrong its time may be at most, by its own account.
        nonce: Asks for the time; empty where it is not asked for.
        troubles: What the node cannot do by itself, in codes.
        under_voltage: Whether the supply has sunk too low lately.
        card_wear_percent: How much of its life the memory card has behind it.
        data_month_mb: What went through that network this month, of the node's own calendar.
        data_total_mb: What ever went through its networks; falls only where its disk has forgotten.
        tone: What became of the newest test tone, where the node listens.
    """

    at: Instant
    on_air: str = ""
    level_dbfs: float | None = None
    temperature_c: float | None = None
    disk_free_mb: float | None = None
    refused: dict[str, Count] = msgspec.field(default_factory=dict)
    clock_trusted: bool | None = None
    clock_source: ClockSource | None = None
    clock_error_s: Annotated[float, msgspec.Meta(ge=0)] | None = None
    nonce: Nonce = ""
    troubles: Annotated[tuple[Trouble, ...], msgspec.Meta(max_length=20)] = ()
    memory_free_mb: float | None = None
    under_voltage: bool | None = None
    card_wear_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    network: NetworkKind | None = None
    signal_dbm: float | None = None
    data_month_mb: Annotated[float, msgspec.Meta(ge=0)] | None = None
    data_total_mb: Annotated[float, msgspec.Meta(ge=0, le=1_000_000_000)] | None = None
    tone: ToneHeard | None = None


NodeWord = Presence | Report | Telemetry

M = TypeVar("M")

# Dictionaries are sorted: equal messages must be equal bytes.
_encoder = msgspec.json.Encoder(order="deterministic")
_word_decoder: msgspec.json.Decoder[NodeWord] = msgspec.json.Decoder(NodeWord)


def encode(message: msgspec.Struct) -> bytes:
    """Write a message down; the same message always gives the same bytes."""
    return _encoder.encode(message)


def decode_node_word(payload: bytes) -> NodeWord:
    """Read what a node sent.

    Raises:
        RefusedError: Too large, garbled, or of an unknown kind.
    """
    if len(payload) > MAX_PLAIN_BYTES:
        raise RefusedError(Refusal.TOO_LARGE, f"{len(payload)} bytes")
    return read(_word_decoder, payload)


def read(decoder: msgspec.json.Decoder[M], payload: bytes) -> M:
    """Decode with ``decoder``, telling an unknown kind from what cannot be read at all.

    Raises:
        RefusedError: Garbled or of an unknown kind.
    """
    try:
        return decoder.decode(payload)
    except msgspec.ValidationError as error:
        unknown = "Invalid value" in str(error) and str(error).endswith(
            ("`$.kind`", "`$.msg.kind`")
        )
        refusal = Refusal.UNKNOWN_KIND if unknown else Refusal.GARBLED
        raise RefusedError(refusal, str(error)) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RefusedError(Refusal.GARBLED, str(error)) from error


def _check_within_reach(*instants: datetime) -> None:
    if min(instants) < EARLIEST or max(instants) > LATEST:
        raise ValueError("nothing is said of other centuries")
