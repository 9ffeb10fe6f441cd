"""What an official number of WhatsApp's Cloud API is reached by: its credentials, as people enter and as we keep them.

They are kept as one sealed text in `Instance.gateway_token`, and nowhere else.
"""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import dataclass, field
from hashlib import sha256

from core.errors import BadInput, BadInputs
from core.secrets import unseal

LONGEST_TOKEN = 1000


@dataclass(frozen=True)
class Credentials:
    """All four stand in the app's own pages at Meta.

    `account_id`: the WhatsApp business account that the number belongs to.  `app_secret` signs what Meta tells us.
    """

    phone_number_id: str
    account_id: str
    access_token: str = field(repr=False)
    app_secret: str = field(repr=False)

    def checked(self) -> Credentials:
        """Without the blanks that copying brings along.  Raises BadInputs, all wrong fields at once.

        Only the form is looked at: whether they are right is known to Meta.
        """
        asked = Credentials(
            "".join(self.phone_number_id.split()),
            "".join(self.account_id.split()),
            self.access_token.strip(),
            self.app_secret.strip(),
        )
        wrong = [
            *_wrong("phone_number_id", asked.phone_number_id, r"\d{5,25}", "not_an_id_of_meta"),
            *_wrong("account_id", asked.account_id, r"\d{5,25}", "not_an_id_of_meta"),
            *_wrong("access_token", asked.access_token, r"[\w.~+/=|-]{20,1000}", "not_a_token_of_meta"),
            *_wrong("app_secret", asked.app_secret, r"[0-9a-fA-F]{32}", "not_a_secret_of_meta"),
        ]
        if not wrong and asked.phone_number_id == asked.account_id:
            wrong = [BadInput("account_id", "same_id_twice")]
        if wrong:
            raise BadInputs(wrong)
        return asked

    def to_text(self) -> str:
        """To be sealed."""
        return json.dumps([self.phone_number_id, self.account_id, self.access_token, self.app_secret])

    @staticmethod
    def from_text(text: str) -> Credentials:
        return Credentials(*json.loads(text))

    @staticmethod
    def unsealed(secret_key: str, sealed: bytes) -> Credentials:
        """Raises BadSetting where it was sealed under another secret key."""
        return Credentials.from_text(unseal(secret_key, sealed))

    def have_signed(self, body: bytes, signature: str) -> bool:
        """Whether `X-Hub-Signature-256` is the app's own, over the body as it came."""
        expected = "sha256=" + hmac.new(self.app_secret.encode(), body, sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))


def may_be_signature(text: str) -> bool:
    """Known before a body is read: a caller without one is not Meta."""
    return re.fullmatch(r"sha256=[0-9a-f]{64}", text, re.ASCII) is not None


def _wrong(name: str, value: str, form: str, key: str) -> list[BadInput]:
    if not value:
        return [BadInput(name, "required")]
    return [] if re.fullmatch(form, value, re.ASCII) else [BadInput(name, key)]
