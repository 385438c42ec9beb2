"""The stand-ins are as narrow as AWS, for the clients that AWS's own tools use."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.real.mirror import services
from tests.real.mirror.world import PROJECT, MirrorCase, MirrorWorld, Repository

ROLE = "arn:aws:iam::222222222222:role/mirror"

# boto3 signs as AWS wants it, and git-remote-codecommit as CodeCommit does.
_CLIENT = """
import base64, hashlib, http.client, json, os, subprocess, sys
from urllib.parse import unquote, urlsplit
import boto3, git_remote_codecommit
from botocore.exceptions import ClientError
from botocore.session import get_session

def client(service, keys={}):
    return boto3.client(service, region_name="ap-northeast-1", verify=os.environ["SSL_CERT_FILE"], **keys)

def session(policy, role="arn:aws:iam::222222222222:role/mirror", keys={}):
    found = client("sts", keys).assume_role(RoleArn=role, RoleSessionName="test", Policy=json.dumps(policy))
    names = {"AccessKeyId": "aws_access_key_id", "SecretAccessKey": "aws_secret_access_key"}
    names["SessionToken"] = "aws_session_token"
    return {own: found["Credentials"][name] for name, own in names.items()}

def policy(*repositories, action="codecommit:GitPush"):
    arns = [f"arn:aws:codecommit:ap-northeast-1:222222222222:{name}" for name in repositories]
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [action], "Resource": arns}]}

def git(repository, *command, keys=None):
    own = get_session()
    own.set_credentials(*keys.values()) if keys else None
    url = git_remote_codecommit.git_url(repository, "v1", "ap-northeast-1", own.get_credentials())
    return subprocess.run(["git", *command[:1], url, *command[1:]], capture_output=True, text=True)

def by_hand(keys, commands, capabilities):
    own = get_session()
    own.set_credentials(*keys.values())
    url = urlsplit(git_remote_codecommit.git_url("website", "v1", "ap-northeast-1", own.get_credentials()))
    lines = [command + chr(10) for command in commands]
    lines[0] = commands[0] + chr(0) + capabilities + chr(10)
    body = "".join(f"{len(line) + 4:04x}{line}" for line in lines).encode() + b"0000" + EMPTY
    connection = http.client.HTTPSConnection(url.hostname)
    login = base64.b64encode(f"{unquote(url.username)}:{url.password}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/x-git-receive-pack-request"}
    connection.request("POST", url.path + "/git-receive-pack", body, headers)
    return connection.getresponse().read().decode().replace(chr(10), "|")

EMPTY = b"PACK" + bytes([0, 0, 0, 2, 0, 0, 0, 0])
EMPTY += hashlib.sha1(EMPTY).digest()

def refused(what):
    try:
        what()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"
"""


def _client(case: MirrorCase, program: str, folder: Path = PROJECT) -> str:
    """What a program prints that uses AWS's own clients inside the namespace, with the build role's credentials."""
    program = f"{_CLIENT}\nos.chdir({str(folder)!r})\n{program}"
    ran = subprocess.run(
        [*case.world.enter(), sys.executable, "-c", program],
        env=case.machine,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.fixture(scope="module")
def case(world: MirrorWorld) -> MirrorCase:
    """Two targets that hold a commit, and a mirror role."""
    case = world.case("ASIATHEWORLD", projects={"website": "WEB", "batch": "OPS"})
    case.allow(ROLE, {"/state": "{}"})
    for pair in case.pairs.values():
        pair.target.commit("refs/heads/main")
        pair.target.set_default("main")
    return case


def test_a_session_opens_the_one_repository_of_its_policy(case: MirrorCase) -> None:
    program = """
keys = session(policy("website"))
print(client("codecommit", keys).get_repository(repositoryName="website")["repositoryMetadata"]["defaultBranch"])
print(refused(lambda: client("codecommit", keys).get_repository(repositoryName="batch")))
print(git("website", "ls-remote", keys=keys).returncode, git("batch", "ls-remote", keys=keys).returncode)
print(git("website", "ls-remote").returncode)
print(refused(lambda: client("ssm", keys).get_parameter(Name="/state")))
"""
    assert _client(case, program).split() == [
        "main",
        "AccessDeniedException",
        "0",
        "128",
        "128",
        "AccessDeniedException",
    ]


def test_no_session_is_wider_than_one_repository_or_an_hour(case: MirrorCase) -> None:
    program = """
