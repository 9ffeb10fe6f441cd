"""Passwords: argon2id, and what is too weak to be one."""

from __future__ import annotations

import threading
from typing import cast

from passlib.context import CryptContext

from core.errors import BadInput

MIN_LENGTH = 10
MAX_LENGTH = 128
# OWASP's minimum for argon2id; 19 MiB each, so only two at once: a flood of sign-ins must not eat the memory.
_context = CryptContext(
    schemes=["argon2"],
    argon2__type="ID",
    argon2__time_cost=2,
    argon2__memory_cost=19456,
    argon2__parallelism=1,
)
_two_at_once = threading.BoundedSemaphore(2)
# What people type when asked for ten characters; the product's own words are refused by `check`.
_COMMON = frozenset(
    """
    1234567890 0123456789 12345678910 123456789a 1q2w3e4r5t qwertyuiop q1w2e3r4t5 password12 password123
    password1234 passw0rd123 administrador admin12345 admin123456 senha12345 senha123456 minhasenha mudar12345
    abcdefghij abcde12345 iloveyou12 0987654321 9876543210 1111111111 0000000000 aaaaaaaaaa brasil2026
    brasil2025 flamengo10 corinthians palmeiras1 saopaulofc whatsapp123 whatsapp2026 letmein123 welcome123
    bemvindo123 trocar12345 teste12345 teste123456 qwerty12345 asdfghjkl1 1qaz2wsx3e zaq12wsxcde
    """.split()
)


def check(password: str, *, email: str, name: str = "") -> None:
    """Raises BadInput("password", …); no rules of composition, as they make passwords worse.  Source: ASVS 5.0 6.2."""
    if len(password) < MIN_LENGTH:
        raise BadInput("password", "password_too_short", n=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise BadInput("password", "password_too_long", n=MAX_LENGTH)
    folded = password.casefold()
    own = {email.casefold(), email.split("@")[0].casefold(), name.casefold()}
    if folded in _COMMON or folded in own or folded.startswith("prumo") or len(set(folded)) < 4:
        raise BadInput("password", "password_too_common")


def hash_of(password: str) -> str:
    with _two_at_once:
        return cast(str, _context.hash(password))


def fits(password: str, stored: str | None) -> bool:
    """As slow for nobody (`stored` is None) as for somebody, so that time does not tell who exists."""
    if len(password) > MAX_LENGTH:
        password = password[: MAX_LENGTH + 1]  # never right, and cheap to find so
    with _two_at_once:
        if stored is None:
            _context.dummy_verify()
            return False
        return cast(bool, _context.verify(password, stored))


def is_outdated(stored: str) -> bool:
    return cast(bool, _context.needs_update(stored))
