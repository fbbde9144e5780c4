"""Buys a ticket in a browser, with or without the page's tracing code."""

from __future__ import annotations

from playwright.sync_api import Browser

from stack.clients.browser_purchase import Purchase, buy_a_ticket

TRACING_CODE = "**/assets/tracing-*.js"


def buy(chromium: Browser, box_office: str, *, tracing: bool) -> Purchase:
    """Buy one ticket in a new browser context, without cache or session."""
    context = chromium.new_context()
    try:
        if not tracing:
            context.route(TRACING_CODE, lambda route: route.abort())
        return buy_a_ticket(context.new_page(), box_office)
    finally:
        context.close()
