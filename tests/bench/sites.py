"""A running installation for benchmarks: a province of so many clusters, and no node yet."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from sqlalchemy import insert

from server.cli.demo.province import Login
from server.cli.programs import held_port, server_programs
from server.cli.supervisor import Supervisor
from server.domain.authority import Actor, Role
from server.services import accounts
from server.services.commissioning import hashed_secret
from server.services.configuring import publish_configs
from server.services.keyring import Keyring, create_secrets
from server.services.passwords import hashed_password
from server.settings import Settings
from server.store.engine import Sessions, open_engine, open_sessions
from server.store.models import NodeRow
from tests.factories.countries import BigProvince, Size, enter_country
from tests.factories.database import running_postgres

SECRET = "mot-mat-khau-cho-moi-nut"  # noqa: S105 - of an installation that lives for minutes
OPERATOR = Actor.operator("loa")
LOGIN = Login("phat-thanh", "mat-khau-dai-cho-do", "Phát thanh", Role.BROADCASTER, "t1")
STARTING_S = 120.0


@dataclass(frozen=True)
class Site:
    """A running installation.

    Attributes:
        nodes: The cluster of each node.
    """

    settings: Settings
    sessions: Sessions
    keyring: Keyring
    province: BigProvince
    keeper: Supervisor
    nodes: Mapping[str, str]


@contextmanager
def a_site(folder: Path, clusters: int) -> Iterator[Site]:
    """Run an installation with one province of so many clusters, and no node yet."""
    with (
        held_port(19080) as port,
        held_port(19180) as live_port,
        held_port(19280) as mqtt_port,
        running_postgres(durable=True) as postgres,
        Supervisor(folder / "log") as keeper,
    ):
        settings = Settings(
            state_dir=folder,
            database_url=postgres.url(postgres.create()),
            port=port,
            live_port=live_port,
            mqtt_port=mqtt_port,
            public_url="",
        )
        create_secrets(settings.secrets_dir)
        keyring = Keyring.open(settings.secrets_dir)
        engine = open_engine(settings.database)
        sessions = open_sessions(engine)
        with sessions.begin() as db:
            (province,) = enter_country(db, Size(clusters=clusters, slots=100), keyring=keyring)
        nodes = {f"n-{cluster}": cluster for cluster in province.all_clusters}
        site = Site(settings, sessions, keyring, province, keeper, nodes)
        _commission(site)
        for program in server_programs(settings, "mosquitto"):
            keeper.start(program)
        keeper.wait_ready(Event(), STARTING_S)
        try:
            yield site
        finally:
            engine.dispose()


def _commission(site: Site) -> None:
    """Enter all nodes at once: one after another would read the whole province for each."""
    now = datetime.now(UTC)
    hashed = hashed_secret(SECRET)
    with site.sessions.begin() as db:
        db.execute(
            insert(NodeRow),
            [
                {
                    "node_id": node,
                    "cluster_id": cluster,
                    "secret_hash": hashed,
                    "commissioned_at": now,
                    "plan_versions": {},
                    "telemetry": {},
                }
                for node, cluster in site.nodes.items()
            ],
        )
        publish_configs(db, site.nodes, now=now, keyring=site.keyring)
        accounts.create_user(
            db,
            username=LOGIN.username,
            password_hash=hashed_password(LOGIN.password),
            full_name=LOGIN.full_name,
            grants=[(LOGIN.role.value, LOGIN.unit_id)],
            now=now,
            actor=OPERATOR,
        )
