"""Build the demo's province in an empty database: units, clusters, nodes, log-ins, warnings."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.orm import Session

from audio_library.assets import Asset
from audio_library.ingest import ingest
from audio_library.store import Store
from audio_library.tts.espeak import installed_synthesiser
from server.cli.demo import province
from server.cli.demo.sounds import WARNINGS, Studio
from server.cli.installation import prepare
from server.cli.nodefile import node_file_bytes, write_private
from server.cli.operator import Installation, open_installation
from server.domain.authority import Actor, Grant
from server.domain.units import NewUnit
from server.services import (
    accounts,
    bulletins,
    catalogue,
    commissioning,
    grouping,
    sending,
    units,
)
from server.services.drill_labels import TEXTS
from server.services.passwords import hashed_password
from server.settings import Settings
from server.store.models import UnitRow

DEMO = Actor.operator("demo")

_SEED = 1975
_AT_ONCE = 2


def build(settings: Settings) -> None:
    """Make tables and keys, and the province in one transaction; nothing where it is already."""
    prepare(settings)
    with open_installation(settings) as installation:
        with installation.sessions.begin() as db:
            is_there = db.get(UnitRow, province.PROVINCE) is not None
        if not is_there:
            _build_province(installation, settings, datetime.now(UTC))


def _build_province(installation: Installation, settings: Settings, now: datetime) -> None:
    sounds = _prepared_sounds(settings)
    with installation.sessions.begin() as db:
        _build_tree(db, installation, now)
        _let_in(db, now)
        _keep_sounds(db, sounds, now)
        _write_bulletins(db, installation, sounds, now)
        # Last: a node's configuration names the sounds that it keeps for good.
        _commission(db, installation, settings, now)


def prepared_music(settings: Settings, length_s: float) -> Asset:
    """Make music for programmes."""
    with TemporaryDirectory() as folder:
        piece = Studio(installed_synthesiser(), Path(folder)).music("music", _SEED, length_s)
        return ingest(piece.path, Store(settings.asset_dir))


def _prepared_sounds(settings: Settings) -> dict[str, Asset]:
    with TemporaryDirectory() as folder, ThreadPoolExecutor(_AT_ONCE) as workers:
        studio = Studio(installed_synthesiser(), Path(folder))
        made = {clip.name: studio.speech(clip.name, clip.text).path for clip in WARNINGS}
        made["chime"] = studio.chime().path
        made |= {purpose: studio.speech(purpose, text).path for purpose, text in TEXTS.items()}
        # Each file is prepared in a process of its own, so threads are enough to wait for them.
        assets = workers.map(lambda path: ingest(path, Store(settings.asset_dir)), made.values())
        return dict(zip(made, assets, strict=True))


def _build_tree(db: Session, installation: Installation, now: datetime) -> None:
    keyring = installation.keyring
    for rank, vietnamese, english in province.LEVELS:
        units.create_level(db, rank=rank, name_vi=vietnamese, name_en=english)
    top = NewUnit(province.PROVINCE, province.PROVINCE_NAME, 0)
    units.create_unit(db, top, now=now, actor=DEMO, keyring=keyring)
    for commune in province.COMMUNES:
        below = NewUnit(
            commune.unit_id,
            commune.name,
            1,
            province.PROVINCE,
            latitude=commune.latitude,
            longitude=commune.longitude,
        )
        units.create_unit(db, below, now=now, actor=DEMO, keyring=keyring)
    for cluster in province.CLUSTERS:
        units.create_cluster(db, _new_cluster(cluster), now=now, actor=DEMO)
    for group_id, name in province.GROUPS.items():
        members = tuple(
            cluster
            for commune in province.COMMUNES
            if commune.group_id == group_id
            for cluster in province.clusters_of(commune.unit_id)
        )
        grouping.create_group(
            db,
            group_id=group_id,
            name=name,
            unit_id=province.PROVINCE,
            clusters=members,
            now=now,
            actor=DEMO,
        )


def _new_cluster(cluster: province.Cluster) -> units.NewCluster:
    return units.NewCluster(
        cluster.cluster_id,
        cluster.name,
        cluster.village,
        cluster.unit_id,
        latitude=cluster.latitude,
        longitude=cluster.longitude,
        people=cluster.people,
        contact_name=cluster.contact_name,
        contact_phone=cluster.contact_phone,
    )


def _let_in(db: Session, now: datetime) -> None:
    for login in province.LOGINS:
        accounts.create_user(
            db,
            username=login.username,
            password_hash=hashed_password(login.password),
            full_name=login.full_name,
            grants=((login.role.value, login.unit_id),),
            now=now,
            actor=DEMO,
        )


def _keep_sounds(db: Session, sounds: dict[str, Asset], now: datetime) -> None:
    titles = {clip.name: clip.title for clip in WARNINGS} | {"chime": "Nhạc hiệu mở đầu", **TEXTS}
    purposes = {"chime": catalogue.CHIME} | {purpose: purpose for purpose in TEXTS}
    for name, asset in sounds.items():
        new = catalogue.NewAsset(
            province.PROVINCE,
            titles[name],
            purposes.get(name, catalogue.WARNING),
            file_name=f"{name}.wav",
        )
        catalogue.add_asset(db, new, asset=asset, now=now, actor=DEMO)


def _write_bulletins(
    db: Session, installation: Installation, sounds: dict[str, Asset], now: datetime
) -> None:
    """Leave one bulletin waiting for communes' answers, and two that wait for approval."""
    author, editor = (_person(username) for username in ("phat-thanh", "duyet-tin"))
    for letter, clip in zip(province.LETTERS, WARNINGS, strict=False):
        new = bulletins.NewBulletin(
            request_id=f"demo-{letter.bulletin_class}",
            unit_id=province.PROVINCE,
            title=letter.title,
            text=letter.text,
            bulletin_class=letter.bulletin_class,
            asset_digest=sounds[clip.name].digest,
            addressed=letter.addressed,
            deadline=now + province.ANSWER_WITHIN,
            decision_number=letter.decision_number,
            severity=letter.severity,
        )
        row = bulletins.compose(db, new, now=now, actor=author)
        bulletins.submit(db, row.bulletin_id, version=row.version, now=now, actor=author)
        # The others would sound: that is for whoever looks at the demo to decide.
        if letter.bulletin_class == "ordinary":
            bulletins.approve(db, row.bulletin_id, version=row.version, now=now, actor=editor)
            way = sending.Way(now=now, actor=author, keyring=installation.keyring)
            sending.send(db, row.bulletin_id, version=row.version, way=way)


def _person(username: str) -> Actor:
    login = next(one for one in province.LOGINS if one.username == username)
    return Actor(login.username, (Grant(login.role, login.unit_id),))


def _commission(db: Session, installation: Installation, settings: Settings, now: datetime) -> None:
    files = province.node_files(settings.state_dir)
    for cluster in province.CLUSTERS:
        credentials = commissioning.commission(
            db,
            node_id=cluster.node_id,
            cluster_id=cluster.cluster_id,
            now=now,
            actor=DEMO,
            keyring=installation.keyring,
        )
        path = files[cluster.cluster_id]
        path.parent.mkdir(parents=True, exist_ok=True)
        # Before the commit: a node whose password nobody has would be of no use.
        content = node_file_bytes(
            cluster.node_id, credentials.secret, credentials.root_key, settings
        )
        write_private(path, content)
