"""App Check on this machine: tokens, and the server of the keys that they are verified with.

firebase-admin fetches the keys from Google's address. Requests to it go through the proxy of the
environment, and this server is that proxy: it answers for Google with a certificate of its own,
which `SSL_CERT_FILE` makes trusted. So the verifier's own code runs, unchanged.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

HOST = "firebaseappcheck.googleapis.com"
PROJECT = "demo-throughline"
KEY_ID = "key-1"
SECONDS = 20.0


@dataclass(frozen=True)
class AppCheck:
    """The private key of tokens, and the environment of a process that is to verify them."""

    key: rsa.RSAPrivateKey
    environment: dict[str, str]

    def token(self, key: rsa.RSAPrivateKey | None = None, **claims: Any) -> str:
        """Return a token as App Check issues it; `claims` replace its own."""
        now = int(time.time())
        own = {
            "iss": f"https://{HOST}/1234",
            "aud": ["projects/1234", f"projects/{PROJECT}"],
            "sub": "1:1234:web:abcd",
            "iat": now,
            "exp": now + 3600,
        }
        return jwt.encode({**own, **claims}, key or self.key, "RS256", {"kid": KEY_ID})


def new_key() -> rsa.RSAPrivateKey:
    """Return a private key."""
    return rsa.generate_private_key(65537, 2048)


@contextmanager
def serving_keys(folder: Path) -> Iterator[AppCheck]:
    """Serve the public key of the tokens during the block; files are written to `folder`."""
    key = new_key()
    jwk = {
        **json.loads(RSAAlgorithm.to_jwk(key.public_key())),
        "kid": KEY_ID,
        "use": "sig",
        "alg": "RS256",
    }
    body = json.dumps({"keys": [jwk]}).encode()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = _certificate(folder)
    tls.load_cert_chain(certificate, folder / "tls-key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, tls, body), daemon=True).start()
        environment = {
            "https_proxy": f"http://127.0.0.1:{listener.getsockname()[1]}",
            "no_proxy": "127.0.0.1",
            "SSL_CERT_FILE": str(certificate),
            "GOOGLE_APPLICATION_CREDENTIALS": str(_service_account(folder, key)),
            "GCLOUD_PROJECT": PROJECT,
            "GOOGLE_CLOUD_PROJECT": PROJECT,
        }
        yield AppCheck(key, environment)


def _accept(listener: socket.socket, tls: ssl.SSLContext, body: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection = listener.accept()[0]
            connection.settimeout(SECONDS)
            threading.Thread(target=_serve, args=(connection, tls, body), daemon=True).start()


def _serve(connection: socket.socket, tls: ssl.SSLContext, body: bytes) -> None:
    """Answer CONNECT for Google's host, and the request for its keys within the tunnel."""
    with contextlib.suppress(OSError), connection:
        if not _head(connection).startswith(f"CONNECT {HOST}:443 ".encode()):
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with tls.wrap_socket(connection, server_side=True) as tunnel:
            is_keys = _head(tunnel).startswith(b"GET /v1/jwks ")
            status = b"200 OK" if is_keys else b"404 Not Found"
            length = b"%d" % len(body)
            tunnel.sendall(
                b"HTTP/1.1 %b\r\nContent-Length: %b\r\nConnection: close\r\n\r\n%b"
                % (status, length, body)
            )


def _head(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        received = connection.recv(4096)
        if not received:
            break
        head += received
    return head


def _certificate(folder: Path) -> Path:
    certificate = folder / "tls.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", str(folder / "tls-key.pem"), "-out", str(certificate)),
            *("-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"),
        ],
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )
    return certificate


def _service_account(folder: Path, key: rsa.RSAPrivateKey) -> Path:
    """Write the credentials that firebase-admin wants, and never uses here."""
    file = folder / "service-account.json"
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": f"functions@{PROJECT}.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": "http://127.0.0.1:9/token",
    }
    file.write_text(json.dumps(account))
    return file
