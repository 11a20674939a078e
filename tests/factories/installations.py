"""A small installation on disk: tables, secrets, one province, one commune, some clusters."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from server.domain.authority import Actor
from server.services import commissioning, units
from server.services.keyring import Keyring, create_secrets
from server.settings import Settings
from server.store.base import Base
from server.store.engine import Sessions, open_engine, open_sessions

OPERATOR = Actor.operator("test")
PROVINCE, COMMUNE = "tinh-1", "xa-1"


@dataclass(frozen=True, slots=True)
class Installation:
    settings: Settings
    engine: Engine
    sessions: Sessions
    reads: Sessions
    keyring: Keyring

    def commission(self, node_id: str, cluster_id: str) -> commissioning.Credentials:
        with self.sessions.begin() as db:
            return commissioning.commission(
                db,
                node_id=node_id,
                cluster_id=cluster_id,
                now=datetime.now(UTC),
                actor=OPERATOR,
                keyring=self.keyring,
            )


@contextmanager
def an_installation(
    state_dir: Path, *, clusters: int = 2, **chosen: object
) -> Iterator[Installation]:
    settings = Settings(state_dir=state_dir, **chosen)
    state_dir.mkdir(exist_ok=True)
    create_secrets(settings.secrets_dir)
    engine = open_engine(settings.database)
    Base.metadata.create_all(engine)
    made = Installation(
        settings,
        engine,
        open_sessions(engine),
        open_sessions(engine, reads_only=True),
        Keyring.open(settings.secrets_dir),
    )
    _populate(made, clusters)
    try:
        yield made
    finally:
        engine.dispose()


def _populate(made: Installation, clusters: int) -> None:
    now = datetime.now(UTC)
    with made.sessions.begin() as db:
        units.create_level(db, rank=0, name_vi="Tỉnh", name_en="Province")
        units.create_level(db, rank=1, name_vi="Xã", name_en="Commune")
        for unit_id, rank, parent in ((PROVINCE, 0, None), (COMMUNE, 1, PROVINCE)):
            new = units.NewUnit(unit_id=unit_id, name=unit_id, level_rank=rank, parent_id=parent)
            units.create_unit(db, new, now=now, actor=OPERATOR, keyring=made.keyring)
        for number in range(1, clusters + 1):
            new_cluster = units.NewCluster(
                cluster_id=f"cum-{number}", name=f"Cụm {number}", village="Thôn 1", unit_id=COMMUNE
            )
            units.create_cluster(db, new_cluster, now=now, actor=OPERATOR)
