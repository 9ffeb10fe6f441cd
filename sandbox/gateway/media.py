"""A file to somebody: what Evolution accepts as one, and what it shows of it afterwards.

`media` is an address or bare base64, without a `data:` prefix.  An address needs a host with a dot in it, or an IP,
and is fetched before anything else is looked at, as the real one does.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
import secrets
import time
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from sandbox.gateway import answers
from sandbox.gateway.answers import bad_request, bad_schema

KINDS = ("image", "document", "video", "audio")
DEFAULT_TYPES = {
    "image": "image/png",
    "document": "application/pdf",
    "video": "video/mp4",
    "audio": "audio/mpeg",
}
LARGEST = 136 * 1024 * 1024
FETCH_S = 30.0
BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
THUMBNAIL = bytes.fromhex("ffd8ffdb") + bytes(16) + bytes.fromhex("ffd9")


def check(body: dict[str, Any]) -> None:
    """Raises Refusal as Evolution words it."""
    missing = [f'instance requires property "{name}"' for name in ("number", "mediatype") if name not in body]
    if missing:
        raise bad_schema(*missing)
    if not isinstance(body["number"], str):
        raise bad_schema("Invalid format")
    if body["mediatype"] not in KINDS:
        raise bad_schema(f"mediatype is not one of enum values: {','.join(KINDS)}")
    media = body.get("media")
    if not isinstance(media, str):
        raise bad_request("Owned media must be a url or base64")
    if _is_base64(media) and not body.get("fileName") and body["mediatype"] == "document":
        raise bad_request("For base64 the file name must be informed.")
    if not is_address(media) and not _is_base64(media):
        raise bad_request("Owned media must be a url or base64")


def is_address(media: str) -> bool:
    """http(s) with a host that has a dot or is an IP: `http://minio:9000/a.png` is none to Evolution."""
    try:
        parts = urlsplit(media)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and (_is_ip(host) or "." in host.strip("."))


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_base64(media: str) -> bool:
    return len(media) % 4 == 0 and BASE64.fullmatch(media) is not None


async def read(media: str) -> bytes:
    """The file.  Raises Refusal (500) with the words of Node for an address that does not give it."""
    if not is_address(media):
        return base64.b64decode(media)
    parts = urlsplit(media)
    host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=FETCH_S)) as session,
            session.get(media) as answer,
        ):
            if answer.status >= 400:
                raise _broken(f"AxiosError: Request failed with status code {answer.status}")
            return await answer.content.read(LARGEST)
    except aiohttp.ClientConnectorDNSError:
        raise _broken(f"Error: getaddrinfo ENOTFOUND {host}") from None
    except aiohttp.ClientConnectorError:
        raise _broken(f"Error: connect ECONNREFUSED {host}:{port}") from None
    except (aiohttp.ClientError, TimeoutError):
        raise _broken("Error: socket hang up") from None


def _broken(words: str) -> answers.Refusal:
    return answers.broken([words])


def as_whatsapp(body: dict[str, Any], content: bytes, context: dict[str, Any]) -> dict[str, Any]:
    """The message as Baileys made it; it has its context in itself as well."""
    kind, now_s = body["mediatype"], int(time.time())
    shown: dict[str, Any] = {}
    if kind in ("image", "video"):
        shown |= {"interactiveAnnotations": [], "annotations": []}
    if kind == "image":
        shown |= {"scanLengths": []}
    shown |= {
        "url": f"https://mmg.whatsapp.net/v/t62.7118-24/{secrets.token_hex(8)}",
        "mimetype": body.get("mimetype") or DEFAULT_TYPES[kind],
        "fileSha256": _bytes(hashlib.sha256(content).digest()),
        "fileLength": {"low": len(content), "high": 0, "unsigned": True},
        "mediaKey": _bytes(secrets.token_bytes(32)),
        "fileEncSha256": _bytes(secrets.token_bytes(32)),
        "directPath": f"/v/t62.7118-24/{secrets.token_hex(8)}",
        "mediaKeyTimestamp": {"low": now_s, "high": 0, "unsigned": False},
    }
    if kind == "document":
        shown["fileName"] = body.get("fileName") or media_name(body)
    if kind == "image":
        shown |= {"height": 1, "width": 1, "jpegThumbnail": _bytes(THUMBNAIL)}
    if kind == "audio":
        shown |= {"seconds": 1, "ptt": False}
    if kind != "audio" and body.get("caption"):
        shown["caption"] = body["caption"]
    return {f"{kind}Message": shown | {"contextInfo": context}}


def as_meta(body: dict[str, Any]) -> dict[str, Any]:
    """The message as it stays with an instance behind which Meta is: what was asked for, with Meta's own id."""
    by_address = is_address(body["media"])
    shown = {name: body[name] for name in ("caption", "fileName") if body.get(name)}
    shown |= {"mediaType": body["mediatype"], "media": body["media"], "gifPlayback": False}
    shown |= {"id": body["media"] if by_address else str(secrets.randbelow(9 * 10**15) + 10**15)}
    shown |= {"type": "link" if by_address else "id"}
    shown["mimetype"] = body.get("mimetype") or DEFAULT_TYPES[body["mediatype"]]
    return {f"{body['mediatype']}Message": shown}


def as_evolution(body: dict[str, Any]) -> dict[str, Any]:
    return {"mediaUrl": body["media"] if is_address(body["media"]) else None}


def media_name(body: dict[str, Any]) -> str:
    """What the last part of the address says, as Evolution takes it where no name was given."""
    return urlsplit(body["media"]).path.rpartition("/")[2] if is_address(body["media"]) else ""


def of_stranger(kind: str, caption: str, size: int) -> dict[str, Any]:
    """What somebody sent us, `size` bytes long: image, video, audio, document, sticker, location or contact."""
    if kind == "location":
        return {"locationMessage": {"degreesLatitude": -23.55, "degreesLongitude": -46.63, "name": caption}}
    if kind == "contact":
        return {"contactMessage": {"displayName": caption, "vcard": "BEGIN:VCARD\nVERSION:3.0\nEND:VCARD"}}
    shown: dict[str, Any] = {}
    if kind == "image":
        shown |= {"interactiveAnnotations": [], "scanLengths": [], "annotations": []}
    shown |= {"url": "https://mmg.whatsapp.net/x", "mimetype": STRANGERS[kind]}
    if kind in ("image", "video", "document"):
        shown["caption"] = caption
    shown["fileLength"] = {"low": size, "high": 0, "unsigned": True}
    if kind == "document":
        shown["fileName"] = "proposta.pdf"
    if kind == "audio":
        shown |= {"seconds": 7, "ptt": True}
    if kind in ("image", "video", "sticker"):
        shown |= {"height": 10, "width": 10}
    return {f"{kind}Message": shown | {"mediaKey": _bytes(bytes(32)), "directPath": "/x"}}


STRANGERS = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/ogg; codecs=opus",
    "document": "application/pdf",
    "sticker": "image/webp",
}
SENT_BY_STRANGERS = (*STRANGERS, "location", "contact")


def _bytes(content: bytes) -> dict[str, int]:
    """As JSON.stringify writes a Uint8Array."""
    return {str(n): byte for n, byte in enumerate(content)}
