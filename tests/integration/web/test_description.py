"""The API does what its own description says, whatever is sent to it."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.factories.pages import Site

ENOUGH = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_the_description_is_valid_and_names_every_address(site: Site):
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", site.app)
    assert schema.raw_schema["openapi"].startswith("3.1")
    schema.validate()
    described = {
        (path, method)
        for path, methods in schema.raw_schema["paths"].items()
        for method in methods
        if method in {"get", "post", "delete"}
    }
    served = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower())
        for rule in site.app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in rule.methods & {"GET", "POST", "DELETE"}
    }
    assert described == served


@pytest.mark.slow
def test_nothing_that_can_be_sent_breaks_it(site: Site):
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", site.app)
    token = {"Authentication-Token": site.program("top").token}
    for found in schema.get_all_operations():

        @ENOUGH
        @given(case=found.ok().as_strategy())
        def answers(case):
            answer = case.call(headers=token)
            assert answer.status_code < 500, answer.text
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == ["application/problem+json"]

        answers()
