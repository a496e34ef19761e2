"""What tests of several folders share: the real dumps, and a session without the user's index cache."""

import pytest

from cases import NAMES, case_of


@pytest.fixture(scope="session", autouse=True)
def _no_index_cache():
    """No test reads or leaves an index cache of its user's, but for those that test it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OOPSCOPE_CACHE", "off")
        yield


@pytest.fixture(scope="session", params=NAMES)
def case(request):
    """Each of the real dumps in turn. Nobody changes what is in it."""
    return case_of(request.param)
