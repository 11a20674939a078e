"""What a node is told: by the file it joined with, by its board profile, and on the spot.

This module owns the format of both files; whoever writes one conforms to what it accepts.
"""

import os
import stat
import tomllib
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import time
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlsplit

import msgspec

from edge.errors import BadSettingError
from protocol.ids import ID_PATTERN

FORMAT = 1
DEFAULT_STATE_DIR = Path("/var/lib/loalang-node")
_KEY_BYTES = 32
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_SAID = {
    "state",
    "output",
    "board",
    "tls_ca",
    "cache_limit_mb",
    "near_stations",
    "schedule_without_clock",
    "fetch_spread_s",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One broker, and how it is spoken to."""

    host: str
    port: int
    tls: bool
    mqtt5: bool


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact between a pin and ground that tells of something amiss.

    Attributes:
        alarm: Name of the alarm, as the protocol has it.
        open_is_alarm: Whether the alarm stands while the contact is open.
    """

    alarm: str
    pin: int
    open_is_alarm: bool


@dataclass(frozen=True, slots=True)
class SilenceKey:
    """A key between a pin and ground, by which whoever stands there silences the loudspeakers."""

    pin: int
    minutes: int


@dataclass(frozen=True, slots=True)
class TalkInput:
    """A key between a pin and ground, by which whoever stands there speaks, and their microphone.

    Attributes:
        input: Where from: ``alsa``, ``alsa:DEVICE``, ``pulse`` or ``pulse:SOURCE``.
        gain_db: How much louder than it is recorded it is heard.
    """

    pin: int
    input: str
    gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Fan:
    """A fan: on from ``on_c`` of the processor's temperature, off again below ``off_c``."""

    pin: int
    on_c: float
    off_c: float


@dataclass(frozen=True, slots=True)
class Lamp:
    """A lamp, and what it shows: ``network``, ``sound`` or ``alarm``."""

    shows: str
    pin: int


@dataclass(frozen=True, slots=True)
class ListeningInput:
    """How a node hears its own loudspeaker.

    Attributes:
        input: Where from: ``alsa``, ``alsa:DEVICE``, ``pulse`` or ``pulse:SOURCE``.
        gain_db: What is heard against what is sent; None: the node learns it.
        unordered_db: From which level on sound that nobody ordered is told; None: it is not.
        tone_at: When the test tone falls due each day, by the clock on the wall; None: never.
        tone_db: How quiet the tone is, against full scale.
    """

    input: str
    gain_db: float | None
    unordered_db: float | None
    tone_at: time | None = time(4, 30)
    tone_db: float = -30.0


@dataclass(frozen=True, slots=True)
class Board:
    """How one kind of node is wired.

    Attributes:
        amplifier_pin: GPIO number of the relay; None where nothing is wired.
        active_high: Whether the relay closes at a high level.
        lead_s: Time from closing the relay until the amplifier passes sound.
        cool_down_s: How long the relay stays closed after the last sound.
        output: Sound device, when nobody names another.
        listening: How it hears its own loudspeaker, if it does.
    """

    name: str = "none"
    amplifier_pin: int | None = None
    active_high: bool = True
    lead_s: float = 0.0
    cool_down_s: float = 0.5
    output: str = "alsa"
    contacts: tuple[Contact, ...] = ()
    silence_key: SilenceKey | None = None
    talk_key: TalkInput | None = None
    lamps: tuple[Lamp, ...] = ()
    fan: Fan | None = None
    listening: ListeningInput | None = None

    @property
    def equipment(self) -> tuple[str, ...]:
        """Name what is wired, as the protocol has it."""
        others = {
            "amplifier": self.amplifier_pin is not None,
            "silence-key": self.silence_key is not None,
            "talk-key": self.talk_key is not None,
            "lamps": bool(self.lamps),
            "fan": self.fan is not None,
            "listening": self.listening is not None,
        }
        found = {name for name, is_there in others.items() if is_there}
        return tuple(sorted(found | {contact.alarm for contact in self.contacts}))

    @property
    def pins(self) -> tuple[tuple[str, int], ...]:
        """Each pin that is wired, with the place in the profile that names it."""
        wired = [
            *((f"contacts.{one.alarm}", one.pin) for one in self.contacts),
            *((f"lamps.{one.shows}", one.pin) for one in self.lamps),
        ]
        if self.amplifier_pin is not None:
            wired.append(("amplifier", self.amplifier_pin))
        if self.silence_key is not None:
            wired.append(("silence_key", self.silence_key.pin))
        if self.talk_key is not None:
            wired.append(("talk_key", self.talk_key.pin))
        if self.fan is not None:
            wired.append(("fan", self.fan.pin))
        return tuple(wired)


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """All that one node program is told before it has spoken to anybody.

    Attributes:
        node: The node's id.
        secret: Password at broker and audio server.
        root_key: Raw public key that vouches for everything else.
        mqtt: Brokers, tried in turn.
        audio: Base addresses of audio files, tried in order.
        state_dir: Where the node keeps what it must not forget.
        output: Sound device by name.
        board: How the node is wired.
        tls_ca: Certificates that vouch for the servers; the system's when None.
        cache_limit_mb: Space that audio may take.
        near_stations: Whether a relay may be on this machine, or on its own wire.
        schedule_without_clock: Whether what is scheduled begins by a clock that nothing vouches
            for; else it waits.
        fetch_spread_s: Longest that a file which is not urgent waits at random.
    """

    node: str
    secret: str = field(repr=False)
    root_key: bytes
    mqtt: tuple[Endpoint, ...]
    audio: tuple[str, ...]
    state_dir: Path = DEFAULT_STATE_DIR
    output: str = "alsa"
    board: Board = Board()
    tls_ca: Path | None = None
    cache_limit_mb: int = 2000
    near_stations: bool = False
    schedule_without_clock: bool = False
    fetch_spread_s: int = 300


@dataclass(frozen=True, slots=True)
class Overrides:
    """What is said on the spot, over what the files say."""

    state_dir: Path | None = None
    output: str | None = None
    board: str | None = None
    tls_ca: Path | None = None
    cache_limit_mb: int | None = None
    near_stations: bool | None = None
    schedule_without_clock: bool | None = None
    fetch_spread_s: int | None = None

    def over(self, other: "Overrides") -> "Overrides":
        """Take what is said here, and the rest from ``other``."""
        return Overrides(
            state_dir=self.state_dir or other.state_dir,
            output=self.output or other.output,
            board=self.board or other.board,
            tls_ca=self.tls_ca or other.tls_ca,
            cache_limit_mb=self.cache_limit_mb or other.cache_limit_mb,
            near_stations=other.near_stations if self.near_stations is None else self.near_stations,
            schedule_without_clock=other.schedule_without_clock
            if self.schedule_without_clock is None
            else self.schedule_without_clock,
            fetch_spread_s=other.fetch_spread_s
            if self.fetch_spread_s is None
            else self.fetch_spread_s,
        )


class _NodeFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Literal[1]
    node: Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]
    secret: Annotated[str, msgspec.Meta(min_length=16, max_length=200)]
    root_key: str
    mqtt: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    audio: tuple[str, ...] = ()
    state_dir: str | None = None


