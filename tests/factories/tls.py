"""Authorities that vouch for servers of this machine, and the files that a server needs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

LONG = timedelta(days=3650)
A_SEASON = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Served:
    """Files of a server: its certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """Vouches for servers; the file of its own certificate is what clients trust."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, _named(name)
        self._key = generate_private_key(SECP256R1())
        own = _begun(self._name, self._name, self._key, datetime.now(UTC) - LONG, 2 * LONG)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(own.sign(self._key, SHA256()).public_bytes(Encoding.PEM))

    def vouch(self, address: str = "127.0.0.1", since: timedelta = -timedelta(days=1)) -> Served:
        """Vouch for a server at an address for a season, that begins so long from now."""
        key = generate_private_key(SECP256R1())
        made = _begun(_named("server"), self._name, key, datetime.now(UTC) + since, A_SEASON)
        at = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        signed = made.add_extension(at, critical=False).sign(self._key, SHA256())
        served = Served(self._folder / "server.pem", self._folder / "server.key")
        served.certificate.write_bytes(signed.public_bytes(Encoding.PEM))
        served.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return served


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _begun(subject, issuer, key, since: datetime, lasts: timedelta) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + lasts)
    )
