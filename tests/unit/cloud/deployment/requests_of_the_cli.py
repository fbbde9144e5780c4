"""The requests with which firebase-tools 15.34.2 deploys, as it sends them."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
from collections.abc import Mapping
from typing import Any

from starlette.testclient import TestClient

PROJECT = "demo-test"
LOCATION = f"projects/{PROJECT}/locations/us-central1"


def archive(files: Mapping[str, str]) -> bytes:
    """Return a ZIP archive of text files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as contents:
        for name, text in files.items():
            contents.writestr(name, text)
    return buffer.getvalue()


class Cli:
    """Sends the requests of one deployment."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def call(self, method: str, path: str, body: Any = None, **params: str) -> Any:
        """Send a request, and return the JSON of its response."""
        response = self.client.request(method, f"/{path}", json=body, params=params)
        assert response.is_success, response.text
        return response.json()

    def upload(self, content: bytes) -> dict[str, str]:
        """Upload a functions' source, and return its place."""
        url = f"cloudfunctions.googleapis.com/v2/{LOCATION}/functions:generateUploadUrl"
        place = self.call("POST", url)
        self.client.put(place["uploadUrl"], content=content).raise_for_status()
        source: dict[str, str] = place["storageSource"]
        return source

    def create_function(
        self, name: str, source: Mapping[str, str], **settings: Any
    ) -> dict[str, Any]:
        """Create a function; `settings` are parts of its resource, `service` of serviceConfig."""
        function = {
            "name": f"{LOCATION}/functions/{name}",
            "buildConfig": {
                "runtime": "python311",
                "entryPoint": name,
                "source": {"storageSource": dict(source)},
            },
            "serviceConfig": {
                "availableMemory": "256Mi",
                "maxInstanceRequestConcurrency": 80,
                **settings.pop("service", {}),
            },
            **settings,
        }
        path = f"cloudfunctions.googleapis.com/v2/{LOCATION}/functions"
        operation = self.call("POST", path, function, functionId=name)
        created: dict[str, Any] = self.call(
            "GET", f"cloudfunctions.googleapis.com/v2/{operation['name']}"
        )["response"]
        return created

    def release_site(self, files: Mapping[str, bytes], config: Mapping[str, Any]) -> None:
        """Upload files, and release them with their settings."""
        site = f"firebasehosting.googleapis.com/v1beta1/projects/{PROJECT}/sites/{PROJECT}"
        version = self.call("POST", f"{site}/versions", {"status": "CREATED"})["name"]
        compressed = {path: gzip.compress(content) for path, content in files.items()}
        hashes = {path: hashlib.sha256(content).hexdigest() for path, content in compressed.items()}
        populated = self.call(
            "POST",
            f"firebasehosting.googleapis.com/v1beta1/{version}:populateFiles",
            {"files": hashes},
        )
        for path, digest in hashes.items():
            if digest in populated["uploadRequiredHashes"]:
                url = f"{populated['uploadUrl']}/{digest}"
                self.client.post(url, content=compressed[path]).raise_for_status()
        name = version.rpartition("/")[2]
        final = {"status": "FINALIZED", "config": dict(config)}
        self.call("PATCH", f"{site}/versions/{name}", final, updateMask="status,config")
        self.call("POST", f"{site}/channels/live/releases", {}, versionName=version)
