"""Functions that any client can reach, each served by Functions Framework for a test.

They are all but `telemetry`, which test_relay.py and test_relay_server.py test.

Firestore is a stand-in over gRPC that holds one show and two orders and forgets what is written.
The card processor, Eventarc and the OTLP endpoint are one local server.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Iterator, Mapping
from concurrent import futures
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
from google.cloud.firestore_v1 import _helpers
from google.cloud.firestore_v1.types import firestore as messages
from google.cloud.firestore_v1.types import write as write_messages
from google.cloud.firestore_v1.types.document import Document
from google.protobuf.empty_pb2 import Empty
from google.protobuf.timestamp_pb2 import Timestamp

from tests.unit.framework import ROOT, Framework, framework
from tests.unit.local_server import LocalServer, ReceivedRequest, free_port, serving

FUNCTIONS = ROOT / "functions"
NAMES = ("quote", "refund", "settle", "availability")
PROJECT = "demo-throughline"
SECRET = "whsec_for_the_local_stack_only"

SHOW = "night-ferry"
TICKETED, CHARGING = "TicketedOrder0000001", "ChargingOrder0000001"
_ORDER: dict[str, Any] = {
    "uid": "buyer",
    "show_id": SHOW,
    "seats": 2,
    "amount_cents": 5000,
    "currency": "EUR",
    "card_token": "tok_0000000000000000_approved",
    "charge_id": "ch_1",
    "placed_at": datetime.now(UTC),
    "hold_until": datetime.now(UTC) + timedelta(hours=1),
}
DOCUMENTS: Mapping[str, Mapping[str, Any]] = {
    f"shows/{SHOW}": {
        "price_cents": 2500,
        "currency": "EUR",
        "seats_left": 40,
        "seats_total": 60,
    },
    f"orders/{TICKETED}": {**_ORDER, "state": "ticketed"},
    f"orders/{CHARGING}": {**_ORDER, "state": "charging"},
}


@dataclass(frozen=True)
class Request:
    """One HTTP request to a function; header names and values are Latin-1."""

    function: str
    method: str = "POST"
    target: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class PublicFunctions:
    """The running functions by name, and the server that stands in for their dependencies."""

    servers: Mapping[str, Framework]
    local: LocalServer

    def send(self, request: Request) -> Response:
        """Send one request over a connection of its own."""
        server = self.servers[request.function]
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        try:
            connection.putrequest(request.method, request.target, skip_accept_encoding=True)
            for name, value in request.headers.items():
                connection.putheader(name, value.encode("latin-1"))
            connection.putheader("Content-Length", str(len(request.body)))
            connection.endheaders(request.body)
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Response(response.status, headers, response.read())
        finally:
            connection.close()


@contextmanager
def public_functions(folder: Path) -> Iterator[PublicFunctions]:
    """Serve the four functions while the block runs; their logs go to `folder`."""
    with ExitStack() as stack:
        local = stack.enter_context(serving(answer))
        firestore = stack.enter_context(serving_firestore(DOCUMENTS))
        servers = {}
        for name in NAMES:
            environment = {
                "FUNCTION_TARGET": name,
                "FUNCTION_SIGNATURE_TYPE": "http",
                "GCLOUD_PROJECT": PROJECT,
                "FUNCTIONS_EMULATOR": "true",
                "FAULTS": "never",
                "FIRESTORE_EMULATOR_HOST": firestore,
                # The SDK then accepts unsigned ID tokens without calling the emulator.
                "FIREBASE_AUTH_EMULATOR_HOST": "127.0.0.1:9",
                "CLOUD_EVENTARC_EMULATOR_HOST": local.url,
                "ACQUIRER_URL": local.url,
                "OTEL_EXPORTER_OTLP_ENDPOINT": local.url,
            }
            command = FUNCTIONS / "venv" / "bin" / "functions-framework"
            served = framework(command, FUNCTIONS, environment, folder / name, "/__/health")
            servers[name] = stack.enter_context(served)
        yield PublicFunctions(servers, local)


def id_token(uid: str = "organiser", role: str = "organiser") -> str:
    """Return an ID token as the Auth emulator issues it, unsigned."""
    now = int(time.time())
    claims = {
        "iss": f"https://securetoken.google.com/{PROJECT}",
        "aud": PROJECT,
        "sub": uid,
        "user_id": uid,
        "auth_time": now,
        "iat": now,
        "exp": now + 36_000,
        "role": role,
    }
    parts = (json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def signature(body: bytes, sent_at: str | None = None) -> str:
    """Return the processor's signature header for a webhook's body."""
    sent_at = sent_at or str(int(time.time()))
    digest = hmac.new(SECRET.encode(), sent_at.encode() + b"." + body, hashlib.sha256)
    return f"t={sent_at},v1={digest.hexdigest()}"


def answer(request: ReceivedRequest) -> tuple[int, bytes, dict[str, str]]:
    """Answer as the card processor, Eventarc, Cloud Tasks and the OTLP endpoint do."""
    task = {"name": "projects/p/locations/l/queues/expire/tasks/1"}
    answers = {
        "/refunds": {"id": "re_1"},
        "/charges": {"id": "ch_1", "status": "pending"},
        **({request.path: {"task": task}} if "/queues/" in request.path else {}),
    }
    # OTLP's acknowledgement is an empty protobuf message.
    is_export = request.path.startswith("/v1/")
    body = b"" if is_export else json.dumps(answers.get(request.path, {})).encode()
    return 200, body, {"Content-Type": "application/json"}


@contextmanager
def serving_firestore(documents: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Run the stand-in for Firestore, which has these documents by path; yields its address."""

    def batch_get(request: Any, _context: object) -> Iterator[messages.BatchGetDocumentsResponse]:
        now = Timestamp()
        now.GetCurrentTime()
        for name in request.documents:
            stored = documents.get(name.partition("/documents/")[2])
            if stored is None:
                yield messages.BatchGetDocumentsResponse(missing=name, read_time=now)
                continue
            fields = _helpers.encode_dict(stored)
            document = Document(name=name, fields=fields, create_time=now, update_time=now)
            yield messages.BatchGetDocumentsResponse(found=document, read_time=now)

    def begin(_request: object, _context: object) -> messages.BeginTransactionResponse:
        return messages.BeginTransactionResponse(transaction=b"1")

    def commit(request: Any, _context: object) -> messages.CommitResponse:
        now = Timestamp()
        now.GetCurrentTime()
        results = [write_messages.WriteResult(update_time=now) for _ in request.writes]
        return messages.CommitResponse(write_results=results, commit_time=now)

    def rollback(_request: object, _context: object) -> Empty:
        return Empty()

    handlers = {
        "BatchGetDocuments": grpc.unary_stream_rpc_method_handler(
            batch_get,
            request_deserializer=messages.BatchGetDocumentsRequest.deserialize,
            response_serializer=messages.BatchGetDocumentsResponse.serialize,
        ),
        "BeginTransaction": grpc.unary_unary_rpc_method_handler(
            begin,
            request_deserializer=messages.BeginTransactionRequest.deserialize,
            response_serializer=messages.BeginTransactionResponse.serialize,
        ),
        "Commit": grpc.unary_unary_rpc_method_handler(
            commit,
            request_deserializer=messages.CommitRequest.deserialize,
            response_serializer=messages.CommitResponse.serialize,
        ),
        "Rollback": grpc.unary_unary_rpc_method_handler(
            rollback,
            request_deserializer=messages.RollbackRequest.deserialize,
            response_serializer=Empty.SerializeToString,
        ),
    }
    server = grpc.server(futures.ThreadPoolExecutor(8))
    service = grpc.method_handlers_generic_handler("google.firestore.v1.Firestore", handlers)
    server.add_generic_rpc_handlers((service,))
    address = f"127.0.0.1:{free_port()}"
    assert server.add_insecure_port(address)
    server.start()
    try:
        yield address
    finally:
        server.stop(None).wait()
