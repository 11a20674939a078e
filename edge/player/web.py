"""The one way in which a station is asked for anything: guarded, with limits on everything.

FFmpeg itself opens nothing. So each address is judged here, also those that a redirect or a
playlist names, and it is the address connected to that is judged, not what its name seemed to be.
"""

import http.client
import threading
from collections.abc import Generator
from ipaddress import ip_address
from socket import socket
from typing import final

import urllib3
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, LocationValueError, MaxRetryError, ResponseError
from urllib3.response import BaseHTTPResponse

from edge.errors import Stall, StationError

_CONNECT_S = 5.0
_READ_S = 10.0
_REDIRECTS = 5
_CHUNK_BYTES = 16 * 1024
_OK = range(200, 300)
_LINE_BYTES = 1024
_HEADERS = {"User-Agent": "loalang-node", "Accept": "*/*", "Accept-Encoding": "identity"}


@final
class Web:
    """Gets what stations send.

    Args:
        near: Whether addresses of this very machine and of its own wire may be asked too.
        read_s: How long a station may say nothing.
    """

    def __init__(self, *, near: bool = False, read_s: float = _READ_S) -> None:
        self._pool = urllib3.PoolManager(
            retries=urllib3.Retry(
                connect=0, read=0, status=0, other=0, redirect=_REDIRECTS, raise_on_redirect=True
            ),
            timeout=urllib3.Timeout(connect=_CONNECT_S, read=read_s),
            headers=_HEADERS,
        )
        self._pool.pool_classes_by_scheme = {
            "http": _NearPool if near else _Pool,
            "https": HTTPSConnectionPool if near else _TlsPool,
        }

    def opened(self, url: str, over: threading.Event) -> tuple[str, Generator[bytes, None, None]]:
        """Ask an address: give the kind of thing it says it sends, and what it sends, as it comes.

        That ends when it ends, or when nobody wants it any more.

        Raises:
            StationError: It does not answer, refuses, may not be asked, or breaks off.
        """
        answer = self._ask(url)
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return kind, self._chunks(answer, over)

    def whole(self, url: str, limit_bytes: int, over: threading.Event) -> bytes:
        """Give all that an address sends.

        Raises:
            StationError: As for ``opened``, or it is longer than the limit.
        """
        body = bytearray()
        for chunk in self.opened(url, over)[1]:
            body += chunk
            if len(body) > limit_bytes:
                raise StationError(Stall.NOT_AUDIO, f"more than {limit_bytes} bytes")
        return bytes(body)

    def _chunks(
        self, answer: BaseHTTPResponse, over: threading.Event
    ) -> Generator[bytes, None, None]:
        is_whole = False
        try:
            while not over.is_set() and (chunk := answer.read1(_CHUNK_BYTES)):
                yield chunk
            is_whole = not over.is_set()
        except (HTTPError, OSError, http.client.HTTPException) as error:
            raise StationError(Stall.LOST, type(error).__name__) from error
        finally:
            if is_whole:
                answer.release_conn()
            else:
                # A station goes on for ever: nothing of it is drained when it is let go.
                answer.close()

    def _ask(self, url: str) -> BaseHTTPResponse:
        try:
            answer = self._pool.request("GET", url, preload_content=False)
        except LocationValueError as error:
            raise StationError(Stall.FORBIDDEN, str(error)) from error
        except MaxRetryError as error:
            if isinstance(error.reason, ResponseError):
                raise StationError(Stall.REFUSED, "too many redirects") from error
            raise StationError(Stall.NO_ANSWER, type(error.reason).__name__) from error
        except (HTTPError, OSError, http.client.HTTPException) as error:
            raise StationError(Stall.NO_ANSWER, type(error).__name__) from error
        if answer.status not in _OK:
            answer.close()
            raise StationError(Stall.REFUSED, f"HTTP {answer.status}")
        return answer


def check_address(address: str) -> None:
    """Refuse what no station can be at: this machine, its own wire, and what is no single host.

    Private networks are allowed: a province's station may well stand in one.

    Raises:
        StationError: A node may not be told to ask there.
    """
    # The scope of a link-local address is no part of it.
    at = ip_address(address.partition("%")[0])
    at = getattr(at, "ipv4_mapped", None) or at
    barred = (at.is_loopback, at.is_link_local, at.is_multicast, at.is_unspecified, at.is_reserved)
    if any(barred):
        raise StationError(Stall.FORBIDDEN, f"{at} is no address of a station")


class _Answer(http.client.HTTPResponse):
    """An answer whose first line may be that of SHOUTcast, which is HTTP but for its name."""

    def _read_status(self) -> tuple[str, int, str]:
        if not self.fp.peek(4).startswith(b"ICY "):
            return super()._read_status()  # type: ignore[misc,no-any-return] # not in the stubs
        line = self.fp.readline(_LINE_BYTES).decode("latin-1")
        _name, _space, rest = line.strip().partition(" ")
        status, _space, reason = rest.partition(" ")
        if not status.isascii() or not status.isdigit():
            raise http.client.BadStatusLine(line)
        return "HTTP/1.0", int(status), reason


class _Near(HTTPConnection):
    response_class = _Answer


class _Guarded(_Near):
    @override
    def _new_conn(self) -> socket:
        return _checked(super()._new_conn())


class _GuardedTls(HTTPSConnection):
    @override
    def _new_conn(self) -> socket:
        return _checked(super()._new_conn())


class _NearPool(HTTPConnectionPool):
    ConnectionCls = _Near


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Guarded


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTls


def _checked(connection: socket) -> socket:
    """Judge whom a name led to, before a word is said."""
    try:
        check_address(connection.getpeername()[0])
    except StationError:
        connection.close()
        raise
    return connection
