"""What a hand does on a page: press one button of several with the same words, use a button within a table's row."""

from __future__ import annotations

from typing import Any

from nicegui import Client, ui


def of_kind(client: Client, kind: type) -> list:
    return [element for element in client.elements.values() if isinstance(element, kind)]


def buttons(client: Client) -> list[str]:
    return [button.text for button in of_kind(client, ui.button) if button.text]


def said(client: Client) -> set[str]:
    """Every text on the page."""
    return {str(element.text) for element in client.elements.values() if getattr(element, "text", "")}


def press(client: Client, words: str, *, last: bool = False) -> None:
    """The first button with these words; `last` for the one that a dialog has just brought."""
    found = [button for button in of_kind(client, ui.button) if button.text == words]
    button = found[-1 if last else 0]
    listener = next(key for key, one in button._event_listeners.items() if one.type == "click")
    button._handle_event({"listener_id": listener, "args": {}})


def table(client: Client) -> ui.table:
    return of_kind(client, ui.table)[0]


def rows(client: Client) -> list[dict]:
    return table(client).rows


def in_row(client: Client, event: str, *args: Any) -> None:
    """As the button in a row of the table tells the server."""
    made = table(client)
    listener = next(key for key, one in made._event_listeners.items() if one.type == event)
    made._handle_event({"listener_id": listener, "args": list(args)})
