"""A business's page is read for how it can be reached: what is theirs, and what only looks like it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.leads.contacts import Contacts, emails_in, from_link, merged, phone_in, read_page, social_in, whatsapp_in
from core.leads.site_names import site_of

HOME = "https://www.clinicasorriso.com.br/"
MOBILE = "+5511900001234"
LANDLINE = "+551130001234"


def contacts(html: str, url: str = HOME) -> Contacts:
    return read_page(html, url, country="BR").contacts


def test_a_page_with_all_kinds_of_contact_gives_each_of_them() -> None:
    found = contacts(f"""
        <html><body><header><a href="mailto:Contato@clinicasorriso.com.br?subject=Oi">escreva</a></header>
        <a href="https://wa.me/{MOBILE[1:]}?text=Ol%C3%A1">WhatsApp</a> <a href="tel:(11)%203000-1234">ligue</a>
        <a href="https://www.instagram.com/clinicasorriso/?hl=pt">ig</a> <a href="https://m.facebook.com/clinicasorriso">f</a>
        <a href="https://br.linkedin.com/company/clinica-sorriso/">in</a> <a href="https://x.com/sorriso">x</a>
        <a href="https://youtube.com/@sorriso">yt</a> <a href="https://tiktok.com/@sorriso">tt</a></body></html>""")
    assert found == Contacts(
        emails=("contato@clinicasorriso.com.br",),
        whatsapp=(MOBILE,),
        phones=(LANDLINE,),
        socials={
            "instagram": "https://www.instagram.com/clinicasorriso",
            "facebook": "https://www.facebook.com/clinicasorriso",
            "linkedin": "https://www.linkedin.com/company/clinica-sorriso",
            "youtube": "https://www.youtube.com/@sorriso",
            "tiktok": "https://www.tiktok.com/@sorriso",
            "x": "https://x.com/sorriso",
        },
    )


EMAIL = "contato@clinica.com.br"
WRITTEN = [
    "contato@clinica.com.br",
    "E-mail:contato@clinica.com.br.",
    "(contato@clinica.com.br)",
    "CONTATO@CLINICA.COM.BR",
    "contato [arroba] clinica.com.br",
    "contato[arroba]clinica[ponto]com[ponto]br",
    "contato (at) clinica (dot) com (dot) br",
    "contato {at} clinica.com.br",
    "contato  (@)\n clinica.com.br".replace("\n", ""),
    "contato at clinica dot com dot br",
    "contato arroba clinica ponto com ponto br",
    "contato arroba clinica.com.br",
    "contato&#64;clinica.com.br",
    "contato&#x40;clinica&period;com.br",
    "contato<span>@</span>clinica.com.br",
    '<a href="mailto:contato%40clinica.com.br">x</a>',
    '<a href="MAILTO: contato@clinica.com.br ">x</a>',
    '<a href="mailto:contato@clinica.com.br,outro@clinica.com.br">x</a>',
    '<a class="__cf_email__" data-cfemail="2a4945445e4b5e456a4946434443494b04494547044858">x</a>',
    '<a href="/cdn-cgi/l/email-protection#2a4945445e4b5e456a4946434443494b04494547044858">x</a>',
    '<script type="application/ld+json">{"@type":"Dentist","email":"mailto:contato@clinica.com.br"}</script>',
]


@pytest.mark.parametrize("written", WRITTEN)
def test_an_address_is_found_however_it_is_written(written: str) -> None:
    assert EMAIL in contacts(f"<html><body><p>{written}</p></body></html>").emails


NOT_ADDRESSES = [
    "test@test.com", "seuemail@dominio.com.br", "seu-email@gmail.com", "john.doe@gmail.com", "nome@exemplo.com.br",
    "logo@2x.png", "banner@3x.webp", "bootstrap@5.3.0", "swiper@11.min.js", "contato@example.com",
    "605a7baede844d278b89dc95ae0a9123@sentry-next.wixpress.com", "605a7baede844d278b89dc95ae0a9123@clinica.com.br",
    "x@sentry.io", "suporte@wix.com", "noreply@clinica.com.br", "meet us at clinic.com", "look at this dot",
    "a@b", "@clinica.com.br", "contato@", "contato@localhost", "contato@10.0.0.1", "a..b@clinica.com.br",
    "<!-- contato@clinica.com.br -->", "<script>var a='contato@clinica.com.br'</script>",
    "<style>a{content:'contato@clinica.com.br'}</style>", '<input placeholder="contato@clinica.com.br">',
    "<textarea>contato@clinica.com.br</textarea>", '<img alt="contato@clinica.com.br">',
    '<a href="mailto:?subject=Veja">x</a>', '<a href="mailto:">x</a>', '<a data-cfemail="zz">x</a>',
    '<a data-cfemail="">x</a>', "contato\n<p>@</p>\nclinica.com.br",
    '<script type="application/ld+json">{"email": ["', '<script type="application/ld+json">{"email": 7}</script>',
]  # fmt: skip


@pytest.mark.parametrize("written", NOT_ADDRESSES)
def test_what_only_looks_like_an_address_is_left(written: str) -> None:
    assert contacts(f"<html><body>{written}</body></html>").emails == ()


def test_the_clinics_own_mailbox_comes_before_one_elsewhere_and_five_are_enough() -> None:
    many = " ".join(f"caixa{n}@gmail.com" for n in range(10_000))
    emails = contacts(f"<p>ana@gmail.com</p><p>recepcao@clinicasorriso.com.br</p><p>{many}</p>").emails
    assert emails[:2] == ("recepcao@clinicasorriso.com.br", "ana@gmail.com")
    assert len(emails) == 5


WHATSAPP_LINKS = [
    "https://wa.me/5511900001234",
    "http://www.wa.me/+5511900001234?text=Oi",
    "https://wa.me/11900001234",
    "https://wa.me/c/5511900001234",
    "https://wa.me/55%2011%2090000-1234",
    "https://api.whatsapp.com/send?phone=5511900001234&text=a",
    "https://api.whatsapp.com/send?phone=%2B55+11+90000-1234&text=Ol%C3%A1%2C+gostaria",
    "https://api.whatsapp.com/send?phone=+55 (11) 90000-1234",
    "https://api.whatsapp.com/send/?text=x&amp;phone=5511900001234",
    "https://web.whatsapp.com/send?phone=%252B5511900001234",
    "whatsapp://send?phone=5511900001234",
    "https://api.whatsapp.com/send?phone=011900001234",
]


@pytest.mark.parametrize("link", WHATSAPP_LINKS)
def test_every_way_to_open_a_chat_names_its_number(link: str) -> None:
    assert whatsapp_in(link, "BR") == MOBILE


def test_a_number_under_its_old_form_of_whatsapp_gets_its_ninth_digit() -> None:
    assert whatsapp_in("https://wa.me/551181234050", "BR") == "+5511981234050"


def test_a_number_of_the_south_is_not_one_of_peru() -> None:
    assert whatsapp_in("https://wa.me/51900001234", "BR") == "+5551900001234"
    assert phone_in("+51 981 234 050", "BR") == "+51981234050"


NO_CHATS = [
    "https://wa.me/?text=Veja%20isto", "https://api.whatsapp.com/send?text=Veja", "https://wa.me/message/ABCDEFGH123",
    "https://chat.whatsapp.com/AbCdEf1234567", "https://wa.me/", "https://wa.me/5511999999999", "https://wa.me/5511912345678",
    "https://wa.me/1", "https://evil.example/wa.me/5511900001234", "https://wa.me.evil.example/5511900001234",
    "https://api.whatsapp.com/send?phone=", "https://[::1/5511900001234", "https://wa.me/" + "5" * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("link", NO_CHATS)
def test_shares_groups_and_placeholders_name_nobody(link: str) -> None:
    assert whatsapp_in(link, "BR") is None


NO_PROFILES = [
    "https://www.facebook.com/sharer/sharer.php?u=x", "https://www.facebook.com/share.php?u=x", "https://facebook.com/",
    "https://www.facebook.com/wix", "https://twitter.com/intent/tweet?text=a", "https://x.com/share?url=a",
    "https://www.linkedin.com/shareArticle?mini=true&url=a", "https://www.linkedin.com/feed/",
    "https://www.instagram.com/p/Cabc123/", "https://instagram.com/explore/tags/x", "https://www.youtube.com/watch?v=abc",
    "https://www.youtube.com/embed/abc", "https://tiktok.com/", "https://tiktok.com/discover", "https://notfacebook.com/a",
    "https://facebook.com.evil.example/clinica", "https://www.facebook.com/tr?id=1", "javascript:alert(1)",
    'https://instagram.com/"><script>', "https://www.facebook.com/profile.php?id=abc", "https://instagram.com/seuinstagram",
]  # fmt: skip


@pytest.mark.parametrize("link", NO_PROFILES)
def test_a_share_a_post_or_the_makers_own_page_is_no_profile(link: str) -> None:
    assert social_in(link) is None


def test_facebook_pages_under_a_number_are_profiles() -> None:
    assert social_in("https://www.facebook.com/profile.php?id=100001234567&mibextid=x") == (
        "facebook",
        "https://www.facebook.com/profile.php?id=100001234567",
    )
    assert social_in("https://facebook.com/pages/Clinica/123456") == (
        "facebook",
        "https://www.facebook.com/pages/Clinica/123456",
    )


def test_what_is_told_to_search_engines_counts() -> None:
    found = contacts("""<script type="application/ld+json">{"@graph": [{"@type": "LocalBusiness",
        "telephone": ["(11) 3000-1234", null], "contactPoint": {"telephone": "+55 11 90000-1234"},
        "sameAs": ["https://www.instagram.com/sorriso/", "https://wa.me/5511900005678"]}]}</script>""")
    assert set(found.phones) == {LANDLINE, MOBILE}
    assert found.whatsapp == ("+5511900005678",)
    assert found.socials == {"instagram": "https://www.instagram.com/sorriso"}


def test_two_pages_that_may_say_more_are_named_the_contact_before_the_story() -> None:
    page = read_page(
        """<a href="/quem-somos">Quem somos</a> <a href="/fale-conosco#form">x</a> <a href="https://outra.com.br/contato">c</a>
        <a href="pagina-7">Contato</a> <a href="/contato.pdf">Contato</a> <a href="https://clinicasorriso.com.br/about">A</a>
        <a href="javascript:contato()">Contato</a><a href="#contato">Contato</a>""",
        HOME,
        country="BR",
    )
    assert page.contact_pages == (f"{HOME}fale-conosco", f"{HOME}pagina-7")


def test_pages_are_put_together_without_saying_anything_twice() -> None:
    home = Contacts(emails=("a@clinica.com.br",), socials={"x": "https://x.com/a"})
    more = Contacts(
        emails=("a@clinica.com.br", "b@clinica.com.br"), whatsapp=(MOBILE,), socials={"x": "https://x.com/b"}
    )
    both = merged([home, more])
    assert both == Contacts(("a@clinica.com.br", "b@clinica.com.br"), (MOBILE,), (), {"x": "https://x.com/a"})
    assert Contacts.from_dict(both.to_dict()) == both
    assert merged([]).is_empty
    assert Contacts.from_dict(None).is_empty


def test_a_website_that_is_a_chat_or_a_profile_says_all_by_its_address() -> None:
    assert from_link("https://wa.me/5511900001234", country="BR").whatsapp == (MOBILE,)
    assert from_link("https://www.instagram.com/sorriso", country="BR").socials != {}
    assert site_of("https://wa.me/5511900001234") is None
    assert site_of("https://www.instagram.com/sorriso") is None


@pytest.mark.parametrize(
    ("website", "site"),
    [
        ("https://www.Clinica.com.br/contato?x=1", "clinica.com.br"),
        ("http://clinica.com.br:8080/", "clinica.com.br"),
        ("https://linktr.ee/clinica?utm=1", "linktr.ee/clinica"),
        ("https://sites.google.com/view/clinica/home", "sites.google.com/view/clinica"),
        ("https://clinica.wixsite.com/home", "clinica.wixsite.com"),
        ("ftp://clinica.com.br", None),
        ("javascript:alert(1)", None),
        ("https://[::1", None),
        ("", None),
        (None, None),
    ],
)
def test_a_site_is_kept_under_its_host_or_under_what_is_theirs_of_a_shared_one(
    website: str | None, site: str | None
) -> None:
    assert site_of(website) == site


# ---------------------------------------------------------------- hostile pages

M = 2_000_000
BOMBS = {
    "opened": "<" * M,
    "nested": "<div>" * (M // 5),
    "at after at": "a@" * (M // 2),
    "one long word": "a" * M,
    "one long domain": "x@" + "a." * (M // 2),
    "dashes": "a@" + "-a" * (M // 2),
    "labels": ("a" * 62 + ".") * 30_000 + "@x",
    "spelled": "a [at] " * (M // 7),
    "spelled plainly": "aaaa at " * (M // 8),
    "dots": "a at b" + " dot b" * (M // 6),
    "spaces": " " * M,
    "brackets": "(" * M,
    "entities": "&#64;" * (M // 5),
    "letters to nobody": "".join(f'<a href="mailto:a{n}@b{n}.com">x</a>' for n in range(50_000)),
    "packed": "".join(f'<a data-cfemail="{n:08x}">' for n in range(80_000)),
    "facts": '<script type="application/ld+json">' + "[" * M,
    "many facts": '<script type="application/ld+json">[' + '{"sameAs":["http://x.com/a"]},' * 60_000 + "{}]</script>",
    "many scripts": '<script type="application/ld+json">[</script>' * (M // 45),
    "attribute": '<a href="' + "a" * M,
    "attributes": "<a " + "b " * (M // 2) + ">",
    "links": "".join(f'<a href="http://facebook.com/a{n}">contato</a>' for n in range(45_000)),
    "one link": '<a href="/contato">' + "<b>contato</b>" * (M // 14),
}


@pytest.mark.parametrize("name", BOMBS)
def test_two_megabytes_of_malice_are_over_within_a_second(name: str) -> None:
    began = time.process_time()
    read_page(BOMBS[name], HOME, country="BR")
    assert time.process_time() - began < 1.0


@given(st.text(max_size=400))
@settings(max_examples=300)
def test_whatever_a_page_holds_nothing_but_contacts_comes_of_it(text: str) -> None:
    for page in (text, f'<a href="{text}">{text}</a>', f'<script type="application/ld+json">{text}</script>'):
        found = read_page(page, HOME, country="BR").contacts
        assert all(email == email.lower() and email.count("@") == 1 for email in found.emails)
        assert all(phone.startswith("+") and phone[1:].isdigit() for phone in (*found.phones, *found.whatsapp))
        assert all(address.startswith("https://") for address in found.socials.values())


HOSTILE = st.text(alphabet="abc@.[]()<> atdotrobpn\"'&;#64x0-+%/:?=", max_size=300)


@given(HOSTILE)
@settings(max_examples=300)
def test_no_order_of_the_signs_we_look_for_breaks_the_reading(text: str) -> None:
    list(emails_in(text))
    whatsapp_in("https://wa.me/" + text, "BR")
    social_in("https://facebook.com/" + text)
    site_of("https://" + text)
    read_page(f"<a href='{text}'>contato</a>", "https://" + text, country="BR")


# ---------------------------------------------------------------- real pages

FOLDER = Path(os.environ.get("PRUMO_CAPTURES", ""))
HAVE = bool(os.environ.get("PRUMO_CAPTURES")) and FOLDER.is_dir()


@pytest.mark.captures
@pytest.mark.skipif(not HAVE, reason="PRUMO_CAPTURES names no folder: other people's pages are not kept here")
def test_two_real_clinics_are_read_as_a_person_would() -> None:
    salus = contacts((FOLDER / "websites/br_clinicasaluspet_index.html").read_text())
    assert (len(salus.emails), len(salus.whatsapp), len(salus.phones)) == (1, 1, 1)
    assert salus.whatsapp == salus.phones
    assert set(salus.socials) == {"instagram"}
    plena = contacts((FOLDER / "websites/br_clinica-plena_index.html").read_text())
    assert plena.emails == plena.phones == ()
    assert len(plena.whatsapp) == 1
