"""Planning and carrying out a deployment, with the stand-in for Google's APIs.

firebase-tools is replaced here by its recorded results; the rehearsal runs the real one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from cloud.deployment.app import create_app
from stack import paths
from stack.deploy import deployment, firebase_cli, flow, google_api
from stack.deploy import plan as planning
from stack.deploy import project as projects
from stack.deploy.firebase_cli import Run
from stack.deploy.google_api import GoogleApi
from stack.deploy.organiser import make_organiser
from stack.deploy.plan import Plan, Wanted
from stack.deploy.project import Project
from stack.deploy.tree import Tree
from stack.errors import UserError

PROJECT = "example-shop"
REGION = "us-central1"
FIRESTORE_CREATED = "google.cloud.firestore.document.v1.created"

WANTED = Wanted(
    REGION,
    "boxoffice@",
    (
        {"id": "quote", "codebase": "boxoffice", "callableTrigger": {}},
        {
            "id": "reserve",
            "codebase": "boxoffice",
            "eventTrigger": {"eventType": FIRESTORE_CREATED, "retry": True},
        },
        {"id": "welcome", "codebase": "boxoffice", "blockingTrigger": {}},
    ),
    secrets=("PSEUDONYM_SALT",),
)
READY = Project(
    PROJECT,
    "100000000001",
    enabled=frozenset(WANTED.every_api),
    database={"locationId": REGION, "type": "FIRESTORE_NATIVE"},
    runtime_account=f"boxoffice@{PROJECT}.iam.gserviceaccount.com",
    identity={"subtype": "IDENTITY_PLATFORM", "signIn": {"anonymous": {"enabled": True}}},
    secrets=frozenset(WANTED.secrets),
    web_app="projects/example-shop/webApps/1",
)
# As firebase-tools 15.34.2 prints it (gcp/cloudfunctionsv2.js), with the API's message as reported
# in https://github.com/hashicorp/terraform-provider-google/issues/25294.
EVENTARC_NOT_READY = """\
⚠  functions: Validation failed for trigger projects/example-shop/locations/us-central1/triggers/\
reserve-1: Invalid resource state for "": Permission denied while using the Eventarc Service \
Agent. If you recently started to use Eventarc, it may take a few minutes before all necessary \
permissions are propagated to the Service Agent. Otherwise, verify that it has Eventarc Service \
Agent role.
⚠  functions: Since this is your first time using 2nd gen functions, we need a little bit longer \
to finish setting everything up. Retry the deployment in a few minutes.
⚠  functions:  failed to create function projects/example-shop/locations/us-central1/functions/\
reserve
Error: There was an error deploying functions
"""


def deployed(name: str, *, region: str = REGION, event: str = "", **labels: str) -> dict[str, Any]:
    """Return a deployed function, as the API describes it."""
    function: dict[str, Any] = {
        "name": f"projects/{PROJECT}/locations/{region}/functions/{name}",
        "labels": labels or {"firebase-functions-codebase": "boxoffice"},
    }
    if event:
        function["eventTrigger"] = {"eventType": event}
    return function


@dataclass
class FakeFirebase:
    """Answers firebase-tools' commands with prepared results, the last of them again and again."""

    results: list[Run] = field(default_factory=lambda: [Run(0, "✔  Deploy complete!")])
    commands: list[Sequence[str]] = field(default_factory=list)

    def __call__(self, arguments: Sequence[str], _log: str, /) -> Run:
        self.commands.append(arguments)
        return self.results.pop(0) if len(self.results) > 1 else self.results[0]


@dataclass
class Standin:
    """The stand-in for Google's APIs: the client, and the requests that it has made."""

    google: GoogleApi
    requests: list[str]
    waits: list[float]


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[Standin]:
    """A client of an empty project."""
    requests: list[str] = []
    waits: list[float] = []
    with TestClient(create_app(tmp_path, PROJECT)) as server:

        def forward(request: httpx.Request) -> httpx.Response:
            requests.append(f"{request.method} {request.url.path}")
            answer = server.request(
                request.method,
                f"/{request.url.host}{request.url.raw_path.decode()}",
                content=request.content,
            )
            return httpx.Response(answer.status_code, content=answer.content)

        transport = httpx.MockTransport(forward)
        with GoogleApi(PROJECT, "token", transport, waits.append) as google:
            yield Standin(google, requests, waits)


