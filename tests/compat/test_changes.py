"""Commands that change the project's files: both programs leave the same behind and say the same."""

import dataclasses
import shlex
from pathlib import Path

import pytest
import yaml

from support.oracle import clean_environment

PROJECT = """\
default_environment: dev
project_id: settings
environments:
- name: dev
- name: prod
plugins:
  extractors:
  - name: tap-x
    namespace: tap_x
    executable: tap-x
    settings:
    - name: port
      kind: integer
      value: 1
    - name: username
      aliases: [login]
    - name: password
      sensitive: true
    - name: region
      env_specific: true
      env_aliases: [TAP_X_AREA]
    - name: auth.token
    - name: list
      kind: array
    - name: object
      kind: object
    - name: flag
      kind: boolean
    - name: choice
      kind: options
      options:
      - {label: A, value: a}
      - {label: B, value: b}
    config:
      login: bob
      port: 5
      auth.token: dotted
      s3\\.endpoint: escaped
    select: [a.*]
  - name: tap-y
    inherit_from: tap-x
  mappers:
  - name: mapper
    namespace: mapper
    mappings:
    - name: m1
      config: {a: 1}
  loaders:
  - name: target-x
    namespace: target_x
    executable: target-x
  orchestrators:
  - name: airflow
    namespace: airflow
jobs:
- name: j1
  tasks:
  - tap-x target-x
schedules:
- name: s1
  interval: '@daily'
  job: j1
- name: s2
  interval: '@weekly'
  extractor: tap-x
  loader: target-x
  transform: skip
"""

# Each line is a command; the lines of a case follow each other on one copy of the project.
CASES = {
    "kinds": """
        config set tap-x port 7
        config set tap-x port abc
        config set tap-x list '["a", 1, null]'
        config set tap-x list abc
        config set tap-x object '{"a": {"b": 0.5}}'
        config set tap-x flag yes
        config set tap-x choice b
        config set tap-x choice c
    """,
    "names": """
        config set tap-x username alice
        config set tap-x login carol
        config set tap-x auth token t1
        config set tap-x auth.token t2
        config set tap-x s3\\.endpoint new
        config set tap-x s3\\.other new
        config set tap-x unknown 5
        config set tap-x deep.unknown 5
        config set tap-x auth.unknown 5
        config set tap-x unknown 6
    """,
    "extras": """
        config set tap-x _select '["b.*"]'
        config set tap-x _metadata s.replication-method FULL
        config set tap-x _metadata.s.replication-key id
        config set tap-x _load_schema raw
        config set tap-x _unknown x
        config unset tap-x _select
        config unset tap-x _load_schema
    """,
    "places": """
        config set tap-x password s3cret
        config set tap-x region eu
        config set tap-x port 9 --store dotenv
        config set tap-x port 10 --store meltano_yml
        config set tap-x port 11 --store db
        config set tap-x port 12 --store=meltano-environment
        config set tap-x unknown 10 --store dotenv
        config --unsafe set tap-x password "it's $ECRET"
        config unset tap-x port --store dotenv
        config unset tap-x port
        config unset tap-x password
    """,
    "environments": """
        --environment prod config set tap-x port 99
        --environment prod config set tap-x port 98 --store meltano_yml
        --environment prod config set tap-x _select '["c.*"]'
        --environment prod config set tap-x password s
        --environment dev config unset tap-x port
        --environment prod config unset tap-x port
        --environment prod config unset tap-x _select
    """,
    "project": """
        config set meltano cli.log_level error
        config set meltano venv.backend virtualenv
        config set meltano default_environment prod
        config set meltano hub_url_auth secret
        config set meltano nosuch 1
        config unset meltano cli.log_level
        config unset meltano nosuch
    """,
    "others": """
        config set airflow core.executor LocalExecutor
        config set tap-y port 6
        config set tap-y login eve
        config unset tap-y port
        config set nosuch port 6
        config set --plugin-type=loader tap-x port 6
    """,
    "unset": """
        config unset tap-x login
        config unset tap-x auth.token
        config unset tap-x auth token
        config unset tap-x nosuch
        config unset tap-x port
    """,
    "jobs": """
        job add j2 --tasks 'tap-x m1 target-x'
        job add j3 --tasks '["tap-x target-x", [tap-y, target-x]]'
        job add j3 --tasks 'tap-x target-x'
        job add j4 --tasks tap-x
        job add j4 --tasks '[tap-x target-x, nosuch]'
        job add j4 --tasks '{a: b}'
        job set j2 --tasks 'tap-y target-x'
        job set nosuch --tasks 'tap-y target-x'
        job list
        job remove j2
        job remove nosuch
    """,
    "schedules": """
        schedule add s3 --interval @hourly --job j1
        schedule s4 --interval '5 4 * * mon-fri' --extractor tap-x --loader target-x
        schedule add s3 --interval @hourly --job j1
        schedule add s5 --interval '5 4 * *' --job j1
        schedule add s5 --interval @hourly --job j1 --loader target-x
        schedule set s1 --interval @monthly
        schedule set s1 --loader target-x
        schedule set s2 --loader other --transform run
        schedule set s2 --job j1
        schedule set nosuch --job j1
        schedule list
        schedule remove s2
        schedule remove s2
    """,
    "environment names": """
        environment add test
        environment add test
        environment add a:b
        environment list
        environment remove test
        environment remove test
    """,
    "selection": """
        select tap-x users id
        select tap-x --exclude users name
        select tap-x
        --environment prod select tap-x orders
        select tap-x --rm users id
        select tap-x --rm nosuch
        select tap-y users
        select target-x users
        --environment prod select --clear tap-x
        select --clear tap-x
    """,
    "reset": """
        config reset --yes tap-y
        config reset --yes tap-x --store meltano_yml
        config set tap-x port 5
        config set tap-x _select '["b.*"]'
        config reset --yes tap-x
    """,
}

