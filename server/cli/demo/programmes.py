"""Hours and programmes for whoever looks at the demo: some every day, some in a minute."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from threading import Event

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.cli.demo import province
from server.cli.demo.hours import CLOSED_MIN, FRAMES
from server.cli.demo.seed import DEMO, prepared_music
from server.cli.operator import Installation, open_installation
from server.cli.warning import speak_all
from server.domain.errors import SlotRefusedError
from server.domain.recurrence import LOCAL, local_day
from server.services import catalogue, framing, scheduling
from server.services.prepared_warnings import templates
from server.settings import Settings
from server.store.models import AssetRow
from server.store.queries.lists import slots_of

MUSIC_S = 90.0

_MUSIC_FILE = "nhac-mau.wav"
_SOON_S = 60
_SOON_TITLE = "Chương trình của tỉnh"
_TRIES = CLOSED_MIN + 10

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Programme:
    unit_id: str
    title: str
    start: datetime


def _at(hour: int, minute: int) -> datetime:
    """Make a local time of day, on a day that does not matter."""
    return datetime(2026, 1, 1, hour, minute, tzinfo=LOCAL)


_EVERY_DAY = (
    _Programme(province.PROVINCE, "Thời sự sáng", _at(5, 0)),
    *(
        _Programme(commune.unit_id, f"Bản tin {commune.name}", _at(5, 30))
        for commune in province.COMMUNES
    ),
    _Programme(province.PROVINCE, "Thời sự chiều", _at(17, 0)),
    _Programme(province.DONG_VAN, "Dân ca Mông", _at(17, 30)),
    _Programme(province.VI_XUYEN, "Nông vụ", _at(17, 30)),
)


def put_on_programmes(settings: Settings, now: datetime) -> None:
    """Give the day hours, and programmes: daily ones once, and ones that begin in a minute."""
    with open_installation(settings) as installation:
        _put_on(installation, settings, now)


def prepare_warnings(settings: Settings, stop: Event, now: datetime) -> None:
    """Have the nodes keep the prepared warnings; the first time it takes some twenty seconds."""
    with open_installation(settings) as installation:
        codes = takewhile(lambda _code: not stop.is_set(), templates())
        speak_all(installation, settings, province.PROVINCE, codes, now=now, actor=DEMO)


def _put_on(installation: Installation, settings: Settings, now: datetime) -> None:
    digest = _music(installation, settings, now)
    with installation.sessions.begin() as db:
        if not slots_of(db, province.PROVINCE):
            for frame in FRAMES:
                framing.add_frame(db, frame, now=now, actor=DEMO, keyring=installation.keyring)
            for daily in _EVERY_DAY:
                _add(db, installation, _new_slot(daily, digest, now, recurrence="daily"), now)
    soon = now + timedelta(seconds=_SOON_S)
    _put_on_soon(installation, _Programme(province.PROVINCE, _SOON_TITLE, soon), digest, now)
    later = soon + timedelta(seconds=MUSIC_S + 30)
    for commune in province.COMMUNES:
        programme = _Programme(commune.unit_id, f"Chương trình {commune.name}", later)
        _put_on_soon(installation, programme, digest, now)


def _put_on_soon(
    installation: Installation, programme: _Programme, digest: str, now: datetime
) -> None:
    """Add a slot at the wanted moment, or at the first whole minute after it that is free."""
    for minute in range(_TRIES):
        wanted = replace(programme, start=programme.start + timedelta(minutes=minute))
        new = _new_slot(wanted, digest, now, recurrence="once")
        try:
            with installation.sessions.begin() as db:
                scheduling.add_slot(db, new, now=now, actor=DEMO, keyring=installation.keyring)
        except SlotRefusedError as error:
            log.debug("slot_tried", unit_id=programme.unit_id, error=str(error))
            continue
        return
    log.warning("no_room_for_programme", unit_id=programme.unit_id)


def _add(db: Session, installation: Installation, new: scheduling.NewSlot, now: datetime) -> None:
    scheduling.add_slot(db, new, now=now, actor=DEMO, keyring=installation.keyring)


def _new_slot(
    programme: _Programme, digest: str, now: datetime, *, recurrence: str
) -> scheduling.NewSlot:
    start = programme.start.astimezone(LOCAL).replace(microsecond=0)
    return scheduling.NewSlot(
        unit_id=programme.unit_id,
        title=programme.title,
        bulletin_class="ordinary",
        assets=(digest,),
        recurrence=recurrence,
        local_start=start.time(),
        first_day=local_day(max(now, programme.start)),
        units=(programme.unit_id,),
    )


def _music(installation: Installation, settings: Settings, now: datetime) -> str:
    """Find the music that fills the programmes, or make it."""
    with installation.sessions.begin() as db:
        digest = db.scalar(select(AssetRow.digest).where(AssetRow.file_name == _MUSIC_FILE))
    if digest is not None:
        return digest
    asset = prepared_music(settings, MUSIC_S)
    with installation.sessions.begin() as db:
        new = catalogue.NewAsset(province.PROVINCE, "Nhạc mẫu", "programme", file_name=_MUSIC_FILE)
        return catalogue.add_asset(db, new, asset=asset, now=now, actor=DEMO).digest
