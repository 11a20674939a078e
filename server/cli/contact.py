"""``loa contact``: people who are told when clusters do not answer, and whether that works."""

from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import click

from server.cli.operator import Installation, open_installation, operator
from server.cli.options import example, settings_from, state_option
from server.domain.alert_words import LANGUAGES
from server.domain.alerts import UNSENT, AlertState
from server.domain.errors import ContactRefusedError
from server.integrations.apprise_services import allowed_schemes
from server.services import asking, contact_channels, contacts
from server.services.contact_channels import NewChannel
from server.services.contacts import NewContact
from server.store.models import AlertRow

ANSWER_WITHIN_S = 60
_LOOK_S = 0.2


@click.group()
def contact() -> None:
    """Look after people who are told when clusters do not answer."""


@contact.command(epilog=example('loa contact add xa-vi-xuyen "Nguyễn Thị Hồng" --phone 0912345678'))
@click.argument("unit_id")
@click.argument("name")
@click.option("--phone", default="", help="Their telephone number.")
@click.option("--language", default="vi", show_default=True, type=click.Choice(LANGUAGES))
@state_option
def add(unit_id: str, name: str, phone: str, language: str, state: Path | None) -> None:
    """Enter somebody whom the rules of the unit UNIT_ID may name."""
    new = NewContact(unit_id, name, phone, language)
    with (
        open_installation(settings_from(state)) as installation,
        installation.sessions.begin() as db,
    ):
        try:
            row = contacts.add_contact(db, new, now=datetime.now(UTC), actor=operator())
        except ContactRefusedError as refused:
            raise _as_typed(refused) from refused
        click.echo(row.contact_id)


@contact.command(epilog=example('loa contact channel p-0d9c4302f5af4391 "Zalo trực ban"'))
@click.argument("contact_id")
@click.argument("name")
@state_option
def channel(contact_id: str, name: str, state: Path | None) -> None:
    """Give the contact CONTACT_ID a channel; its address is asked for, and shown to nobody."""
    settings = settings_from(state)
    url = click.prompt("Address", hide_input=True, err=True)
    with open_installation(settings) as installation, installation.sessions.begin() as db:
        try:
            row = contact_channels.add_channel(
                db,
                contact_id,
                NewChannel(name, url),
                schemes=allowed_schemes(settings.alert_schemes),
                now=datetime.now(UTC),
                actor=operator(),
                keyring=installation.keyring,
            )
        except ContactRefusedError as refused:
            raise _as_typed(refused) from refused
        click.echo(row.channel_id)


@contact.command(epilog=example("loa contact account p-0d9c4302f5af4391 duyet-tin"))
@click.argument("contact_id")
@click.argument("login", default="")
@state_option
def account(contact_id: str, login: str, state: Path | None) -> None:
    """Say that the contact CONTACT_ID has the account LOGIN: what waits for it is told to them."""
    with (
        open_installation(settings_from(state)) as installation,
        installation.sessions.begin() as db,
    ):
        try:
            asking.name_account(db, contact_id, login, now=datetime.now(UTC), actor=operator())
        except ContactRefusedError as refused:
            raise _as_typed(refused) from refused


@contact.command(epilog=example("loa contact test k-51c7d8a4e0b94a5f"))
@click.argument("channel_id")
@state_option
def test(channel_id: str, state: Path | None) -> None:
    """Send a test on the channel CHANNEL_ID, and wait for its answer; the scheduler sends it."""
    with open_installation(settings_from(state)) as installation:
        try:
            with installation.sessions.begin() as db:
                sent = contact_channels.test_channel(
                    db, channel_id, now=datetime.now(UTC), actor=operator()
                )
        except ContactRefusedError as refused:
            raise _as_typed(refused) from refused
        row = _answered(installation, sent.alert_id)
    if row.state in UNSENT:
        raise click.ClickException("no answer yet; does the scheduler run?")
    last = row.results[-1] if row.results else {"result": row.state, "words": ""}
    said = f"{last['result']} {last['words']}".strip()
    if row.state != AlertState.SENT:
        raise click.ClickException(said)
    click.echo(said)


def _answered(installation: Installation, alert_id: int) -> AlertRow:
    pause = Event()
    for _ in range(int(ANSWER_WITHIN_S / _LOOK_S)):
        row = _alert(installation, alert_id)
        if row.state not in UNSENT:
            return row
        pause.wait(_LOOK_S)
    return _alert(installation, alert_id)


def _alert(installation: Installation, alert_id: int) -> AlertRow:
    with installation.sessions.begin() as db:
        return db.get_one(AlertRow, alert_id)


def _as_typed(refused: ContactRefusedError) -> click.ClickException:
    return click.ClickException(
        "; ".join(
            " ".join((found.code, *(f"{name}={value}" for name, value in found.fields.items())))
            for found in refused.findings
        )
    )
