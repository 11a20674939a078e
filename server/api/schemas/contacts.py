"""People to be told, and their channels, as programs enter them and are told of them."""

from typing import Annotated

from pydantic import Field

from server.api.schemas.common import Answer, Instant, Request

_LINE = Field(max_length=1000)


class ContactRequest(Request):
    """Somebody to be told; ``language`` is ``vi`` or ``en``."""

    name: Annotated[str, _LINE]
    phone: Annotated[str, _LINE] = ""
    language: Annotated[str, _LINE] = "vi"


class AccountRequest(Request):
    """The account of somebody, by its user name; empty: they have none."""

    login: Annotated[str, _LINE]


class ChannelRequest(Request):
    """A channel; ``url`` is an address as Apprise writes it, and is given to nobody again."""

    name: Annotated[str, _LINE]
    url: Annotated[str, Field(max_length=4000)]


class TestAnswer(Answer):
    """The newest test of a channel, and what became of it."""

    created_at: Instant
    state: str
    results: list[dict[str, str]]


class ChannelAnswer(Answer):
    """A channel, without its address."""

    channel_id: str
    name: str
    scheme: str
    test: TestAnswer | None


class ContactAnswer(Answer):
    """Somebody to be told."""

    contact_id: str
    unit_id: str
    name: str
    phone: str
    language: str
    login: str
    channels: list[ChannelAnswer]


class ContactList(Answer):
    """The contacts of one unit, by name."""

    contacts: list[ContactAnswer]
