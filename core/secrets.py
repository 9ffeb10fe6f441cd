"""Tokens and what is kept sealed.  Every key is derived from PRUMO_SECRET_KEY, one for each use.

Losing that setting makes sealed values unreadable and opt-outs unrecognisable: it is backed up apart from the data.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from cryptography.fernet import Fernet, InvalidToken

from core.errors import BadSetting


def new_token() -> str:
    """256 bits for a link or a cookie, in letters that fit both."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """32 bytes: what is stored in place of a token.  A plain hash is enough for 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


def derived_key(secret_key: str, use: str) -> bytes:
    """32 bytes for one use only, so that a value leaked from one use opens no other."""
    return hmac.new(secret_key.encode(), b"prumo:" + use.encode(), hashlib.sha256).digest()


def seal(secret_key: str, text: str) -> bytes:
    return _fernet(secret_key).encrypt(text.encode())


def unseal(secret_key: str, sealed: bytes) -> str:
    """Raises BadSetting when it was sealed under another secret key.  Takes the driver's own view of a column, too."""
    try:
        return _fernet(secret_key).decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise BadSetting("PRUMO_SECRET_KEY", "is not the one that this data was stored under") from None


def _fernet(secret_key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derived_key(secret_key, "seal")))
