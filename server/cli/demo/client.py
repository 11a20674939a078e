"""Speak with the server as any program would: the HTTP API, with a person's log-in."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import urllib3

from server.cli.demo.province import Login
from server.cli.errors import CommandError

TIMEOUT_S = 30.0
PREPARING_S = 180.0


class ApiError(CommandError):
    """The API did not do what was asked."""

    def __init__(self, method: str, path: str, status: int, body: str) -> None:
        self.status = status
        self.body = body
        super().__init__(f"{method} {path} was answered with {status}: {body}")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has logged in.

    Attributes:
        address: Where the server is.
        token: What the server gave at log-in.
    """

    address: str
    token: str
    pool: urllib3.PoolManager

    @classmethod
    def log_in(cls, address: str, login: Login) -> "Person":
        """Log in with name and password."""
        pool = urllib3.PoolManager(timeout=TIMEOUT_S, retries=False)
        body = {"username": login.username, "password": login.password}
        path = "/login?include_auth_token"
        answer = pool.request(
            "POST", address + path, json=body, headers={"Accept": "application/json"}
        )
        if answer.status != 200:  # noqa: PLR2004 - HTTP's own number
            raise ApiError("POST", path, answer.status, answer.data.decode("utf-8", "replace"))
        return cls(address, answer.json()["response"]["user"]["authentication_token"], pool)

    def upload(self, path: Path, *, unit_id: str, title: str, purpose: str) -> dict[str, Any]:
        """Send an audio file, and get what it was prepared into."""
        file = (path.name, path.read_bytes())
        words = {"unit_id": unit_id, "title": title, "purpose": purpose}
        body, content_type = urllib3.encode_multipart_formdata([("file", file), *words.items()])
        # It is answered when the file is prepared, which takes a while for a long one.
        return self._asked(
            "POST", "/assets", body=body, content_type=content_type, within_s=PREPARING_S
        )

    def asset(self, digest: str) -> bytes:
        """Fetch a prepared audio file."""
        return self._raw("GET", f"/assets/{digest}")

    def add_slot(self, **fields: object) -> str:
        """Add a slot; its id."""
        return str(self._json("POST", "/slots", fields)["slot_id"])

    def announce(self, **fields: object) -> dict[str, Any]:
        """Make an announcement."""
        return self._json("POST", "/broadcasts", {"request_id": uuid.uuid4().hex, **fields})

    def speech(self, **fields: object) -> dict[str, Any]:
        """Have a text spoken; the sound of it."""
        return self._json("POST", "/speech", fields)["asset"]  # type: ignore[no-any-return]

    def warning(self, code: str, **fields: object) -> dict[str, Any]:
        """Fill a prepared warning; the sound of it."""
        return self._json("POST", f"/warnings/{code}/sounds", fields)["asset"]  # type: ignore[no-any-return]

    def keep_warning(self, code: str, unit_id: str) -> None:
        """Have a unit's nodes keep what a prepared warning says every time."""
        body = msgspec.json.encode({"unit_id": unit_id})
        path = f"/warnings/{code}/preparation"
        self._raw("POST", path, body=body, content_type="application/json")

    def assets(self, unit_id: str) -> Sequence[Mapping[str, Any]]:
        """List the files that a unit may use."""
        found: list[Mapping[str, Any]] = self._asked("GET", f"/assets?unit_id={unit_id}")["assets"]
        return found

    def microphone(self, **fields: object) -> dict[str, Any]:
        """Ask for a ticket with which somebody goes on air."""
        return self._json("POST", "/microphone-tickets", {"request_id": uuid.uuid4().hex, **fields})

    def stop(self, broadcast_id: str) -> dict[str, Any]:
        """Stop an announcement."""
        return self._asked("POST", f"/broadcasts/{broadcast_id}/stop")

    def broadcast(self, broadcast_id: str) -> dict[str, Any]:
        """Ask what has become of an announcement."""
        return self._asked("GET", f"/broadcasts/{broadcast_id}")

    def clusters(self) -> Sequence[Mapping[str, Any]]:
        """Ask how the clusters are."""
        found: list[Mapping[str, Any]] = self._asked("GET", "/clusters")["clusters"]
        return found

    def timeline(self, cluster_id: str, day: date) -> Sequence[Mapping[str, Any]]:
        """Ask what a cluster plays on a local day."""
        path = f"/timeline?cluster_id={cluster_id}&day={day.isoformat()}"
        found: list[Mapping[str, Any]] = self._asked("GET", path)["spans"]
        return found

    def as_run(self, since: datetime, until: datetime) -> Sequence[Mapping[str, Any]]:
        """Ask what has sounded."""
        query = urlencode({"since": since.isoformat(), "until": until.isoformat()})
        found: list[Mapping[str, Any]] = self._asked("GET", f"/as-run?{query}")["records"]
        return found

    def _json(self, method: str, path: str, fields: Mapping[str, object]) -> dict[str, Any]:
        body = msgspec.json.encode(fields)
        return self._asked(method, path, body=body, content_type="application/json")

    def _asked(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        content_type: str = "",
        within_s: float = TIMEOUT_S,
    ) -> dict[str, Any]:
        raw = self._raw(method, path, body=body, content_type=content_type, within_s=within_s)
        return msgspec.json.decode(raw, type=dict[str, Any])

    def _raw(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        content_type: str = "",
        within_s: float = TIMEOUT_S,
    ) -> bytes:
        headers = {"Authentication-Token": self.token, "Accept": "application/json"}
        if content_type:
            headers["Content-Type"] = content_type
        address = f"{self.address}/api/v1{path}"
        answer = self.pool.request(method, address, body=body, headers=headers, timeout=within_s)
        if answer.status >= 400:  # noqa: PLR2004 - HTTP's own number
            raise ApiError(method, path, answer.status, answer.data.decode("utf-8", "replace"))
        return answer.data