_Pin = Annotated[int, msgspec.Meta(ge=0, le=27)]


class _Amplifier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pin: _Pin
    active_high: bool = True
    lead_s: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.0
    cool_down_s: Annotated[float, msgspec.Meta(ge=0.2, le=60)] = 0.5


class _Contact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pin: _Pin
    alarm_when: Literal["open", "closed"]


class _SilenceKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pin: _Pin
    minutes: Annotated[int, msgspec.Meta(ge=1, le=240)] = 30


_SOURCE_PATTERN = r"^(alsa|pulse)(:.+)?\Z"


class _TalkKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pin: _Pin
    input: Annotated[str, msgspec.Meta(pattern=_SOURCE_PATTERN)]
    gain_db: Annotated[float, msgspec.Meta(ge=-40, le=40)] = 0.0


class _Fan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pin: _Pin
    on_c: Annotated[float, msgspec.Meta(ge=20, le=90)] = 65.0
    off_c: Annotated[float, msgspec.Meta(ge=20, le=90)] = 55.0


_Db = Annotated[float, msgspec.Meta(ge=-100, le=100)]
_LINE_LOUD_DB = -35.0


class _Listening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    input: Annotated[str, msgspec.Meta(pattern=_SOURCE_PATTERN)]
    hears: Literal["microphone", "line"]
    gain_db: _Db | None = None
    unordered_db: _Db | None = None
    tone_at: Annotated[str, msgspec.Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|never)\Z")] = "04:30"
    tone_db: Annotated[float, msgspec.Meta(ge=-60, le=0)] = -30.0


