"""A server made by hand around one real node: a broker, audio over HTTP, keys, and ears."""

import contextlib
import hashlib
import itertools
import json
import os
import queue
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Event
from types import MappingProxyType

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from protocol.ids import NodeId
from protocol.messages import (
    Acknowledge,
    AsRun,
    AssetRef,
    Claim,
    Content,
    NodeWord,
    Presence,
    SignedTime,
    Telemetry,
    decode_node_word,
)
from protocol.signing import audience_node, audience_unit, public_text
from protocol.topics import NODE_WORDS, node_config, node_order, unit_order, unit_plan
from tests.factories.claims import CLUSTER, COMMUNE, NODE, a_claim, an_announcement
from tests.factories.messages import (
    COMMUNE_KEY,
    PROVINCE_KEY,
    ROOT_KEY,
    a_certified,
    a_config,
    a_plan,
    a_play,
    a_token,
)
from tests.factories.ports import free_port
from tests.factories.tls import Served
from tests.factories.waiting import PATIENCE_S, wait_until

SECRET = "a secret of the node at hand"  # noqa: S105 - of a node that lives for one test
LONG_AGO = timedelta(days=1)


def is_listening(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.3):
            return True
    except OSError:
        return False


class Mosquitto:
    """A real broker that can be killed and started again."""

    def __init__(self, folder: Path, served: Served | None = None) -> None:
        self.port = free_port()
        self._settings = folder / "mosquitto.conf"
        tls = f"certfile {served.certificate}\nkeyfile {served.key}\n" if served else ""
        self._settings.write_text(
            f"listener {self.port} 127.0.0.1\n{tls}allow_anonymous true\nset_tcp_nodelay true\n"
            f"persistence false\nlog_dest none\nuser root\n"
        )
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", str(self._settings)])
        wait_until(lambda: is_listening(self.port))

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class AudioServer:
    """Serves files by digest, ranged, behind HTTP Basic; misbehaves when told to.

    Attributes:
        files: Bytes by digest.
        requests: Digest and Range header of each request.
        cut_after: Close the connection after so many bytes, once for each digest named.
        spoiled: Digests whose next answer is not what the name says.
        held: Digests whose answer is held back.
        lying: Digests whose answer is never what the name says.
        dripping: Digests that are sent a byte at a time, a hundredth of a second apart.
    """

    def __init__(self, served: Served | None = None) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.cut_after: dict[str, int] = {}
        self.spoiled: set[str] = set()
        self.held: set[str] = set()
        self.lying: set[str] = set()
        self.dripping: set[str] = set()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        if served is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(served.certificate, served.key)
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        scheme = "https" if served else "http"
        self.base = f"{scheme}://127.0.0.1:{self._http.server_port}/api/v1/assets"

    def add(self, body: bytes, duration_s: float = 1.0) -> AssetRef:
        digest = hashlib.sha256(body).hexdigest()
        self.files[digest] = body
        return AssetRef(digest=digest, duration_s=duration_s, size_bytes=len(body))

    def close(self) -> None:
        self.held.clear()
        self.dripping.clear()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def _drip(file, body: bytes, server: AudioServer) -> None:
    """Send a byte at a time, until nobody listens or the server is told to end."""
    with contextlib.suppress(OSError):
        for byte in itertools.takewhile(lambda _: server.dripping, body):
            file.write(bytes([byte]))
            Event().wait(0.01)


def _handler(server: AudioServer) -> type[BaseHTTPRequestHandler]:
    expected = "Basic " + b64encode(f"{NODE}:{SECRET}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            digest = self.path.rpartition("/")[2]
            wanted = self.headers.get("Range", "")
            server.requests.append((digest, wanted))
            wait_until(lambda: digest not in server.held, within_s=30)
            body = server.files.get(digest)
            if self.headers.get("Authorization") != expected:
                self._answer(401, b"")
            elif body is None:
                self._answer(404, b"")
            elif digest in server.dripping:
                self._answer(200, body, 0, ends=False)
                _drip(self.wfile, body, server)
                self.close_connection = True
            elif digest in server.lying | server.spoiled:
                server.spoiled.discard(digest)
                self._answer(200, bytes(len(body)))
            elif found := re.fullmatch(r"bytes=(\d+)-", wanted):
                self._answer(206, body[int(found.group(1)) :])
            else:
                self._answer(200, body, server.cut_after.pop(digest, None))

        def _answer(
            self, status: int, body: bytes, cut_after: int | None = None, *, ends: bool = True
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:cut_after])
            if cut_after is not None and ends:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True

    return Handler


