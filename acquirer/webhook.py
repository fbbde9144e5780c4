"""The processor's webhooks: signed, and retried until the receiver answers with 2xx."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
import uuid

import requests

from charges import Charge

DELIVERY_ATTEMPTS = 6
FIRST_BACKOFF_SECONDS = 0.5
TIMEOUT_SECONDS = 10

_log = logging.getLogger(__name__)


def deliver(charge: Charge, secret: str) -> bool:
    """POST the charge's result to its `webhook_url`; return whether an attempt got a 2xx status.

    The body is `{"id", "type": "charge.succeeded|charge.declined", "created", "data": {"charge"}}`.
    Delivery is at least once: a receiver that answers after `TIMEOUT_SECONDS` gets it again.
    """
    body = json.dumps(
        {
            "id": f"evt_{uuid.uuid4().hex[:24]}",
            "type": f"charge.{charge.status}",
            "created": int(time.time()),
            "data": {"charge": charge.public()},
        }
    ).encode()
    for attempt in range(DELIVERY_ATTEMPTS):
        if attempt:
            time.sleep(FIRST_BACKOFF_SECONDS * 2 ** (attempt - 1))
        try:
            response = requests.post(
                charge.webhook_url,
                data=body,
                headers={
                    "Content-Type": "application/json",
                    "Acquirer-Signature": sign(body, secret, int(time.time())),
                },
                timeout=TIMEOUT_SECONDS,
            )
        except requests.RequestException as error:
            _log.warning("Webhook of %s not delivered: %s", charge.id, type(error).__name__)
            continue
        if response.ok:
            return True
        _log.warning("Webhook of %s was answered with %d", charge.id, response.status_code)
        if 400 <= response.status_code < 500 and response.status_code != 429:
            return False
    return False


def sign(body: bytes, secret: str, unix_seconds: int) -> str:
    """Return the `Acquirer-Signature` header: the time, and the HMAC-SHA256 of time and body."""
    digest = hmac.new(secret.encode(), b"%d." % unix_seconds + body, hashlib.sha256)
    return f"t={unix_seconds},v1={digest.hexdigest()}"
