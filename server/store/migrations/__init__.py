"""How the database came to its present shape: one head, each step run down and up once."""

from pathlib import Path

from sqlalchemy import Engine

FOLDER = Path(__file__).parent


def upgrade(engine: Engine, *, revision: str = "head") -> None:
    """Bring the database to a revision; at the newest already, nothing happens."""
    from alembic import command  # noqa: PLC0415 - heavy, and needed by one command only
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def downgrade(engine: Engine, *, revision: str) -> None:
    """Take the database back to a revision."""
    from alembic import command  # noqa: PLC0415 - as above
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        connection.commit()
