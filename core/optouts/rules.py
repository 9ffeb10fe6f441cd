"""Who must never be written to again, and how we know: pure decisions about what people answer."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class OptOutReason(StrEnum):
    BY_REPLY = "by_reply"  # answered with one of the words
    BY_HAND = "by_hand"  # somebody of the team entered it
    COMPLAINT = "complaint"  # complained
    AT_WHATSAPP = "at_whatsapp"  # told WhatsApp itself to stop the messages of this business
    IMPORTED = "imported"  # came in a list of people not to be contacted


class Verdict(StrEnum):
    YES = "yes"  # asks to be left alone: takes effect before the next message
    NO = "no"
    DOUBTFUL = "doubtful"  # may be meant so: a person reads it


# Folded, as a whole message or with nothing but courtesies around them ("sair por favor").
WORDS = frozenset(
    "sair parar pare parem cancelar cancele cancela remover remova descadastrar descadastre descadastra descadastro"
    " desinscrever desinscreva excluir exclua"  # Portuguese
    " stop stopall unsubscribe cancel quit optout opt-out remove"  # English, with the words that carriers know
    " baja salir detener desuscribir desuscribirme desuscribirse eliminar borrarme".split()  # Spanish
)
# These mean nothing else, so that whatever comes behind them changes nothing.
UNMISTAKABLE = frozenset(
    "descadastrar descadastre descadastra desinscrever desinscreva unsubscribe desuscribir desuscribirme".split()
)
PORTUGUESE = """
nao quero|nao quero mais|nao quero receber|nao quero mais receber|nao quero receber mais|nao quero receber nada
nao quero receber mensagem|nao quero receber mensagens|nao quero mais receber mensagem|nao quero mais receber mensagens
nao quero receber mais mensagens|nao quero mais mensagens|nao quero mais contato|nao quero contato
nao quero receber promocoes|nao quero mais receber promocoes|nao desejo receber|nao desejo mais receber
nao desejo receber mensagens|nao desejo mais receber mensagens|nao desejo contato
nao tenho interesse|nao temos interesse|nao ha interesse|sem interesse|nao me interessa|nao estou interessado
nao estou interessada|nao estamos interessados
nao me mande mais|nao me mande mensagem|nao me mande mais mensagem|nao me mande mais mensagens|nao mande mais
nao mande mais mensagem|nao mande mais mensagens|nao mandem mais mensagens|nao me mandem mais mensagens
nao envie mais|nao envie mais mensagem|nao envie mais mensagens|nao me envie mais|nao me envie mais mensagens
nao enviem mais mensagens|nao me enviem mais mensagens|nao entre mais em contato|nao entrem mais em contato
nao me chame mais|nao me escreva mais|nao me contate mais|nao me contatem mais|nao me perturbe|nao perturbe
pare de me mandar mensagem|pare de me mandar mensagens|pare de mandar mensagem|pare de mandar mensagens
pare de enviar mensagens|pare de me enviar mensagens|parem de mandar mensagem|parem de mandar mensagens
parem de enviar mensagens|parem de me mandar mensagens|pare de me escrever|parar mensagens|parar de receber
parar de receber mensagens|quero parar de receber|quero parar de receber mensagens|parar promocoes|pare com isso
interromper promocoes|cancelar inscricao|cancelar mensagens|cancelar envio|cancelar recebimento
sair da lista|sair desta lista|sair dessa lista|quero sair|quero sair da lista|desejo sair|gostaria de sair
me tira da lista|me tire da lista|me tirem da lista|me tira dessa lista|me tire dessa lista|me tira desta lista
me tire desta lista|tira meu numero|tire meu numero|tirem meu numero|tira meu numero da lista
tire meu numero da lista|me remova|me remove|me removam|me remova da lista|me remove da lista|remova meu numero
remover meu numero|remova meu contato|remover meu contato|excluir meu numero|exclua meu numero|exclui meu numero
apague meu numero|apaga meu numero|apague meu contato|me exclua|me exclua da lista|me descadastra|me descadastre
quero me descadastrar|quero ser removido|quero ser removida|me deixe em paz|me deixa em paz
"""
ENGLISH = """
opt out|opt me out|not interested|im not interested|i m not interested|i am not interested|no longer interested
remove me|remove me please|remove my number|take me off|take me off the list|take me off this list
take me off your list|remove me from the list|remove me from this list|remove me from your list|delete my number
stop it|stop this|stop messages|stop messaging me|stop texting me|stop writing to me|stop contacting me
stop sending me messages|stop sending messages|stop promotions|stop marketing|please stop
do not contact|do not contact me|don t contact me|dont contact me|do not message me|don t message me|dont message me
do not text me|don t text me|dont text me|leave me alone|i want to unsubscribe|unsubscribe me|no more messages
"""
SPANISH = """
no quiero|no quiero mas|no quiero recibir|no quiero recibir mas|no quiero recibir mensajes
no quiero recibir mas mensajes|no quiero mas mensajes|no me interesa|no estoy interesado|no estoy interesada
no tengo interes|sin interes|dar de baja|darme de baja|dame de baja|deme de baja|denme de baja|quiero darme de baja
de baja|cancelar suscripcion|cancelar la suscripcion|eliminar mi numero|elimine mi numero|elimina mi numero
borre mi numero|borra mi numero|sacame de la lista|saqueme de la lista|quitame de la lista|quiteme de la lista
no me escriba mas|no me escriban mas|no me escribas mas|no me manden mas mensajes|no me envien mas mensajes
deje de escribirme|dejen de escribirme|deja de escribirme|detener promociones|no mas mensajes|dejenme en paz
"""
SENTENCES = frozenset(
    part for block in (PORTUGUESE, ENGLISH, SPANISH) for part in block.strip().replace("\n", "|").split("|")
)
# What stands before or behind a wish and changes nothing about it.
COURTESIES = frozenset(
    "por favor pf pfv pfvr porfa porfavor please pls kindly obrigado obrigada obg grato grata agradeco thanks thank you"
    " gracias oi ola hi hello hola bom boa dia tarde noite buenos buenas dias tardes e and y agora ja now me"
    " quero da desta dessa lista ok certo tudo bem".split()
)
# Beside a word of ours these turn it into something else: "parar, mas só aos domingos", "cancelar, como faço".
TURNS = frozenset("mas porem but pero como how quando when cuando onde where donde".split())
# What merely smells of it: "pode parar aqui na loja", "sair para almoçar", "quem é você".
_HINTS = re.compile(
    r"\b(sair|parar|pare|parem|para de|chega de|cancel\w*|remov\w+|descadastr\w+|exclu[ia]\w*|stop|spam|scam|golpe"
    r"|fraude|denunci\w+|bloque\w+|block\w*|report\w*|procon|lgpd|gdpr|lista|unsubscribe|baja|salir|dej[ae]\w* de"
    r"|nao (quero|desejo|mand\w+|envi\w+|me (mand|envi|cham|escrev|lig)\w+|autoriz\w+)"
    r"|no (quiero|me (escrib|mand|envi|llam)\w+)|do not (text|message|contact|write)|dont (text|message|contact|write)"
    r"|don t (text|message|contact|write)|como conseguiu|onde (conseguiu|pegou)|how did you get|who (is this|are you)"
    r"|quem (e|sao|fala)|quien (es|eres|habla))\b|^para$"
)
MOST_WORDS = 12  # more is a letter, and a letter is read by a person
_CLAUSE = re.compile(r"[.,;:!\n…]|\s[-–—]\s")
# What makers of buttons put around the word in an id: `btn_sair`, `STOP-1`.
_OF_AN_ID = frozenset("btn button botao bt id payload reply quick option opcao action".split())


def fold(text: str) -> str:
    """Lower case, no accents, no signs or emoji, single spaces: `"  NÃO quero!! 🙏"` is `nao quero`."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(c if c.isalnum() or c == "-" else " " for c in plain if not unicodedata.combining(c))
    return " ".join(kept.split())


