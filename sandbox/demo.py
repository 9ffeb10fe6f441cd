"""Fills an empty house so that there is something to look at: `./run demo` calls it once everything stands.

It goes through the product's own doors: the administrator is created as on the first visit, leads are kept as a search
keeps them, numbers are linked by scanning their code at the simulated gateway, the campaign is started by its service.
Nothing here is a real person or business.  A house that was filled before is left as it is.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from dataclasses import replace
from pathlib import Path

import requests

from core.accounts import service as accounts
from core.accounts.rules import Actor
from core.campaigns import service as campaigns
from core.campaigns import starting
from core.instances import service as instances
from core.leads.keeping import keep_places
from core.leads.rules import LeadFilter, PhoneType
from core.ports import Place
from core.runtime import Runtime
from core.searches import service as searches
from core.searches.rules import Source
from core.settings import Settings
from core.tables import Instance
from sandbox.maps.city import City
from sandbox.maps.city import Place as CityPlace
from sandbox.maps.plan import CITY, STATE

LEADS = 2_000
TERMS = ("dentista", "clínica odontológica", "restaurante", "pizzaria", "academia", "pet shop", "salão de beleza")
NUMBERS = (("Comercial 1", "5511900001001"), ("Comercial 2", "5511900001002"))
EMAIL = "demo@prumo.example"
LINKED_WITHIN_S = 60
TEXT = (
    "Oi! Aqui é da equipe do Prumo.\n\nVi que {empresa} tem nota {nota|ótima} no mapa. Parabéns!\n\n"
    "Ajudamos negócios em {bairro|sua região} a receber agendamentos on-line. Posso mandar um vídeo de 1 minuto?"
)


def main() -> int:
    settings = Settings.from_environment()
    if not settings.gateway_simulated:
        print("The demo writes to invented people: it needs the simulated gateway.")
        return 1
    runtime = Runtime(settings)
    kept = Path(settings.data_folder) / "demo.json"
    with runtime.work() as work:
        is_new = accounts.installation_is_new(work)
    if is_new:
        password = secrets.token_urlsafe(9)
        actor = create_team(runtime, password)
        remember(kept, password)
        keep_leads(runtime, actor)
        link_numbers(runtime, actor)
        start_campaign(runtime, actor)
        start_searches(runtime, actor)
    runtime.close()
    print(f"\n  Sign in as {EMAIL} with {json.loads(kept.read_text())['password']}\n", flush=True)
    return 0


def create_team(runtime: Runtime, password: str) -> Actor:
    with runtime.work() as work:
        opened = accounts.create_first_administrator(
            work, name="Demonstração", email=EMAIL, password=password, team_name="Equipe de demonstração"
        )
    with runtime.work() as work:
        return accounts.actor_of(work, opened.token)


def remember(path: Path, password: str) -> None:
    """So that a second `./run demo` can print it again; readable by this account alone."""
    path.touch(mode=0o600)
    path.write_text(json.dumps({"email": EMAIL, "password": password}))


def keep_leads(runtime: Runtime, actor: Actor) -> None:
    city = City()
    found: dict[str, CityPlace] = {}
    for term in TERMS:
        for place in city.find(term, -23.55, -46.63):
            found.setdefault(place.cid, place)
            if len(found) >= LEADS * (TERMS.index(term) + 1) / len(TERMS):
                break
    places = [as_place(place) for place in found.values()]
    for start in range(0, LEADS, 200):
        with runtime.work() as work:
            some = places[:LEADS][start : start + 200]
            keep_places(work, actor.team_id, some, country="BR", source=Source.DEMO_MAP)
    print(f"{min(LEADS, len(places))} leads kept", flush=True)


def as_place(place: CityPlace) -> Place:
    return Place(
        name=place.name,
        latitude=place.lat,
        longitude=place.lng,
        cid=place.cid,
        place_id=place.place_id,
        data_id=place.data_id,
        kg_id=place.kg_id,
        categories=(place.trade.pt,),
        address=place.address,
        street=place.street_line,
        neighbourhood=place.neighbourhood,
        city=CITY,
        state=STATE,
        country="BR",
        phone=place.phone,
        website=place.website,
        rating=place.rating,
        review_count=place.reviews or None,
        timezone="America/Sao_Paulo",
        is_claimed=place.is_claimed,
    )


def link_numbers(runtime: Runtime, actor: Actor) -> None:
    """Both are asked for at once, then each code is scanned as soon as it is there."""
    ids = []
    for name, _ in NUMBERS:
        with runtime.work() as work:
            ids.append(instances.connect_new(work, actor, name, accepts_terms=True))
    end = time.monotonic() + LINKED_WITHIN_S
    waiting = dict(zip(ids, NUMBERS, strict=True))
    scanned: set[int] = set()
    while waiting and time.monotonic() < end:
        time.sleep(0.3)
        for instance_id, (name, phone) in list(waiting.items()):
            with runtime.work() as work:
                row = work.session.get_one(Instance, instance_id)
                has_code, gateway_name, status = row.qr_text is not None, row.gateway_name, row.status.value
            if status == "connected":
                print(f"{name} is linked", flush=True)
                del waiting[instance_id]
            elif has_code and instance_id not in scanned:
                scan(runtime.settings.gateway_url, gateway_name or "", phone)
                scanned.add(instance_id)
    if waiting:
        raise SystemExit("the simulated gateway did not link the numbers in a minute")
    for instance_id in ids:
        with runtime.work() as work:
            instances.set_pace(work, actor, instance_id, per_day=200, gap_min_s=4, gap_max_s=9)


def scan(gateway: str, name: str, phone: str) -> None:
    answer = requests.post(f"{gateway}/control/scan", json={"instance": name, "number": phone}, timeout=10)
    answer.raise_for_status()


def start_campaign(runtime: Runtime, actor: Actor) -> None:
    """Under way whatever the hour: its window is the whole day, every day."""
    audience = LeadFilter(phone_types=(PhoneType.MOBILE,), min_rating=4.5)
    with runtime.work() as work:
        campaign_id = campaigns.create_draft(work, actor, name="Agenda on-line: bem avaliados", audience=audience)
        found = campaigns.draft(work, actor, campaign_id)
        plan = replace(
            found.plan,
            text=TEXT,
            window_start_min=0,
            window_end_min=1440,
            weekdays=(1, 2, 3, 4, 5, 6, 7),
            skip_holidays=False,
            gap_min_s=4,
            gap_max_s=9,
            per_day=200,
        )
        saved = campaigns.save_draft(work, actor, campaign_id, found.version, plan)
    with runtime.work() as work:
        campaigns.start(work, actor, campaign_id, saved.version)
    with runtime.work() as work:  # not to tell before it is so
        total = starting.build(work, campaign_id) or campaigns.live(work, actor, campaign_id).head.total
    print(f"a campaign to {total} people is under way; its page says when it will be done", flush=True)


def start_searches(runtime: Runtime, actor: Actor) -> None:
    """What a history holds: something found, nothing found (the city has no heliport), and one that the map showed less
    of, which "retrô" asks for.

    None that it refuses: that would leave the demo map alone for a quarter of an hour, as it should.
    """
    if not runtime.settings.demo_map_url:
        return
    for term, radius_m, limit in (
        ("barbearia", 5_000, 60),
        ("heliponto", 1_000, 20),
        ("barbearia retrô", 1_000, 500),
    ):
        with runtime.work() as work:
            searches.start(
                work,
                actor,
                source=Source.DEMO_MAP,
                terms=[term],
                place_name=CITY,
                radius_m=radius_m,
                limit=limit,
                language="pt-BR",
            )


if __name__ == "__main__":
    sys.exit(main())
