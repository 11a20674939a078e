"""How the server was last started on a state folder, for commands that come after it."""

from pathlib import Path

from server.cli.nodefile import write_private
from server.settings import Settings

FIELDS = frozenset({"host", "port", "public_url", "mqtt_host", "mqtt_port", "mqtt_version"})


def remember(settings: Settings) -> None:
    """Keep where pages and broker are, and which MQTT the broker speaks."""
    text = settings.model_dump_json(include=set(FIELDS))
    write_private(_file(settings.state_dir), text.encode())


def recalled(settings: Settings) -> Settings:
    """Fill in what was not said now from how the server was last started here."""
    file = _file(settings.state_dir)
    if not file.exists():
        return settings
    known = Settings.model_validate_json(file.read_bytes())
    kept = known.model_dump(include=set(FIELDS) - settings.model_fields_set)
    return settings.model_copy(update=kept)


def _file(state_dir: Path) -> Path:
    return state_dir / "up.json"
