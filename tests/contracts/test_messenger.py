"""What a messenger owes, asked of the fake and of Apprise with a real web hook and mail server."""

import json
import socketserver
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from server.domain.alerts import Answer, Result
from server.integrations.apprise_messenger import AppriseMessenger
from server.integrations.apprise_services import allowed_schemes
from server.integrations.fake_messenger import FakeMessenger
from server.integrations.messengers import Letter, Messenger

HERE = ("127.0.0.0/8",)


@dataclass
class Service:
    """A web hook and a mail server on this machine."""

    hook: str = ""
    mail: str = ""
    got: list[dict[str, str]] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    stuck: Event = field(default_factory=Event)


class _Hook(BaseHTTPRequestHandler):
    there: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "stuck" in self.path:
            self.there.stuck.wait(60)
        if "elsewhere" in self.path:
            self.send_response(302)
            self.send_header("Location", "http://10.255.0.1/inside")
        elif "refuse" in self.path:
            self.send_response(500)
        else:
            self.there.got.append(json.loads(body))
            self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class _Mail(socketserver.StreamRequestHandler):
    there: Service

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline().upper():
            if line.startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                said = iter(self.rfile.readline, b".\r\n")
                self.there.mails.append(b"".join(said).decode())
            self.wfile.write(b"221 bye\r\n" if line.startswith(b"QUIT") else b"250 ok\r\n")


@pytest.fixture
def service() -> Iterator[Service]:
    there = Service()
    hook, mail = (type(kind.__name__, (kind,), {"there": there}) for kind in (_Hook, _Mail))
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), hook) as hooks,
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), mail) as mails,
    ):
        there.hook = f"json://127.0.0.1:{hooks.server_address[1]}"
        there.mail = f"mailto://127.0.0.1:{mails.server_address[1]}?from=loa@xa.vn&to=truc@xa.vn"
        threads = [Thread(target=one.serve_forever, args=(0.05,)) for one in (hooks, mails)]
        for thread in threads:
            thread.start()
        yield there
        there.stuck.set()
        for one in (hooks, mails):
            one.shutdown()
        for thread in threads:
            thread.join()


@pytest.fixture(params=["fake", "apprise"])
def messenger(request: pytest.FixtureRequest, service: Service) -> Messenger:
    if request.param == "apprise":
        return AppriseMessenger(allowed_schemes(()), HERE)
    refused = {f"{service.hook}/refuse": Answer(Result.FAILED, "no")}
    return FakeMessenger({**refused, "json://": Answer(Result.BAD_ADDRESS)})


def letter(number: int, url: str) -> Letter:
    return Letter(number, url, "3/12 cụm loa chưa trả lời", "- Bản Cáp\n- Thôn 2")


def test_every_letter_gets_its_own_answer_and_one_that_fails_keeps_no_other(messenger, service):
    urls = [f"{service.hook}/take", f"{service.hook}/refuse", "json://"]
    answers = messenger.send([letter(number, url) for number, url in enumerate(urls)])
    assert [answers[number].result for number in range(3)] == [
        Result.SENT,
        Result.FAILED,
        Result.BAD_ADDRESS,
    ]
    assert answers[1].words


@pytest.mark.slow
def test_web_hook_and_mail_bring_the_whole_text_as_it_was_written(service):
    answers = AppriseMessenger(("json", "mailto"), HERE).send(
        [letter(1, f"{service.hook}/take"), letter(2, service.mail)]
    )
    assert {answer.result for answer in answers.values()} == {Result.SENT}, answers
    (got,) = service.got
    assert (got["title"], got["message"]) == (letter(1, "").subject, letter(1, "").body)
    assert len(service.mails) == 1
    assert "To: truc@xa.vn" in service.mails[0]


@pytest.mark.slow
def test_who_is_sent_elsewhere_does_not_come_to_a_private_place(service):
    answers = AppriseMessenger(("json",), HERE).send(
        [letter(1, f"{service.hook}/elsewhere"), letter(2, f"{service.hook}/take")]
    )
    assert [answers[number].result for number in (1, 2)] == [Result.PRIVATE_ADDRESS, Result.SENT]


def test_without_the_operators_word_nothing_goes_to_this_machine_or_by_another_service(service):
    answers = AppriseMessenger(("json",)).send(
        [letter(1, f"{service.hook}/take"), letter(2, service.mail)]
    )
    assert answers[1].result is Result.PRIVATE_ADDRESS
    assert answers[2].result is Result.BAD_ADDRESS
    assert service.got == []
    assert service.mails == []


@pytest.mark.slow
def test_a_service_that_never_answers_is_given_up_in_time_and_keeps_no_other(service):
    # Both are sent by one process, whose start alone takes seconds on a busy machine.
    messenger = AppriseMessenger(("json",), HERE, within_s=15.0)
    slow = f"{service.hook}/stuck?rto=60"
    answers = messenger.send([letter(1, slow), letter(2, f"{service.hook}/take")])
    assert answers[1].result is Result.TIMED_OUT
    assert answers[2].result is Result.SENT
