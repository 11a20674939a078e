"""Every code that the rules can give has its sentence, and every sentence its translation."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from flask import Flask
from flask_babel import force_locale

from audio_library.errors import Reason
from protocol.errors import Refusal
from protocol.messages import BulletinClass, Outcome, Severity
from server.domain.authority import Role
from server.domain.deliveries import State
from server.domain.errors import Finding
from server.domain.nodes import Liveness
from server.http.languages import LANGUAGES, catalogue, set_up_languages
from server.http.wording import FINDINGS, REFUSALS, UPLOADS, finding_sentence, reason_sentence
from server.web import words

ROOT = Path(__file__).parents[4]
SERVER = ROOT / "server"
METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None, "lazy_gettext": None}
PLACE = re.compile(r"%\((\w+)\)[0-9]*[sd]")


@pytest.fixture
def speaking():
    app = Flask("test")
    set_up_languages(app)
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        ("heard", "nghe thấy âm thử lúc 22/11/2026 04:41"),
        ("silent-horn", "không nghe thấy âm thử lúc 22/11/2026 04:41"),
        ("unclear", "âm thử lúc 22/11/2026 04:41: ồn quá, chưa nghe rõ"),
        ("of-tomorrow", "âm thử lúc 22/11/2026 04:41: ồn quá, chưa nghe rõ"),
    ],
)
@pytest.mark.usefixtures("speaking")
def test_what_became_of_a_test_tone_is_told_with_its_day(verdict, sentence):
    tone = {"at": "2026-11-21T21:41:00Z", "verdict": verdict, "level_dbfs": -50.0}
    with force_locale("vi"):
        assert words.machine({"temperature_c": 41.0, "tone": tone}) == f"41 °C · {sentence}"
        assert words.test_tone({"tone": None}) == words.test_tone({}) == ""


@pytest.mark.parametrize(
    ("megabytes", "shown"),
    [(0, "0 MB"), (999.4, "999 MB"), (1234, "1,23 GB"), (9_999, "10 GB"), (82_231, "82,2 GB")],
)
@pytest.mark.usefixtures("speaking")
def test_amounts_of_data_are_told_no_finer_than_people_read_them(megabytes, shown):
    with force_locale("vi"):
        told = words.machine({"data_month_mb": megabytes, "disk_free_mb": megabytes})
    assert told == f"{shown} tháng này · thẻ nhớ còn {shown}"


def said_in_code():
    found = extract_from_dir(
        SERVER,
        METHODS,
        options_map={"**/templates/**.html": {"trimmed": "true"}},
        keywords=KEYWORDS,
    )
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


@cache
def in_catalogue():
    with LANGUAGES["vi"].catalogue.open("rb") as file:
        return [message for message in read_po(file, locale="vi") if message.id]


def test_every_sentence_is_translated_and_no_translation_is_left_over():
    there = {one.id if isinstance(one.id, str) else one.id[0] for one in in_catalogue()}
    assert said_in_code() == there


def test_a_translation_has_the_same_places_to_fill_as_its_sentence():
    for message in in_catalogue():
        forms = (message.id,) if isinstance(message.id, str) else message.id
        said = (message.string,) if isinstance(message.string, str) else message.string
        assert all(said), message.id
        assert not message.fuzzy
        for form in said:
            assert set(PLACE.findall(form)) == set(PLACE.findall(forms[-1])), message.id


def test_every_finding_that_the_rules_can_give_has_a_sentence():
    given = set()
    for path in [
        *SERVER.glob("domain/*.py"),
        *SERVER.glob("services/*.py"),
        *SERVER.glob("web/**/*.py"),
    ]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"Finding", "_where"}:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    given.add(first.value)
    assert "overlap" in given
    assert given <= set(FINDINGS)


def test_every_reason_to_refuse_an_upload_has_a_sentence():
    assert set(UPLOADS) == {reason.value for reason in Reason}


def test_every_reason_to_refuse_a_message_has_a_sentence():
    assert set(REFUSALS) == {refusal.value for refusal in Refusal}


@pytest.mark.usefixtures("speaking")
def test_every_state_class_outcome_and_role_has_its_own_words():
    for kind, sign in ((Liveness, words.liveness), (BulletinClass, words.bulletin_class)):
        labels = [sign(one.value).label for one in kind]
        assert len(set(labels)) == len(labels)
    labels = [words.delivery(one.value).label for one in [*State, *Outcome]]
    assert len(set(labels)) == len(labels)
    assert len({words.role(role.value) for role in Role}) == len(Role)
    assert len({words.severity(step) for step in Severity}) == len(Severity)


@pytest.mark.usefixtures("speaking")
def test_a_sentence_with_a_missing_field_shows_a_dash():
    assert "–" in finding_sentence(Finding("overlap", {"title": "Thời sự"}))


@pytest.mark.usefixtures("speaking")
def test_a_reason_speaks_both_languages_and_an_unknown_one_is_shown_as_it_is():
    assert reason_sentence("late") == "Đến quá muộn"
    assert "chữ ký giả mạo" in reason_sentence("refused:forged")
    assert reason_sentence("something-new") == "something-new"
    with force_locale("en"):
        assert reason_sentence("late") == "It came too late"


def test_an_unknown_language_falls_back_to_the_sentences_in_the_code():
    assert catalogue("hmn").gettext("On air") == "On air"
    assert catalogue("vi").gettext("On air") == "Đang phát"