class _Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Literal[1]
    name: Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]
    output: str = "alsa"
    amplifier: _Amplifier | None = None
    contacts: dict[Literal["amplifier-fault", "door", "mains-lost"], _Contact] = {}
    silence_key: _SilenceKey | None = None
    talk_key: _TalkKey | None = None
    lamps: dict[Literal["network", "sound", "alarm"], _Pin] = {}
    fan: _Fan | None = None
    listening: _Listening | None = None


def environment() -> Mapping[str, str]:
    """Give the program's environment, for ``overrides_from`` and the watchdog's address."""
    return dict(os.environ)  # noqa: TID251 - this is the module that reads it


def overrides_from(environment: Mapping[str, str]) -> Overrides:
    """Read what the environment says, under names that begin with ``LOA_NODE_``.

    Raises:
        BadSettingError: A name is unknown, or a number is none.
    """
    said = {
        name.removeprefix("LOA_NODE_").lower(): value
        for name, value in environment.items()
        if name.startswith("LOA_NODE_")
    }
    unknown = said.keys() - _SAID
    if unknown:
        raise BadSettingError(f"LOA_NODE_{min(unknown).upper()}", "is not a setting of the node")
    return Overrides(
        state_dir=Path(said["state"]) if "state" in said else None,
        output=said.get("output"),
        board=said.get("board"),
        tls_ca=Path(said["tls_ca"]) if "tls_ca" in said else None,
        cache_limit_mb=_said_number(said, "cache_limit_mb", least=1),
        fetch_spread_s=_said_number(said, "fetch_spread_s", least=0),
        near_stations=_said_yes(said, "near_stations"),
        schedule_without_clock=_said_yes(said, "schedule_without_clock"),
    )


def load(node_file: Path, overrides: Overrides) -> NodeSettings:
    """Read the node file and the board profile, and put the overrides on top.

    Raises:
        BadSettingError: A file cannot be read, is open to others, or says something unusable.
    """
    try:
        mode = node_file.stat().st_mode
        raw = node_file.read_bytes()
    except OSError as error:
        raise BadSettingError(str(node_file), str(error)) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadSettingError(str(node_file), "holds a secret and is readable by others")
    settings = parse_node_file(raw)
    board = Board(output="alsa")
    if overrides.board is not None and overrides.board != "none":
        board = load_board(Path(overrides.board))
    return replace(
        settings,
        board=board,
        output=overrides.output or board.output,
        state_dir=overrides.state_dir or settings.state_dir,
        tls_ca=overrides.tls_ca,
        cache_limit_mb=overrides.cache_limit_mb or settings.cache_limit_mb,
        near_stations=overrides.near_stations or False,
        schedule_without_clock=overrides.schedule_without_clock or False,
        fetch_spread_s=settings.fetch_spread_s
        if overrides.fetch_spread_s is None
        else overrides.fetch_spread_s,
    )