def read(google: GoogleApi) -> Project:
    """Return the state of the stand-in's project."""
    return projects.read(google, WANTED.runtime_account, WANTED.every_api, list(WANTED.secrets))


def decide(wanted: Wanted, project: Project) -> Plan:
    """Return the plan, which must be possible."""
    plan, refusals = planning.decide(wanted, project)
    assert refusals == []
    return plan


def carry_out(google: GoogleApi, plan: Plan, firebase: FakeFirebase) -> None:
    """Carry out everything but the build and release of the page."""
    deployment.prepare_project(plan, google)
    deployment.deploy_firestore(google, firebase)
    deployment.deploy_functions(plan, google, firebase)


def google_answering(status: int, body: Mapping[str, Any]) -> GoogleApi:
    """Return a client of APIs that give one answer to everything."""
    answer = httpx.MockTransport(lambda _request: httpx.Response(status, json=body))
    return GoogleApi(PROJECT, "token", answer)


def test_the_plan_of_an_empty_project_names_everything_that_will_be_created(
    standin: Standin,
) -> None:
    """Making the plan changes nothing."""
    text = "\n".join(decide(WANTED, read(standin.google)).lines())
    for part in (
        f"create the Firestore database in {REGION}",
        f"create the service account boxoffice@{PROJECT}.iam.gserviceaccount.com",
        "grant roles/run.invoker",
        "create the secret PSEUDONYM_SALT, its value at random",
        "register a web app",
        f"create 3 functions in {REGION}: quote, reserve, welcome",
        "deliver events again for up to 7 days if a run fails: reserve",
        "let anyone call quote, welcome; the others only this project's accounts",
    ):
        assert part in text
    changing = [each for each in standin.requests if not each.startswith("GET ")]
    assert changing == [f"POST /v1/projects/{PROJECT}:getIamPolicy"]


def test_a_deployment_leaves_nothing_for_the_next_plan_to_create(standin: Standin) -> None:
    """The roles, the secret, the account and the database exist afterwards."""
    carry_out(standin.google, decide(WANTED, read(standin.google)), FakeFirebase())
    plan = decide(WANTED, read(standin.google))
    assert (plan.location, plan.creates_account, plan.roles, plan.secrets) == ("", False, (), ())
    assert not plan.allows_anonymous


def test_a_second_run_repairs_what_an_interrupted_first_one_left(standin: Standin) -> None:
    """The account existed without its roles, and the secret without a value."""
    google = standin.google
    google.post("iam", f"/v1/projects/{PROJECT}/serviceAccounts", {"accountId": "boxoffice"})
    google.post("secrets", f"/v1/projects/{PROJECT}/secrets", {}, secretId="PSEUDONYM_SALT")
    plan = decide(WANTED, read(google))
    assert plan.secrets == ("PSEUDONYM_SALT",)
    # The first run may also have finished what its plan, made before, still lists.
    carry_out(google, replace(plan, creates_account=True), FakeFirebase())
    assert decide(WANTED, read(google)).secrets == ()


def test_the_functions_account_may_act_as_itself_only(standin: Standin) -> None:
    """It creates tasks that are delivered as itself; on the project it could act as any account."""
    carry_out(standin.google, decide(WANTED, read(standin.google)), FakeFirebase())
    account = f"/v1/projects/{PROJECT}/serviceAccounts/{READY.runtime_account}"
    of_account = standin.google.post("iam", f"{account}:getIamPolicy", {})["bindings"]
    assert [each["role"] for each in of_account] == ["roles/iam.serviceAccountUser"]
    of_project = standin.google.post("projects", f"/v1/projects/{PROJECT}:getIamPolicy", {})
    assert "roles/iam.serviceAccountUser" not in {each["role"] for each in of_project["bindings"]}