print(refused(lambda: session(policy("website", "batch"))))
print(refused(lambda: session(policy("*"))))
print(refused(lambda: session(policy("website", action="s3:GetObject"))))
print(refused(lambda: session(policy("website"), role="arn:aws:iam::222222222222:role/other")))
print(refused(lambda: session(policy("website"), keys=session(policy("website")))))
print(refused(lambda: client("sts").assume_role(
    RoleArn="arn:aws:iam::222222222222:role/mirror", RoleSessionName="test", DurationSeconds=3601,
    Policy=json.dumps(policy("website")))))
"""
    assert _client(case, program).split() == [*["AccessDeniedException"] * 5, "ValidationException"]


def test_a_wrong_or_old_signature_opens_nothing(case: MirrorCase) -> None:
    program = """
keys = session(policy("website"))
print(git("website", "ls-remote", keys=keys | {"aws_secret_access_key": "other"}).returncode)
print(git("website", "ls-remote", keys=keys | {"aws_session_token": "other"}).returncode)
print(refused(lambda: client("codecommit", keys | {"aws_secret_access_key": "x"}).get_repository(repositoryName="x")))
import datetime
class Old(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return super().utcnow() - datetime.timedelta(minutes=16)
git_remote_codecommit.datetime.datetime = Old
print(git("website", "ls-remote", keys=keys).returncode)
"""
    assert _client(case, program).split() == ["128", "128", "AccessDeniedException", "128"]


def test_the_other_apis_store_and_record(case: MirrorCase) -> None:
    program = """
ssm = client("ssm")
ssm.put_parameter(Name="/state", Value="1", Overwrite=True)
print(ssm.get_parameter(Name="/state", WithDecryption=True)["Parameter"]["Value"])
print(refused(lambda: ssm.get_parameter(Name="/other")))
entry = {"Source": "kakehashi.backlog", "DetailType": "Mirrors differ", "Detail": '{"unit": "example"}'}
print(client("events").put_events(Entries=[entry])["FailedEntryCount"])
"""
    assert _client(case, program).split() == ["1", "ParameterNotFound", "0"]
    (event,) = case.taken(services.EVENTS)
    assert '"Detail": {"unit": "example"}' in event


def test_git_is_served_with_no_more_than_codecommit_has(case: MirrorCase, tmp_path: Path) -> None:
    source = Repository.create(tmp_path / "source.git")
    main = source.commit("refs/heads/main")
    source.update({f"refs/heads/{'0' * 40}": main, "refs/heads/more": main})
    program = """
keys = session(policy("website"))
os.environ["GIT_TRACE_PACKET"] = "1"
ran = git("website", "ls-remote", keys=keys)
assert ran.stdout, (ran.stderr, ran.returncode)
listed, tip = ran.stderr, ran.stdout.split()[0]
print("symref" in listed, "agent=" in listed, "ofs-delta" in listed)
pushed = git("website", "push", "+refs/heads/*:refs/heads/*", keys=keys).stderr
print("atomic" in pushed, "agent=" in pushed, "ofs-delta" in pushed, "thin" in pushed)
del os.environ["GIT_TRACE_PACKET"]
print(git("website", "push", ":refs/heads/main", keys=keys).returncode)
none = "0" * 40
print(by_hand(keys, [f"{none} {tip} refs/tags/1"], "report-status"))
print(by_hand(keys, [f"{none} {tip} refs/tags/2"], "report-status agent=git/2"))
print(by_hand(keys, [f"{none} {tip} refs/many/{number}" for number in range(4001)], "report-status")[:60])
"""
    traced, pushed, deleted, one, named, many = _client(case, program, source.path).splitlines()
    assert (traced, pushed) == ("False False False", "False False False False")
    assert deleted == "1"
    assert one == "000eunpack ok|0013ok refs/tags/1|0000"
    assert named == ""
    assert many.startswith("0025unpack more than 4000 references")
    assert case.pair.target.refs() == dict.fromkeys(("refs/heads/main", "refs/heads/more", "refs/tags/1"), main)


def _zombies(init: int) -> list[str]:
    """States of the namespace's dead processes that its first process has not waited for."""
    states = []
    for child in Path(f"/proc/{init}/task/{init}/children").read_text().split():
        try:
            states.append(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0])
        except FileNotFoundError:
            continue
    return [state for state in states if state == "Z"]


def test_no_zombie_remains_of_a_process_that_a_build_left_running(world: MirrorWorld) -> None:
    left = "sleep 0.2 & echo $!"
    run = subprocess.run([*world.enter(), "sh", "-c", left], stdout=subprocess.PIPE, text=True, check=True)
    assert run.stdout.strip().isdigit()
    deadline = time.monotonic() + 5
    time.sleep(0.4)
    while _zombies(world.init) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _zombies(world.init) == []
