"""Speech from text: first what will be said, then the sound of it."""

from typing import Annotated, Literal

from apiflask import APIBlueprint
from pydantic import Field

from audio_library.reading import Reading
from audio_library.tts import FASTEST, SLOWEST, Manner
from server.api.schemas.assets import AssetAnswer
from server.api.schemas.common import Answer, Id, Request, Title
from server.http.pacing import demand_speech
from server.http.voicing import booth, say
from server.services import speaking

Voice = Annotated[
    Literal["vi", "vi-vn-x-central", "vi-vn-x-south"],
    Field(description="Northern, central or southern voice."),
]


class ReadingRequest(Request):
    """A text that is to be read aloud."""

    text: Annotated[str, Field(max_length=speaking.MOST_WRITTEN)]
    language: Voice = "vi"


class SpeechRequest(ReadingRequest):
    """A text to make a sound of, for a unit."""

    unit_id: Id
    title: Title | None = None
    said: Annotated[
        str,
        Field(
            max_length=speaking.MOST_SAID,
            description="The reading as somebody has corrected it; empty: as it is read by rule.",
        ),
    ] = ""
    pace: Annotated[float, Field(ge=SLOWEST, le=FASTEST, allow_inf_nan=False)] = 1.0


class SpanAnswer(Answer):
    """A stretch of the text that is said otherwise than written; empty: passed over."""

    start: int
    end: int
    written: str
    said: str
    kind: str


class ReadingAnswer(Answer):
    """What will be said. ``spans`` point into ``text``, which is the text as it was understood."""

    text: str
    said: str
    spans: list[SpanAnswer]


class SpeechAnswer(Answer):
    """The sound of a text, ready to be heard and sent."""

    asset: AssetAnswer
    engine: str
    reading: ReadingAnswer


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.post("/speech/readings")
    @api.input(ReadingRequest, arg_name="wanted")
    @api.output(ReadingAnswer)
    @api.doc(summary="How a Vietnamese text will be read aloud", responses=[422])
    def read_aloud(wanted: ReadingRequest) -> ReadingAnswer:
        return _told(speaking.reading(wanted.text, Manner(wanted.language)))

    @api.post("/speech")
    @api.input(SpeechRequest, arg_name="wanted")
    @api.output(SpeechAnswer, status_code=201)
    @api.doc(summary="Make a sound of a text, to be heard and sent", responses=[403, 422, 429, 503])
    def speak(wanted: SpeechRequest) -> SpeechAnswer:
        demand_speech()
        return _spoken(wanted)


def _spoken(wanted: SpeechRequest) -> SpeechAnswer:
    script = speaking.Script(
        unit_id=wanted.unit_id,
        text=wanted.text,
        said=wanted.said,
        title=wanted.title or "",
        manner=Manner(wanted.language, wanted.pace),
    )
    said = say(booth(), script)
    return SpeechAnswer(
        asset=AssetAnswer.model_validate(said.row), engine=said.engine, reading=_told(said.reading)
    )


def _told(found: Reading) -> ReadingAnswer:
    return ReadingAnswer(
        text=found.text,
        said=found.said,
        spans=[SpanAnswer.model_validate(span) for span in found.spans],
    )
