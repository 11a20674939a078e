"""People to be told: list, enter, give channels, test, forget."""

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.domain.authority import may_lay_down
from server.domain.errors import ContactRefusedError, Finding
from server.domain.recurrence import local_day
from server.http.alerting import schemes
from server.http.context import actor, here, now, reading, writing
from server.services import asking, contact_channels, contacts, units
from server.services.contact_channels import NewChannel
from server.services.contacts import NewContact
from server.store.queries import lists

pages = Blueprint("contacts", __name__)


@pages.get("/units/<unit_id>/contacts")
def listed(unit_id: str) -> ResponseReturnValue:
    """List a unit's contacts, with a form for another."""
    return _list_page(NewContact(unit_id, ""), ())


@pages.post("/units/<unit_id>/contacts")
def add(unit_id: str) -> ResponseReturnValue:
    """Enter somebody, or show the form again with what is wrong."""
    new = NewContact(
        unit_id,
        request.form.get("name", ""),
        request.form.get("phone", ""),
        request.form.get("language", "vi"),
    )
    try:
        with writing() as db:
            contact_id = contacts.add_contact(db, new, now=now(), actor=actor()).contact_id
    except ContactRefusedError as refused:
        return _list_page(new, refused.findings), 422
    return redirect(url_for("contacts.show", contact_id=contact_id), 303)


@pages.get("/contacts/<contact_id>")
def show(contact_id: str) -> ResponseReturnValue:
    """Show one of them, with their channels."""
    return _page(contact_id)


@pages.get("/contacts/<contact_id>/channels")
def channels(contact_id: str) -> ResponseReturnValue:
    """Show the part of the page that changes."""
    with reading() as db:
        contact = contacts.find(db, contact_id, actor=actor(), now=now())
    return render_template("contacts/channels.html", contact=contact)


@pages.post("/contacts/<contact_id>/channels")
def add_channel(contact_id: str) -> ResponseReturnValue:
    """Give somebody a channel; its address is never shown again, not even where it is wrong."""
    new = NewChannel(request.form.get("channel_name", ""), request.form.get("url", ""))
    try:
        with writing() as db:
            contact_channels.add_channel(
                db,
                contact_id,
                new,
                schemes=schemes(),
                now=now(),
                actor=actor(),
                keyring=here().keyring,
            )
    except ContactRefusedError as refused:
        return _page(contact_id, refused.findings, channel_name=new.name), 422
    return redirect(url_for("contacts.show", contact_id=contact_id), 303)


@pages.post("/contacts/<contact_id>/forget")
def forget(contact_id: str) -> ResponseReturnValue:
    """Tell them nothing any more."""
    with writing() as db:
        unit_id = contacts.forget_contact(db, contact_id, now=now(), actor=actor()).unit_id
    return redirect(url_for("contacts.listed", unit_id=unit_id), 303)


@pages.post("/contacts/<contact_id>/channels/<channel_id>/forget")
def forget_channel(contact_id: str, channel_id: str) -> ResponseReturnValue:
    """Use a channel no more."""
    with writing() as db:
        contact_channels.forget_channel(db, channel_id, now=now(), actor=actor())
    return redirect(url_for("contacts.show", contact_id=contact_id), 303)


@pages.post("/contacts/<contact_id>/channels/<channel_id>/test")
def test(contact_id: str, channel_id: str) -> ResponseReturnValue:
    """Send a test; its answer comes to the page when it is there."""
    try:
        with writing() as db:
            contact_channels.test_channel(db, channel_id, now=now(), actor=actor())
    except ContactRefusedError as refused:
        return _page(contact_id, refused.findings), 422
    return redirect(url_for("contacts.show", contact_id=contact_id), 303)


@pages.post("/contacts/<contact_id>/account")
def name_account(contact_id: str) -> ResponseReturnValue:
    """Say which account they have: what waits for it is told to them."""
    try:
        with writing() as db:
            login = request.form.get("login", "")
            asking.name_account(db, contact_id, login, now=now(), actor=actor())
    except ContactRefusedError as refused:
        return _page(contact_id, refused.findings), 422
    return redirect(url_for("contacts.show", contact_id=contact_id), 303)


def _page(contact_id: str, findings: Sequence[Finding] = (), *, channel_name: str = "") -> str:
    instant = now()
    with reading() as db:
        contact = contacts.find(db, contact_id, actor=actor(), now=instant)
        tree = units.tree(db, today=local_day(instant))
        accounts = asking.accounts_at(db, contact.unit_id, now=instant)
        people = lists.full_names(db, accounts)
    return render_template(
        "contacts/contact.html",
        people=people,
        contact=contact,
        unit=tree.unit(contact.unit_id),
        schemes=schemes(),
        channel_name=channel_name,
        findings=findings,
    )


def _list_page(form: NewContact, findings: Sequence[Finding]) -> str:
    instant, person = now(), actor()
    with reading() as db:
        found = contacts.listed(db, form.unit_id, actor=person, now=instant)
        tree = units.tree(db, today=local_day(instant))
    return render_template(
        "contacts/list.html",
        unit=tree.unit(form.unit_id),
        contacts=found,
        form=form,
        may_change=may_lay_down(person, tree.chain(form.unit_id)),
        findings=findings,
    )
