"""What must be there before any program of the server can run."""

import logging

from server.services.keyring import create_secrets
from server.settings import Settings
from server.store import migrations
from server.store.engine import open_engine


def prepare(settings: Settings) -> None:
    """Make the state folder, the tables and the secrets, or bring them up to date."""
    # It tells of every plugin that it loads.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    create_secrets(settings.secrets_dir)
    engine = open_engine(settings.database)
    try:
        migrations.upgrade(engine)
    finally:
        engine.dispose()
