"""Signing in and out: the right password opens, everything else says the same."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from core.accounts import passwords, service
from core.accounts.rules import wait_for_account
from core.errors import BadInput, SignedOut, TooManyTries, WrongCredentials
from core.runtime import Runtime
from core.secrets import token_hash
from core.tables import SessionRow, SignInTry, User
from tests.people import PASSWORD, People, email_of, sessions_of


def sign_in(runtime: Runtime, email: str, password: str, ip: str = "10.0.0.1") -> str:
    with runtime.work() as work:
        return service.sign_in(work, email=email, password=password, ip=ip, user_agent="a browser").token


def test_ana_signs_in_with_any_case_of_her_email(people: People) -> None:
    token = sign_in(people.runtime, "  ANA@Prumo.Example ", PASSWORD)
    with people.runtime.work() as work:
        assert service.actor_of(work, token).user_id == people["Ana"].user_id


def test_a_wrong_password_and_an_unknown_person_get_the_same_answer(people: People) -> None:
    for email, password in [(email_of("Ana"), "wrong but long"), ("nobody@prumo.example", PASSWORD), ("\x00", "")]:
        with pytest.raises(WrongCredentials) as told:
            sign_in(people.runtime, email, password)
        assert str(told.value) == ""


def test_nobody_is_found_out_by_how_long_it_takes(people: People) -> None:
    """Both do one argon2 check; the medians lie within half of each other, whatever else the machine does."""

    def took(email: str, n: int) -> float:
        started = time.perf_counter()
        with pytest.raises(WrongCredentials):
            sign_in(people.runtime, email, "not it, and long", ip=f"10.0.0.{n}")
        return time.perf_counter() - started

    pairs = [
        (took(email_of("Ana"), n), took("nobody@prumo.example", n)) for n in range(9)
    ]  # by turns, on a busy machine
    known, unknown = (statistics.median(times) for times in zip(*pairs, strict=True))
    assert 0.5 < known / unknown < 2


def test_only_argon2id_is_stored_and_only_a_hash_of_the_token(people: People) -> None:
    with people.runtime.work() as work:
        user = work.session.get_one(User, people["Ana"].user_id)
        assert user.password_hash.startswith("$argon2id$")
    session = sessions_of(people.runtime, people["Ana"])[0]
    assert session.token_hash == token_hash(people.token["Ana"])


def test_the_sixth_wrong_try_has_to_wait_but_not_from_elsewhere(people: People) -> None:
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            sign_in(people.runtime, email_of("Ana"), "a wrong password")
    with pytest.raises(TooManyTries) as told:
        sign_in(people.runtime, email_of("Ana"), PASSWORD)
    assert told.value.wait_s >= 1
    assert sign_in(people.runtime, email_of("Ana"), PASSWORD, ip="10.9.9.9"), "nobody can be locked out by a stranger"


def test_one_account_guessed_at_from_many_addresses_has_to_wait_for_all_of_them(people: People) -> None:
    """The same for somebody and for nobody, so that the wait does not tell who exists."""
    for email in (email_of("Ana"), "nobody@prumo.example"):
        wrong_from_many_addresses(people, 17, ago="0 seconds", email=email)
        for password in (PASSWORD, "a wrong password"):
            with pytest.raises(TooManyTries) as told:
                sign_in(people.runtime, email, password, ip="198.51.100.1")
            assert 60 < told.value.wait_s <= 128
    assert sign_in(people.runtime, email_of("Bea"), PASSWORD, ip="198.51.100.1")


def test_guesses_from_sixty_addresses_at_once_are_ten(people: People) -> None:
    def guess(n: int) -> type[Exception]:
        with pytest.raises((WrongCredentials, TooManyTries)) as told:
            sign_in(people.runtime, email_of("Ana"), "a wrong password", ip=f"203.0.113.{n}")
        return told.type

    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = Counter(pool.map(guess, range(60)))
    assert answers[WrongCredentials] <= 11 + (time.monotonic() - started), answers  # waits of 1 s, 2 s, 4 s follow


def test_who_was_here_before_is_not_kept_out_by_strangers_elsewhere(people: People) -> None:
    home = "192.0.2.10"
    first = sign_in(people.runtime, email_of("Ana"), PASSWORD, ip=home)
    wrong_from_many_addresses(people, 200, ago="1 second")
    with pytest.raises(TooManyTries):
        sign_in(people.runtime, email_of("Ana"), PASSWORD, ip="198.51.100.1")
    assert sign_in(people.runtime, email_of("Ana"), PASSWORD, ip=home)
    with people.runtime.work() as work:
        assert service.actor_of(work, first).name == "Ana", "an open session does not notice"
    for n in range(6):  # but guessing from there is slowed down as ever
        with pytest.raises(WrongCredentials if n < 5 else TooManyTries):
            sign_in(people.runtime, email_of("Ana"), "a wrong password", ip=home)


def test_nobody_waits_longer_than_five_minutes_for_what_strangers_did(people: People) -> None:
    wrong_from_many_addresses(people, 200, ago="10 seconds")
    with pytest.raises(TooManyTries) as told:
        sign_in(people.runtime, email_of("Ana"), PASSWORD)
    assert 280 <= told.value.wait_s <= 290
    with people.runtime.work() as work:
        work.session.execute(text("update sign_in_tries set at = at - interval '5 minutes'"))
    assert sign_in(people.runtime, email_of("Ana"), PASSWORD)


def test_no_hour_has_more_than_thirty_guesses_at_one_account() -> None:
    """Of somebody with an address for each guess, who knocks as soon as it may."""
    tries = [0.0]
    while tries[-1] < 24 * 3600:
        due = tries[-1]
        while True:
            within = sum(1 for at in tries if at > due - 3600)
            allowed = tries[-1] + wait_for_account(within).total_seconds()
            if due >= allowed:
                break
            due = min(allowed, due + 1)  # while it waits, old tries leave the hour
        tries.append(due)
    assert max(sum(1 for at in tries if start - 3600 < at <= start) for start in tries) <= 30


def wrong_from_many_addresses(people: People, count: int, *, ago: str, email: str = email_of("Ana")) -> None:
    with people.runtime.work() as work:
        work.session.execute(
            text(
                "insert into sign_in_tries (email, ip, at) select :email, inet '10.77.0.0' + n, "
                "now() - cast(:ago as interval) from generate_series(1, :count) n"
            ),
            {"email": email, "ago": ago, "count": count},
        )


def test_signing_in_rightly_forgets_the_wrong_tries(people: People) -> None:
    for _ in range(3):
        with pytest.raises(WrongCredentials):
            sign_in(people.runtime, email_of("Ana"), "a wrong password")
    sign_in(people.runtime, email_of("Ana"), PASSWORD)
    with people.runtime.work() as work:
        assert work.session.query(SignInTry).count() == 0


def test_signing_out_ends_that_session_and_no_other(people: People) -> None:
    second = sign_in(people.runtime, email_of("Ana"), PASSWORD)
    with people.runtime.work() as work:
        service.sign_out(work, people.token["Ana"])
    with pytest.raises(SignedOut), people.runtime.work() as work:
        service.actor_of(work, people.token["Ana"])
    with people.runtime.work() as work:
        assert service.actor_of(work, second).name == "Ana"
        service.sign_out(work, people.token["Ana"])  # again: no error


def test_signing_out_everywhere_ends_them_all(people: People) -> None:
    second = sign_in(people.runtime, email_of("Ana"), PASSWORD)
    with people.runtime.work() as work:
        assert service.sign_out_everywhere(work, people["Ana"]) == 2
    for token in (people.token["Ana"], second):
        with pytest.raises(SignedOut), people.runtime.work() as work:
            service.actor_of(work, token)
    with people.runtime.work() as work:
        assert service.actor_of(work, people.token["Bea"]).name == "Bea"


@pytest.mark.parametrize("change", ["expires_at = now()", "seen_at = now() - interval '4 days'", "ended_at = now()"])
def test_an_old_session_is_none(people: People, change: str) -> None:
    with people.runtime.work() as work:
        work.session.execute(text(f"update sessions set {change} where user_id = {people['Ana'].user_id}"))
    with pytest.raises(SignedOut), people.runtime.work() as work:
        service.actor_of(work, people.token["Ana"])


@pytest.mark.parametrize("token", ["", "x", "💥", "a" * 10_000, "\x00"])
def test_a_made_up_cookie_is_nobody(people: People, token: str) -> None:
    with pytest.raises(SignedOut), people.runtime.work() as work:
        service.actor_of(work, token)


def test_a_person_switched_off_is_out_at_once(people: People) -> None:
    with people.runtime.work() as work:
        work.session.get_one(User, people["Bea"].user_id).is_active = False
    with pytest.raises(SignedOut), people.runtime.work() as work:
        service.actor_of(work, people.token["Bea"])
    with pytest.raises(WrongCredentials):
        sign_in(people.runtime, email_of("Bea"), PASSWORD)


def test_a_new_password_ends_every_session_and_opens_one(people: People) -> None:
    with people.runtime.work() as work:
        opened = service.change_password(work, people["Ana"], old=PASSWORD, new="quite another long one")
    with pytest.raises(SignedOut), people.runtime.work() as work:
        service.actor_of(work, people.token["Ana"])
    with people.runtime.work() as work:
        assert service.actor_of(work, opened.token).name == "Ana"
    with pytest.raises(BadInput) as told, people.runtime.work() as work:
        service.change_password(work, people["Ana"], old=PASSWORD, new="and one more long one")
    assert (told.value.field, told.value.key) == ("old", "wrong_password")


def change_password(people: People, old: str, ip: str = "10.0.0.1") -> None:
    with people.runtime.work() as work:
        service.change_password(work, people["Ana"], old=old, new="quite another long one", ip=ip)


def test_an_open_page_gives_no_more_guesses_at_the_password_than_the_door(people: People) -> None:
    for _ in range(5):
        with pytest.raises(BadInput):
            change_password(people, "a wrong password")
    for attempt in (change_password, lambda people, password: sign_in(people.runtime, email_of("Ana"), password)):
        with pytest.raises(TooManyTries) as told:
            attempt(people, PASSWORD)
        assert told.value.wait_s >= 1, "they are counted together"
    assert sign_in(people.runtime, email_of("Ana"), PASSWORD, ip="10.9.9.9")


def test_a_password_changed_rightly_forgets_the_wrong_tries(people: People) -> None:
    with pytest.raises(BadInput):
        change_password(people, "a wrong password")
    change_password(people, PASSWORD)
    with people.runtime.work() as work:
        assert work.session.query(SignInTry).count() == 0


@pytest.mark.parametrize(
    ("password", "key"),
    [
        ("", "password_too_short"),
        ("ninechars", "password_too_short"),
        ("a" * 129, "password_too_long"),
        ("x" * 1_000_000, "password_too_long"),
        ("password123", "password_too_common"),
        ("Password123", "password_too_common"),
        ("prumoprumo", "password_too_common"),
        ("dora@prumo.example", "password_too_common"),
        ("aaaaaaaaaaaa", "password_too_common"),
    ],
)
def test_a_weak_password_is_refused_before_it_is_hashed(password: str, key: str) -> None:
    with pytest.raises(BadInput) as told:
        passwords.check(password, email="dora@prumo.example", name="Dora")
    assert told.value.key == key


@pytest.mark.parametrize("password", [" a leading space", "çãé ünïcode ok", "0123456789 x y", "a" * 7 + "bcd" * 40])
def test_a_long_password_of_any_kind_is_kept_exactly(password: str) -> None:
    passwords.check(password, email="dora@prumo.example")
    assert passwords.fits(password, passwords.hash_of(password))
    assert not passwords.fits(password.strip() + " ", passwords.hash_of(password))


def test_seen_is_written_once_a_minute_at_most(people: People) -> None:
    before = sessions_of(people.runtime, people["Ana"])[0].seen_at
    with people.runtime.work() as work:
        service.actor_of(work, people.token["Ana"])
    assert sessions_of(people.runtime, people["Ana"])[0].seen_at == before
    with people.runtime.work() as work:
        work.session.execute(text("update sessions set seen_at = seen_at - interval '2 minutes'"))
    with people.runtime.work() as work:
        service.actor_of(work, people.token["Ana"])
    with people.runtime.work() as work:
        row = work.session.query(SessionRow).filter_by(user_id=people["Ana"].user_id).one()
        assert row.seen_at >= before
