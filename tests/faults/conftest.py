import pytest

from lab import Lab


@pytest.fixture
def lab(tmp_path, meltshim):
    lab = Lab(tmp_path, meltshim)
    yield lab
    survivors = lab.survivors()
    lab.end_survivors()
    assert not survivors, "processes were left behind"