def test_granting_roles_keeps_the_rest_of_the_policy(standin: Standin) -> None:
    """A binding with a condition is another one, and stays as it is."""
    conditional = {
        "role": "roles/datastore.user",
        "members": ["user:a@example.org"],
        "condition": {"title": "until noon", "expression": "false"},
    }
    policy = {"policy": {"version": 3, "etag": "e1", "bindings": [conditional]}}
    standin.google.post("projects", f"/v1/projects/{PROJECT}:setIamPolicy", policy)
    carry_out(standin.google, decide(WANTED, read(standin.google)), FakeFirebase())
    after = standin.google.post("projects", f"/v1/projects/{PROJECT}:getIamPolicy", {})
    assert conditional in after["bindings"]
    assert after["etag"] == "e1"


def test_force_is_used_only_where_every_function_is_named(standin: Standin) -> None:
    """firebase-tools deletes only functions that --only names, so --force deletes none."""
    firebase = FakeFirebase()
    carry_out(standin.google, decide(WANTED, READY), firebase)
    forced = [command for command in firebase.commands if "--force" in command]
    assert forced == [
        [
            "deploy",
            "--only",
            "functions:boxoffice:quote,functions:boxoffice:reserve,functions:boxoffice:welcome",
            "--force",
        ]
    ]


def test_an_eventarc_agent_that_is_not_ready_is_waited_for(standin: Standin) -> None:
    """On the first deployment of a project its permissions take minutes to arrive."""
    firebase = FakeFirebase([Run(1, EVENTARC_NOT_READY), Run(1, EVENTARC_NOT_READY), Run(0, "")])
    deployment.deploy_functions(decide(WANTED, READY), standin.google, firebase)
    assert (len(firebase.commands), standin.waits) == (3, [60, 60])


def test_an_eventarc_agent_that_never_becomes_ready_ends_the_deployment(standin: Standin) -> None:
    """The attempts are limited."""
    firebase = FakeFirebase([Run(1, EVENTARC_NOT_READY)])
    with pytest.raises(UserError, match="Eventarc's service agent does not have its permissions"):
        deployment.deploy_functions(decide(WANTED, READY), standin.google, firebase)
    assert len(firebase.commands) == deployment.EVENTARC_ATTEMPTS


@pytest.mark.parametrize(
    ("output", "message"),
    [
        # requireAuth.js
        (
            "Error: Failed to authenticate, have you run firebase login?",
            "There is no login that Google accepts",
        ),
        # requirePermissions.js
        (
            "Error: Authorization failed. This account is missing the following required "
            "permissions on project example-shop:\n\n  firebasehosting.sites.update",
            "it lacks firebasehosting.sites.update",
        ),
        # apiv2.js
        (
            "Error: Failed to make request to https://cloudfunctions.googleapis.com/v2/projects",
            "The connection to Google was lost",
        ),
        # deploy/functions/params.js
        (
            "Error: In non-interactive mode but have no value for the following environment "
            "variables: ACQUIRER_URL, HOLD_SECONDS\nTo continue, either run",
            "no value for ACQUIRER_URL, HOLD_SECONDS",
        ),
        ("Error: Something new went wrong\n\nHaving trouble?", "Something new went wrong"),
    ],
)
def test_a_failure_of_firebase_tools_becomes_one_line(
    standin: Standin, output: str, message: str
) -> None:
    """It says what failed, why, and what to do, and is not tried again."""
    firebase = FakeFirebase([Run(1, output)])
    with pytest.raises(UserError, match=message) as raised:
        deployment.deploy_functions(decide(WANTED, READY), standin.google, firebase)
    assert "\n" not in str(raised.value)
    assert (len(firebase.commands), standin.waits) == (1, [])


