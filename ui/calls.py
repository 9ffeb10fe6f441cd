"""The one way from a page into core: off the event loop, one Work, the Actor read again, errors into words.

    if await do(campaigns.start, campaign_id, done=_("Campaign is running")):   # a verb; toasts, and marks the fields
        progress.refresh()
    leads = await ask(leads.page, filters)                                       # a question; raises what went wrong

Both run `fn(work, actor, *args, **kwargs)` on a thread of their own pool, as wide as the pool of connections: a query
on the event loop would hold up every page of everybody (measured: 1.6 s against 25 ms with 30 people).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from nicegui import Client, context

from core.accounts import service as accounts
from core.accounts.rules import Actor
from core.errors import BadInput, DatabaseAway, PrumoError, Refused, SignedOut
from core.runtime import Runtime
from core.settings import Settings
from core.work import Work
from ui import cookies
from ui.parts import safe
from ui.parts.button import pressed
from ui.parts.toast import problem, toast
from ui.words import _
from ui.words.errors import by_field, sentence_of

if TYPE_CHECKING:
    from ui.parts.form import Form

log = logging.getLogger(__name__)
THREADS = 32
SHOW_WAIT_AFTER_S = 0.4  # a call that is over sooner is not worth a wheel on its button
AWAY_NOTE = "away_note"  # where page_frame keeps the strip that says so
P = ParamSpec("P")
T = TypeVar("T")


class Fault(PrumoError):
    """Something we did not foresee.  The trace is in the log under `error_id`; people see the id alone."""

    def __init__(self, error_id: str) -> None:
        super().__init__(error_id)
        self.error_id = error_id


@dataclass(frozen=True)
class Answer(Generic[T]):
    """True when it was done; `value` is what the service returned."""

    is_done: bool
    value: T | None = None

    def __bool__(self) -> bool:
        return self.is_done


class Calls:
    """The threads and the Runtime behind them; one per web process, opened and closed by ui/main.py."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="work")
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True
        self.threads.shutdown(wait=False, cancel_futures=True)
        self.runtime.close()


_calls: Calls | None = None


def open_calls(settings: Settings) -> Calls:
    """Called once at the start, before the first page.  Connections are opened when they are first needed."""
    global _calls
    _calls = Calls(Runtime(settings, pool_size=THREADS, statement_timeout_s=20))
    return _calls


def settings() -> Settings:
    return _opened().runtime.settings


async def in_work(fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Runs `fn(work, …)` in a transaction on a thread, with no Actor: for the doors of ui/pages/access alone.

    Raises what core foresees, and Fault for the rest.
    """

    def run() -> T:
        with _opened().runtime.work() as work:
            return fn(work, *args, **kwargs)

    return await _on_a_thread(run, fn)


async def ask(fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """What `fn(work, actor, …)` returns.  Raises Refused, DatabaseAway or Fault; `page_frame` draws each of them.

    Ends the handler quietly when the tab was closed meanwhile.
    """
    client = context.client
    try:
        value = await _as_actor(client.request.scope, fn, args, kwargs)
    except SignedOut:
        _to_sign_in(client)
        raise
    except DatabaseAway:
        _say_away(client, True)
        raise
    if client.is_deleted:
        raise asyncio.CancelledError
    _say_away(client, False)
    return value


async def ask_of(scope: Any, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """As `ask`, for a plain request that no page stands behind: raises SignedOut too, and draws nothing."""
    return await _as_actor(scope, fn, args, kwargs)


async def do(fn: Callable[..., T], *args: Any, done: str = "", form: Form | None = None, **kwargs: Any) -> Answer[T]:
    """Does it and says so: `done` is shown when it worked; what did not is put into words by the field or in a toast.

    Truthy when it was done; `.value` is what came back.  Never raises what a person can be told.
    """
    client = context.client
    if form is not None:
        form.clear_errors()
    try:
        with _wheel():
            value = await _as_actor(client.request.scope, fn, args, kwargs)
    except PrumoError as trouble:
        if not client.is_deleted:
            with client:
                tell(trouble, form=form)
        return Answer(False)
    if client.is_deleted:
        raise asyncio.CancelledError
    if done:
        with client:
            toast(done)
    return Answer(True, value)


@contextmanager
def _wheel() -> Iterator[None]:
    """A wheel on the button that was pressed, while the call takes long."""
    made = pressed()
    if made is None:
        yield
        return

    def turn(is_turning: bool) -> None:
        if not made.is_deleted and bool(made.props.get("loading")) != is_turning:
            made.props["loading"] = is_turning

    timer = asyncio.get_running_loop().call_later(SHOW_WAIT_AFTER_S, turn, True)
    try:
        yield
    finally:
        timer.cancel()
        turn(False)


def tell(trouble: PrumoError, form: Form | None = None) -> None:
    """Says what went wrong: by the fields of the form where they are meant, in a toast otherwise."""
    if isinstance(trouble, SignedOut):
        _to_sign_in(context.client)
    elif isinstance(trouble, BadInput) and form is not None:
        for words in form.show_errors(by_field(trouble)):
            problem(words)
    else:
        problem(words_of(trouble))


def words_of(trouble: PrumoError) -> str:
    """One sentence for a toast or an error state."""
    if isinstance(trouble, Fault):
        return _("Something went wrong on our side. Code {id}.").format(id=trouble.error_id)
    if isinstance(trouble, DatabaseAway):
        return _("The database does not answer. Nothing is lost; try again in a moment.")
    return sentence_of(trouble)


def fault_of(error: BaseException, doing: str) -> Fault:
    """Logs the trace under a short id that a person can read out, and returns what is shown instead."""
    fault = Fault(f"E-{secrets.token_hex(3).upper()}")
    log.error("%s while %s", fault.error_id, doing, exc_info=error)
    error.__dict__["__prumo_id__"] = fault.error_id  # NiceGUI logs it too, unless it sees this
    return fault


async def _as_actor(scope: Any, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    token = cookies.token_of(scope, settings())

    def run() -> T:
        with _opened().runtime.work() as work:
            return fn(work, _actor(work, token), *args, **kwargs)

    return await _on_a_thread(run, fn)


def _actor(work: Work, token: str) -> Actor:
    return accounts.actor_of(work, token)


async def _on_a_thread(run: Callable[[], T], fn: Callable[..., Any]) -> T:
    calls = _opened()
    if calls.is_closed:
        raise DatabaseAway("this process is stopping")  # the browser tries again, and finds the next one
    try:
        return await asyncio.get_running_loop().run_in_executor(calls.threads, run)
    except (Refused, DatabaseAway, Fault):
        raise
    except Exception as error:
        raise fault_of(error, f"calling {getattr(fn, '__qualname__', fn)}") from error


def _to_sign_in(client: Client) -> None:
    if not client.is_deleted:
        with client:
            safe.go_to_sign_in()


def _say_away(client: Client, is_away: bool) -> None:
    note = client.storage.get(AWAY_NOTE)
    if note is not None and not client.is_deleted and note.visible != is_away:
        note.visible = is_away


def _opened() -> Calls:
    if _calls is None:
        raise RuntimeError("open_calls() comes first")
    return _calls
