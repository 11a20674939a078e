"""``loa warning``: prepared warnings, put on the nodes beforehand."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from audio_library.store import Store
from audio_library.tts.engines import engines
from server.cli.operator import Installation, open_installation, operator
from server.cli.options import example, settings_from, state_option
from server.domain.authority import Actor
from server.http.voicing import Booth, prepare
from server.services import configuring
from server.services.prepared_warnings import templates
from server.settings import Settings


@click.group()
def warning() -> None:
    """Look after prepared warnings."""


@warning.command("prepare", epilog=example("loa warning prepare tinh-tuyen-quang"))
@click.argument("unit_id")
@state_option
def prepare_all(unit_id: str, state: Path | None) -> None:
    """Put what warnings say every time on the nodes under the unit UNIT_ID."""
    settings = settings_from(state)
    with open_installation(settings) as installation:
        speak_all(
            installation, settings, unit_id, templates(), now=datetime.now(UTC), actor=operator()
        )
    click.echo(f"{len(templates())} warnings are spoken; the nodes under {unit_id} fetch them")


def speak_all(
    installation: Installation,
    settings: Settings,
    unit_id: str,
    codes: Iterable[str],
    *,
    now: datetime,
    actor: Actor,
) -> None:
    """Speak what is not spoken yet, and tell the first nodes; the scheduler tells the others.

    Args:
        installation: Database and keys.
        settings: Where audio is, and what speaks.
        unit_id: Whose nodes keep it.
        codes: Which warnings.
        now: The time.
        actor: Who wants it.
    """
    sessions = installation.sessions
    speakers = engines(settings.piper, settings.piper_voice)
    booth = Booth(sessions, sessions, speakers, Store(settings.asset_dir), now, actor)
    for code in codes:
        prepare(booth, unit_id, code)
    with sessions.begin() as db:
        configuring.publish_due_configs(db, now=now, keyring=installation.keyring, under=unit_id)
