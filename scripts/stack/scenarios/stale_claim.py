"""A user has a new role, but still uses a token from before it."""

from __future__ import annotations

from collections.abc import Sequence

from observatory.schemas.journey import Journey
from stack.scenario_runner.browser_actions import create_show, open_page, sign_in
from stack.scenario_runner.scenario import Observation, Scenario
from stack.scenario_runner.scenario_context import ScenarioContext
from stack.scenario_runner.span_queries import attr, rows, unix_seconds


def provoke(context: ScenarioContext) -> Observation:
    """Sign in, become an organiser meanwhile, and create a show."""
    user = context.sign_up()
    title = f"Test of {user.email}"
    with open_page(context.page_address("organiser")) as page:
        sign_in(page, user.email, user.password)
        # The page must be listening for the role before it changes.
        page.get_by_text("this page continues automatically").wait_for()
        granted_at = context.accounts.make_organiser(user)
        page.get_by_role("button", name="New show").wait_for()
        context.delete_show_afterwards(title)
        create_show(page, title)
        refusal = page.get_by_role("dialog").get_by_role("alert")
        is_on = page.locator("#sales-title", has_text=title)
        refusal.or_(is_on).first.wait_for()
        if refusal.count():
            error_message = refusal.locator(".notice-title").inner_text()
            trace_id = refusal.locator(".support code").inner_text()
        else:
            error_message = ""
            trace_id = context.trace_of_show(title)
        # The page is still open, and exports its last spans during the wait.
        context.wait_for_span(trace_id, "create show")
        context.wait_for_decision(trace_id)
        taking_up = context.wait_for_trace_with(
            "take up role", "boxoffice.role.granted_at", granted_at
        )
    symptom = f"a user who became an organiser gets the error “{error_message}”"
    return Observation([trace_id, taking_up], symptom if error_message else None)


def signature(journeys: Sequence[Journey]) -> str | None:
    """Find a write that the rules denied because the token is older than the user's role."""
    granted = {
        attr(row, "throughline.token.issued_at"): attr(row, "boxoffice.role.granted_at")
        for _, row in rows(journeys, "page", "take up role")
    }
    for journey, row in rows(journeys, "firestore.rules"):
        denied = attr(row, "throughline.rules.outcome") in ("deny", "error")
        issued_at = attr(row, "throughline.token.issued_at")
        if not denied or issued_at not in granted:
            continue
        at = unix_seconds(journey, row["offset_ms"])
        if issued_at < granted[issued_at] < at:
            return (
                f"{row['name']} to a token that was {at - issued_at:.0f} s old, "
                f"{at - granted[issued_at]:.0f} s after its user was given a role"
            )
    return None


SCENARIO = Scenario(
    fault="goes-on-with-the-old-token",
    report="I was made an organiser, and my page shows me everything. But it lets me do nothing.",
    reveals="A denied write whose token is older than the role; the page knew of the role.",
    fix="Fetch a new token when a role changes: the rules and the functions see only the token.",
    provoke=provoke,
    signature=signature,
)
