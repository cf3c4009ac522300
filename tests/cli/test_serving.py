"""The server as a process: HTTPS by settings, and an end that leaves nobody without an answer."""

import contextlib
import datetime
import ipaddress
import json
import os
import signal
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tamis.cli.tls import tls_context
from tamis.errors import ConfigurationError
from tamis.settings import Settings
from tests.faults.waiting import wait_for
from tests.live import LiveServer


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """(certificate, key) of 127.0.0.1 and localhost, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    key_path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return cert_path, key_path


def subject_of(address: tuple[str, int], trusted: Path) -> str:
    """The name in the certificate that the server shows to a new connection."""
    context = ssl.create_default_context(cafile=str(trusted))
    with (
        socket.create_connection(address, timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        shown = x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")
    return str(shown.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def test_https_by_settings_and_a_renewed_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cert, key = certificate(tmp_path / "tls", "first")
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    with LiveServer(tmp_path / "data", TAMIS_TLS_CERT=str(cert), TAMIS_TLS_KEY=str(key)) as server:
        assert server.url.startswith("https://127.0.0.1:")
        with server.client() as client:
            assert client.get("health")["status"] == "OK"
        address = ("127.0.0.1", urlsplit(server.url).port or 0)
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{address[1]}/livez", timeout=5)
        context = ssl.create_default_context(cafile=str(cert))
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        assert httpx.get(f"{server.url}/livez", verify=context).headers.get("strict-transport-security") is None
        assert subject_of(address, cert) == "first"

        os.truncate(key, 10)
        os.kill(server.pid, signal.SIGHUP)
        wait_for(lambda: "the certificate stays as it was" in server.log)
        assert subject_of(address, cert) == "first"
        certificate(tmp_path / "tls", "second")
        os.kill(server.pid, signal.SIGHUP)
        wait_for(lambda: "the certificate was read anew" in server.log)
        assert subject_of(address, cert) == "second"


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path / "tls", "one")
    _, other = certificate(tmp_path / "other", "other")
    torn = tmp_path / "torn.pem"
    torn.write_bytes(cert.read_bytes()[:100])
    for given_cert, given_key in ((cert, other), (torn, key), (tmp_path / "none.pem", key), (cert, None)):
        with pytest.raises(ConfigurationError, match="TAMIS_TLS_CERT and TAMIS_TLS_KEY"):
            tls_context(Settings(tls_cert=given_cert, tls_key=given_key))
    with pytest.raises(ConfigurationError, match="give the certificate"):
        tls_context(Settings(tls_key=key))
    assert tls_context(Settings()) is None


class HalfSent:
    """A request whose second half is still to come."""

    def __init__(self, server: LiveServer, name: str) -> None:
        body = json.dumps({"namespace_name": name}).encode()
        self._rest = body[10:]
        host = urlsplit(server.url)
        self._socket = socket.create_connection((host.hostname or "", host.port or 0), timeout=20)
        head = (
            f"POST /v1/namespaces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body[:10])

    def finish(self) -> str:
        """The whole answer, once the connection has been closed after it; empty where it was cut off."""
        with self._socket, contextlib.suppress(OSError):
            self._socket.sendall(self._rest)
            return b"".join(iter(lambda: self._socket.recv(65536), b"")).decode()
        return ""


def test_sigterm_lets_what_runs_end(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data") as server:
        running = HalfSent(server, "late")
        wait_for(lambda: httpx.get(f"{server.url}/livez").is_success)
        os.kill(server.pid, signal.SIGTERM)
        wait_for(lambda: not takes_connections(server))
        answer = running.finish()
        assert answer.startswith("HTTP/1.1 200"), answer
        assert "connection: close" in answer.lower()
        assert server.stop() == 0


def test_balancers_are_told_first_and_what_does_not_end_in_time_is_cut_off(tmp_path: Path) -> None:
    settings = {"TAMIS_DRAIN_NOTICE_S": "600", "TAMIS_DRAIN_S": "0.1", "TAMIS_LOG_FORMAT": "json"}
    with LiveServer(tmp_path / "data", **settings) as server:
        running = HalfSent(server, "never")
        os.kill(server.pid, signal.SIGTERM)
        wait_for(lambda: httpx.get(f"{server.url}/readyz").status_code == 503)
        assert httpx.get(f"{server.url}/readyz").json()["waiting_for"] == ["the server is ending"]
        assert httpx.get(f"{server.url}/livez").is_success
        with server.client() as client:
            assert client.get("health")["status"] == "OK", "requests are still taken"
        httpx.get(f"{server.url}/v1/discovery", headers={"X-Forwarded-For": "203.0.113.77"}, timeout=60)
        assert "203.0.113.77" not in server.log, "nobody is trusted unless the settings name him"
        os.kill(server.pid, signal.SIGTERM)
        wait_for(lambda: not takes_connections(server))
        assert server.stop() == 0
        assert not running.finish().startswith("HTTP/1.1 2")


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that waits for nobody for long."""
    folder = tmp_path_factory.mktemp("strict") / "data"
    limits = {"TAMIS_MAX_HEAD_BYTES": "16384", "TAMIS_HEAD_S": "0.3", "TAMIS_BODY_STALL_S": "0.3"}
    limits["TAMIS_MAX_CONNECTIONS"] = "20"
    with LiveServer(folder, **limits) as server:
        yield server


