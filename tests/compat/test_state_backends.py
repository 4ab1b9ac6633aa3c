"""State in files and in S3, continued by either program."""

import json
import os
import shutil
import subprocess
import time
import urllib.request

import pytest

from support.oracle import Meltano, Meltshim, Result, clean_environment
from support.paths import venv_bin
from support.servers import free_port, stop, wait_until

STATE_ID = "dev:tap-count-to-target-echo"
RUN = ["run", "tap-count", "target-echo"]
BUCKET = "state"

# With checked signatures: makes the bucket and a user, and prints the user's keys. The server lets
# as many requests pass unchecked as it takes.
SET_UP_S3 = """
import json, sys, boto3
where = dict(endpoint_url=sys.argv[1], region_name="us-east-1",
             aws_access_key_id="any", aws_secret_access_key="any")
iam = boto3.client("iam", **where)
iam.create_user(UserName="meltano")
rule = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
iam.put_user_policy(UserName="meltano", PolicyName="all",
                    PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [rule]}))
boto3.client("s3", **where).create_bucket(Bucket=sys.argv[2])
key = iam.create_access_key(UserName="meltano")["AccessKey"]
print(json.dumps([key["AccessKeyId"], key["SecretAccessKey"]]))
"""
UNCHECKED_REQUESTS = "4"


@pytest.fixture(scope="module")
def s3_settings(tmp_path_factory):
    """The settings of a bucket on a server that checks signatures."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("s3") / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [venv_bin("s3") / "moto_server", "-H", "127.0.0.1", "-p", str(port)],
            env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": UNCHECKED_REQUESTS},
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: _answers(f"{address}/moto-api/"), f"the S3 server (log: {log})")
        command = [venv_bin("s3") / "python", "-c", SET_UP_S3, address, BUCKET]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        key_id, secret = json.loads(done.stdout)
        yield {
            "MELTANO_STATE_BACKEND_S3_AWS_ACCESS_KEY_ID": key_id,
            "MELTANO_STATE_BACKEND_S3_AWS_SECRET_ACCESS_KEY": secret,
            "MELTANO_STATE_BACKEND_S3_ENDPOINT_URL": address,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
    finally:
        stop(server)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


class Project:
    def __init__(self, root, env):
        self.root = root
        self.env = env

    def run(self, program, *words, **env) -> Result:
        return program.run(list(words), self.root, {**self.env, **env})

    def succeed(self, program, *words, **env) -> Result:
        result = self.run(program, *words, **env)
        assert result.status == 0, f"{program.name} {words}: {result.stderr}"
        return result

    def state(self, program, state_id: str = STATE_ID) -> dict:
        return json.loads(self.succeed(program, "state", "get", state_id).stdout)


@pytest.fixture(params=["file", "s3"])
def project(request, tmp_path):
    source = request.path.parent / "projects" / "pair"
    env = clean_environment(tmp_path / "home")
    env["MELTANO_STATE_BACKEND_URI"] = f"file://{tmp_path}/kept here"
    if request.param == "s3":
        env.update(request.getfixturevalue("s3_settings"))
        prefix = f"some where/{time.monotonic_ns()}"
        env["MELTANO_STATE_BACKEND_URI"] = f"s3://{BUCKET}/{prefix}/"
    return Project(shutil.copytree(source, tmp_path / "project"), env)


@pytest.fixture(scope="module")
def both(meltshim):
    """The oracle from the environment that has the libraries of AWS."""
    oracle = Meltano("s3")
    yield oracle, Meltshim()
    oracle.close()


@pytest.mark.parametrize("first", [0, 1])
def test_each_continues_the_state_of_the_other(project, both, first):
    one, other = both[:: -1 if first else 1]
    project.succeed(one, *RUN)
    assert project.state(other)["singer_state"]["last"] == 3
    project.succeed(other, *RUN)
    project.succeed(one, "state", "merge", STATE_ID, '{"singer_state": {"more": {"b": 1}}}')
    assert project.state(one) == project.state(other)
    assert project.state(one)["singer_state"] == {"last": 6, "rate": 0.1, "more": {"b": 1}}
    listed = [project.succeed(program, "state", "list").stdout.split() for program in both]
    assert listed == [[STATE_ID]] * 2
    project.succeed(other, "state", "clear", "--force", STATE_ID)
    assert project.state(one) == project.state(other) == {}


def test_an_export_of_one_is_an_import_of_the_other(project, both, tmp_path):
    meltano, meltshim = both
    for state_id in ["a", "b c"]:
        project.succeed(meltano, "state", "set", "--force", state_id, '{"singer_state": {"n": 1}}')
    project.succeed(meltano, "state", "merge", "a", '{"singer_state": {"m": "\u00e9"}}')
    exports = [project.succeed(program, "state", "export").stdout for program in both]
    assert json.loads(exports[0]) == json.loads(exports[1])
    file = tmp_path / "export.json"
    file.write_text(exports[1])
    project.succeed(meltano, "state", "clear", "--force", "--all")
    project.succeed(meltano, "state", "import", str(file))
    assert project.succeed(meltshim, "state", "export").stdout == exports[1]


def test_wrong_keys_are_named_and_not_shown(project, both):
    if not project.env["MELTANO_STATE_BACKEND_URI"].startswith("s3"):
        pytest.skip("a directory needs no keys")
    wrong = {"MELTANO_STATE_BACKEND_S3_AWS_SECRET_ACCESS_KEY": "sesame-open"}
    result = project.run(both[1], "state", "list", **wrong)
    assert result.status != 0
    assert "SignatureDoesNotMatch" in result.stderr
    assert "sesame-open" not in result.stderr
