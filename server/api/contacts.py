"""People to be told: list, enter, give channels, test, forget."""

from apiflask import APIBlueprint

from server.api.schemas.contacts import (
    AccountRequest,
    ChannelRequest,
    ContactAnswer,
    ContactList,
    ContactRequest,
)
from server.http.alerting import schemes
from server.http.context import actor, here, now, reading, writing
from server.services import asking, contact_channels, contacts
from server.services.contact_channels import NewChannel
from server.services.contacts import NewContact


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/units/<unit_id>/contacts")
    @api.output(ContactList)
    @api.doc(summary="People of a unit to be told of silent clusters", responses=[403, 404])
    def list_contacts(unit_id: str) -> ContactList:
        with reading() as db:
            found = contacts.listed(db, unit_id, actor=actor(), now=now())
        return ContactList(contacts=[ContactAnswer.model_validate(one) for one in found])

    @api.post("/units/<unit_id>/contacts")
    @api.input(ContactRequest, arg_name="wanted")
    @api.output(ContactAnswer, status_code=201)
    @api.doc(summary="Enter somebody to be told", responses=[403, 404, 422])
    def add_contact(unit_id: str, wanted: ContactRequest) -> ContactAnswer:
        new = NewContact(unit_id, wanted.name, wanted.phone, wanted.language)
        with writing() as db:
            contact_id = contacts.add_contact(db, new, now=now(), actor=actor()).contact_id
        return _answer(contact_id)

    @api.put("/contacts/<contact_id>/account")
    @api.input(AccountRequest, arg_name="wanted")
    @api.output(ContactAnswer)
    @api.doc(
        summary="Say which account somebody has: they are told what waits for it to confirm",
        responses=[403, 404, 422],
    )
    def name_account(contact_id: str, wanted: AccountRequest) -> ContactAnswer:
        with writing() as db:
            asking.name_account(db, contact_id, wanted.login, now=now(), actor=actor())
        return _answer(contact_id)

    @api.delete("/contacts/<contact_id>")
    @api.output({}, status_code=204)
    @api.doc(summary="Tell somebody nothing any more", responses=[403, 404])
    def forget_contact(contact_id: str) -> str:
        with writing() as db:
            contacts.forget_contact(db, contact_id, now=now(), actor=actor())
        return ""

    @api.post("/contacts/<contact_id>/channels")
    @api.input(ChannelRequest, arg_name="wanted")
    @api.output(ContactAnswer, status_code=201)
    @api.doc(summary="Give somebody a channel", responses=[403, 404, 422])
    def add_channel(contact_id: str, wanted: ChannelRequest) -> ContactAnswer:
        with writing() as db:
            contact_channels.add_channel(
                db,
                contact_id,
                NewChannel(wanted.name, wanted.url),
                schemes=schemes(),
                now=now(),
                actor=actor(),
                keyring=here().keyring,
            )
        return _answer(contact_id)

    @api.delete("/channels/<channel_id>")
    @api.output({}, status_code=204)
    @api.doc(summary="Use a channel no more", responses=[403, 404])
    def forget_channel(channel_id: str) -> str:
        with writing() as db:
            contact_channels.forget_channel(db, channel_id, now=now(), actor=actor())
        return ""

    @api.post("/channels/<channel_id>/test")
    @api.output(ContactAnswer, status_code=202)
    @api.doc(
        summary="Send a test; what became of it stands at the channel", responses=[403, 404, 422]
    )
    def test_channel(channel_id: str) -> ContactAnswer:
        with writing() as db:
            test = contact_channels.test_channel(db, channel_id, now=now(), actor=actor())
        return _answer(test.contact_id)


def _answer(contact_id: str) -> ContactAnswer:
    with reading() as db:
        found = contacts.find(db, contact_id, actor=actor(), now=now())
    return ContactAnswer.model_validate(found)
