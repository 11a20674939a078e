"""Offers as buttons: what one changes stands in the button's own value, in the form's words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlencode

from server.domain.offers import Offer
from server.http.wording import offer_sentence
from server.services.scheduling import NewSlot
from server.web.schedule.forms import SlotForm


@dataclass(frozen=True, slots=True)
class OfferButton:
    """One press: what it says, and what it fills in."""

    kind: str
    sentence: str
    value: str


def buttons(form: SlotForm, new: NewSlot, offers: Sequence[Offer]) -> list[OfferButton]:
    """Make a button of each offer for the slot that a form asked for."""
    return [
        OfferButton(offer.kind.value, offer_sentence(offer), _filled_in(form, new, offer))
        for offer in offers
    ]


def taken(form: SlotForm, value: str) -> SlotForm:
    """Fill in what the button that was pressed stands for; other fields stay as they were typed."""
    chosen = parse_qs(value, keep_blank_values=True)
    return replace(
        form,
        local_start=chosen.get("local_start", [form.local_start])[0],
        local_end=chosen.get("local_end", [form.local_end])[0],
        excluded_days=chosen.get("excluded_days", [form.excluded_days])[0],
        override=tuple(chosen.get("override", form.override)),
    )


def _filled_in(form: SlotForm, new: NewSlot, offer: Offer) -> str:
    after = SlotForm.of(replace(new, **offer.changes), 0)
    fields: dict[str, str | tuple[str, ...]] = {}
    if offer.changes.keys() & {"local_start", "length_s"}:
        fields["local_start"] = after.local_start
        if form.local_end or "length_s" in offer.changes:
            fields["local_end"] = after.local_end
    if "excluded_days" in offer.changes:
        fields["excluded_days"] = after.excluded_days
    if "override" in offer.changes:
        fields["override"] = after.override
    return urlencode(fields, doseq=True)
