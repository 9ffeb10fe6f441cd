"""The doors: signing in, the first administrator, accepting an invite, a new password.

Plain HTML and POST forms, for three reasons: a socket event cannot set a cookie; a flood of strangers makes no
NiceGUI clients; and the doors work without JavaScript.  Forged forms are refused by ui.session.Guard.
"""

from __future__ import annotations

from nicegui import App

from core.settings import Settings
from ui.pages.access.first_visit import FirstVisit
from ui.pages.access.invite import Invitation
from ui.pages.access.password import NewPassword
from ui.pages.access.sign_in import SignIn
from ui.session import INVITE, PASSWORD, SIGN_IN, WELCOME


def register(app: App, settings: Settings) -> None:
    for path, door in (
        (SIGN_IN, SignIn(settings)),
        (WELCOME, FirstVisit(settings)),
        (INVITE + "{token}", Invitation(settings)),
        (PASSWORD, NewPassword(settings)),
    ):
        app.add_route(path, door.show, methods=["GET"])
        app.add_route(path, door.take, methods=["POST"])
