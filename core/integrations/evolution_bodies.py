"""What of Evolution's webhooks is kept: no secrets, no files, and a body that is too large in short.

Works on the bytes, so that a body that nobody can read is kept as it came, but for that.  Quotes within what people
wrote are escaped and so do not match.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any

from core.integrations.evolution_events import KINDS, SILENT, WRAPPERS
from core.integrations.strangers import LONGEST_LIST, read_json
from core.ports import StorableWebhook

MOST_STORED = 64 << 10
DEEPEST = 12
MOST_MEMBERS = 100
CUTS = (8_000, 2_000, 500, 120)  # characters of each text in a body that is kept in short, until it is short enough

TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
NUMBERS = rb"\[[\d,\s]*+\]"
# Bytes are told as base64, or one by one: as a list, as Node's Buffer, or under their places.
BYTES = rb'\{(?:\s*+"\d{1,9}"\s*+:\s*+\d{1,3}\s*+,?)*+\s*+\}'
BUFFER = rb'\{\s*+"type"\s*+:\s*+"Buffer"\s*+,\s*+"data"\s*+:\s*+(?:' + NUMBERS + rb"|" + TEXT + rb")\s*+\}"
# Tokens and keys stand in the envelope, and in the data of an instance under several names.  Bounded, since a person's
# text may be made to be long to look through.
SECRETS = re.compile(
    rb'"(api_?key|jwt_?key|hash|authorization|password|\w{0,40}(?:token|secret)\w{0,40})"\s*:\s*'
    rb"(?:" + TEXT + rb"|" + BYTES + rb"|-?\d[\d.eE+-]*)",
    re.IGNORECASE,
)
# Files, their previews, and the keys that open them: nothing here reads them.
FILES = re.compile(
    rb'"(base64|\w{0,20}thumbnail|mediaKey|\w{0,20}sha256|\w{0,20}sidecar|waveform)"\s*:\s*'
    rb"(?:" + b"|".join((TEXT, NUMBERS, BYTES, BUFFER)) + rb")",
    re.IGNORECASE,
)
# All that evolution_events.py looks at, wherever it stands.
READ = frozenset(
    "event instance data date_time sender key keyId id remoteJid remoteJidAlt senderPn senderLid fromMe status message "
    "messageType messageTimestamp messageStubType low high pushName contextInfo stanzaId mimetype fileLength fileName "
    "state statusReason wuid profileName disconnectionReasonCode qrcode code pairingCode statusCode selectedButtonId "
    "selectedId singleSelectReply selectedRowId nativeFlowResponseMessage paramsJson".split()
    + [*KINDS, *WRAPPERS, *SILENT]
    + [step for _, path in KINDS.values() for step in path]
)


def storable(body: bytes) -> StorableWebhook:
    """Without secrets and files, at any depth: the sample configuration puts the instance's token into every body, an
    error the global one, and news of an instance may name it `token` or `hash`, as the answers do in tests/recordings.

    At most MOST_STORED bytes; only a list of hundreds of messages, which it does not send, is longer: no id is lost.
    """
    kept = FILES.sub(rb'"\1":null', SECRETS.sub(rb'"\1":null', body))
    try:
        envelope = read_json(kept)
    except ValueError:
        envelope = None
    if not isinstance(envelope, dict):
        return StorableWebhook(None, kept[:MOST_STORED])
    name = envelope.get("instance")
    return StorableWebhook(
        name if isinstance(name, str) else None, kept if len(kept) <= MOST_STORED else _in_short(envelope)
    )


def _in_short(envelope: dict[str, Any]) -> bytes:
    """What is read of it, with its texts cut: who, what kind, which ids."""
    for cut in CUTS:
        told = json.dumps(_read_of(envelope, cut), ensure_ascii=False).encode("utf-8", "replace")
        if len(told) <= MOST_STORED:
            break
    return told


def _read_of(value: Any, cut: int, *, depth: int = 0, is_message: bool = False) -> Any:
    """Of a message every member is kept, since those of an unknown kind are messages too."""
    if isinstance(value, str):
        return value[:cut]
    if depth > DEEPEST:
        return None
    if isinstance(value, list):
        return [_read_of(each, cut, depth=depth + 1) for each in value[:LONGEST_LIST]]
    if not isinstance(value, dict):
        return value if len(str(value)) < 40 else None
    members = ((name, each) for name, each in value.items() if name in READ or (is_message and len(name) < 80))
    return {
        name: _read_of(each, cut, depth=depth + 1, is_message=name == "message")
        for name, each in islice(members, MOST_MEMBERS)
    }
