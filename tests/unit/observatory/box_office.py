"""The Observatory's configuration for the Box Office, as the stack passes it."""

from pathlib import Path

from observatory.configuration import read_configuration

CONFIG = Path(__file__).parents[3] / "scripts" / "stack" / "local" / "observatory.json"
BOX_OFFICE = read_configuration(CONFIG)
