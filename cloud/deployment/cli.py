"""Points firebase-tools at this server, by the variables that it reads for every API's address.

firebase-tools 15.34.2 reads them in lib/api.js.
"""

from __future__ import annotations

from pathlib import Path

_VARIABLES = {
    "ARTIFACT_REGISTRY_DOMAIN": "artifactregistry.googleapis.com",
    "CLOUD_RUN_API_URL": "run.googleapis.com",
    "CLOUD_RUN_URL": "run.googleapis.com",
    "CLOUD_SECRET_MANAGER_URL": "secretmanager.googleapis.com",
    "COMPUTE_URL": "compute.googleapis.com",
    "EVENTARC_URL": "eventarc.googleapis.com",
    "FIREBASE_API_URL": "firebase.googleapis.com",
    "FIREBASE_CLOUDBILLING_URL": "cloudbilling.googleapis.com",
    "FIREBASE_CLOUDSCHEDULER_URL": "cloudscheduler.googleapis.com",
    # Spelt so in firebase-tools.
    "FIREBASE_CLOUD_TAKS_URL": "cloudtasks.googleapis.com",
    # Not simulated, but a request for it must be noticed here.
    "FIREBASE_CLOUDBUILD_URL": "cloudbuild.googleapis.com",
    "FIREBASE_CLOUDLOGGING_URL": "logging.googleapis.com",
    "FIREBASE_EXT_URL": "firebaseextensions.googleapis.com",
    "FIREBASE_STORAGE_URL": "storage.googleapis.com",
    "FIREBASE_FUNCTIONS_URL": "cloudfunctions.googleapis.com",
    "FIREBASE_FUNCTIONS_V2_URL": "cloudfunctions.googleapis.com",
    "FIREBASE_HOSTING_API_URL": "firebasehosting.googleapis.com",
    "FIREBASE_IAM_URL": "iam.googleapis.com",
    "FIREBASE_IDENTITY_URL": "identitytoolkit.googleapis.com",
    "FIREBASE_PUBSUB_URL": "pubsub.googleapis.com",
    "FIREBASE_RESOURCEMANAGER_URL": "cloudresourcemanager.googleapis.com",
    "FIREBASE_RULES_URL": "firebaserules.googleapis.com",
    "FIREBASE_RUNTIMECONFIG_URL": "runtimeconfig.googleapis.com",
    "FIREBASE_SERVICE_USAGE_URL": "serviceusage.googleapis.com",
    "FIREBASE_TOKEN_URL": "oauth2.googleapis.com",
    "FIRESTORE_URL": "firestore.googleapis.com",
}


def environment(server: str, home: Path) -> dict[str, str]:
    """Return the variables that make firebase-tools deploy to `server`.

    The login is a refresh token (`FIREBASE_TOKEN`), because the address at which a service
    account's file is exchanged for an access token is fixed in the CLI's libraries. It opens
    nothing: only `server` ever sees it.

    Args:
        server: the base URL of the server.
        home: a folder for the CLI's own settings. A cache of enabled APIs is among them, so the
            rehearsal must not share the user's.
    """
    return {
        **{variable: f"{server}/{host}" for variable, host in _VARIABLES.items()},
        "FIREBASE_TOKEN": "rehearsal",
        # The message of the day, which the CLI does without.
        "FIREBASE_REALTIME_URL": "https://rehearsal.invalid",
        "XDG_CONFIG_HOME": str(home),
        # In seconds. The default of 10 is too short for a busy machine.
        "FUNCTIONS_DISCOVERY_TIMEOUT": "60",
        "CI": "true",
    }
