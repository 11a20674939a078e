"""A bulletin's life: composed, approved by somebody else, sent; and what each commune makes of it.

Circular 39/2020/TT-BTTTT knows three classes: an *ordinary* bulletin is taken or declined by the
commune, a *priority* one plays with priority inside the programme, an *emergency* plays at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from server.domain.errors import BulletinRefusedError, Finding, StaleError

LATE_WORDS = timedelta(days=1)
"""How long after its end a bulletin that nobody was heard to play is kept open: nodes without a
network tell late what they have played."""


class State(StrEnum):
    """Where a bulletin stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SENT = "sent"
    PLAYED = "played"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


FINAL = frozenset({State.PLAYED, State.DECLINED, State.EXPIRED, State.WITHDRAWN})
UNSENT = frozenset({State.DRAFT, State.SUBMITTED, State.APPROVED})


class Act(StrEnum):
    """What somebody does with a bulletin; communes take or decline it."""

    COMPOSE = "compose"
    EDIT = "edit"
    SUBMIT = "submit"
    APPROVE = "approve"
    RETURN = "return"
    SEND = "send"
    WITHDRAW = "withdraw"
    TAKE = "take"
    DECLINE = "decline"


_FROM: Mapping[Act, frozenset[State]] = MappingProxyType(
    {
        Act.EDIT: UNSENT,
        Act.SUBMIT: frozenset({State.DRAFT}),
        Act.APPROVE: frozenset({State.SUBMITTED}),
        Act.RETURN: frozenset({State.SUBMITTED, State.APPROVED}),
        Act.SEND: frozenset({State.APPROVED}),
        Act.WITHDRAW: UNSENT | {State.SENT},
    }
)
_TO: Mapping[Act, State] = MappingProxyType(
    {
        Act.EDIT: State.DRAFT,
        Act.SUBMIT: State.SUBMITTED,
        Act.APPROVE: State.APPROVED,
        Act.RETURN: State.DRAFT,
        Act.SEND: State.SENT,
        Act.WITHDRAW: State.WITHDRAWN,
    }
)


@dataclass(frozen=True, slots=True)
class Life:
    """What decides who may do what with a bulletin next.

    Attributes:
        version: Of its words, sound and addressees; grows with every edit.
        authors: Everybody who has written at it, in any version.
    """

    state: State
    version: int
    authors: frozenset[str]


def acted(life: Life, act: Act, who: str, *, version: int) -> Life:
    """Give the life of a bulletin after ``who`` has done something with the version they saw.

    Done twice it is done once. An edit takes back an approval: it was of other words.

    Raises:
        StaleError: It has been edited since.
        BulletinRefusedError: It cannot be done now, or not by them.
    """
    if version != life.version:
        raise StaleError("bulletin", str(life.version))
    if act is Act.APPROVE and who in life.authors:
        raise BulletinRefusedError([Finding("own-bulletin")])
    if act is not Act.EDIT and life.state is _TO[act]:
        return life
    if life.state not in _FROM[act]:
        raise BulletinRefusedError([Finding("not-in-state", {"state": life.state.value})])
    if act is Act.EDIT:
        return Life(State.DRAFT, life.version + 1, life.authors | {who})
    return replace(life, state=_TO[act])


def allowed(life: Life, who: str) -> frozenset[Act]:
    """Tell what somebody who has every right may do next, so that pages offer nothing else."""
    return frozenset(
        act
        for act, states in _FROM.items()
        if life.state in states and not (act is Act.APPROVE and who in life.authors)
    )


class Answer(StrEnum):
    """What has become of a bulletin at one commune.

    ``unanswered``, ``seeking``, ``played`` and ``missed`` are never anybody's answer: ``standing``
    finds them.
    """

    WAITING = "waiting"
    TAKEN = "taken"
    DECLINED = "declined"
    UNANSWERED = "unanswered"
    PLACED = "placed"
    SEEKING = "seeking"
    UNPLACED = "unplaced"
    ANNOUNCED = "announced"
    PLAYED = "played"
    MISSED = "missed"
    WITHDRAWN = "withdrawn"


_TO_COME = frozenset(
    {Answer.WAITING, Answer.TAKEN, Answer.SEEKING, Answer.PLACED, Answer.ANNOUNCED}
)
_STAYS = frozenset({Answer.DECLINED, Answer.UNPLACED, Answer.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Copy:
    """A bulletin at one commune.

    Attributes:
        answer: What the commune or the placing said.
        until: End of the last time that it comes there.
        sounded: On how many clusters it has been heard.
        pulled: The slot it had been given has been withdrawn.
    """

    answer: Answer
    until: datetime | None = None
    sounded: int = 0
    pulled: bool = False

    @property
    def open_to_answer(self) -> bool:
        """Whether the commune has still to say what it does with it; a withdrawn slot says nothing.

        What the commune was heard to play is answered, whatever became of the slot afterwards.
        """
        gone = self.answer is Answer.TAKEN and self.pulled
        return not self.sounded and (self.answer is Answer.WAITING or gone)


def standing(copy: Copy, now: datetime, deadline: datetime | None) -> Answer:
    """Tell what has become of a bulletin at a commune, as of ``now``; what was heard outweighs."""
    if copy.answer in _STAYS:
        seeks = copy.answer is Answer.UNPLACED and deadline is not None and now < deadline
        return Answer.SEEKING if seeks else copy.answer
    if copy.sounded:
        return Answer.PLAYED
    if copy.open_to_answer:
        is_late = deadline is not None and now >= deadline
        return Answer.UNANSWERED if is_late else Answer.WAITING
    if copy.pulled:
        return Answer.WITHDRAWN
    if copy.until is not None and now >= copy.until:
        return Answer.MISSED
    return copy.answer


def concluded(copies: Iterable[Copy], now: datetime, deadline: datetime | None) -> State | None:
    """Tell how a sent bulletin has ended, once there is nothing left to come; None: it has not."""
    kept = list(copies)
    answers = {standing(copy, now, deadline) for copy in kept}
    ends = max((copy.until for copy in kept if copy.until and not copy.pulled), default=None)
    if answers & _TO_COME or (ends is not None and now < ends):
        return None
    if Answer.PLAYED in answers:
        return State.PLAYED
    if answers == {Answer.DECLINED}:
        return State.DECLINED
    if Answer.MISSED in answers and ends is not None and now < ends + LATE_WORDS:
        return None
    return State.EXPIRED