@dataclass
class Station:
    """The server's side of one node.

    Attributes:
        words: All that the node has said, oldest first.
        acknowledges: Whether reports are acknowledged as they come.
        tells_time: Whether who asks the time is answered.
    """

    port: int
    words: list[NodeWord] = field(default_factory=list)
    acknowledges: bool = True
    tells_time: bool = True
    _serial: count = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self._arrivals: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id="server",
            protocol=MQTTProtocolVersion.MQTTv311,
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(NODE_WORDS, 1)
        self._client.on_message = self._heard
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()
        wait_until(self._client.is_connected)

    def _heard(self, _client, _userdata, message) -> None:
        word = decode_node_word(message.payload)
        self.words.append(word)
        if isinstance(word, Presence | Telemetry) and word.nonce and not message.retain:
            self._tell_time(word.nonce)
        if self.acknowledges and not isinstance(word, Presence | Telemetry):
            self.acknowledge(word.report_id)

    def _tell_time(self, nonce: str) -> None:
        if self.tells_time:
            answer = SignedTime(nonce=nonce, at=datetime.now(UTC))
            token = self.sign(answer, PROVINCE_KEY, audience=(audience_node(NODE),))
            self.publish(node_order(NodeId(NODE)), token)

    def heard(self, kind, **facts: object):
        """The words of one kind about which the facts hold."""
        return [
            word
            for word in list(self.words)
            if isinstance(word, kind)
            and all(getattr(word, name) == value for name, value in facts.items())
        ]

    def hears(self, kind, within_s: float = PATIENCE_S, **facts: object):
        """Wait for such a word, and give the first."""
        return wait_until(lambda: self.heard(kind, **facts), within_s=within_s)[0]

    def publish(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        self._client.publish(topic, payload, 1, retained)

    def sign(self, message, key=COMMUNE_KEY, **overrides: object) -> bytes:
        now = datetime.now(UTC)
        facts = {
            "audience": (audience_unit(message.unit if hasattr(message, "unit") else COMMUNE),),
            "issued_at": now,
            "expires": now + timedelta(hours=1),
            "message_id": f"t-{next(self._serial)}-{os.getpid()}",
        }
        return a_token(message, key, **{**facts, **overrides})

    def configure(self, **overrides: object) -> None:
        """Give the node its configuration, retained."""
        then = datetime.now(UTC) - LONG_AGO
        certificates = tuple(
            a_certified(key, issued_at=then) for key in (PROVINCE_KEY, COMMUNE_KEY)
        )
        config = a_config(**{"certificates": certificates, **overrides})
        token = self.sign(config, PROVINCE_KEY, audience=(audience_node(NODE),))
        self.publish(node_config(NodeId(NODE)), token, retained=True)

    def plan(self, *claims: Claim, version: int = 1, **overrides: object) -> None:
        """Publish the commune's plan, retained."""
        now = datetime.now(UTC)
        plan = a_plan(
            start=now - LONG_AGO,
            end=now + LONG_AGO,
            claims=claims,
            version=version,
            **overrides,
        )
        self.publish(unit_plan(COMMUNE), self.sign(plan), retained=True)

    def play(self, claim) -> bytes:
        token = self.sign(a_play(**_fields(claim)))
        self.publish(unit_order(COMMUNE), token)
        return token

    def order(self, message, **overrides: object) -> bytes:
        token = self.sign(message, **overrides)
        self.publish(unit_order(COMMUNE), token)
        return token

    def acknowledge(self, *report_ids: str) -> None:
        token = self.sign(
            Acknowledge(report_ids=report_ids), PROVINCE_KEY, audience=(audience_node(NODE),)
        )
        self.publish(node_order(NodeId(NODE)), token)

    def final(self, claim_id: str, within_s: float = PATIENCE_S) -> AsRun:
        """The one as-run record of a claim."""
        record = self.hears(AsRun, within_s, claim_id=claim_id)
        assert record.cluster == CLUSTER
        return record

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class NodeProcess:
    """``python -m edge`` as a process of its own, recording what it sounds.

    Attributes:
        recording: What it sounds, if it has no other output.
    """

    def __init__(
        self,
        folder: Path,
        broker_port: int,
        audio_base: str,
        version: int = 5,
        *,
        output: str = "",
        module: str = "edge",
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.recording = folder / "heard.wav"
        self._folder = folder
        self._environment = {**os.environ, **environment}  # noqa: TID251 - handed on
        self._log = folder / "node.log"
        node_file = folder / "node.json"
        node_file.write_text(
            json.dumps(
                {
                    "format": 1,
                    "node": NODE,
                    "secret": SECRET,
                    "root_key": public_text(ROOT_KEY.private.public_key()),
                    "mqtt": [f"mqtt://127.0.0.1:{broker_port}?version={version}"],
                    "audio": [audio_base],
                }
            )
        )
        node_file.chmod(0o600)
        self._command = [
            sys.executable,
            *("-m", module, "--node-file", str(node_file), "--state", str(folder / "state")),
            *("--output", output or f"record:{self.recording}"),
            *("--fetch-spread", "0"),
        ]
        self.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text()

    def holds(self, files: int) -> bool:
        """Say whether so many audio files are whole on its disk."""
        there = (self._folder / "state" / "audio").rglob("*")
        return sum(one.is_file() and one.suffix != ".part" for one in there) >= files

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stderr=log, env=self._environment)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to end, and give its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(10)


def a_programme(asset: AssetRef, start: datetime, **overrides: object):
    """A scheduled claim of the commune that plays one file from ``start``."""
    return a_claim(
        **{
            "claim_id": "tin-1",
            "start": start,
            "end": start + timedelta(seconds=asset.duration_s),
            "issued_at": start - timedelta(hours=1),
            "content": _content(asset),
            **overrides,
        }
    )


def an_urgent(
    asset: AssetRef, start: datetime, opening: AssetRef | None = None, **overrides: object
):
    """An emergency of the commune that plays one file from ``start``, valid for a minute."""
    return an_announcement(
        **{
            "start": start,
            "end": start + timedelta(minutes=1),
            "issued_at": start,
            "content": _content(asset, opening),
            **overrides,
        }
    )


def _content(asset: AssetRef, opening: AssetRef | None = None):
    return Content(items=(asset,), opening=opening)


def _fields(claim) -> dict[str, object]:
    return {name: getattr(claim, name) for name in claim.__struct_fields__}
