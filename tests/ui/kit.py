"""The parts on two pages, for looking at beside the pictures of the design: `python -m tests.ui.kit`.

Needs no database: the person is made up.  http://127.0.0.1:8199/states and /kit, with ?dark=1 and ?lang=en.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from nicegui import app, ui
from starlette.types import ASGIApp, Receive, Scope, Send

from core.accounts.rules import Actor, Role, TeamId, UserId
from core.settings import Settings
from ui import theme
from ui.calls import open_calls
from ui.frame import page_frame
from ui.parts import safe
from ui.parts.avatar import avatar
from ui.parts.button import button, icon_button
from ui.parts.card import card
from ui.parts.confirm import confirm
from ui.parts.form import Form
from ui.parts.kpi import Kpi, kpi_strip, meter
from ui.parts.note import note
from ui.parts.phone import phone
from ui.parts.states import error_state, no_permission, skeleton_rows, state
from ui.parts.status import STATES, status_chip
from ui.parts.text import column, row, section, text
from ui.parts.toast import problem, toast
from ui.theme import assets, charts

SETTINGS = Settings(
    database_url="postgresql+psycopg2://nobody@127.0.0.1:1/none",
    redis_url="redis://127.0.0.1:1/0",
    secret_key="only for looking at, never for anything else",
    gateway_simulated=True,
    data_folder=str(Path(tempfile.gettempdir()) / "prumo-kit"),
)


class MadeUpPerson:
    """Puts Marina into every request, in the language and theme of its query."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            query = scope["query_string"].decode()
            scope.setdefault("state", {})["actor"] = Actor(
                user_id=UserId(1),
                team_id=TeamId(1),
                role=Role.OWNER,
                is_admin=True,
                name="Marina Prado",
                team_name="Agenda Leve",
                language="en" if "lang=en" in query else "pt-BR",
                theme="dark" if "dark=1" in query else "light",
                session_id=1,
            )
        await self.app(scope, receive, send)


@ui.page("/states")
def states() -> None:
    with page_frame("home", "Estados", "Vazio, carregando, erro, sem permissão, sucesso: cada tela usa um destes"):
        with ui.element("div").classes("p-grid p-cols3"):
            with (
                card(),
                state(
                    "travel_explore",
                    "Sua lista começa no mapa",
                    "Diga o que procura e onde. Em poucos minutos os primeiros leads aparecem aqui.",
                ),
            ):
                button("Buscar leads", kind="pri", icon="travel_explore")
                button("Importar CSV")
            with (
                card(),
                state(
                    "filter_alt_off",
                    "Nenhum lead com esses filtros",
                    "3.184 leads ficam de fora por causa de Nota ≥ 4,9 e Sem site.",
                    tone="quiet",
                ),
            ):
                button("Tirar “Nota ≥ 4,9”", icon="close")
                button("Limpar filtros", kind="gho")
            with (
                card(),
                state(
                    "done_all",
                    "Ninguém esperando por você",
                    "As 41 respostas de hoje foram atendidas. Novas conversas aparecem aqui na hora.",
                    tone="ok",
                ),
            ):
                button("Ver resolvidas")
            with card(pad=True):
                skeleton_rows(5)
            with card():
                error_state(
                    "Não deu para abrir os leads",
                    "O banco de dados demorou a responder. Seus dados estão salvos.",
                    error_id="E-4127AC",
                )
            with card():
                no_permission()
            with card(pad=True), row("p-g8 p-wrap"):
                for kind, looks in STATES.items():
                    for one in looks:
                        status_chip(kind, one)
            with card(pad=True), column("p-g10"):
                note("Você pode continuar lendo; nada se perde.", title="Reconectando…", icon="wifi_off")
                note("“Vendas Sul” já pode enviar.", title="Número conectado.", tone="ok")
                note(
                    "43 mensagens esperam por este número desde 13:52.",
                    title="“Campinas” está desconectado.",
                    icon="link_off",
                    action="Reconectar",
                )
            with card(pad=True), column("p-g10"):
                button("Desfazer", lambda: toast("24 leads etiquetados", undo=lambda: toast("Desfeito")))
                button("Problema", lambda: problem("A nota não foi salva"))
                button(
                    "Perguntar",
                    lambda: confirm(
                        "Cancelar a campanha?",
                        "576 pessoas não vão receber a mensagem. O que já foi enviado não muda.",
                        action="Cancelar campanha",
                        alternative="Pausar",
                        hint="Só precisa de um tempo? Pausar guarda a fila.",
                    ),
                )


