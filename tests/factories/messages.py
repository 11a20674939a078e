"""Keys, trust, messages and tokens, with boring defaults and fixed seeds."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import get_args

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from protocol.errors import Refusal
from protocol.messages import (
    Acknowledge,
    Alarms,
    AsRun,
    BulletinClass,
    Certificate,
    ChainLink,
    Claim,
    ClaimKind,
    ClockSource,
    Config,
    Content,
    Done,
    FrameTally,
    Hush,
    HushState,
    Identify,
    LiftHush,
    Mode,
    NetworkKind,
    NodeWord,
    Outcome,
    Plan,
    Play,
    Preempted,
    Presence,
    PresenceState,
    Received,
    Refused,
    Relay,
    Restart,
    Rules,
    Segment,
    Severity,
    Signed,
    SignedTime,
    SoundCheck,
    SoundProof,
    SoundVerdict,
    Started,
    StartMode,
    Stop,
    TalkKey,
    Targets,
    Telemetry,
    ToneHeard,
    Turns,
    UnitPlace,
    WhenCut,
)
from protocol.signing import (
    ROOT_ISSUER,
    SigningKey,
    Trust,
    audience_node,
    audience_unit,
    certify,
    public_text,
    sign,
    trust,
)
from tests.factories.claims import (
    CLUSTER,
    COMMUNE,
    NODE,
    NOON,
    PROVINCE,
    VILLAGE,
    a_claim,
    a_content,
    a_frame,
    an_announcement,
    an_asset,
    an_interval,
    at,
)
from tests.factories.live import a_live_claim

A_YEAR = timedelta(days=365)
A_MINUTE = timedelta(minutes=1)
A_NONCE = "0123456789abcdef" * 2
ALL_CLASSES = tuple(BulletinClass)


def a_key(issuer: str = COMMUNE, seed: str | None = None) -> SigningKey:
    """Make the key of ``issuer``; the same seed always gives the same key."""
    digest = hashlib.sha256(f"key of {seed or issuer}".encode()).digest()
    return SigningKey(issuer, Ed25519PrivateKey.from_private_bytes(digest))


ROOT_KEY = a_key(ROOT_ISSUER)
PROVINCE_KEY = a_key(PROVINCE)
COMMUNE_KEY = a_key(COMMUNE)


def a_certificate(key: SigningKey = COMMUNE_KEY, **overrides: object) -> Certificate:
    """Make what the root key says of ``key``: every class; at the top, configuring too."""
    at_top = key.issuer == PROVINCE
    boring = Certificate(
        unit=key.issuer,
        level=0 if at_top else 1,
        public_key=public_text(key.private.public_key()),
        key_id=key.key_id,
        classes=ALL_CLASSES,
        configures=at_top,
    )
    return replace(boring, **overrides)


def a_certified(
    key: SigningKey = COMMUNE_KEY,
    root: SigningKey = ROOT_KEY,
    issued_at: datetime = NOON,
    **overrides: object,
) -> str:
    """Make the token by which ``root`` vouches for ``key``, for a year."""
    certificate = a_certificate(key, **overrides)
    return certify(root, certificate, issued_at=issued_at, expires=issued_at + A_YEAR).decode()


def a_trust(*certificates: str, revoked: Iterable[str] = ()) -> Trust:
    """Make what a node believes: the province and the commune, unless told otherwise."""
    handed = certificates or (a_certified(PROVINCE_KEY), a_certified(COMMUNE_KEY))
    return trust(ROOT_KEY.private.public_key(), handed, frozenset(revoked))


def a_plan(**overrides: object) -> Plan:
    """Make the commune's plan of a day, with nothing in it."""
    return replace(Plan(unit=COMMUNE, version=1, start=at(-720), end=at(720)), **overrides)


def a_config(**overrides: object) -> Config:
    """Make the configuration of the node at the cluster of a commune in a province."""
    boring = Config(
        node=NODE,
        cluster=CLUSTER,
        version=1,
        chain=(UnitPlace(unit=PROVINCE, level=0), UnitPlace(unit=COMMUNE, level=1)),
        certificates=(a_certified(PROVINCE_KEY), a_certified(COMMUNE_KEY)),
    )
    return replace(boring, **overrides)


def a_play(**overrides: object) -> Play:
    """Make an order to sound an announcement; overrides go to its claim."""
    return Play(claim=an_announcement(**overrides))


