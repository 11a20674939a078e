"""How the database came to its present shape: one head, each step run down and up once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import IntegrityError

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parent


def upgrade(engine: Engine, *, revision: str = "head") -> None:
    """Bring the database to a revision; at the newest already, nothing happens."""
    from alembic import command  # noqa: PLC0415 - heavy, and needed by one command only

    with _migrating(engine) as config:
        command.upgrade(config, revision)


def downgrade(engine: Engine, *, revision: str) -> None:
    """Take the database back to a revision."""
    from alembic import command  # noqa: PLC0415 - as above

    with _migrating(engine) as config:
        command.downgrade(config, revision)


def newest() -> str:
    """Name the revision that this program was written for."""
    return max(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def revision_of(engine: Engine) -> str:
    """Name the revision that the database is at; empty: it has no tables of ours."""
    # Asked at every start of every program: reading one row spares them to import alembic.
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return ""
        return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""


@contextmanager
def _migrating(engine: Engine) -> Iterator["Config"]:
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    with engine.connect() as connection, _tables_may_be_made_anew(connection):
        config.attributes["connection"] = connection
        yield config


@contextmanager
def _tables_may_be_made_anew(connection: Connection) -> Iterator[None]:
    """Let SQLite drop a table that others refer to: it changes tables by making them anew.

    Foreign keys are switched off, which works outside of transactions only, and what refers to
    nothing is looked for at the end.
    """
    if connection.dialect.name != "sqlite":
        yield
        connection.commit()
        return
    driver = connection.connection.cursor()
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
        lost = driver.execute("PRAGMA foreign_key_check").fetchall()
        if lost:
            statement = "PRAGMA foreign_key_check"
            raise IntegrityError(statement, None, ValueError(f"{len(lost)} rows refer to nothing"))
        connection.commit()
    finally:
        connection.rollback()
        driver.execute("PRAGMA foreign_keys=ON")
        driver.close()