@pytest.mark.parametrize(
    ("wanted", "project", "message"),
    [
        (WANTED, replace(READY, has_billing=False), "no billing account"),
        (WANTED, replace(READY, database={"locationId": "eur3"}), "Set REGION=europe-west1"),
        (
            WANTED,
            replace(READY, database={"locationId": REGION, "type": "DATASTORE_MODE"}),
            "Datastore mode",
        ),
        (WANTED, replace(READY, identity=None), "Authentication has not been set up"),
        (
            replace(WANTED, with_blocking=True),
            replace(READY, identity={"subtype": "FIREBASE_AUTH"}),
            "need Identity Platform",
        ),
        (
            replace(WANTED, secrets=("OTEL_EXPORTER_OTLP_HEADERS",)),
            READY,
            "functions:secrets:set OTEL_EXPORTER_OTLP_HEADERS",
        ),
        (
            WANTED,
            replace(READY, functions=(deployed("quote", region="us-east1"),)),
            "functions:delete quote --region us-east1",
        ),
        (
            WANTED,
            replace(READY, functions=(deployed("reserve", event="google.pubsub"),)),
            "would change what starts it",
        ),
    ],
)
def test_what_makes_a_deployment_impossible_is_said_before_anything_changes(
    wanted: Wanted, project: Project, message: str
) -> None:
    """Each reason comes with what to do about it."""
    _, refusals = planning.decide(wanted, project)
    assert len(refusals) == 1
    assert message in refusals[0]


@pytest.mark.parametrize(
    ("location", "region"), [("nam5", "us-central1"), ("eur3", "europe-west4")]
)
def test_a_multi_region_agrees_with_the_regions_that_it_contains(
    location: str, region: str
) -> None:
    """Firestore's triggers of a multi-region run there."""
    _, refusals = planning.decide(
        replace(WANTED, region=region), replace(READY, database={"locationId": location})
    )
    assert refusals == []


def test_blocking_functions_are_left_out_without_identity_platform() -> None:
    """The plan says so, and where the way without them is described."""
    plan = decide(
        WANTED,
        replace(
            READY,
            identity={"subtype": "FIREBASE_AUTH", "signIn": {"anonymous": {"enabled": True}}},
        ),
    )
    assert [each["id"] for each in plan.functions] == ["quote", "reserve"]
    assert plan.left_out == ("welcome",)
    assert "docs/deploy.md#organisers" in plan.notes[0]


def test_functions_that_the_tree_no_longer_has_stay_deployed() -> None:
    """They are named, with the command that deletes them; those of other codebases are not."""
    others = (deployed("old"), deployed("theirs", **{"firebase-functions-codebase": "other"}))
    plan = decide(WANTED, replace(READY, functions=others))
    assert plan.leftovers == ("old",)
    assert "functions:delete old" in plan.notes[0]


def test_the_wrong_callers_of_a_function_are_reported() -> None:
    """Anyone may call all three, and only Eventarc should call `reserve`."""
    anyone = {"bindings": [{"role": "roles/run.invoker", "members": ["allUsers"]}]}
    problems = deployment.access_problems(decide(WANTED, READY), google_answering(200, anyone))
    assert len(problems) == 1
    assert "remove-iam-policy-binding reserve" in problems[0]


def test_a_user_becomes_an_organiser_and_keeps_other_claims() -> None:
    """For projects without Identity Platform, where the function welcome cannot do it."""
    updates = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(":lookup"):
            user = {
                "localId": "u1",
                "emailVerified": True,
                "customAttributes": '{"throughline": "kept"}',
            }
            return httpx.Response(200, json={"users": [user]})
        updates.append(json.loads(request.content))
        return httpx.Response(200, json={})

    google = GoogleApi(PROJECT, "token", httpx.MockTransport(answer))
    make_organiser(google, "organiser@example.org")
    (update,) = updates
    assert update["localId"] == "u1"
    assert json.loads(update["customAttributes"]) == {"throughline": "kept", "role": "organiser"}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({}, "Nobody has signed up"),
        ({"users": [{"localId": "u1", "emailVerified": False}]}, "is not verified"),
    ],
)
def test_only_the_owner_of_a_verified_address_becomes_an_organiser(
    answer: Mapping[str, Any], message: str
) -> None:
    """Anyone could sign up with an organiser's address."""
    with pytest.raises(UserError, match=message):
        make_organiser(google_answering(200, answer), "organiser@example.org")