def a_stop(**overrides: object) -> Stop:
    """Make an order that ends the announcement."""
    return replace(Stop(claim_id="khan-1", unit=COMMUNE, until=at(10)), **overrides)


def a_hush_state(**overrides: object) -> HushState:
    """Make what a unit says of a silence that began at noon and lasts."""
    return replace(HushState(hush_id="im-1", number=1, since=NOON), **overrides)


def a_lifted_state(**overrides: object) -> HushState:
    """Make what a unit says of that silence once it is over."""
    lifted = {"number": 2, "until": at(5), "lifted_by": ("phat-thanh", "quan-tri")}
    return a_hush_state(**{**lifted, **overrides})


def a_hush(unit: str = COMMUNE, **overrides: object) -> Hush:
    """Make an order to be silent."""
    return Hush(unit=unit, state=a_hush_state(**overrides))


def a_lift(unit: str = COMMUNE, **overrides: object) -> LiftHush:
    """Make an order that ends the silence."""
    return LiftHush(unit=unit, state=a_lifted_state(**overrides))


def a_sound_check(cluster: str = CLUSTER, **overrides: object) -> SoundCheck:
    """Make an order to try the loudspeakers of a cluster; overrides go to its claim."""
    here = Targets(clusters=(cluster,))
    about = {"claim_id": "kt-1", "kind": ClaimKind.CHECK, "targets": here, "end": at(1)}
    return SoundCheck(unit=COMMUNE, cluster=cluster, claim=a_claim(**about | overrides))


def an_identify(cluster: str = CLUSTER, **overrides: object) -> Identify:
    """Make an order to blink the lamps."""
    boring = Identify(unit=COMMUNE, cluster=cluster, order_id="kt-2", lasts_s=30.0)
    return replace(boring, **overrides)


def a_restart(cluster: str = CLUSTER, **overrides: object) -> Restart:
    """Make an order to begin anew."""
    boring = Restart(unit=COMMUNE, cluster=cluster, order_id="kt-3")
    return replace(boring, **overrides)


def an_acknowledge(*report_ids: str) -> Acknowledge:
    """Make the server's word that reports are safe with it."""
    return Acknowledge(report_ids=report_ids or ("bao-1",))


def a_token(
    message: Signed | None = None,
    key: SigningKey = COMMUNE_KEY,
    *,
    audience: Iterable[str] | None = None,
    issued_at: datetime = NOON,
    expires: datetime | None = None,
    message_id: str = "lenh-1",
) -> bytes:
    """Sign a message (an order to play, unless told) to the commune's nodes, for ten minutes."""
    return sign(
        key,
        a_play() if message is None else message,
        audience=(audience_unit(COMMUNE),) if audience is None else audience,
        issued_at=issued_at,
        expires=issued_at + 10 * A_MINUTE if expires is None else expires,
        token_id=message_id,
    )


def kinds(union: object) -> tuple[type[msgspec.Struct], ...]:
    """List the models of a union of messages."""
    return get_args(union)


def a_full_claim() -> Claim:
    """Make a claim of which every field says something."""
    return a_claim(
        claim_id="lu-2026-11-21",
        unit=PROVINCE,
        level=0,
        bulletin_class=BulletinClass.EMERGENCY,
        kind=ClaimKind.LIVE,
        content=a_content(
            items=(an_asset("speech"), an_asset("speech in Thai")),
            opening=an_asset("chime", duration_s=3.5, size_bytes=14_000),
            repeat=3,
            gap_s=2.5,
        ),
        targets=Targets(units=(COMMUNE, VILLAGE), clusters=("cum-9",), exclude=("cum-2",)),
        title="Lũ lên nhanh",
        mode=Mode.DRILL,
        severity=Severity.EXTREME,
        languages=("vi", "tai"),
        gain_db=-6.0,
        when_cut=WhenCut.RESUME,
    )


def a_full_hush() -> Hush:
    """Make an order to be silent of which every field says something, but those of a lift."""
    words = {"by": "phat-thanh", "reason": "Tài khoản bị lộ"}
    return a_hush(mode=Mode.DRILL, spares_emergencies=True, **words)


def a_full_lift() -> LiftHush:
    """Make an order that ends a silence, of which every field says something."""
    return LiftHush(
        unit=COMMUNE,
        state=replace(
            a_full_hush().state, number=2, until=at(5), lifted_by=("phat-thanh", "quan-tri")
        ),
    )