def parse_node_file(raw: bytes) -> NodeSettings:
    """Read a node file's text.

    Raises:
        BadSettingError: It is not one.
    """
    try:
        said = msgspec.json.decode(raw, type=_NodeFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadSettingError("node file", str(error)) from error
    return NodeSettings(
        node=said.node,
        secret=said.secret,
        root_key=_root_key(said.root_key),
        mqtt=tuple(parse_endpoint(url) for url in said.mqtt),
        audio=tuple(_audio_base(url) for url in said.audio),
        state_dir=Path(said.state_dir) if said.state_dir else DEFAULT_STATE_DIR,
    )


def parse_endpoint(url: str) -> Endpoint:
    """Read ``mqtt[s]://host[:port][?version=5|3]``.

    Raises:
        BadSettingError: It is not an address of a broker.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        query = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError as error:
        raise BadSettingError("mqtt", f"{url}: {error}") from error
    version = query.pop("version", "5")
    usable = parts.scheme in _PORTS and parts.hostname and not query and not parts.username
    if not usable or parts.path not in {"", "/"} or version not in {"3", "5"}:
        raise BadSettingError("mqtt", f"{url} is not mqtt[s]://host[:port][?version=5|3]")
    return Endpoint(
        host=parts.hostname or "",
        port=port or _PORTS[parts.scheme],
        tls=parts.scheme == "mqtts",
        mqtt5=version == "5",
    )


def load_board(path: Path) -> Board:
    """Read a board profile.

    Raises:
        BadSettingError: It cannot be read, or says something unusable.
    """
    try:
        said = msgspec.convert(tomllib.loads(path.read_text("utf-8")), type=_Profile)
    except (OSError, ValueError) as error:
        # Covers TOML and validation errors, which are both kinds of ValueError.
        raise BadSettingError(str(path), str(error)) from error
    board = Board(
        name=said.name,
        output=said.output,
        contacts=tuple(
            Contact(name, one.pin, open_is_alarm=one.alarm_when == "open")
            for name, one in said.contacts.items()
        ),
        lamps=tuple(Lamp(name, pin) for name, pin in said.lamps.items()),
    )
    if (key := said.silence_key) is not None:
        board = replace(board, silence_key=SilenceKey(key.pin, key.minutes))
    if (talk := said.talk_key) is not None:
        board = replace(board, talk_key=TalkInput(talk.pin, talk.input, talk.gain_db))
    if (fan := said.fan) is not None:
        if fan.off_c >= fan.on_c:
            raise BadSettingError(str(path), f"fan.off_c {fan.off_c} is not below {fan.on_c}")
        board = replace(board, fan=Fan(fan.pin, fan.on_c, fan.off_c))
    if (ear := said.listening) is not None:
        # A wire hears the horn and nothing else; a microphone hears whoever sings below it.
        loud_db = _LINE_LOUD_DB if ear.hears == "line" else None
        loud_db = loud_db if ear.unordered_db is None else ear.unordered_db
        at = None if ear.tone_at == "never" else time.fromisoformat(ear.tone_at)
        heard = ListeningInput(ear.input, ear.gain_db, loud_db, at, ear.tone_db)
        board = replace(board, listening=heard)
    if (wired := said.amplifier) is not None:
        board = replace(
            board,
            amplifier_pin=wired.pin,
            active_high=wired.active_high,
            lead_s=wired.lead_s,
            cool_down_s=wired.cool_down_s,
        )
    _demand_a_pin_each(path, board)
    return board


def _demand_a_pin_each(path: Path, board: Board) -> None:
    held: dict[int, str] = {}
    for name, pin in board.pins:
        if pin in held:
            raise BadSettingError(str(path), f"pin {pin} is both {held[pin]} and {name}")
        held[pin] = name


def _root_key(text: str) -> bytes:
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise BadSettingError("root_key", "is not base64url") from error
    if len(raw) != _KEY_BYTES:
        raise BadSettingError("root_key", f"is {len(raw)} bytes long, not {_KEY_BYTES}")
    return raw


def _audio_base(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadSettingError("audio", f"{url} is not an http address")
    return url.rstrip("/")


def _said_number(said: Mapping[str, str], name: str, *, least: int) -> int | None:
    text = said.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or int(text) < least:
        name = f"LOA_NODE_{name.upper()}"
        raise BadSettingError(name, f"{text} is no whole number from {least} on")
    return int(text)


def _said_yes(said: Mapping[str, str], name: str) -> bool | None:
    text = said.get(name)
    if text not in {None, "yes", "no"}:
        raise BadSettingError(f"LOA_NODE_{name.upper()}", f"{text} is neither yes nor no")
    return None if text is None else text == "yes"
