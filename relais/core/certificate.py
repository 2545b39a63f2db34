"""The self-signed certificate of HTTPS=1, for a telephone that tries its camera on the local network."""

import contextlib
import ipaddress
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from relais.core import embedded

DAYS = 90


def addresses() -> list[str]:
    """This machine's addresses on its networks, the one that leads out first, the loopback left out."""
    found = []
    for family, outside in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((outside, 9))  # a route is looked up, nothing is sent
                found.append(probe.getsockname()[0])
        except OSError:
            continue
    with contextlib.suppress(OSError):
        found += [entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None)]
    plain = [str(address).partition("%")[0] for address in found]
    return [one for one in dict.fromkeys(plain) if not ipaddress.ip_address(one).is_loopback]


def ensure(home: Path) -> tuple[Path, Path]:
    """Certificate and key files, made again when the addresses changed or a month is left."""
    chain, key = home / "keys" / "https.crt", home / "keys" / "https.key"
    names = ["localhost", socket.gethostname()]
    wanted = {*names, "127.0.0.1", "::1", *addresses()}
    if not (chain.exists() and key.exists() and _serves(chain, wanted)):
        _make(home, chain, key, wanted)
    return chain, key


def _serves(chain: Path, wanted: set[str]) -> bool:
    certificate = x509.load_pem_x509_certificate(chain.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    known = {str(name.value) for name in names}
    return wanted <= known and certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=30)


def _make(home: Path, chain: Path, key: Path, wanted: set[str]) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Relais")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([_name(one) for one in sorted(wanted)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    embedded.make_home(home)
    chain.parent.mkdir(mode=0o700, exist_ok=True)
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(key, secret)
    _write(chain, certificate.public_bytes(serialization.Encoding.PEM))


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)