@ui.page("/kit")
def kit() -> None:
    with page_frame("home", "Kit em NiceGUI", crumb=("Campanhas", "/")) as frame:
        with frame.actions:
            button("Voltar", kind="gho")
            button("Pausar", icon="pause")
            button("Iniciar campanha", kind="pri", icon="rocket_launch")
        with kpi_strip("Resumo de hoje"):
            Kpi("Envios hoje", "268", of="/ 420", share=0.64)
            Kpi("Respostas hoje", "41", hint="15,3% dos envios · média 12,8%")
            Kpi("Esperando resposta", "11", hint="a mais antiga há 2 h 10 min")
            Kpi("Leads novos em 7 dias", "1.942", hint="1.506 com WhatsApp")
        with ui.element("div").classes("p-grid p-cols3").style("align-items:start"):
            _form()
            with column(), card("Envios", link="Todas as campanhas", to="/kit"):
                with ui.element("div").classes("p-card-b p-col p-g12"):
                    meter(0.47)
                    text("510 de 1.086 · termina seg., 15 jun., 12:30", "p-t-sm p-t-2 p-num")
                    chart = {
                        "animation": False,
                        "grid": {"left": 4, "right": 8, "top": 12, "bottom": 6, "containLabel": True},
                        "xAxis": {"type": "category", "data": ["seg", "ter", "qua", "qui", "sex"]},
                        "yAxis": {"type": "value", "splitNumber": 3},
                        "series": [
                            {
                                "type": "bar",
                                "data": [120, 200, 320, 280, 310],
                                "barWidth": "48%",
                                "itemStyle": {"borderRadius": [4, 4, 0, 0]},
                            }
                        ],
                    }
                    charts.chart(chart).style("height:170px")
            with column(), card(pad=True):
                section("Ações")
                with row("p-g8 p-wrap").style("margin-top:12px"):
                    button("Primária", kind="pri")
                    button("Secundária")
                    button("Suave", kind="sof")
                    button("Fantasma", kind="gho")
                    button("Não contatar", kind="dng", icon="block")
                    button("Desligada", kind="pri").disable()
                    button("Pequena", size="sm")
                    icon_button("more_horiz", "Mais ações", kind="sec")
                ui.toggle(["1 min", "5 min", "1 h"], value="5 min").style("margin-top:12px")
                with row("p-g10").style("margin-top:12px"):
                    avatar("Clínica Marfim Azul", square=True)
                    with column("p-g2"):
                        text("Clínica Marfim Azul", "p-b")
                        phone("+5511900000142", on_whatsapp="yes")
        table = ui.table(
            rows=[{"id": n, "name": f"Ateliê {n}", "city": "Jardins", "rating": "5,0"} for n in range(3)],
            columns=[
                {"name": "name", "label": "Empresa", "field": "name", "align": "left", "sortable": True},
                {"name": "city", "label": "Bairro", "field": "city", "align": "left"},
                {"name": "rating", "label": "Nota", "field": "rating", "align": "right"},
            ],
            selection="multiple",
            pagination={"rowsPerPage": 50, "rowsNumber": 3184, "sortBy": "name", "page": 1},
        ).classes("p-full")
        table.selected = table.rows[1:2]


def _form() -> None:
    form = Form()
    with card("Formulário"), ui.element("div").classes("p-card-b p-col p-g16"):
        with form.field("where", "Onde", help="Bairro, cidade ou um ponto no mapa."):
            ui.input(value="Pinheiros, São Paulo").classes("p-full").add_slot(
                "prepend", '<q-icon name="sym_r_location_on" size="18px"/>'
            )
        with form.field("email", "E-mail"):
            ui.input(value="marina@agendaleve").classes("p-full")
        with ui.element("div").classes("p-grid p-cols2"):
            with form.field("limit", "Limite"):
                ui.number(value=500, suffix="leads").classes("p-full")
            with form.field("language", "Idioma", optional=True):
                ui.select(["Português", "English"], value="Português").classes("p-full")
        with form.field("terms", "O que procurar", help="Cada termo vira uma busca."):
            ui.input_chips(value=["dentista", "clínica odontológica"]).classes("p-full")
        with form.field("radius", "Raio"):
            ui.slider(min=0, max=25, value=9)
        ui.switch("Só empresas com telefone", value=True)
        ui.checkbox("Selecionar todos", value=True)
        button("Buscar leads", kind="pri", icon="travel_explore").classes("block")
    form.show_errors({"email": "Falta o final do endereço.", "radius": "Escolha um raio."})


if __name__ in {"__main__", "__mp_main__"}:
    open_calls(SETTINGS)
    app.add_middleware(MadeUpPerson)
    assets.register(app, SETTINGS.data_folder)
    theme.install()
    safe.install_head()
    ui.run(
        port=8199, host="127.0.0.1", reload=False, show=False, show_welcome_message=False, tailwind=False, title="Kit"
    )