def test_a_missing_project_is_one_line() -> None:
    """Resource Manager answers 403 for a project that does not exist."""
    refused = {"error": {"code": 403, "message": "The caller does not have permission"}}
    with pytest.raises(UserError, match=f"There is no project {PROJECT}") as raised:
        read(google_answering(403, refused))
    assert "\n" not in str(raised.value)


def test_a_region_that_does_not_exist_is_one_line(standin: Standin) -> None:
    """Firestore is the first to refuse it, because its database is created first."""
    message = "Invalid location: us-centrl1"

    def refuse(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"error": {"code": 400, "message": message}})

    plan = decide(replace(WANTED, region="us-centrl1"), read(standin.google))
    google = GoogleApi(PROJECT, "token", httpx.MockTransport(refuse))
    with pytest.raises(UserError, match="cannot be created in us-centrl1") as raised:
        deployment.prepare_project(replace(plan, apis=()), google)
    assert "\n" not in str(raised.value)


def test_a_network_that_drops_is_one_line() -> None:
    """The line names the host, and says that a second run continues."""

    def drop(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection reset by peer", request=request)

    google = GoogleApi(PROJECT, "token", httpx.MockTransport(drop))
    with pytest.raises(UserError, match=r"cloudresourcemanager\.googleapis\.com") as raised:
        read(google)
    assert "it continues" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_login_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is that of the script that asks firebase-tools for its login."""
    answer = subprocess.CompletedProcess([], 0, '{"error": "have you run firebase login?"}', "")
    monkeypatch.setattr("stack.deploy.google_api.toolchain.node", lambda: Path("node"))
    monkeypatch.setattr("stack.deploy.google_api.subprocess.run", lambda *_args, **_options: answer)
    with pytest.raises(UserError, match="firebase login, or set GOOGLE_APPLICATION_CREDENTIALS"):
        google_api.log_in(PROJECT)


def test_ctrl_c_ends_firebase_tools(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No process goes on in the background, and the person learns that a second run continues."""
    started, pid_file = tmp_path / "started", tmp_path / "pid"
    script = tmp_path / "firebase.js"
    script.write_text(
        f"require('fs').writeFileSync({str(pid_file)!r}, String(process.pid));\n"
        f"require('fs').writeFileSync({str(started)!r}, '');\n"
        "setInterval(() => {}, 1000);\n"
    )
    monkeypatch.setattr(paths, "FIREBASE", script)
    monkeypatch.setattr(firebase_cli, "log_file", lambda *_names: tmp_path / "log")
    firebase = firebase_cli.runner(PROJECT, tmp_path / "firebase.json")
    _interrupt_when(started.exists)
    with pytest.raises(KeyboardInterrupt), flow.resumable(decide(WANTED, READY)):
        firebase(["deploy"], "functions")
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)
    assert "it continues with what is missing" in capsys.readouterr().err


def _interrupt_when(condition: Callable[[], bool]) -> None:
    """Send SIGINT to this process once the condition holds, or after 30 s in any case."""

    def interrupt() -> None:
        pause = threading.Event()
        for _ in range(600):
            if condition():
                break
            pause.wait(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()


def test_the_deployed_configuration_serves_the_page_built_for_production(tmp_path: Path) -> None:
    """`frontend/dist` holds the page of the local stack, and is never deployed."""
    (tmp_path / "firebase.json").write_text('{"hosting": {"public": "frontend/dist"}}')
    tree = Tree(tmp_path, PROJECT)
    with deployment.configuration(tree, tmp_path / "built") as config:
        assert '"public": "built"' in config.read_text()
    assert not config.exists()


def test_the_recorded_outputs_are_of_the_pinned_firebase_tools() -> None:
    """Another version may print other messages."""
    package = json.loads((paths.FIREBASE.parents[2] / "package.json").read_text())
    assert package["version"] == "15.34.2", (
        "firebase-tools was updated: compare the messages in stack/deploy/firebase_cli.py with it"
    )
