"""Every answer that we know of to a send, through the real adapters and a real line, and the one thing that it proves.

A send ends in one of these; whatever is not listed is unconfirmed:

    accepted        the gateway took it, and gave it an id
    recipient …     rejected, and so surely not sent: what is wrong is this person, the content, the link
                    (not_connected), the speed (throttled) or the configuration
    not sent        no connection was made: nothing left us
    unconfirmed     it may have left
"""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.errors import OutcomeUnknown, Rejected, Unreachable
from core.instances.official import Credentials
from core.integrations.evolution import Evolution
from core.integrations.meta_cloud import MetaCloud
from core.ports import MediaKind, Outgoing, OutgoingMedia, WhatsApp
from tests.integrations.certificates import certificate
from tests.integrations.raw_server import (
    Behaviour,
    answering,
    closes,
    drips,
    hangs,
    repeats,
    resets,
    says,
    sends,
)

HTTP = Path("tests/recordings/evolution/http")
ANA = "+5511987654321"
SOON_S, LONG_S = 0.4, 10.0
OURS = Credentials("106540352242922", "102290129340398", "EAAJBtoken0000000000000000", "0123456789abcdef" * 2)


def evolution(url: str) -> WhatsApp:
    return Evolution(url, "k")


def meta(url: str) -> WhatsApp:
    return MetaCloud(url, OURS)


Make = Callable[[str], WhatsApp]


async def outcome_of(
    make: Make, url: str, *, phone: str = ANA, timeout_s: float = LONG_S, is_media: bool = False
) -> str:
    whatsapp = make(url)
    try:
        if is_media:
            file = OutgoingMedia(phone, MediaKind.IMAGE, "https://example.com/a.png")
            await whatsapp.send_media("vendas-01", file, timeout_s=timeout_s)
        else:
            await whatsapp.send_text("vendas-01", Outgoing(phone, "Olá, tudo bem?"), timeout_s=timeout_s)
    except Unreachable:
        return "not sent"
    except Rejected as no:
        return str(no.kind)
    except OutcomeUnknown:
        return "unconfirmed"
    finally:
        await whatsapp.close()
    return "accepted"


