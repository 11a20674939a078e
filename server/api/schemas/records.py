"""The record of an announcement as programs are given it."""

from server.api.schemas.broadcasts import AlertAnswer, BroadcastAnswer
from server.api.schemas.common import Answer, Instant


class DeedAnswer(Answer):
    """What somebody did: ``asked``, ``confirmed``, ``sent`` or ``stopped``."""

    act: str
    at: Instant
    login: str
    name: str


class SaidAnswer(Answer):
    """One file of an announcement, with its text where one was spoken."""

    digest: str
    title: str
    purpose: str
    language: str
    length_s: float
    text: str
    turns: int


class HeardAnswer(Answer):
    """A piece that was heard; without a digest somebody spoke."""

    digest: str
    start: Instant
    end: Instant
    is_whole: bool


class WitnessAnswer(Answer):
    """What became of it at a cluster; ``is_own_word``: its node has said so."""

    cluster_id: str
    name: str
    village: str
    unit_name: str
    received_at: Instant | None
    outcome: str
    reason: str
    is_own_word: bool
    heard: list[HeardAnswer]


class RecordAnswer(Answer):
    """Everything that is known of an announcement; it grows until ``is_complete``."""

    broadcast: BroadcastAnswer
    unit_name: str
    places: list[str]
    but: list[str]
    order_digest: str
    is_complete: bool
    sounded: int
    first_sound_at: Instant | None
    last_sound_at: Instant | None
    deeds: list[DeedAnswer]
    said: list[SaidAnswer]
    told: list[AlertAnswer]
    clusters: list[WitnessAnswer]
