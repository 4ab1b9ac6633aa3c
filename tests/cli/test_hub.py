"""Commands that ask the plugin hub."""

import pytest


@pytest.fixture
def online(project, hub):
    """The small project, with a tap that the hub knows, and the hub."""
    path = project.directory / "meltano.yml"
    path.write_text(
        path.read_text().replace(
            "  extractors:\n", "  extractors:\n  - {name: tap-github, variant: meltanolabs}\n"
        )
    )
    project.env["MELTANO_HUB_URL"] = hub.url
    return project


def test_ping(online):
    result = online("hub", "ping")
    assert result.status == 0, result.err
    url = online.env["MELTANO_HUB_URL"]
    assert result.out == f"Successfully connected to the Hub at '{url}/meltano/api/v1'\n"


def test_ping_of_a_hub_that_is_away(project):
    result = project("hub", "ping", MELTANO_HUB_URL="http://127.0.0.1:9")
    assert (result.status, result.out) == (1, "")
    assert "http://127.0.0.1:9" in result.err


def test_lock_writes_what_the_hub_says_and_keeps_what_is_there(online):
    lock = online.directory / "plugins" / "extractors" / "tap-github--meltanolabs.lock"
    result = online("lock", "tap-github")
    assert result.status == 0, result.err
    assert "Locked definition for extractor tap-github" in result.err
    locked = lock.read_text()
    assert '"name": "tap-github"' in locked

    lock.write_text("{}")
    result = online("lock", "tap-github")
    assert result.status == 0
    assert "Lockfile exists for extractor tap-github at plugins/extractors/" in result.err
    assert lock.read_text() == "{}"
    assert online("lock", "--update", "tap-github").status == 0
    assert lock.read_text() == locked


def test_lock_passes_over_custom_plugins(online):
    result = online("lock", "--plugin-type=loader")
    assert result.status == 0
    assert "Loader target-b is a custom plugin" in result.err
    result = online("lock", "nope")
    assert result.status == 1
    assert "No matching plugin(s) found." in result.err
