"""Asks axe what is wrong with a page for people who don't see it, or don't use a mouse."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

_AXE = Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"
_STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_FADED_IN = """() => Promise.allSettled(
    document.getAnimations()
        .filter(it => it.effect?.getComputedTiming().endTime !== Infinity)
        .map(it => it.finished)
)"""


def violations(page: Page) -> list[str]:
    """What axe finds in the page as it is now: a line for each rule and element."""
    # What is still fading in has the contrast of that moment.
    page.evaluate(_FADED_IN)
    if not page.evaluate("'axe' in window"):
        # evaluate() runs outside the page's Content-Security-Policy, which a script tag would not.
        page.evaluate(_AXE.read_text())
    found = page.evaluate("tags => axe.run(document, { runOnly: tags })", _STANDARDS)["violations"]
    return [
        f"{rule['id']}: {rule['help']} ({node['html'][:160]})"
        for rule in found
        for node in rule["nodes"]
    ]
