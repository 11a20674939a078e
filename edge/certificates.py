"""Judges the certificates of brokers and servers, by a clock that may be wrong.

TLS goes by the system's clock. On a box that has booted with the clock of months ago no certificate
would be valid yet: it could reach nobody who tells it the time. So as long as that clock is not
known to be right, a certificate's days do not count; who vouches for it and whose name it bears do.
Nothing that comes by these ways rests on TLS: orders are signed, files known by their digest.
"""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import final

_UNDATED = 0x200000
"""``X509_V_FLAG_NO_CHECK_TIME`` of OpenSSL's ``x509_vfy.h``; Python has no name for it."""


@final
class Certificates:
    """What TLS goes by; may be asked by several threads.

    Args:
        ca: Certificates that vouch for the servers; the system's when None.
        knows_day: Says whether the system's clock is right.
    """

    def __init__(
        self, ca: Path | None = None, knows_day: Callable[[], bool] = lambda: True
    ) -> None:
        self._ca = ca
        self._knows_day = knows_day
        self._is_loaded = False
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._dated = self.context.verify_flags

    def judging(self) -> ssl.SSLContext:
        """Give the context, for one connection more, as the clock stands now.

        Raises:
            OSError: The file of certificates cannot be read, or holds none.
        """
        if not self._is_loaded:
            # Not sooner: the system's are many, and a broker next door may do without.
            if self._ca is None:
                self.context.load_default_certs()
            else:
                self.context.load_verify_locations(self._ca)
            self._is_loaded = True
        flags = self._dated if self._knows_day() else self._dated | _UNDATED
        self.context.verify_flags = ssl.VerifyFlags(flags)
        return self.context
