"""Files that go with a message: told by their first bytes, kept once, within their team."""

from __future__ import annotations

import contextlib
import io
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import delete, func, select, update

from core.campaigns import media, queries, service, templates
from core.campaigns.pictures import size_of
from core.campaigns.rules import FollowUp, Variant
from core.campaigns.unused_files import forget_unused
from core.errors import BadInput, NotAllowed, NotFound
from core.ports import MediaKind
from core.replies import trying
from core.tables import Answer, MediaFile
from tests.core.campaigns.drawing import extended_webp, jpeg, lossless_webp, png, webp
from tests.core.campaigns.making import HOUR, connect_number, keep_lead, now, plan_of, set_campaign, start, write_draft
from tests.people import People

PNG = png(8, 8)
JPEG = jpeg(8, 8)
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\0" * 64


def document(part: str) -> bytes:
    """As LibreOffice writes one: what it is stands far behind."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for n in range(20):
            file.writestr(f"docProps/part{n}.xml", "x" * 900)
        file.writestr(part, "<x/>")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "kind", "mimetype"),
    [
        (PNG, MediaKind.IMAGE, "image/png"),
        (JPEG, MediaKind.IMAGE, "image/jpeg"),
        (webp(8, 8), MediaKind.IMAGE, "image/webp"),
        (MP4, MediaKind.VIDEO, "video/mp4"),
        (b"ID3\x03" + b"\0" * 64, MediaKind.AUDIO, "audio/mpeg"),
        (b"OggS" + b"\0" * 64, MediaKind.AUDIO, "audio/ogg"),
        (b"%PDF-1.7\n" + b"\0" * 64, MediaKind.DOCUMENT, "application/pdf"),
        (document("word/document.xml"), MediaKind.DOCUMENT, media.DOCX),
        (document("xl/workbook.xml"), MediaKind.DOCUMENT, media.XLSX),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" in value else "",
)
def test_a_file_is_what_its_first_bytes_say(content: bytes, kind: MediaKind, mimetype: str) -> None:
    assert media.what_is(content) == (mimetype, kind)


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"MZ" + b"\0" * 64,
        b"GIF89a" + b"\0" * 64,
        b"PK\x03\x04" + b"\xff" * 64,
        document("classes.dex"),
    ],
)
def test_what_whatsapp_would_not_show_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        media.what_is(content)
    assert refused.value.key == "media_unknown"


def test_an_empty_and_a_large_file_are_refused_with_the_limit_of_their_kind() -> None:
    with pytest.raises(BadInput) as refused:
        media.what_is(b"")
    assert refused.value.key == "media_empty"
    with pytest.raises(BadInput) as refused:
        media.what_is(PNG + b"\0" * (5 << 20))
    assert (refused.value.key, refused.value.values) == ("media_too_large", {"mb": 5})
    assert media.what_is(MP4 + b"\0" * (6 << 20))[1] is MediaKind.VIDEO
    with pytest.raises(BadInput) as refused:
        media.what_is(MP4 + b"\0" * (16 << 20))
    assert refused.value.values == {"mb": 16}


PICTURES = [png, jpeg, partial(jpeg, "progressive"), partial(jpeg, "exif"), webp, lossless_webp, extended_webp]
Draws = Callable[[int, int], bytes]


@pytest.mark.parametrize("draws", PICTURES)
@pytest.mark.parametrize("size", [(1, 1), (10_000, 4_000), (4_000, 10_000), (6_300, 6_300)])
def test_a_picture_of_a_good_camera_goes(draws: Draws, size: tuple[int, int]) -> None:
    content = draws(*size)
    mimetype, kind = media.what_is(content)
    assert (kind, size_of(mimetype, content)) == (MediaKind.IMAGE, size)


@pytest.mark.parametrize("draws", PICTURES)
@pytest.mark.parametrize("size", [(16_000, 16_000), (10_001, 1), (1, 10_001), (10_000, 4_001)])
def test_a_picture_that_would_take_gigabytes_to_show_is_refused(
    people: People, draws: Draws, size: tuple[int, int]
) -> None:
    content = draws(*size)
    assert len(content) < 1_000
    with people.runtime.work() as work, pytest.raises(BadInput) as refused:
        media.keep(work, people["Bea"], name="bomba", content=content)
    told = {"width": size[0], "height": size[1], "most": 40, "side": 10_000}
    assert (refused.value.key, refused.value.values) == ("media_too_many_points", told)


def test_the_bytes_of_a_real_picture_say_the_same_as_who_draws_it() -> None:
    for form, mimetype, how in [
        ("PNG", "image/png", {}),
        ("JPEG", "image/jpeg", {"progressive": True, "exif": b"Exif\0\0" + b"\xff\xc0" * 99}),
        ("JPEG", "image/jpeg", {"comment": "x" * 60_000}),
        ("WEBP", "image/webp", {}),
        ("WEBP", "image/webp", {"lossless": True}),
        ("WEBP", "image/webp", {"exif": b"Exif\0\0"}),
    ]:
        drawn = io.BytesIO()
        Image.new("RGB", (321, 123), "teal").save(drawn, form, **how)
        assert media.what_is(drawn.getvalue()) == (mimetype, MediaKind.IMAGE)
        assert size_of(mimetype, drawn.getvalue()) == (321, 123)


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n" + b"\0" * 64,
        png(8, 8)[:20],
        png(0, 8),
        jpeg(8, 0),
        b"\xff\xd8\xff\xe0" + b"\0" * 64,
        b"\xff\xd8" + b"\xff\xe0\0\2" * 5_000 + jpeg(8, 8)[2:],
        b"\xff\xd8" + b"\xff" * 5_000,
        b"\xff\xd8\xff\xd9" + jpeg(8, 8)[2:],
        b"RIFF\0\0\0\0WEBPVP8 " + b"\0" * 64,
        webp(8, 8)[:28],
    ],
)
def test_a_picture_that_nobody_could_open_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        media.what_is(content)
    assert refused.value.key == "media_broken"


@given(st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBPVP8"]), st.binary(max_size=60))
def test_whatever_stands_behind_the_first_bytes_is_read_or_refused(begin: bytes, rest: bytes) -> None:
    with contextlib.suppress(BadInput):
        mimetype, _kind = media.what_is(begin + rest)
        size = size_of(mimetype, begin + rest)
        assert size is not None and not size.is_too_large


def test_the_same_bytes_are_kept_once_for_a_team_and_again_for_another(people: People) -> None:
    with people.runtime.work() as work:
        first = media.keep(work, people["Bea"], name="agenda.png", content=PNG)
        again = media.keep(work, people["Ana"], name="outro nome.png", content=PNG)
        theirs = media.keep(work, people["Carlos"], name="agenda.png", content=PNG)
        assert again == first
        assert theirs.id != first.id
        assert work.session.scalar(select(func.count()).select_from(MediaFile)) == 2


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("agenda leve.PNG", "agenda leve.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\fotos\\oi.jpg", "oi.png"),
        ("nota\u202egnp.exe", "nota gnp.png"),
        ("", "arquivo.png"),
        ("x" * 400, "x" * 116 + ".png"),
    ],
)
def test_its_name_ends_as_what_it_is_and_holds_no_folder(people: People, given: str, kept: str) -> None:
    with people.runtime.work() as work:
        assert media.keep(work, people["Bea"], name=given, content=PNG).name == kept


def test_nobody_of_another_team_reads_it_and_who_only_looks_keeps_none(people: People) -> None:
    with people.runtime.work() as work:
        card = media.keep(work, people["Bea"], name="agenda.png", content=PNG)
        assert media.content(work, people["Vic"], card.id).content == PNG
        assert media.cards(work, people["Carlos"], [card.id]) == {}
        with pytest.raises(NotFound):
            media.content(work, people["Carlos"], card.id)
        with pytest.raises(NotAllowed):
            media.keep(work, people["Vic"], name="agenda.png", content=JPEG)


# ---------------------------------------------------------------- what no message uses


def kept(people: People, content: bytes, who: str = "Bea") -> int:
    with people.runtime.work() as work:
        return media.keep(work, people[who], name="agenda.png", content=content).id


def forget(people: People, hours_later: int = 0) -> set[int]:
    """What is there after the timetable came, and once more so much later."""
    with people.runtime.work() as work:
        forget_unused(work)
    if hours_later:
        with people.runtime.work() as work:
            work.session.execute(update(MediaFile).values(unused_since=MediaFile.unused_since - hours_later * HOUR))
        with people.runtime.work() as work:
            forget_unused(work)
    with people.runtime.work() as work:
        return set(work.session.scalars(select(MediaFile.id)))


def test_a_file_that_no_message_uses_is_forgotten_after_a_day(people: People) -> None:
    unused, theirs = kept(people, PNG), kept(people, PNG, who="Carlos")
    assert forget(people, hours_later=23) == {unused, theirs}
    assert forget(people, hours_later=2) == set()


def test_what_a_draft_a_campaign_or_a_kept_message_names_stays(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    first, again, of_template = kept(people, PNG), kept(people, JPEG), kept(people, MP4)
    campaign_id = write_draft(people, media_id=first, follow_up=FollowUp("Oi de novo", days=4, media_id=again))
    start(people, campaign_id)
    set_campaign(people, campaign_id, status="finished", ended_at=now(people))
    with people.runtime.work() as work:
        plan = replace(plan_of(people, campaign_id), media_id=None, other_variants=(Variant("Olá", 1, of_template),))
        templates.save_template(work, people["Bea"], name="Oi", plan=replace(plan, follow_up=None))
    assert forget(people, hours_later=99) == {first, again, of_template}


def test_a_file_that_was_taken_out_and_put_back_begins_its_day_anew(people: People) -> None:
    file = kept(people, PNG)
    assert forget(people, hours_later=23) == {file}
    assert kept(people, PNG) == file, "the same bytes, brought again"
    assert forget(people, hours_later=23) == {file}
    campaign_id = write_draft(people, media_id=file)
    assert forget(people, hours_later=99) == {file}
    with people.runtime.work() as work:
        found = service.draft(work, people["Bea"], campaign_id)
        service.save_draft(work, people["Bea"], campaign_id, found.version, replace(found.plan, media_id=None))
    assert forget(people, hours_later=23) == {file}
    assert forget(people, hours_later=2) == set()


def test_a_file_that_waits_to_go_out_as_a_test_stays_until_it_has(people: People) -> None:
    connect_number(people, phone="+5511900001001", gateway_name="um")
    file = kept(people, PNG)
    campaign_id = write_draft(people, media_id=file)
    with people.runtime.work() as work:
        trying.send_test(work, people["Bea"], campaign_id, "(11) 98888-7777", 0, pressed=uuid.uuid4())
    with people.runtime.work() as work:
        service.delete_draft(work, people["Bea"], campaign_id)
    assert forget(people, hours_later=99) == {file}
    with people.runtime.work() as work:
        work.session.execute(delete(Answer))
    assert forget(people, hours_later=25) == set()


def test_a_draft_that_is_being_saved_with_it_keeps_it(people: People) -> None:
    file = kept(people, PNG)
    forget(people)
    with people.runtime.work() as work:
        work.session.execute(update(MediaFile).values(unused_since=work.now - 25 * HOUR))
    with people.runtime.work() as saving:
        assert queries.has_media(saving.session, people.team_id, file)
        with people.runtime.work() as work:
            assert forget_unused(work) == 0
    with people.runtime.work() as work:
        assert forget_unused(work) == 1