def one_of_each() -> dict[str, msgspec.Struct]:
    """Make one message of each kind, with every field filled in, by kind."""
    plan = a_plan(
        claims=(a_claim(), replace(a_full_claim(), unit=COMMUNE, level=1)),
        rules=Rules(
            frames=(a_frame(COMMUNE, 0, 60),),
            quiet=(an_interval(600, 1020),),
            volume_ceiling_db=-3.0,
        ),
        ranks={"tin-2": 2, "tin-1": 1},
        certificates=(a_certified(),),
    )
    config = a_config(
        version=3,
        revoked_keys=("0123456789abcdef",),
        groups=("huyen-cu-1",),
        languages=("vi", "tai"),
        latitude=21.3891,
        longitude=103.0169,
        volume_ceiling_db=-1.5,
        audio=("https://loa.example/api/v1/assets",),
        pinned=(an_asset("chime", duration_s=3.5, size_bytes=14_000),),
    )
    segments = (
        Segment(start=NOON, end=at(2), position_s=0.0),
        Segment(start=at(3), end=at(10), position_s=180.0),
    )
    messages: tuple[msgspec.Struct, ...] = (
        plan,
        config,
        Play(claim=a_full_claim()),
        a_stop(),
        a_full_hush(),
        a_full_lift(),
        a_sound_check(mode=Mode.DRILL, title="Thử loa", gain_db=-24.0),
        an_identify(),
        a_restart(at_once=True),
        an_acknowledge("bao-1", "bao-2"),
        SignedTime(nonce=A_NONCE, at=at(0.5)),
        a_certificate(PROVINCE_KEY),
        Presence(
            node=NODE,
            state=PresenceState.HERE,
            at=NOON,
            software="loalang 0.1.0",
            config_version=3,
            plan_versions={PROVINCE: 12, COMMUNE: 7},
            on_air="tin-1",
        ),
        Received(report_id="bao-1", claim_id="khan-1", at=NOON, message_id="lenh-1"),
        Refused(
            report_id="bao-2",
            at=NOON,
            topic="loa/1/unit/xa-1/order",
            reason=Refusal.OUT_OF_SCOPE,
            message_id="lenh-9",
            claim_id="khan-9",
            detail="xa-2 is not above this cluster",
            count=2,
        ),
        Started(report_id="bao-3", claim_id="khan-1", at=at(0.01), position_s=1.5),
        Preempted(report_id="bao-4", claim_id="tin-1", at=at(2), by="khan-1"),
        AsRun(
            report_id="bao-5",
            claim_id="tin-1",
            cluster=CLUSTER,
            at=at(10),
            outcome=Outcome.CUT,
            reason="preempted:khan-1",
            segments=segments,
        ),
        Done(report_id="bao-7", claim_id="kt-2", at=at(0.1), detail="lamps"),
        Alarms(report_id="bao-6", at=NOON, standing=("door", "mains-lost")),
        Telemetry(
            at=NOON,
            on_air="tin-1",
            level_dbfs=-18.5,
            temperature_c=51.25,
            disk_free_mb=2048.0,
            refused={"forged": 1, "expired": 2},
            clock_trusted=True,
        ),
    )
    return {str(message.__struct_config__.tag): message for message in messages}


def signed_one_of_each() -> dict[str, bytes]:
    """Sign one message of each kind that is signed, by the key that may, by kind."""
    signed = {k: m for k, m in one_of_each().items() if isinstance(m, Signed)}
    signers = {
        "plan": (COMMUNE_KEY, audience_unit(COMMUNE)),
        "config": (PROVINCE_KEY, audience_node(NODE)),
        "play": (PROVINCE_KEY, audience_unit(COMMUNE)),
        "stop": (COMMUNE_KEY, audience_unit(COMMUNE)),
        "hush": (COMMUNE_KEY, audience_unit(COMMUNE)),
        "lift-hush": (COMMUNE_KEY, audience_unit(COMMUNE)),
        "sound-check": (COMMUNE_KEY, audience_node(NODE)),
        "identify": (COMMUNE_KEY, audience_node(NODE)),
        "restart": (COMMUNE_KEY, audience_node(NODE)),
        "acknowledge": (PROVINCE_KEY, audience_node(NODE)),
        "time": (PROVINCE_KEY, audience_node(NODE)),
    }
    tokens = {
        kind: a_token(signed[kind], key, audience=(audience,), message_id=f"{kind}-1")
        for kind, (key, audience) in signers.items()
    }
    return {**tokens, "certificate": a_certified(PROVINCE_KEY).encode()}


