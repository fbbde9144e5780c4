"""Tests of the options with which Chromium is started."""

from __future__ import annotations

import re
from pathlib import Path

import playwright

from stack.clients.browser import DISABLED_BY_PLAYWRIGHT

BUNDLE = Path(playwright.__file__).parent / "driver" / "package" / "lib" / "coreBundle.js"


def test_the_features_that_playwright_disables_stay_disabled() -> None:
    """A list of ours replaces Playwright's, so it must contain it."""
    (list_of_features,) = re.findall(r"disabledFeatures = \[(.*?)\]", BUNDLE.read_text(), re.DOTALL)
    names = re.findall(r'^ *"(\w+)"', list_of_features, re.MULTILINE)
    assert len(names) > 10
    assert set(names) == set(DISABLED_BY_PLAYWRIGHT)
