"""A web application over a small province, with somebody of every role."""

import html
import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from audio_library.store import Store
from server.app import create_app
from server.domain.authority import Role
from server.services import accounts
from server.services.keyring import Keyring, create_secrets
from server.settings import Settings
from server.store.engine import Sessions, open_engine, open_sessions
from server.store.models import AssetRow
from tests.factories.claims import NOON
from tests.factories.database import hurried
from tests.factories.units import OPERATOR, PROVINCE, found_province

PASSWORD = "mot-mat-khau-dai"  # noqa: S105 - of people who live for one test
COMMUNE, OTHER = "xa-1", "xa-2"
CLUSTERS = ("xa-1-c1", "xa-1-c2")
AUDIO = b"OggS" + bytes(range(256)) * 40
DIGEST = sha256(AUDIO).hexdigest()

# Nobody guesses the passwords of tests: hundreds of log-ins need not take a third of a second each.
_CHEAP = {"argon2__time_cost": 1, "argon2__memory_cost": 8, "argon2__parallelism": 1}


@dataclass(frozen=True, slots=True)
class Site:
    """An application, and the ways into it."""

    app: Flask
    settings: Settings
    sessions: Sessions
    keyring: Keyring
    digest: str

    @property
    def engine(self) -> Engine:
        """The application's own door to its database."""
        return self.app.extensions["loa"].engine

    def let_in(self, username: str, role: str, unit_id: str) -> None:
        """Add somebody who may log in."""
        with self.sessions.begin() as db:
            _let_in(db, username, Role(role), unit_id)

    def program(self, username: str) -> "Program":
        """Log in as a program does, with a token."""
        client = self.app.test_client(use_cookies=False)
        answer = client.post(
            "/login?include_auth_token",
            json={"username": username, "password": PASSWORD},
            headers={"Accept": "application/json"},
        )
        assert answer.status_code == 200, answer.text
        return Program(client, answer.json["response"]["user"]["authentication_token"])

    def browser(self, username: str | None = None) -> FlaskClient:
        """Open a browser, and log in on the page if somebody is named."""
        client = self.app.test_client()
        if username is not None:
            answer = client.post(
                "/login",
                data={
                    "username": username,
                    "password": PASSWORD,
                    "csrf_token": form_token(client.get("/login").text),
                },
            )
            assert answer.status_code == 302, answer.text
        return client


@dataclass(frozen=True, slots=True)
class Program:
    """Somebody's program at the API."""

    client: FlaskClient
    token: str

    def ask(self, method: str, path: str, **arguments: object):
        headers = {"Authentication-Token": self.token, **arguments.pop("headers", {})}
        address = f"/api/v1{path}"
        return self.client.open(address, method=method, headers=headers, buffered=True, **arguments)


def found_site(settings: Settings) -> None:
    """Lay down secrets, a province, its people and an audio file in a migrated, empty database."""
    create_secrets(settings.secrets_dir)
    keyring = Keyring.open(settings.secrets_dir)
    engine = hurried(open_engine(settings.database))
    digest = _an_audio_file(settings)
    with open_sessions(engine).begin() as db:
        found_province(db, keyring, communes=(COMMUNE, OTHER))
        for role in Role:
            _let_in(db, role.value, role, COMMUNE)
        _let_in(db, "elsewhere", Role.COMMUNE_OFFICER, OTHER)
        _let_in(db, "top", Role.ADMIN, PROVINCE)
        db.add(an_asset_row(digest))
    engine.dispose()


def open_site(settings: Settings, templates: Path) -> Site:
    """Open a founded site; its pages' templates are compiled once into a folder."""
    app = create_app(settings)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(templates))
    app.extensions["security"].pwd_context.update(**_CHEAP)
    hurried(app.extensions["loa"].engine)
    sessions = open_sessions(hurried(open_engine(settings.database)))
    return Site(app, settings, sessions, Keyring.open(settings.secrets_dir), DIGEST)


def an_asset_row(digest: str, unit_id: str = COMMUNE, purpose: str = "programme") -> AssetRow:
    """Make the entry of an audio file of one minute."""
    return AssetRow(
        digest=digest,
        unit_id=unit_id,
        title="Bản tin",
        purpose=purpose,
        duration_s=60.0,
        size_bytes=len(AUDIO),
        loudness_lufs=-16.0,
        created_at=NOON,
        created_by="ai-do",
    )


def at_its_field(page: str, name: str) -> str:
    """Read what a page says is wrong at a field."""
    found = re.search(rf'id="{name}-wrong">(.*?)</p>', page, re.DOTALL)
    assert found is not None, name
    return html.unescape(found[1])


def form_token(page: str) -> str:
    """Find the token that a page's forms send."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None, page[:400]
    return found[1]


def _let_in(db: Session, username: str, role: Role, unit_id: str) -> None:
    accounts.create_user(
        db,
        username=username,
        password_hash=_hashed(),
        full_name=f"Người {username}",
        grants=[(role.value, unit_id)],
        now=NOON,
        actor=OPERATOR,
    )


@cache
def _hashed() -> str:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def _an_audio_file(settings: Settings) -> str:
    draft = settings.state_dir / "draft"
    draft.write_bytes(AUDIO)
    return Store(settings.asset_dir).put(draft)
