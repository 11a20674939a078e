"""What programs send and are sent of audio files."""

from typing import Annotated, Literal

from apiflask.fields import UploadFile
from pydantic import ConfigDict, Field

from server.api.schemas.common import Answer, Id, Instant, Request, Title


class AssetUpload(Request):
    """An audio file, and what it is for."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    file: UploadFile
    unit_id: Id
    title: Title
    purpose: Literal["programme", "announcement", "warning", "phrase", "chime"] = "programme"
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")] = "vi"


class AssetAnswer(Answer):
    """An audio file that may go on air."""

    digest: str
    unit_id: str
    title: str
    purpose: str
    language: str
    duration_s: float
    size_bytes: int
    loudness_lufs: float | None
    file_name: str
    created_at: Instant


class AssetList(Answer):
    """Audio files, newest first."""

    assets: list[AssetAnswer]
