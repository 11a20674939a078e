"""Where a process may connect to, and what of a service's words is kept."""

import pytest

from server.integrations.apprise_child import without_secrets
from server.integrations.apprise_services import SERVICES, allowed_schemes
from server.integrations.private_places import is_allowed


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104 - never listened on
        "100.64.0.1",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.1.2.3",
        "2002:0a01:0203::1",
        "64:ff9b::10.1.2.3",
        "localhost",
        "",
    ],
)
def test_no_private_place_is_connected_to_in_whatever_form_it_is_written(host):
    assert not is_allowed(host, ())
    assert not is_allowed(host, ("203.0.113.0/24",))


def test_what_is_public_or_named_by_the_operator_is_connected_to():
    assert is_allowed("8.8.8.8", ())
    assert is_allowed("2001:4860:4860::8888", ())
    assert is_allowed("64:ff9b::8.8.8.8", ())
    assert is_allowed("10.20.0.5", ("10.20.0.0/16",))
    assert is_allowed("::ffff:10.20.0.5", ("10.20.0.0/16",))
    assert not is_allowed("10.21.0.5", ("10.20.0.0/16",))


def test_nothing_that_stands_in_an_address_stays_in_what_a_service_said():
    url = "mailtos://trực:mật%20khẩu@smtp.example.vn:587?from=a@xa.vn&pass=Hunter22"
    words = "smtp.example.vn said: mật khẩu of trực (Hunter22, mật%20khẩu) is wrong"
    kept = without_secrets(words, url)
    for secret in ("khẩu", "trực", "Hunter22", "smtp.example.vn"):
        assert secret not in kept
    assert "is wrong" in kept
    assert len(without_secrets("x" * 5000, url)) < 500


def test_an_operator_can_only_take_services_away():
    assert allowed_schemes(()) == tuple(SERVICES)
    assert allowed_schemes(("zalo", "file", "syslog")) == ("zalo",)
