"""The file that goes with a part of the message: chosen or dropped, told what is wrong with it, taken off."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import events, ui

from core.campaigns.media import LIMITS, MB
from core.errors import BadInput, PrumoError
from core.ports import LARGEST_MEDIA, MediaKind
from ui.calls import words_of
from ui.pages.campaign_builder.desk import Desk
from ui.parts.button import icon_button
from ui.parts.media_card import KIND_WORDS, picture, size_words
from ui.parts.text import icon, text
from ui.words import _
from ui.words.errors import sentence_of_input

# NiceGUI's own handler is not told why.
WHY_REJECTED = "(entries) => emit(entries[0].failedPropValidation)"
ACCEPTS = ".jpg,.jpeg,.png,.webp,.mp4,.mp3,.m4a,.aac,.amr,.ogg,.opus,.pdf,.docx,.xlsx"


class Files:
    """The row of the file of the part that is shown, or the place to drop one."""

    def __init__(self, desk: Desk, chosen: Callable[[int | None], None]) -> None:
        self.desk = desk
        self.chosen = chosen
        self._drawn: object = ()
        with ui.element("div").classes("p-full p-attach"):
            self.row = ui.element("div").classes("p-full")
            self.drop = ui.element("div").classes("p-full")
            if desk.may_write:
                with self.drop:
                    self._upload()
            with ui.element("div").classes("p-help err") as self.error_line:
                icon("error", 14)
                self.error = text()
            self.error_line.props["role"] = "alert"
        self._say("")

    def _upload(self) -> None:
        self.upload = ui.upload(
            auto_upload=True,
            max_files=1,
            max_file_size=LARGEST_MEDIA,
            on_begin_upload=lambda: self._say(""),
            on_upload=self._uploaded,
        ).classes("p-drop")
        self.upload.on("rejected", self._rejected, js_handler=WHY_REJECTED)
        self.upload.props["accept"] = ACCEPTS
        self.upload.props("flat")
        with self.upload.add_slot("header"):
            with ui.element("div").classes("p-drop-file").props("role=button tabindex=0") as drop:
                icon("attach_file", 18)
                self.words = text(_("Drop a file here, or choose one"), "p-t-sm")
                text(limits_words(), "p-t-xs p-t-3 p-m-hide")
                ui.element("q-uploader-add-trigger")
            drop.on("keydown.enter", js_handler="(event) => event.target.querySelector('input').click()")

    def _rejected(self, event: events.GenericEventArguments) -> None:
        """By the browser already, which has sent nothing of it."""
        match event.args:
            case "accept":
                self._say(sentence_of_input(BadInput("media", "media_unknown")))
            case "max-files":
                self._say(_("One file goes with each message."))
            case _too_large:
                self._say(sentence_of_input(BadInput("media", "media_too_large", mb=LARGEST_MEDIA // MB)))

    async def _uploaded(self, event: events.UploadEventArguments) -> None:
        """What is said about it stands where it was dropped."""
        self.words.text = _("Reading the file…")
        content = await event.file.read()
        try:
            kept = await self.desk.keep_file(event.file.name, content)
        except PrumoError as trouble:
            self._say(words_of(trouble))
        else:
            self.chosen(kept.id)
        self.upload.reset()
        self.words.text = _("Drop a file here, or choose one")

    def _say(self, sentence: str) -> None:
        self.error.text = sentence
        self.error_line.visible = bool(sentence)

    # ------------------------------------------------------------ drawing

    def show(self, media_id: int | None) -> None:
        card = None if media_id is None else self.desk.files.get(media_id)
        if (media_id, card) == self._drawn:
            return
        self._drawn = (media_id, card)
        self._say("")
        self.drop.visible = media_id is None
        self.row.clear()
        if card is None:
            return
        with self.row, ui.element("div").classes("p-row p-g10 p-att"):
            words, look = KIND_WORDS[card.kind]
            with ui.element("span").classes("p-att-thumb"):
                if card.kind is MediaKind.IMAGE:
                    picture(card)
                else:
                    icon(look, 18)
            with ui.element("span").classes("p-grow").style("min-width:0"):
                text(card.name, "p-t-sm p-b p-ell", tag="div")
                text(
                    _("{kind} · {size} · goes with the text").format(kind=_(words), size=size_words(card.size)),
                    "p-t-xs p-t-3",
                    tag="div",
                )
            if self.desk.may_write:
                icon_button("close", _("Take the file off"), lambda: self.chosen(None), size="xs")


def limits_words() -> str:
    return _("Image up to {image} MB; video, audio, PDF, DOCX or XLSX up to {other} MB").format(
        image=LIMITS[MediaKind.IMAGE] // MB, other=LARGEST_MEDIA // MB
    )


def open_chooser(button: ui.button) -> None:
    """The button opens what the place to drop a file would."""
    button.on("click", js_handler="() => document.querySelector('.p-attach input[type=file]')?.click()")
