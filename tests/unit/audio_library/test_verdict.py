"""What is made of the way the preparing process ended."""

import signal

import msgspec
import pytest

from audio_library.errors import PreparationError, Reason, RefusedAudioError
from audio_library.verdict import Refused, Verdict, prepared_or_refused


@pytest.mark.parametrize("crash", [signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE])
def test_a_file_that_breaks_the_decoder_is_damaged(crash):
    with pytest.raises(RefusedAudioError) as refused:
        prepared_or_refused(-crash, b"", "")
    assert refused.value.reason_code is Reason.DAMAGED


def test_a_file_that_eats_the_processor_is_a_timeout():
    with pytest.raises(RefusedAudioError) as refused:
        prepared_or_refused(-signal.SIGXCPU, b"", "")
    assert refused.value.reason_code is Reason.TIMEOUT


@pytest.mark.parametrize("status", [1, -signal.SIGKILL, -signal.SIGTERM])
def test_the_file_is_not_blamed_when_the_machine_failed(status):
    with pytest.raises(PreparationError, match="no space left"):
        prepared_or_refused(status, b"", "no space left")


@pytest.mark.parametrize("said", [b"", b"{}", b"not json", b'{"refused":{"reason_code":"odd"}}'])
def test_a_process_that_gives_no_verdict_has_failed(said):
    with pytest.raises(PreparationError):
        prepared_or_refused(0, said, "")


def test_a_refusal_keeps_its_code_and_detail():
    said = msgspec.json.encode(Verdict(refused=Refused(Reason.SILENT, "-91 dBTP at most")))
    with pytest.raises(RefusedAudioError) as refused:
        prepared_or_refused(0, said, "")
    assert (refused.value.reason_code, refused.value.detail) == (
        Reason.SILENT,
        "-91 dBTP at most",
    )
