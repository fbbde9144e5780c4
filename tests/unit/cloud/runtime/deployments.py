"""Deployed functions for tests, whose `functions-framework` is a small server of the tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cloud.deployment.deployed import PUBLIC, Function
from cloud.runtime.service import Service
from cloud.runtime.source import Source

PROJECT = "demo-test"
ACCOUNT = "runner@demo-test.iam.gserviceaccount.com"

# Answers what the path asks for: /headers, /slow (a second), /fail, /memory (64 MiB more), /wait
# (until the file `go` exists in the source folder). Writes its life into the file `life`.
FRAMEWORK = """\
#!{python}
import json, os, pathlib, signal, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

life = pathlib.Path("life")
held = []

def note(text):
    with life.open("a") as out:
        out.write(text + "\\n")

def ended(*_):
    note("SIGTERM")
    if os.environ.get("STUBBORN") != "yes":
        os._exit(0)

signal.signal(signal.SIGTERM, ended)
note(f"started {{os.environ['K_SERVICE']}} {{os.environ.get('GREETING', '')}}")

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        status, body = 200, b"{{}}"
        if self.path.startswith("/headers"):
            body = json.dumps({{k.lower(): v for k, v in self.headers.items()}}).encode()
        elif self.path == "/slow":
            time.sleep(1)
        elif self.path == "/fail":
            status = 500
        elif self.path == "/memory":
            held.append(os.urandom(64 << 20))
        elif self.path == "/wait":
            while not pathlib.Path("go").exists():
                time.sleep(0.01)
        note(f"handled {{self.path}}")
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_OPTIONS = do_POST
    def log_message(self, *_): pass

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def function(name: str = "quote", *, public: bool = True, **settings: Any) -> Function:
    """Return a function; `settings` are its serviceConfig, `trigger` its eventTrigger."""
    trigger = settings.pop("trigger", None)
    place = f"projects/{PROJECT}/locations/us-central1"
    resource = {
        "name": f"{place}/functions/{name}",
        "url": f"https://us-central1-{PROJECT}.cloudfunctions.net/{name}",
        "buildConfig": {"entryPoint": name, "runtime": "python311"},
        "serviceConfig": {
            "service": f"{place}/services/{name}",
            "revision": f"{name}-00001-abc",
            "uri": f"https://{name}-1.us-central1.run.app",
            "serviceAccountEmail": ACCOUNT,
            "environmentVariables": {"GREETING": "hello"},
            **settings,
        },
        **({"eventTrigger": trigger} if trigger else {}),
    }
    invoker = PUBLIC if public else f"serviceAccount:{ACCOUNT}"
    return Function(resource, {}, frozenset({invoker}), Path("none.zip"))


def service_in(folder: Path) -> Callable[..., Service]:
    """Return a function that makes services whose source is `folder`."""
    executable = folder / "functions-framework"
    executable.write_text(FRAMEWORK.format(python=sys.executable))
    executable.chmod(0o755)

    def make(deployed: Function, idle_seconds: float = 60.0, **environment: str) -> Service:
        source = Source(folder, folder)
        variables = {"PATH": os.environ["PATH"], **environment}
        return Service(deployed, source, variables, folder / "logs", idle_seconds)

    return make


def life_of(folder: Path) -> list[str]:
    """Return what the servers noted."""
    life = folder / "life"
    return life.read_text().splitlines() if life.exists() else []