def table(text: str) -> list[tuple[str, ...]]:
    """Lines of columns, two blanks or more between them; what follows a # is for the reader."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [tuple(part.strip() for part in line.split("  ") if part.strip()) for line in lines if line]


# ---------------------------------------------------------------- every recorded answer of the Evolution API

RECORDED = table("""
err-400-sendText-blank-text                                 content
err-400-sendText-delay-string                               content
err-400-sendText-missing-number                             content
err-400-sendText-missing-text                               content
err-400-sendText-number-not-string                          content
err-message-sendMedia-bad-media                             content
err-message-sendMedia-bad-mediatype                         content
err-message-sendMedia-document-without-fileName             content
err-message-sendMedia-url-unreachable                       content         # fetched before the line is opened
err-401-bad-key                                             config
err-401-no-key                                              config
err-403-name-in-use                                         config
err-404-after-delete                                        config
err-404-fetchInstances-unknown                              config
err-404-no-route                                            config
err-404-unknown-instance-connectionState                    config
err-404-unknown-instance-sendText                           config
err-unknown-instance-and-bad-key                            config
err-message-sendText-after-logout                           not_connected
message-sendText-not-connected                              not_connected
chat-whatsappNumbers-not-connected                          not_connected   # the same error, as its library writes it
err-message-sendText-while-connecting                       not_connected
err-message-sendText-number-not-on-whatsapp                 recipient
err-message-sendText-business-meta-131026-undeliverable     recipient
err-message-sendText-business-meta-131047-re-engagement     recipient
err-message-sendText-business-meta-131049-ecosystem         recipient
err-message-sendTemplate-business-meta-132001               content
err-message-sendText-number-check-timeout                   throttled
err-message-sendText-prekey-timeout                         throttled
err-message-sendText-business-meta-130429-throughput        throttled
err-message-sendText-business-meta-131056-pair-rate-limit   throttled
err-message-sendText-business-meta-2-service-unavailable    throttled
err-message-sendText-business-meta-connection-dropped       unconfirmed
err-chat-whatsappNumbers-timeout                            unconfirmed     # 400 {}: says nothing
message-sendMedia-base64-document                           accepted
message-sendMedia-base64-image                              accepted
message-sendMedia-business-base64                           accepted
message-sendMedia-evolution-base64                          accepted
message-sendTemplate-business                               accepted
message-sendText                                            accepted
message-sendText-business                                   accepted
message-sendText-business-after-logout                      accepted
message-sendText-business-delay                             accepted
message-sendText-client-message-id-ignored                  accepted
message-sendText-delay                                      accepted
message-sendText-evolution                                  accepted
message-sendText-evolution-after-logout                     accepted
message-sendText-evolution-delay                            accepted
message-sendText-evolution-instance-token                   accepted
message-sendText-formatted-number                           accepted
message-sendText-instance-token                             accepted
message-sendText-nacked-by-server                           accepted        # the refusal comes later, as a receipt
message-sendText-quoted                                     accepted
message-sendText-socket-dropped-after-write                 accepted        # nothing ever tells
""")
# Refusals of other calls that have the form of one of a send's: a list in a list is the check of the body's form.
OF_OTHER_CALLS = table("""
err-400-create-bad-integration                              unconfirmed
err-400-create-business-no-token                            unconfirmed
err-400-create-empty-body                                   unconfirmed
err-400-create-webhook-without-events                       unconfirmed
err-400-settings-set-missing                                content
err-400-webhook-set-bad-event                               content
err-chat-whatsappNumbers-business                           unconfirmed
err-chat-whatsappNumbers-empty                              content
err-chat-whatsappNumbers-evolution                          unconfirmed
err-instance-logout-when-closed                             unconfirmed
err-malformed-json                                          unconfirmed
err-message-sendTemplate-baileys                            unconfirmed
err-message-sendTemplate-evolution                          unconfirmed
err-webhook-set-no-events                                   unconfirmed
""")
LISTED = dict(RECORDED + OF_OTHER_CALLS)  # type: ignore[arg-type]
ANSWERS = {
    path.stem: told for path in sorted(HTTP.glob("*.json")) if (told := json.loads(path.read_text())).get("response")
}
# The client gave up; states over a while; what Evolution asked of Meta.
WITHOUT_ANSWER = {
    "client-timeout-message-sendText-business",
    "meta-graph-requests-made-by-evolution",
    "sequence-states-after-scan",
    "sequence-states-after-server-restart",
}


def test_every_recorded_answer_is_looked_at_and_every_refusal_and_send_has_its_line() -> None:
    assert {path.stem for path in HTTP.glob("*.json")} - ANSWERS.keys() == WITHOUT_ANSWER
    assert LISTED.keys() <= ANSWERS.keys()
    of_a_send = {name for name in ANSWERS if name.startswith(("err-", "message-"))}
    assert of_a_send <= LISTED.keys()


def _asked_for(exchange: dict[str, Any]) -> str:
    """The E.164 that this was an answer to, where it was one to a send."""
    asked, told = exchange.get("request", {}).get("body"), exchange["response"]["body"]
    number = asked.get("number") if isinstance(asked, dict) else None
    if number is None and isinstance(told, dict) and "key" in told:
        number = told["key"]["remoteJid"].partition("@")[0]
    digits = "".join(c for c in str(number) if c.isdigit())
    return f"+{digits}" if len(digits) > 10 else ANA


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_recorded_answer(name: str) -> None:
    """Success of another call is no success of a send: it is unconfirmed, as all that is not listed."""
    answer, asked = ANSWERS[name]["response"], ANSWERS[name].get("request", {})
    is_media = "sendMedia" in asked.get("path", "")
    with answering(says(answer["status"], answer["body"])) as server:
        told = await outcome_of(evolution, server.url, phone=_asked_for(ANSWERS[name]), is_media=is_media)
        assert told == LISTED.get(name, "unconfirmed")
        assert len(server.requests) == 1


# ---------------------------------------------------------------- fifty replies of a gateway


@dataclass(frozen=True)
class Success:
    """How a gateway says that it took a message: the status, and the body around an id."""

    make: Make
    status: int
    with_id: Callable[[Any], dict[str, Any]]
    elsewhere: dict[str, Any]  # well said, and for another number
    with_error: dict[str, Any]

    @property
    def head(self) -> bytes:
        return b"HTTP/1.1 %d Created\r\nContent-Type: application/json\r\n" % self.status

    @property
    def good(self) -> dict[str, Any]:
        return self.with_id("3EB0AA")


def _by_evolution(id_: Any, jid: str = "5511987654321@s.whatsapp.net") -> dict[str, Any]:
    return {"key": {"id": id_, "remoteJid": jid, "fromMe": True}, "status": "PENDING"}


def _by_meta(id_: Any, wa_id: str = "5511987654321") -> dict[str, Any]:
    contacts = [{"input": "5511987654321", "wa_id": wa_id}]
    return {"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": id_}]}


GATEWAYS = {
    "evolution": Success(
        evolution,
        201,
        _by_evolution,
        _by_evolution("3EB0AA", "5511912345678@s.whatsapp.net"),
        {**_by_evolution("3EB0AA"), "status": "ERROR"},
    ),
    "meta": Success(
        meta, 200, _by_meta, _by_meta("3EB0AA", "5511912345678"), {**_by_meta("3EB0AA"), "error": {"code": 131000}}
    ),
}
# What happens on the line; `of` is the gateway whose success it imitates.
ON_THE_LINE: dict[str, Callable[[Success], Behaviour]] = {
    "accept then close": lambda of: closes(),
    "headers then hang": lambda of: hangs(of.head + b"Content-Length: 90\r\n\r\n"),
    "1 byte now and then": lambda of: drips(of.head + b"Content-Length: 90\r\n\r\n" + b"x" * 90, every_s=0.1),
    "reset after the request": lambda of: resets(),
    "reset after the headers": lambda of: sends(of.head + b"Content-Length: 90\r\n\r\n"),
    "reset mid-body": lambda of: sends(of.head + b'Content-Length: 90\r\n\r\n{"key":{"id":'),
    "100-continue for ever": lambda of: repeats(b"HTTP/1.1 100 Continue\r\n\r\n", 20_000),
    "200 empty": lambda of: says(200, b""),
    "201 empty": lambda of: says(201, b""),
    "success {}": lambda of: says(of.status, {}),
    "success without id": lambda of: says(of.status, {"key": {}, "messages": [{}]}),
    "success id null": lambda of: says(of.status, of.with_id(None)),
    "success id of 300": lambda of: says(of.status, of.with_id("A" * 300)),
    "success id used before": lambda of: says(of.status, of.good),
    "success for another": lambda of: says(of.status, of.elsewhere),
    "success with ERROR": lambda of: says(of.status, of.with_error),
    "success truncated": lambda of: says(of.status, json.dumps(of.good).encode()[:-9]),
    "success HTML": lambda of: says(of.status, b"<html><body>Welcome</body></html>", Content_Type="text/html"),
    "success of 100 MB": lambda of: repeats(of.head + b"Content-Length: 104857600\r\n\r\n" + b"x" * 65_536, 1_600),
    "success gzip bomb": lambda of: says(of.status, gzip.compress(b"0" * 10_000_000), Content_Encoding="gzip"),
    "204": lambda of: says(204, b""),
    "301 elsewhere": lambda of: says(301, b"", Location="http://192.0.2.1/elsewhere"),
    "302 loop": lambda of: says(302, b"", Location="/"),
    "400 exists:false": lambda of: says(
        400, {"response": {"message": [{"jid": "x", "exists": False, "number": "5511987654321"}]}}
    ),
    "400 Connection Closed": lambda of: says(400, {"response": {"message": ["Error: Connection Closed"]}}),
    "400 Timed Out": lambda of: says(400, {"response": {"message": ["Error: Timed Out"]}}),
    "400 Prisma": lambda of: says(400, {"response": {"message": ["PrismaClientKnownRequestError: Can't reach …"]}}),
    "401": lambda of: says(401, {"status": 401, "error": "Unauthorized"}),
    "403": lambda of: says(403, b"<html>Forbidden</html>"),
    "404 instance": lambda of: says(404, {"status": 404, "response": {"message": ["instance does not exist"]}}),
    "408": lambda of: says(408, b""),
    "409": lambda of: says(409, b""),
    "413": lambda of: says(413, b""),
    "422": lambda of: says(422, {"message": "?"}),
    "429 with Retry-After": lambda of: says(429, {}, Retry_After="30"),
    "429 without": lambda of: says(429, b""),
    "429 absurd": lambda of: says(429, {}, Retry_After="99999999999"),
    "500": lambda of: says(500, {"status": 500, "response": {"message": "?"}}),
    "502": lambda of: says(502, b"<html>Bad Gateway</html>"),
    "503": lambda of: says(503, b"<html>Service Unavailable</html>"),
    "504": lambda of: says(504, b""),
    "status 999": lambda of: says(999, b""),
    "header of 1 MB": lambda of: sends(
        of.head + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n" + json.dumps(of.good).encode()
    ),
    "two Content-Length": lambda of: sends(
        of.head + b"Content-Length: 4\r\nContent-Length: 90\r\n\r\n" + json.dumps(of.good).encode()
    ),
}
NEVER_ENDS = ("headers then hang", "1 byte now and then", "100-continue for ever")


@contextmanager
def no_line(kind: str) -> Iterator[str]:
    """An address to which no connection comes about."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = listener.getsockname()[1]
        if kind == "connect refused":
            listener.close()
        elif kind == "DNS NXDOMAIN":
            yield "http://gateway.invalid"
            return
        elif kind == "connect black hole":  # whoever knocks waits behind those who are never let in
            for _ in range(8):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(("127.0.0.1", port))
        else:
            yield stack.enter_context(_untrusted(kind))
            return
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _untrusted(kind: str) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with certificate("other.example" if kind == "TLS wrong name" else "localhost", expired="expired" in kind) as files:
        context.load_cert_chain(*files)

    def greets(line: socket.socket) -> None:
        context.wrap_socket(line, server_side=True).recv(1)

    with answering(greets, reads=False) as server:
        yield server.url.replace("http://127.0.0.1", "https://localhost")


