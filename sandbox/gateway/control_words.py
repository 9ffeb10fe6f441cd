"""The words of the control page: English in the template, Portuguese here.  Faults keep the names of the API."""

from __future__ import annotations

from collections.abc import Callable

PORTUGUESE = {
    "Simulated WhatsApp gateway": "Gateway de WhatsApp simulado",
    "Simulation. There is no WhatsApp behind this gateway, and no message reaches anyone.": (
        "Simulação. Não há WhatsApp por trás deste gateway, e nenhuma mensagem chega a ninguém."
    ),
    "Sandbox gateway": "Gateway simulado",
    "Instances": "Números",
    "QR code": "Código QR",
    "open": "conectado",
    "connecting": "conectando",
    "close": "desconectado",
    "loading": "carregando",
    "deaf until the process restarts": "surdo até o processo reiniciar",
    "pairing code": "código de pareamento",
    "no webhook": "sem webhook",
    "number that scans": "número que lê o código",
    "Scan the QR": "Ler o QR",
    "number of the lead": "número do lead",
    "text of the reply": "texto da resposta",
    "Reply as a lead": "Responder como um lead",
    "Cut the link": "Cortar a ligação",
    "Log out on the phone": "Sair pelo celular",
    "Ban": "Banir",
    "seconds": "segundos",
    "Storm of updates": "Enxurrada de atualizações",
    "None yet. Create one through the product or the API.": "Nenhum ainda. Crie um pelo produto ou pela API.",
    "World": "Mundo",
    "seconds down": "segundos fora do ar",
    "Kill and restart the process": "Matar e reiniciar o processo",
    "WhatsApp can be reached again": "WhatsApp ao alcance de novo",
    "WhatsApp cannot be reached": "WhatsApp fora de alcance",
    "natural": "como na vida",
    "never": "ninguém",
    "always": "todos",
    "Who replies": "Quem responde",
    "Switches": "Defeitos a ligar",
    "kind of fault": "tipo de defeito",
    "number (everyone)": "número (todos)",
    "number": "número",
    "times": "vezes",
    "Turn on": "Ligar",
    "Off": "Desligar",
    "used": "usado",
    "Left for WhatsApp": "Saiu para o WhatsApp",
    "Time": "Hora",
    "Instance": "Número",
    "To": "Para",
    "Text": "Texto",
    "Switch": "Defeito",
    "From": "De",
    "Event": "Evento",
    "Tries": "Tentativas",
    "Nothing yet.": "Nada ainda.",
    "People wrote": "As pessoas escreveram",
    "not heard": "não ouvida",
    "Nobody yet.": "Ninguém ainda.",
    "None yet.": "Nenhum ainda.",
}


def language_of(accept_language: str) -> str:
    """`pt-BR` or `en`: the first of ours that the browser asks for; English for one that asks for neither."""
    wishes = []
    for place, part in enumerate(accept_language[:200].split(",")):
        tag, _, quality = part.strip().partition(";q=")
        try:
            wishes.append((-float(quality or 1), place, tag.lower()))
        except ValueError:
            continue
    for _quality, _place, tag in sorted(wishes):
        if tag.startswith(("pt", "en")):
            return "pt-BR" if tag.startswith("pt") else "en"
    return "en"


def words_in(language: str) -> Callable[[str], str]:
    """What turns a sentence of the template into that language."""
    return (lambda words: PORTUGUESE.get(words, words)) if language == "pt-BR" else (lambda words: words)
