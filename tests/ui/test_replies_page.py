"""The page of replies: who waits, what was said, and an answer that leaves once."""

from __future__ import annotations

from nicegui import ui
from nicegui.testing import User

from tests.core.replies.making import Talk, hears
from tests.factories import make_instance, make_leads
from tests.people import People
from tests.ui.conftest import Web, until


def talks_of(people: People, *names: str) -> list[Talk]:
    """Leads of Ana's team that wrote to her number, the first of them the longest ago."""
    number = make_instance(people.runtime, people.team_id, "Comercial 1", phone="+5511988880001")
    made = []
    for n, name in enumerate(names, 1):
        make_leads(people.runtime, people.team_id, [n], name=name)
        made.append(Talk(people.runtime, people.team_id, number, n))
        hears(made[-1], f"Oi, aqui é {name}", ago_s=600 - 60 * n)
    return made


async def write(user: User, words: str) -> None:
    """Types into the line below the conversation."""
    assert user.client is not None
    field = next(e for e in user.client.elements.values() if isinstance(e, ui.textarea) and e.visible)
    with user:
        field.value = words


async def test_a_team_that_nobody_wrote_to_is_told_who_comes_here(web: Web) -> None:
    ana = web.as_("Ana")
    await ana.open("/replies")
    await ana.should_see("Ninguém escreveu ainda")


async def test_ana_sees_at_once_what_bea_answers(web: Web, people: People) -> None:
    [talk] = talks_of(people, "Clínica Marfim Azul")
    ana, bea = web.as_("Ana"), web.as_("Bea")
    for user in (ana, bea):
        await user.open(f"/replies?c={talk.conversation_id}")
        await user.should_see("Oi, aqui é Clínica Marfim Azul")
    await write(bea, "Custa 90 reais")
    bea.find("Enviar", kind=ui.button).click()
    await until(lambda: [m.text for m in talk.messages() if m.direction == "out"] == ["Custa 90 reais"])
    await bea.should_see("Custa 90 reais", retries=30)
    await ana.should_see("Custa 90 reais", retries=30)


async def test_another_team_sees_nothing_of_it(web: Web, people: People) -> None:
    [talk] = talks_of(people, "Clínica Marfim Azul")
    carlos = web.as_("Carlos")
    await carlos.open(f"/replies?c={talk.conversation_id}")
    await carlos.should_see("Esta conversa não está mais aqui.")
    await carlos.should_not_see("Marfim")