PLUGIN_TYPES = {"extractors", "loaders", "orchestrators", "mappers"}

# Where ours is better. --store meltano_yml without an environment is an error with Meltano, which
# looks for one; --store=meltano-environment it does not have on its command line.
DIFFERENT = {
    "config set tap-x port 12 --store=meltano-environment",
}


@dataclasses.dataclass
class Copy:
    program: object
    root: Path
    env: dict[str, str]

    def run(self, line: str):
        return self.program.run(shlex.split(line), self.root, self.env).without(self.root)

    def files(self) -> dict:
        """What meltano.yml means, without empty mappings and lists, which Meltano drops, and the
        text of .env."""
        dotenv = self.root / ".env"
        return {
            "meltano.yml": without_empty(yaml.safe_load((self.root / "meltano.yml").read_text())),
            ".env": dotenv.read_text() if dotenv.exists() else "",
        }


def without_empty(value, is_listed=False):
    """Also without entries of plugins in an environment that say no more than their name."""
    if isinstance(value, dict):
        kept = {key: without_empty(item, key in PLUGIN_TYPES) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in ({}, [], None)}
    if isinstance(value, list):
        kept = [without_empty(item) for item in value]
        return [item for item in kept if not (is_listed and item.keys() == {"name"})]
    return value


@pytest.fixture
def copies(programs, tmp_path):
    made = []
    for program in programs:
        root = tmp_path / program.name
        root.mkdir()
        (root / "meltano.yml").write_text(PROJECT)
        made.append(Copy(program, root, clean_environment(tmp_path / f"home-{program.name}")))
    return made


@pytest.mark.parametrize("case", CASES)
def test_a_change_does_the_same(copies, case):
    for line in filter(None, map(str.strip, CASES[case].splitlines())):
        if line in DIFFERENT:
            continue
        theirs, ours = (copy.run(line) for copy in copies)
        assert (ours.status != 0) == (theirs.status != 0), f"{line}\n{ours.stderr}\n{theirs.stderr}"
        # Ours names the plugin that a value is inherited from.
        out = ours.stdout.replace("(inherited from 'tap-x')", "(from inherited)")
        assert out == theirs.stdout, line
        assert copies[1].files() == copies[0].files(), line


def test_a_setting_in_the_database_is_seen_by_the_other_program(copies):
    theirs, ours = copies
    for line in ("config set tap-x port 77 --store db", "config set tap-x list '[1]' --store db"):
        assert ours.run(line).status == 0
        assert theirs.run(line).status == 0
    for one, other in ((theirs, ours), (ours, theirs)):
        (one.root / "meltano.yml").write_text(PROJECT.replace("      port: 5\n", ""))
        swapped = Copy(other.program, one.root, other.env)
        assert '"port": 77' in swapped.run("config print tap-x").stdout