FIFTY = table("""
# reply                      evolution        meta
connect refused              not sent         not sent
DNS NXDOMAIN                 not sent         not sent
TLS self-signed              not sent         not sent
TLS expired                  not sent         not sent
TLS wrong name               not sent         not sent
connect black hole           not sent         not sent
accept then close            unconfirmed      unconfirmed
headers then hang            unconfirmed      unconfirmed
1 byte now and then          unconfirmed      unconfirmed
reset after the request      unconfirmed      unconfirmed
reset after the headers      unconfirmed      unconfirmed
reset mid-body               unconfirmed      unconfirmed
100-continue for ever        unconfirmed      unconfirmed
200 empty                    unconfirmed      unconfirmed
201 empty                    unconfirmed      unconfirmed
success {}                   unconfirmed      unconfirmed
success without id           unconfirmed      unconfirmed
success id null              unconfirmed      unconfirmed
success id of 300            unconfirmed      unconfirmed
success id used before       accepted         accepted       # the database does not bind it a second time
success for another          unconfirmed      unconfirmed
success with ERROR           unconfirmed      unconfirmed
success truncated            unconfirmed      unconfirmed
success HTML                 unconfirmed      unconfirmed
success of 100 MB            unconfirmed      unconfirmed
success gzip bomb            unconfirmed      unconfirmed
204                          unconfirmed      unconfirmed
301 elsewhere                unconfirmed      unconfirmed
302 loop                     unconfirmed      unconfirmed
400 exists:false             recipient        unconfirmed    # Evolution's own words
400 Connection Closed        not_connected    unconfirmed
400 Timed Out                unconfirmed      unconfirmed    # may wrap the write
400 Prisma                   unconfirmed      unconfirmed    # its database, after the message had left
401                          config           config
403                          config           config
404 instance                 config           config
408                          unconfirmed      unconfirmed
409                          unconfirmed      unconfirmed
413                          unconfirmed      unconfirmed
422                          unconfirmed      unconfirmed
429 with Retry-After         throttled        throttled
429 without                  throttled        throttled
429 absurd                   throttled        throttled
500                          unconfirmed      unconfirmed
502                          unconfirmed      unconfirmed
503                          unconfirmed      unconfirmed
504                          unconfirmed      unconfirmed
status 999                   unconfirmed      unconfirmed
header of 1 MB               unconfirmed      unconfirmed
two Content-Length           unconfirmed      unconfirmed
""")


