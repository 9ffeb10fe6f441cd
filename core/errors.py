"""Every error of the product.

    PrumoError
    ├── BadSetting                 the installation is set up wrongly; told at start, by the variable's name
    ├── Refused                    what a person asked for will not be done; pages put it into words
    │   ├── SignedOut              there is no valid session any more
    │   ├── WrongCredentials       no such person, or not that password: we never say which
    │   ├── TooManyTries           wait `wait_s` seconds before the next one
    │   ├── NotAllowed             this person may not do this here
    │   ├── NotFound               it is not there, or it is another team's: the same answer
    │   ├── StateChanged           somebody was faster; `now` is the state it is in
    │   └── BadInput               one field is wrong: `field`, `key` of the sentence, its values
    │       └── BadInputs          several at once
    └── WorldTrouble               the world outside did not do its part
        ├── Unreachable            nothing left us: the connection was never made
        ├── Rejected               refused for good; nothing was sent; `kind` says what to do
        ├── OutcomeUnknown         it may have been done; only evidence or a person can tell
        ├── Blocked                the map has asked us to stop
        ├── DatabaseAway           the database could not be reached, or went away on the way
        └── LayoutChanged          the map's answer is not of the form we know

A sentence for people is never written here: pages look up `key` in their catalogues.
"""

from __future__ import annotations

from collections.abc import Sequence


class PrumoError(Exception):
    """The root: catching it means "whatever our own code foresaw"."""


class BadSetting(PrumoError):
    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} {why}")
        self.name = name
        self.why = why


class Refused(PrumoError):
    pass


class SignedOut(Refused):
    pass


class WrongCredentials(Refused):
    pass


class TooManyTries(Refused):
    def __init__(self, wait_s: int) -> None:
        super().__init__(f"wait {wait_s} s")
        self.wait_s = wait_s


class NotAllowed(Refused):
    pass


class NotFound(Refused):
    pass


class StateChanged(Refused):
    def __init__(self, now: str) -> None:
        super().__init__(f"it is {now} by now")
        self.now = now


class BadInput(Refused):
    """One field a person filled in.  `key` names the sentence in `ui/words`, `values` fill its gaps."""

    def __init__(self, field: str, key: str, **values: object) -> None:
        super().__init__(f"{field}: {key} {values or ''}".strip())
        self.field = field
        self.key = key
        self.values = values


class BadInputs(BadInput):
    """Several fields at once, in the order of the form; behaves as the first where only one is looked at."""

    def __init__(self, inputs: Sequence[BadInput]) -> None:
        first = inputs[0]
        super().__init__(first.field, first.key, **first.values)
        self.inputs = list(inputs)


class WorldTrouble(PrumoError):
    pass


class Unreachable(WorldTrouble):
    pass


class Rejected(WorldTrouble):
    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason


class OutcomeUnknown(WorldTrouble):
    pass


class Blocked(WorldTrouble):
    pass


class LayoutChanged(WorldTrouble):
    pass


class DatabaseAway(WorldTrouble):
    """Nothing was stored, unless the connection broke in the very commit: then only the rows can tell."""
