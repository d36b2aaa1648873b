"""The API, fuzzed from its own document: nothing breaks it, and the document is true."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from support.api import served_api
from support.clocks import PATIENCE
from support.jobs import announce, put_layout
from support.studio import make_version

OPERATIONS = ("submit", "upload", "status", "jobs", "versions", "version", "decide")
#: The same requests each time: what fails here fails for everybody.
EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An API that answers."""

    url: str
    session: requests.Session
    headers: dict[str, str]  #: with a token that may do everything
    schema: OpenApiSchema

    def operation(self, name: str) -> Any:
        """Return an operation of its document."""
        return self.schema.find_operation_by_id(name)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("studio")
    with (
        served_api(folder, web={"api_rate": 10_000_000}) as api,
        requests.Session() as session,
    ):
        announce(api.database, put_layout(api.settings))
        with api.database.begin() as connection:
            make_version(connection, api.desk, 1)
        session.trust_env = False
        url = f"{api.url}/api/v1"
        found = session.get(f"{url}/openapi.json", timeout=PATIENCE).json()
        yield Served(
            url=url,
            session=session,
            headers={"Authorization": f"Bearer {api.token}"},
            schema=schemathesis.openapi.from_dict(found),
        )


def test_all_operations_are_fuzzed(served: Served) -> None:
    operations: list[Any] = list(served.schema.get_all_operations())
    found = {one.ok().definition.raw["operationId"] for one in operations}

    assert found == set(OPERATIONS)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
@pytest.mark.parametrize("name", OPERATIONS)
def test_nothing_that_is_sent_breaks_the_api(
    served: Served, name: str, mode: schemathesis.GenerationMode
) -> None:
    cases = served.operation(name).as_strategy(mode)

    @EXAMPLES
    @given(data=st.data())
    def fuzz(data: st.DataObject) -> None:
        case = data.draw(cases)
        # A header that the fuzzer made up goes as it is: it opens nothing.
        made_up = mode is schemathesis.GenerationMode.NEGATIVE and "Authorization" in case.headers
        headers = {} if made_up else served.headers
        case.call_and_validate(
            base_url=served.url,
            session=served.session,
            headers=headers,
            excluded_checks=[positive_data_acceptance],
            timeout=PATIENCE,
        )

    fuzz()