def test_there_are_fifty_of_them() -> None:
    assert len({reply for reply, *_ in FIFTY}) == 50
    assert {reply for reply, *told in FIFTY if told == ["not sent", "not sent"]} == {
        reply for reply, *_ in FIFTY if reply not in ON_THE_LINE
    }


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize(("reply", "of_evolution", "of_meta"), FIFTY)
async def test_a_reply(reply: str, of_evolution: str, of_meta: str, gateway: str) -> None:
    expected = of_evolution if gateway == "evolution" else of_meta
    of = GATEWAYS[gateway]
    if reply not in ON_THE_LINE:
        with no_line(reply) as url:
            assert await outcome_of(of.make, url, timeout_s=1.0) == expected
        return
    with answering(ON_THE_LINE[reply](of)) as server:
        told = await outcome_of(of.make, server.url, timeout_s=SOON_S if reply in NEVER_ENDS else LONG_S)
        assert told == expected
        assert len(server.requests) == 1, "a send is one request"


@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_what_the_table_leaves_out_is_a_good_answer(gateway: str) -> None:
    of = GATEWAYS[gateway]
    with answering(says(of.status, of.good)) as server:
        assert await outcome_of(of.make, server.url) == "accepted"
    with answering(says(201 if of.status == 200 else 200, of.good)) as server:
        assert await outcome_of(of.make, server.url) == "unconfirmed", "the status is part of the success"