def sent(server: LiveServer, *pieces: bytes) -> str:
    """What comes until the server closes the connection."""
    host = urlsplit(server.url)
    with socket.create_connection((host.hostname or "", host.port or 0), timeout=20) as connection:
        with contextlib.suppress(OSError):
            for piece in pieces:
                connection.sendall(piece)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                received += part
        return received.decode()


def refusal(answer: str) -> tuple[int, dict[str, Any]]:
    """(status, error)"""
    head, _, body = answer.partition("\r\n\r\n")
    assert "connection: close" in head.lower()
    assert "x-content-type-options: nosniff" in head.lower()
    told = json.loads(body)
    assert told["status"] == int(head.split()[1])
    return told["status"], told["error"]


def test_a_head_may_be_so_large(strict: LiveServer) -> None:
    start, fits = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", b"X-Long: %b\r\n" % (b"x" * 15000)
    assert sent(strict, start, fits, b"\r\n").startswith("HTTP/1.1 200")
    for pieces in (
        (start + b"X-Long: %b\r\n\r\n" % (b"x" * 20000),),
        (start + b"X-Short: 1\r\n" * 2000 + b"\r\n",),
        (b"GET /livez?%b HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"x" * 20000),),
        (start, *[b"X-Short: 1\r\n" * 500] * 1000),
    ):
        status, error = refusal(sent(strict, *pieces))
        assert (status, error["type"], error["details"]) == (431, "HeadTooLargeError", {"limit_bytes": 16384})
    assert httpx.get(f"{strict.url}/livez").is_success


def test_a_request_has_to_come_in_time(strict: LiveServer) -> None:
    head = b"POST /v1/namespaces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %b\r\nContent-Length: 50\r\n"
    for pieces in ((b"GET /livez HTTP/1.1\r\nHost: loc",), (head % strict.key.encode() + b"\r\n", b"{")):
        status, error = refusal(sent(strict, *pieces))
        assert (status, error["type"], error["details"]) == (408, "IncompleteRequestError", {"limit_s": 0.3})
    assert refusal(sent(strict, b"\x16\x03\x01 nonsense\r\n\r\n"))[0] == 400
    assert "Traceback" not in strict.log


def takes_connections(server: LiveServer) -> bool:
    host = urlsplit(server.url)
    with socket.socket() as probe:
        return probe.connect_ex((host.hostname or "", host.port or 0)) == 0


def test_slow_clients_do_not_hold_the_server(strict: LiveServer) -> None:
    host = urlsplit(strict.url)
    with contextlib.ExitStack() as stack:
        for number in range(60):
            one = stack.enter_context(socket.create_connection((host.hostname or "", host.port or 0), timeout=20))
            with contextlib.suppress(OSError):
                one.sendall(
                    (b"", b"GET /li", b"POST /v1/namespaces HTTP/1.1\r\nContent-Length: 900\r\n\r\nx")[number % 3]
                )
        assert httpx.get(f"{strict.url}/livez").is_success
