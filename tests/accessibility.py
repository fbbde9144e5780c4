"""Check a page against WCAG with axe."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

_AXE = Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"
_STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_COLOUR_RULES = ["color-contrast", "link-in-text-block"]
# Otherwise axe would also describe each element that passes, which takes long on a large page.
_RUN = "only => axe.run(document, { runOnly: only, resultTypes: ['violations'] })"
_ANIMATIONS_FINISHED = """() => Promise.allSettled(
    document.getAnimations()
        .filter(animation => animation.effect?.getComputedTiming().endTime !== Infinity)
        .map(animation => animation.finished)
)"""


def violations(page: Page, *, only_colours: bool = False) -> list[str]:
    """Return axe's violations in the page's present state, a line for each rule and element.

    Args:
        page: the page.
        only_colours: check only the rules whose result depends on colours.
    """
    # axe measures contrast at once: an element that is still fading in would fail.
    page.evaluate(_ANIMATIONS_FINISHED)
    if not page.evaluate("'axe' in window"):
        # evaluate() is exempt from the page's Content-Security-Policy; a script tag is not.
        page.evaluate(_AXE.read_text())
    report = page.evaluate(_RUN, _COLOUR_RULES if only_colours else _STANDARDS)
    return [
        f"{rule['id']}: {rule['help']} ({node['html'][:160]})"
        for rule in report["violations"]
        for node in rule["nodes"]
    ]