# ---------------------------------------------------------------- Meta's codes

CODES = table("""
# code     status   it means
0          401      config          # the token cannot be read
1          500      throttled       # their own trouble, told before anything was sent
2          503      throttled
3          403      config
4          400      throttled
10         403      config
33         400      config
100        400      content         # a wrong form of the request
190        401      config          # the token has run out
200        403      config
368        403      config          # blocked for breaking the policy
80007      400      throttled
130429     429      throttled
130472     400      recipient       # an experiment of theirs
130497     403      recipient       # this country is closed to the business
131005     403      config
131008     400      content
131009     400      content
131016     500      throttled
131021     400      recipient       # to itself
131026     400      recipient       # not on WhatsApp
131030     400      recipient       # not on the list of a number that is tried out
131031     403      config          # locked
131037     400      config          # its name is not approved
131042     400      config          # payment
131045     500      config          # its registration
131047     400      recipient       # the 24 hours are over
131048     400      config          # too much taken for spam
131049     400      recipient       # kept from them for the good of all
131050     400      opted_out       # has stopped the advertising of this business
131051     400      content
131053     400      content
131056     400      throttled       # too much to this person
131057     500      throttled
132000     400      content         # a template's
132001     404      content         # the code counts, whatever the status is
132005     400      content
132007     400      content
132012     400      content
132015     400      content
132016     400      content
133004     503      throttled
133010     400      config
131000     500      unconfirmed     # "something went wrong"
135000     400      unconfirmed
5          400      unconfirmed
-1         500      unconfirmed
999999     400      unconfirmed
""")


@pytest.mark.parametrize(("code", "status", "expected"), CODES)
async def test_a_code_of_metas(code: str, status: str, expected: str) -> None:
    error = {"message": f"(#{code}) words", "type": "OAuthException", "code": int(code), "fbtrace_id": "A"}
    with answering(says(int(status), {"error": error})) as server:
        assert await outcome_of(meta, server.url) == expected


@pytest.mark.parametrize(("code", "status", "expected"), CODES)
async def test_a_code_of_metas_that_evolution_hands_through_as_a_success(code: str, status: str, expected: str) -> None:
    error = {"message": f"(#{code}) words", "type": "OAuthException", "code": int(code), "fbtrace_id": "A"}
    with answering(says(201, error)) as server:
        assert await outcome_of(evolution, server.url) == expected


@pytest.mark.parametrize("code", ["131026", 131026.0, True, None, [131026], {"code": 131026}])
async def test_a_code_that_is_no_number_proves_nothing(code: object) -> None:
    for make, status, body in ((meta, 400, {"error": {"code": code}}), (evolution, 201, {"code": code})):
        with answering(says(status, body)) as server:
            assert await outcome_of(make, server.url) == "unconfirmed"


async def test_a_file_that_meta_does_not_take_was_not_sent() -> None:
    file = OutgoingMedia(ANA, MediaKind.IMAGE, b"\x89PNG", "image/png", "a.png")
    for behaviour in (closes(), says(500, b""), says(200, {}), says(200, b"<html>")):
        with answering(behaviour) as server:
            whatsapp = meta(server.url)
            with pytest.raises(Unreachable):
                await whatsapp.send_media("x", file, timeout_s=LONG_S)
            await whatsapp.close()
            assert len(server.requests) == 1, "and nothing was sent after it"


async def test_cancelling_a_send_is_not_hidden() -> None:
    with answering(hangs()) as server:
        task = asyncio.ensure_future(outcome_of(meta, server.url))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
