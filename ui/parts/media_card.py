"""The file that goes with a message, as WhatsApp shows it.  Its bytes are served by ui/media.py."""

from __future__ import annotations

from nicegui import ui

from core.campaigns.media import MB, MediaCard
from core.ports import MediaKind
from ui.parts.text import icon, text
from ui.words import N_, _, formats

KIND_WORDS = {
    MediaKind.IMAGE: (N_("Image"), "image"),
    MediaKind.VIDEO: (N_("Video"), "movie"),
    MediaKind.AUDIO: (N_("Audio"), "audio_file"),
    MediaKind.DOCUMENT: (N_("Document"), "description"),
}


def size_words(size: int) -> str:
    """184 KB, 3,2 MB"""
    if size < MB:
        return _("{n} KB").format(n=formats.number(max(1, round(size / 1024))))
    return _("{n} MB").format(n=formats.number(size / MB, 1))


def picture(card: MediaCard, classes: str = "") -> ui.element:
    """A file as WhatsApp shows it: the image itself, or what kind of file it is and its name."""
    if card.kind is MediaKind.IMAGE:
        made = ui.element("img").classes(f"p-media-img {classes}")
        made.props["src"] = f"/media/{card.id:d}"
        made.props["alt"] = card.name
        return made
    if card.kind is MediaKind.VIDEO:
        made = ui.element("video").classes(f"p-media-img {classes}").props("controls preload=metadata")
        made.props["src"] = f"/media/{card.id:d}"
        made.props["aria-label"] = card.name
        return made
    with ui.element("div").classes(f"p-media-file {classes}") as made:
        icon(KIND_WORDS[card.kind][1], 22)
        with ui.element("span").classes("p-col").style("min-width:0"):
            text(card.name, "p-ell")
            text(size_words(card.size), "p-t-xs")
    return made