def says_how_to_leave(line: str) -> bool:
    """Whether a line names a word that takes effect when it is answered."""
    return not WORDS.isdisjoint(fold(line).split())


def read_opt_out(text: str) -> Verdict:
    """Whether an answer asks to be left alone.

    Exact words and sentences only, so that nobody is removed for "não vou sair do plano"; what merely smells of it is
    DOUBTFUL.  Texts longer than a line or two are never more than that.
    """
    text = text[:4000]
    folded = fold(text)
    if not folded:
        return Verdict.NO
    words = folded.split()
    if len(words) <= MOST_WORDS and _is_wish(words, text):
        return Verdict.YES
    return Verdict.DOUBTFUL if _HINTS.search(folded) else Verdict.NO


def read_answer(kind: str, text: str, choice: str | None = None) -> Verdict:
    """The same of a whole message: a reaction is none, and a pressed button counts by its words or by its id."""
    if kind == "reaction":
        return Verdict.NO
    said = read_opt_out(text)
    if kind == "button" and choice and said is not Verdict.YES:
        tokens = [each for each in fold(choice[:200]).replace("-", " ").split() if not each.isdigit()]
        chosen = read_opt_out(" ".join(each for each in tokens if each not in _OF_AN_ID))
        return chosen if chosen is not Verdict.NO else said
    return said


def _is_wish(words: list[str], text: str) -> bool:
    core = _without_courtesies(words)
    if " ".join(words) in SENTENCES or " ".join(core) in SENTENCES:
        return True
    if any(each in WORDS for each in core) and all(each in WORDS or each in COURTESIES for each in core):
        return True
    if "?" in text or any(each in TURNS for each in words):
        return False
    first = _without_courtesies(fold(_CLAUSE.split(text.strip(), maxsplit=1)[0]).split())
    return words[0] in UNMISTAKABLE or (len(first) == 1 and first[0] in WORDS)


def _without_courtesies(words: list[str]) -> list[str]:
    first, last = 0, len(words)
    while first < last and words[first] in COURTESIES:
        first += 1
    while last > first and words[last - 1] in COURTESIES:
        last -= 1
    return words[first:last]
