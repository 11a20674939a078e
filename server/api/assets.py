"""Audio files in, and out again by digest."""

from datetime import timedelta
from pathlib import Path

from apiflask import APIBlueprint
from flask import Response, send_file
from werkzeug.datastructures import FileStorage

from audio_library.assets import Asset
from audio_library.errors import MissingAssetError
from protocol.ids import AssetDigest
from server.api.schemas.assets import AssetAnswer, AssetList, AssetUpload
from server.api.schemas.common import UnitQuery
from server.domain.authority import Action, demand
from server.domain.recurrence import local_day
from server.http.context import actor, here, now, reading, writing
from server.http.uploads import on_disk
from server.services import catalogue, configuring, units

_KEPT_BY_BROWSERS_S = int(timedelta(days=365).total_seconds())


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.post("/assets")
    @api.input(AssetUpload, location="form_and_files", arg_name="upload")
    @api.output(AssetAnswer, status_code=201)
    @api.doc(summary="Prepare an audio file for air and keep it", responses=[403, 413, 422])
    def add_asset(upload: AssetUpload) -> AssetAnswer:
        return _prepared(upload)

    @api.get("/assets")
    @api.input(UnitQuery, location="query", arg_name="query")
    @api.output(AssetList)
    @api.doc(summary="Files that a unit may use")
    def list_assets(query: UnitQuery) -> AssetList:
        with reading() as db:
            chain = units.tree(db, today=local_day(now())).chain(query.unit_id)
            demand(actor(), Action.VIEW, chain)
            rows = catalogue.usable_assets(db, chain=chain)
            return AssetList(assets=[AssetAnswer.model_validate(row) for row in rows])

    @api.get("/assets/<digest>")
    @api.doc(
        summary="The bytes of a file, whole or in ranges",
        responses={200: "Ogg/Opus", 206: "A part of it", 416: "There is no such part"},
    )
    def asset_bytes(digest: str) -> Response:
        return _bytes(AssetDigest(digest))


def _prepared(upload: AssetUpload) -> AssetAnswer:
    """Prepare first, with no transaction open: an hour's programme takes many seconds."""
    person, instant = actor(), now()
    with reading() as db:
        chain = units.tree(db, today=local_day(instant)).chain(upload.unit_id)
        demand(person, Action.UPLOAD, chain)
    asset = _ingested(upload.file)
    new = catalogue.NewAsset(
        unit_id=upload.unit_id,
        title=upload.title,
        purpose=upload.purpose,
        language=upload.language,
        file_name=Path(upload.file.filename or "").name[:200],
    )
    with writing() as db:
        row = catalogue.add_asset(db, new, asset=asset, now=instant, actor=person)
        if row.purpose in catalogue.PINNED:
            # Nodes begin to fetch it at once, long before it is wanted.
            configuring.publish_due_configs(
                db, now=now(), keyring=here().keyring, under=row.unit_id
            )
        return AssetAnswer.model_validate(row)


def _ingested(file: FileStorage) -> Asset:
    # Decoders are heavy to load, and most requests bring no audio.
    from audio_library.ingest import ingest  # noqa: PLC0415 - see above

    return ingest(on_disk(file), here().audio)


def _bytes(digest: AssetDigest) -> Response:
    """Serve a file that can never change: its name is the digest of its bytes."""
    path = here().audio.path(digest)
    if not path.is_file():
        raise MissingAssetError(digest)
    answer = send_file(
        path.absolute(),
        mimetype="audio/ogg",
        conditional=True,
        etag=digest,
    )
    answer.headers["Cache-Control"] = f"private, max-age={_KEPT_BY_BROWSERS_S}, immutable"
    answer.headers["Accept-Ranges"] = "bytes"
    return answer