def additions() -> dict[str, Plan | Play | Config]:
    """Make what fields say that came after the first messages of the version were fixed."""
    relay = Content(relay=Relay(url="https://dai.example/truc-tiep.m3u8"))
    waits = a_claim(
        claim_id="tiep-song", content=relay, start_mode=StartMode.WAIT, wait_s=90.5, end=at(30)
    )
    follows = a_claim(claim_id="ke-tiep", start_mode=StartMode.NEXT, start=at(30), end=at(40))
    hushes = (a_lifted_state(), a_hush_state(hush_id="tap-1", number=3, mode=Mode.DRILL))
    in_turns = a_claim(end=at(40), turns=Turns(order=(0, 1, 2), lasts_s=600, every_s=602.5))
    return {
        "plan-of-a-relay-and-start-modes": a_plan(claims=(waits, follows)),
        "plan-of-a-hush": a_plan(rules=Rules(hushes=hushes)),
        "play-of-somebody-who-speaks": Play(claim=a_live_claim()),
        "config-of-a-delay": a_config(delay_s=0.25),
        "plan-of-turns": a_plan(claims=(in_turns,), turns={CLUSTER: 1, "cum-2": 2}),
        "config-of-a-talk-key": a_config(
            talk_key=TalkKey(away_s=600.0, most_s=120.0, opening=an_asset("chuong", duration_s=3.5))
        ),
    }


def added_words() -> dict[str, AsRun | Presence | Telemetry]:
    """Make what fields of a node's words say that came later."""
    frames = FrameTally(heard=4200, late=12, missing=15)
    clock = {"clock_source": ClockSource.SERVER, "clock_error_s": 0.125}
    machine = {
        "memory_free_mb": 310.5,
        "under_voltage": True,
        "card_wear_percent": 30,
        "network": NetworkKind.MOBILE,
        "signal_dbm": -71.0,
        "data_month_mb": 812.5,
    }
    words = one_of_each()
    proof = SoundProof(
        verdict=SoundVerdict.TOO_QUIET,
        sent_dbfs=-18.5,
        level_dbfs=-41.0,
        correlation=0.75,
        delay_s=0.06,
    )
    tone = ToneHeard(at=NOON, verdict=SoundVerdict.HEARD, level_dbfs=-54.5, delay_s=0.021)
    link = ChainLink(chain="chuoi-1", number=7, previous="0f" * 32)
    return {
        "as-run-of-a-live-broadcast": replace(words["as-run"], frames=frames),
        "as-run-that-was-heard": replace(words["as-run"], proof=proof),
        "as-run-in-a-chain": replace(words["as-run"], link=link),
        "presence-that-asks-the-time": replace(words["presence"], nonce=A_NONCE),
        "presence-of-equipment": replace(words["presence"], equipment=("lamps", "talk-key")),
        "telemetry-of-troubles": replace(
            words["telemetry"], troubles=("audio-does-not-fit", "disk-full")
        ),
        "telemetry-of-a-machine": replace(words["telemetry"], **machine),
        "telemetry-of-all-data": replace(words["telemetry"], data_total_mb=10_812.5),
        "telemetry-of-a-test-tone": replace(words["telemetry"], tone=tone),
        "telemetry-of-a-clock": replace(words["telemetry"], nonce=A_NONCE, **clock),
    }


def signed_additions() -> dict[str, bytes]:
    """Sign the additions by the key that may."""
    node = {"key": PROVINCE_KEY, "audience": (audience_node(NODE),)}
    return {
        name: a_token(said, message_id=name, **(node if isinstance(said, Config) else {}))
        for name, said in additions().items()
    }


def all_kinds() -> dict[str, type[msgspec.Struct]]:
    """List every model that travels on its own, by kind."""
    models = (*kinds(Signed), *kinds(NodeWord))
    return {str(model.__struct_config__.tag): model for model in models}


def audiences() -> frozenset[str]:
    """Name whom the node at hand listens as."""
    return frozenset((audience_unit(PROVINCE), audience_unit(COMMUNE), audience_node(NODE)))
