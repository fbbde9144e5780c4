"""The stand-in stores what firebase-tools uploads, and refuses what Google's APIs refuse."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from starlette.testclient import TestClient

from cloud.deployment.app import UNKNOWN
from cloud.deployment.deployed import BadDeployment, Deployed
from tests.unit.cloud.deployment.requests_of_the_cli import LOCATION, PROJECT, Cli, archive

FUNCTIONS = f"cloudfunctions.googleapis.com/v2/{LOCATION}/functions"
POLICY = {"bindings": [{"role": "roles/run.invoker", "members": ["allUsers"]}]}


def test_a_created_function_has_its_source_and_settings(cli: Cli, deployed: Deployed) -> None:
    """What the runtime needs of a function is what the CLI sent."""
    source = cli.upload(archive({"main.py": "x = 1"}))
    cli.create_function(
        "quote",
        source,
        service={"availableMemory": "1Gi", "timeoutSeconds": 30, "maxInstanceCount": 3},
    )
    (function,) = deployed.functions()
    assert (function.name, function.region, function.entry_point) == (
        *("quote", "us-central1"),
        "quote",
    )
    assert function.memory_bytes == 1 << 30
    assert (function.timeout_seconds, function.max_instances, function.concurrency) == (30, 3, 80)
    assert function.archive.is_file()
    assert function.url == f"https://us-central1-{PROJECT}.cloudfunctions.net/quote"


def test_settings_that_the_code_leaves_open_are_the_platforms(cli: Cli, deployed: Deployed) -> None:
    """The CLI sends null for them."""
    source = cli.upload(archive({"main.py": ""}))
    unset = {"serviceAccountEmail": None, "timeoutSeconds": None, "maxInstanceCount": None}
    trigger = {"eventType": "t", "serviceAccountEmail": None}
    cli.create_function("audit", source, service=unset, eventTrigger=trigger)
    (function,) = deployed.functions()
    account = "100000000001-compute@developer.gserviceaccount.com"
    assert function.service_account == account
    assert function.trigger
    assert function.trigger["serviceAccountEmail"] == account
    assert (function.timeout_seconds, function.max_instances) == (60, 100)


def test_an_update_makes_the_next_revision_and_keeps_the_topic(
    cli: Cli, deployed: Deployed
) -> None:
    """The CLI leaves the topic out of an update."""
    source = cli.upload(archive({"main.py": ""}))
    trigger = {"eventType": "google.cloud.pubsub.topic.v1.messagePublished", "pubsubTopic": "paid"}
    created = cli.create_function("issue", source, eventTrigger=trigger)
    update = {key: created[key] for key in ("name", "buildConfig")}
    update["serviceConfig"] = {"availableMemory": "512Mi"}
    update["eventTrigger"] = {
        "eventType": trigger["eventType"],
        "retryPolicy": "RETRY_POLICY_RETRY",
    }
    cli.call("PATCH", f"{FUNCTIONS}/issue", update, updateMask="serviceConfig,eventTrigger")
    (function,) = deployed.functions()
    assert function.revision.startswith("issue-00002-")
    assert function.trigger
    assert function.trigger["pubsubTopic"] == "paid"
    assert function.retries
    assert function.memory_bytes == 512 << 20


def test_a_deleted_function_is_gone(cli: Cli, deployed: Deployed) -> None:
    """Deleting a function deletes the policy of its service too."""
    source = cli.upload(archive({"main.py": ""}))
    cli.create_function("quote", source)
    service = f"run.googleapis.com/v1/{LOCATION}/services/quote"
    cli.call("POST", f"{service}:setIamPolicy", {"policy": POLICY})
    assert deployed.functions()[0].invokers == {"allUsers"}
    cli.call("DELETE", f"{FUNCTIONS}/quote")
    assert deployed.functions() == []
    assert cli.call("GET", f"{service}:getIamPolicy")["bindings"] == []
    assert cli.call("GET", FUNCTIONS) == {"functions": []}


@pytest.mark.parametrize(
    ("path", "body", "status_code", "status"),
    [
        (f"{FUNCTIONS}?functionId=a", {"buildConfig": {}, "serviceConfig": {}}, 400, "INVALID"),
        (FUNCTIONS, {}, 400, "INVALID"),
        (f"{FUNCTIONS}/nothing:undelete", {}, 501, "UNIMPLEMENTED"),
        ("storage.googleapis.com/storage/v1/b", {}, 501, "UNIMPLEMENTED"),
        ("firebaserules.googleapis.com/v1/projects/p:test", {"source": {}}, 400, "INVALID"),
    ],
)
def test_errors_have_the_form_of_googles(
    client: TestClient, path: str, body: Any, status_code: int, status: str
) -> None:
    """Each error has a code, a message and a status, and is never a success."""
    response = client.post(f"/{path}", json=body)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status_code, status_code)
    assert error["status"].startswith(status)
    assert error["message"]


def test_requests_that_are_not_simulated_are_listed(client: TestClient) -> None:
    """A CLI that calls something new is noticed."""
    client.get("/storage.googleapis.com/storage/v1/b")
    client.get("/storage.googleapis.com/storage/v1/b")
    client.delete("/firebase.googleapis.com/v1beta1/projects/p")
    assert client.get(UNKNOWN).json() == [
        "GET /storage.googleapis.com/storage/v1/b",
        "DELETE /firebase.googleapis.com/v1beta1/projects/p",
    ]


def test_a_source_that_is_not_an_archive_is_refused(cli: Cli, client: TestClient) -> None:
    """The upload itself fails, as it does in production."""
    place = cli.call("POST", f"{FUNCTIONS}:generateUploadUrl")
    assert client.put(place["uploadUrl"], content=b"not a zip").status_code == 400


def test_a_released_site_has_its_files_and_settings(cli: Cli, deployed: Deployed) -> None:
    """Files are stored uncompressed; the same content is uploaded once."""
    config = {"rewrites": [{"glob": "**", "path": "/index.html"}]}
    cli.release_site({"/index.html": b"<html>", "/copy.html": b"<html>"}, config)
    cli.release_site({"/index.html": b"<html>", "/new.html": b"new"}, config)
    site = deployed.site()
    contents = {path: file.read_bytes() for path, file in site.files.items()}
    assert contents == {"/index.html": b"<html>", "/new.html": b"new"}
    assert site.config == config


def test_a_version_without_its_contents_is_not_finalised(cli: Cli, client: TestClient) -> None:
    """A file that was announced and not uploaded must not be released."""
    site = f"/firebasehosting.googleapis.com/v1beta1/projects/{PROJECT}/sites/{PROJECT}"
    name = cli.call("POST", f"{site[1:]}/versions", {})["name"]
    populate = f"/firebasehosting.googleapis.com/v1beta1/{name}:populateFiles"
    client.post(populate, json={"files": {"/a": "0" * 64}}).raise_for_status()
    version = f"{site}/versions/{name.rpartition('/')[2]}"
    assert client.patch(version, json={"status": "FINALIZED"}).status_code == 400
    release = client.post(f"{site}/channels/live/releases", params={"versionName": name}, json={})
    assert release.status_code == 400
    wrong = client.post(f"/firebasehosting.googleapis.com/{name}/files/{'0' * 64}", content=b"x")
    assert wrong.status_code == 400


def test_the_newest_value_of_a_bound_secret_reaches_the_function(
    cli: Cli, deployed: Deployed
) -> None:
    """A function that binds a secret without a version cannot run."""
    secrets = f"secretmanager.googleapis.com/v1/projects/{PROJECT}/secrets"
    cli.call("POST", secrets, {}, secretId="KEY")
    source = cli.upload(archive({"main.py": ""}))
    bound = [{"key": "KEY", "projectId": PROJECT, "secret": "KEY"}]
    cli.create_function("settle", source, service={"secretEnvironmentVariables": bound})
    with pytest.raises(BadDeployment, match="KEY has no version"):
        deployed.functions()
    for value in (b"old", b"new"):
        payload = {"payload": {"data": base64.b64encode(value).decode()}}
        cli.call("POST", f"{secrets}/KEY:addVersion", payload)
    assert deployed.functions()[0].environment["KEY"] == "new"
    latest = cli.call("GET", f"{secrets}/KEY/versions/latest")
    assert latest == {"name": f"projects/{PROJECT}/secrets/KEY/versions/2", "state": "ENABLED"}


def test_rules_and_indexes_are_read_back_as_they_were_deployed(
    cli: Cli, deployed: Deployed
) -> None:
    """The indexes have the form of firestore.indexes.json again."""
    rules = "firebaserules.googleapis.com/v1/projects/demo-test"
    files = [{"name": "firestore.rules", "content": "rules_version = '2';"}]
    ruleset = cli.call("POST", f"{rules}/rulesets", {"source": {"files": files}})["name"]
    release = {"name": f"projects/{PROJECT}/releases/cloud.firestore", "rulesetName": ruleset}
    refused = cli.client.patch(f"/{rules}/releases/cloud.firestore", json={"release": release})
    assert refused.status_code == 404
    cli.call("POST", f"{rules}/releases", release)
    assert deployed.rules() == "rules_version = '2';"

    groups = f"firestore.googleapis.com/v1/projects/{PROJECT}/databases/(default)/collectionGroups"
    fields = [{"fieldPath": "state", "order": "ASCENDING"}]
    index = {"queryScope": "COLLECTION", "fields": fields}
    cli.call("POST", f"{groups}/orders/indexes", index)
    assert cli.client.post(f"/{groups}/orders/indexes", json=index).status_code == 409
    override = {"indexConfig": {"indexes": [{"queryScope": "COLLECTION", "fields": fields}]}}
    cli.call("PATCH", f"{groups}/orders/fields/state", override)
    indexes = deployed.indexes()
    assert [(one["collectionGroup"], one["fields"]) for one in indexes["indexes"]] == [
        ("orders", fields)
    ]
    assert indexes["fieldOverrides"] == [
        {
            "collectionGroup": "orders",
            "fieldPath": "state",
            "indexes": [{"queryScope": "COLLECTION", "fieldPath": "state", "order": "ASCENDING"}],
        }
    ]


def test_triggers_are_stored_under_their_names(cli: Cli, deployed: Deployed) -> None:
    """Queues, jobs, topics and blocking functions are what the runtime looks for."""
    queue = {"name": f"{LOCATION}/queues/expire", "retryConfig": {"maxAttempts": 5}}
    cli.call("POST", f"cloudtasks.googleapis.com/v2/{LOCATION}/queues", queue)
    job = {"name": f"{LOCATION}/jobs/sweep", "schedule": "every 1 minutes"}
    cli.call("POST", f"cloudscheduler.googleapis.com/v1/{LOCATION}/jobs", job)
    topic = f"projects/{PROJECT}/topics/paid"
    cli.call("PUT", f"pubsub.googleapis.com/v1/{topic}", {})
    again = cli.client.put(f"/pubsub.googleapis.com/v1/{topic}", json={})
    config = f"identitytoolkit.googleapis.com/admin/v2/projects/{PROJECT}/config"
    triggers = {"beforeCreate": {"functionUri": "https://welcome.run.app"}}
    cli.call("PATCH", config, {"blockingFunctions": {"triggers": triggers}})
    assert again.status_code == 409
    assert deployed.queues() == {queue["name"]: queue}
    assert deployed.jobs() == {job["name"]: job}
    assert deployed.topics() == [topic]
    assert deployed.blocking_functions() == {"beforeCreate": "https://welcome.run.app"}


@pytest.mark.parametrize("name", ["../../etc", "a/../b", "", "a//b"])
def test_names_do_not_lead_out_of_the_folder(client: TestClient, name: str) -> None:
    """Resource names become paths, so they are checked."""
    with pytest.raises(ValueError, match="resource's name"):
        client.app.state.resources.get(name)  # type: ignore[attr-defined]
