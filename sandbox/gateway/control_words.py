"""The words of the control page: English in the template and in FAULTS, Portuguese here."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.gateway.faults import Kind

FAULTS = {
    Kind.NOT_ON_WHATSAPP: "Not sent: the number is not on WhatsApp",
    Kind.CLOSED_400: "Not sent: connection closed (400)",
    Kind.CLOSED_500: "Not sent: connection closed (500)",
    Kind.NUMBER_CHECK_TIMEOUT: "Not sent: WhatsApp does not answer about the number",
    Kind.KEYS_TIMEOUT: "Not sent: WhatsApp gives no keys",
    Kind.FROZEN_LINK: "Not sent: the line is dead for a minute",
    Kind.DROP_BEFORE: "Not sent: connection cut before anything",
    Kind.META_REFUSED: "Not sent: Meta refuses",
    Kind.LICENCE: "Not sent: licence missing (503)",
    Kind.ANSWER: "Not sent: an answer of any form",
    Kind.DROP_AFTER: "Sent, and the connection is cut",
    Kind.DROP_WITHOUT_ROW: "Sent, the connection is cut and nothing is remembered",
    Kind.CRASH_WITH_ROW: "Sent, and the gateway crashes after remembering it",
    Kind.CRASH_WITHOUT_ROW: "Sent, and the gateway crashes before remembering it",
    Kind.SLOW: "Sent late, and answered later still",
    Kind.SLOW_ANSWER: "Sent, and answered late",
    Kind.MALFORMED: "Sent, answered with half a document",
    Kind.HTML_200: "Sent, answered with a page (200)",
    Kind.ERROR_500: "Sent, answered with error 500",
    Kind.ERROR_502: "Sent, answered with error 502",
    Kind.ERROR_503: "Sent, answered with error 503",
    Kind.ERROR_504: "Sent, answered with error 504, late",
    Kind.AFTER_400: "Sent, answered with error 400, nothing remembered",
    Kind.AFTER_500: "Sent, answered with the gateway's own error 500",
    Kind.META_DROPPED: "Sent, Meta cuts the connection",
    Kind.NACKED: "Sent, and refused by WhatsApp afterwards",
    Kind.SILENT: "Sent, and never heard of again",
    Kind.SOCKET_CUT: "Sent into a line that breaks",
    Kind.RECEIPTS_LOST: "Delivered and read, receipts lost",
    Kind.RECEIPTS_TWICE: "Each receipt twice",
    Kind.RECEIPTS_OUT_OF_ORDER: "Receipts out of order",
    Kind.RECEIPT_BEFORE_ANSWER: "Receipt before the answer",
    Kind.WEBHOOK_LOST: "Webhooks lost",
    Kind.WEBHOOK_TWICE: "Webhooks twice",
    Kind.WEBHOOK_LATE: "Webhooks late",
}
LIES = (Kind.AFTER_500, Kind.AFTER_400, Kind.ERROR_504, Kind.DROP_AFTER, Kind.CRASH_WITHOUT_ROW, Kind.NACKED)
"""Those that a demonstration wants: what it says of the next message is not what became of it."""
STATES = {"open": "Connected", "connecting": "Connecting", "close": "Disconnected", None: "Loading"}
MODES = {"natural": "As in life", "never": "Nobody", "always": "Everybody"}

PORTUGUESE = {
    "Simulated WhatsApp gateway": "Gateway de WhatsApp simulado",
    "Simulation. There is no WhatsApp behind this gateway, and no message reaches anyone.": (
        "Simulação. Não há WhatsApp por trás deste gateway, e nenhuma mensagem chega a ninguém."
    ),
    "The simulated WhatsApp": "O WhatsApp simulado",
    "Here you are everybody else: the phone that scans, the people who answer, and WhatsApp itself.": (
        "Aqui você é todo o resto: o celular que lê o código, as pessoas que respondem e o próprio WhatsApp."
    ),
    "That did not work": "Não deu certo",
    "Numbers": "Números",
    "New number, waiting for the scan": "Número novo, esperando a leitura",
    "New number, no code on show": "Número novo, sem código na tela",
    "Number that is gone": "Número que já saiu",
    "in Prumo": "no Prumo",
    "QR code": "Código QR",
    "Connected": "Conectado",
    "Connecting": "Conectando",
    "Disconnected": "Desconectado",
    "Loading": "Carregando",
    "hears nothing until the gateway restarts": "não ouve nada até o gateway reiniciar",
    "deaf: open in name only": "surdo: conectado só no nome",
    "pairing code": "código de pareamento",
    "phone that scans": "celular que lê o código",
    "Scan the QR": "Ler o QR",
    "Next code": "Próximo código",
    "Use up the codes": "Esgotar os códigos",
    "lead's phone": "telefone do lead",
    "reply": "resposta",
    "I want to know more": "Quero saber mais",
    "Reply as a lead": "Responder como um lead",
    "Cut the line": "Cortar a linha",
    "seconds without it": "segundos sem ela",
    "Log out on the phone": "Sair pelo celular",
    "Ban": "Banir",
    "Make it deaf": "Deixar surdo",
    "Let it hear again": "Voltar a ouvir",
    "seconds": "segundos",
    "Storm of updates": "Enxurrada de avisos",
    "None yet. Connect one in Prumo: its code appears here.": (
        "Nenhum ainda. Conecte um no Prumo: o código aparece aqui."
    ),
    "The gateway": "O gateway",
    "seconds down": "segundos fora do ar",
    "Restart it": "Reiniciar",
    "WhatsApp can be reached again": "WhatsApp ao alcance de novo",
    "WhatsApp cannot be reached": "WhatsApp fora de alcance",
    "seconds more for each answer": "segundos a mais em cada resposta",
    "Slow it down": "Deixar lento",
    "one in how many": "um a cada quantos",
    "one in each": "um a cada",
    "Lose webhooks": "Perder webhooks",
    "Lie about the next message": "Mentir sobre a próxima mensagem",
    "lie": "mentira",
    "As in life": "Como na vida",
    "Nobody": "Ninguém",
    "Everybody": "Todos",
    "Who replies": "Quem responde",
    "who replies": "quem responde",
    "Switches that are on": "Defeitos ligados",
    "Everything works as it should.": "Tudo funciona como deve.",
    "Turn off": "Desligar",
    "Turn all off": "Desligar tudo",
    "used": "usado",
    "of": "de",
    "times": "vezes",
    "Any other fault": "Qualquer outro defeito",
    "kind of fault": "tipo de defeito",
    "number (everyone)": "número (todos)",
    "number": "número",
    "Turn on": "Ligar",
    "Left for WhatsApp": "Saiu para o WhatsApp",
    "Time": "Hora",
    "From": "De",
    "To": "Para",
    "Text": "Texto",
    "Fault": "Defeito",
    "Event": "Evento",
    "Number": "Número",
    "Tries": "Tentativas",
    "Nothing yet.": "Nada ainda.",
    "People wrote": "As pessoas escreveram",
    "not heard": "não ouvida",
    "Nobody yet.": "Ninguém ainda.",
    "None yet.": "Nenhum ainda.",
    "Not sent: the number is not on WhatsApp": "Não sai: o número não está no WhatsApp",
    "Not sent: connection closed (400)": "Não sai: conexão fechada (400)",
    "Not sent: connection closed (500)": "Não sai: conexão fechada (500)",
    "Not sent: WhatsApp does not answer about the number": "Não sai: o WhatsApp não responde sobre o número",
    "Not sent: WhatsApp gives no keys": "Não sai: o WhatsApp não dá as chaves",
    "Not sent: the line is dead for a minute": "Não sai: a linha fica morta por um minuto",
    "Not sent: connection cut before anything": "Não sai: conexão cortada antes de tudo",
    "Not sent: Meta refuses": "Não sai: a Meta recusa",
    "Not sent: licence missing (503)": "Não sai: falta a licença (503)",
    "Not sent: an answer of any form": "Não sai: uma resposta de qualquer forma",
    "Sent, and the connection is cut": "Sai, e a conexão é cortada",
    "Sent, the connection is cut and nothing is remembered": "Sai, a conexão é cortada e nada fica registrado",
    "Sent, and the gateway crashes after remembering it": "Sai, e o gateway cai depois de registrar",
    "Sent, and the gateway crashes before remembering it": "Sai, e o gateway cai antes de registrar",
    "Sent late, and answered later still": "Sai tarde, e a resposta mais tarde ainda",
    "Sent, and answered late": "Sai, e a resposta demora",
    "Sent, answered with half a document": "Sai, e a resposta vem pela metade",
    "Sent, answered with a page (200)": "Sai, e a resposta é uma página (200)",
    "Sent, answered with error 500": "Sai, e a resposta é um erro 500",
    "Sent, answered with error 502": "Sai, e a resposta é um erro 502",
    "Sent, answered with error 503": "Sai, e a resposta é um erro 503",
    "Sent, answered with error 504, late": "Sai, e a resposta é um erro 504, tarde",
    "Sent, answered with error 400, nothing remembered": "Sai, e a resposta é um erro 400, sem registro",
    "Sent, answered with the gateway's own error 500": "Sai, e a resposta é um erro 500 do gateway",
    "Sent, Meta cuts the connection": "Sai, e a Meta corta a conexão",
    "Sent, and refused by WhatsApp afterwards": "Sai, e o WhatsApp recusa depois",
    "Sent, and never heard of again": "Sai, e nunca mais se ouve dela",
    "Sent into a line that breaks": "Sai por uma linha que se rompe",
    "Delivered and read, receipts lost": "Entregue e lida, avisos perdidos",
    "Each receipt twice": "Cada aviso duas vezes",
    "Receipts out of order": "Avisos fora de ordem",
    "Receipt before the answer": "Aviso antes da resposta",
    "Webhooks lost": "Webhooks perdidos",
    "Webhooks twice": "Webhooks em dobro",
    "Webhooks late": "Webhooks atrasados",
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


def phone_in_words(digits: str | None) -> str:
    """(11) 90000-1111 for a Brazilian one, + and its digits for others, and nothing for none."""
    if not digits:
        return ""
    if digits.startswith("55") and len(digits) in (12, 13):
        return f"({digits[2:4]}) {digits[4:-4]}-{digits[-4:]}"
    return f"+{digits}"
