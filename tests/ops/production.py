"""A production account and a GitLab on loopback, that the commands for people are run against and stopped in."""

import copy
import functools
import json
import operator
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]
import pytest
import requests
from botocore.httpsession import URLLib3Session  # type: ignore[import-untyped]

from ops.git_access.mirror_client import MirrorClient
from ops.git_access.mirror_records import MirrorRecords
from ops.git_access.mirrors import pushes_to, wanted_mirrors
from settings import Deployment, load
from tests.ops.gitlab_stand_in import TOKEN, GitlabStandIn, Mirror, serving

# moto takes three seconds to import, so that it is imported where the account is started.
if TYPE_CHECKING:
    from ops.rehearse.emulated_aws import EmulatedAws

ACCOUNT = "222222222222"
REGION = "ap-northeast-1"
TARGET = f"git-codecommit.{REGION}.amazonaws.com/v1/repos"
PROJECTS = {"infrastructure": "platform/infrastructure", "application": "platform/application"}

SETTINGS: dict[str, Any] = {
    "name": "kakehashi",
    "owner": "platform-team",
    "region": REGION,
    "prd": {
        "account": {"id": ACCOUNT},
        "codecommit": {
            "repositories": {name: {"gitlab_project": project} for name, project in PROJECTS.items()} | {"other": None},
            "push": {"from_cidrs": ["203.0.113.10/32"]},
            "pull": {"from_cidrs": ["198.51.100.0/28"]},
            "rooms": {"vault": {"from_cidrs": ["198.51.100.32/28"]}},
        },
    },
}


@functools.cache
def _loaded(file: Path, text: str) -> Deployment:  # noqa: ARG001
    return load(file)


class _SharedSession(boto3.Session):  # type: ignore[misc]
    """A session whose clients are made once: making them for each command would be half of the tests' time."""

    def client(self, service_name: str, **more: Any) -> Any:
        made = self.__dict__.setdefault("made", {})
        retries = more["config"].retries["total_max_attempts"] if "config" in more else 0
        if (service_name, retries) not in made:
            made[service_name, retries] = super().client(service_name, **more)
        return made[service_name, retries]


class Stopped(BaseException):
    """The command's process is gone; nothing of it may catch this."""


@dataclass
class Production:
    """The account, GitLab, and what was asked of both."""

    aws: "EmulatedAws"
    gitlab: GitlabStandIn
    url: str
    file: Path
    requests: int = 0
    stop_after: int | None = None
    after_request: Callable[[], None] = lambda: None
    passwords: set[str] = field(default_factory=set)

    def say(self, changes: Mapping[str, Any]) -> None:
        """Change the deployment file: dotted paths to values."""
        settings = json.loads(self.file.read_text())
        for path, value in changes.items():
            *steps, last = path.split(".")
            functools.reduce(operator.getitem, steps, settings)[last] = value
        self.file.write_text(json.dumps(settings))

    def begin_anew(self) -> None:
        """Users without credentials, no secret, and projects without mirrors."""
        from moto.iam.models import iam_backends
        from moto.ssm.models import ssm_backends

        self._secrets_manager.reset()
        ssm_backends[ACCOUNT][REGION].reset()
        iam = iam_backends[ACCOUNT]["aws"]
        iam.reset()
        for user in ("push", "pull", "pull-vault"):
            iam.create_user("us-east-1", f"kakehashi-prd-{user}")
        self.shelf.clear()
        self.gitlab.projects.update({project: [] for project in PROJECTS.values()})
        self.gitlab.calls.clear()
        self.gitlab.faults.clear()
        self._by_hand.clear()

    def remembered(self) -> Any:
        """Everything as it is, to be put back."""
        parts = (
            dict(self._secrets_manager.secrets),
            self.shelf,
            self.gitlab.projects,
            self.gitlab.secrets,
            self._by_hand,
        )
        return copy.deepcopy((*parts, dict(self._parameters)))

    def put_back(self, before: Any) -> None:
        """Have everything as it was."""
        secrets, shelf, projects, made, by_hand, parameters = copy.deepcopy(before)
        pairs: list[tuple[Any, dict[Any, Any]]] = [
            (self._secrets_manager.secrets, secrets),
            (self.shelf, shelf),
            (self.gitlab.projects, projects),
            (self.gitlab.secrets, made),
            (self._by_hand, by_hand),
            (self._parameters, parameters),
        ]
        for held, had in pairs:
            for key in list(held):
                held.pop(key)
            for key, value in had.items():
                held[key] = value

    @property
    def deployment(self) -> Deployment:
        return _loaded(self.file, self.file.read_text())

    def mirrors(self) -> MirrorClient:
        from gitlab import Gitlab

        api = Gitlab(self.gitlab.url, private_token=TOKEN, timeout=5)
        records = MirrorRecords(self.deployment)
        return MirrorClient(api, wanted_mirrors(self.deployment), records, poll_seconds=0.01, patience_seconds=5)

    def client(self, service: str) -> Any:
        return boto3.Session(region_name=REGION).client(service)

    @property
    def _secrets_manager(self) -> Any:
        from moto.secretsmanager.models import secretsmanager_backends

        return secretsmanager_backends[ACCOUNT][REGION]

    @property
    def _parameters(self) -> Any:
        from moto.ssm.models import ssm_backends

        return ssm_backends[ACCOUNT][REGION]._parameters

    @property
    def shelf(self) -> dict[str, dict[str, Any]]:
        """Every service-specific credential by its id, without passwords."""
        return self.aws.stores["iam", ACCOUNT, REGION]["credentials"]

    def credentials(self, user: str = "kakehashi-prd-push") -> list[str]:
        """Ids of the user's credentials, oldest first."""
        own = [found for found in self.shelf.values() if found["UserName"] == user]
        return [found["ServiceSpecificCredentialId"] for found in sorted(own, key=lambda found: found["CreateDate"])]

    def secret(self, user: str = "kakehashi-prd-push", stage: str = "AWSCURRENT") -> dict[str, str]:
        """What people read from the secret."""
        stored = self._secrets_manager.get_secret_value(f"{user}-git-credential", "", stage)
        value: dict[str, str] = json.loads(stored["SecretString"])
        self.passwords.add(value["password"])
        return value

    def made_by_hand(self, user: str = "kakehashi-prd-push", *, days_ago: int = 200) -> tuple[str, str, str]:
        """Id, user name and password of a credential that somebody made in the console."""
        made = self.client("iam").create_service_specific_credential(
            UserName=user, ServiceName="codecommit.amazonaws.com"
        )["ServiceSpecificCredential"]
        self.passwords.add(made["ServicePassword"])
        self.shelf[made["ServiceSpecificCredentialId"]]["CreateDate"] -= timedelta(days=days_ago)
        self._by_hand[made["ServiceUserName"]] = made["ServicePassword"]
        return made["ServiceSpecificCredentialId"], made["ServiceUserName"], made["ServicePassword"]

    _by_hand: dict[str, str] = field(default_factory=dict)

    def accepts(self, user: str, password: str) -> bool:
        """Whether CodeCommit would: the user name is of a living credential, and the password is that one's."""
        for found in self.shelf.values():
            if found["ServiceUserName"] == user and found["Status"] == "Active":
                return password in self._passwords_of(found)
        return False

    def _passwords_of(self, credential: dict[str, Any]) -> set[str]:
        known = {self._by_hand.get(credential["ServiceUserName"], "")}
        for secret in self._secrets_manager.secrets.values():
            for version in secret.versions.values():
                value = json.loads(version["secret_string"])
                if value["credential_id"] == credential["ServiceSpecificCredentialId"]:
                    known = {value["password"]}
                    self.passwords.add(value["password"])
        return known - {""}

    def working(self, repository: str) -> list[Mirror]:
        """The mirrors into a repository whose push would be taken now."""
        return [
            mirror
            for mirror in self.gitlab.projects[PROJECTS[repository]]
            if pushes_to(mirror["url"], f"https://{TARGET}/{repository}") and self.gitlab.works(mirror)
        ]

    def kept_in_the_open(self) -> str:
        """Everything that AWS shows of secrets, users and parameters without decrypting, and GitLab of mirrors."""
        secrets = self._secrets_manager.secrets.values()
        shown = [[secret.name, secret.description, secret.tags, sorted(secret.versions)] for secret in secrets]
        mirrors = [{**mirror, "last_error": ""} for found in self.gitlab.projects.values() for mirror in found]
        parameters = [version.value for versions in self._parameters.values() for version in versions]
        return json.dumps([shown, mirrors, list(self.shelf.values()), parameters], default=str)


@contextmanager
def production(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Production]:
    """Serve both on loopback, with every request of boto3 and python-gitlab counted and, at will, the last one."""
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import make_server

    from ops.rehearse.emulated_aws import EmulatedAws

    class QuietHandler(MotoRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None: ...

    aws = EmulatedAws()
    server = make_server("127.0.0.1", 0, aws, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    with serving(GitlabStandIn(projects={project: [] for project in PROJECTS.values()})) as gitlab:
        url = f"http://127.0.0.1:{server.port}"
        for name, value in environment(url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        file = folder / "mine.yaml"
        settings = json.loads(json.dumps(SETTINGS))
        settings["prd"]["codecommit"]["push"]["gitlab_url"] = gitlab.url
        file.write_text(json.dumps(settings))
        world = Production(aws=aws, gitlab=gitlab, url=url, file=file)
        gitlab.accepts = world.accepts
        world.begin_anew()
        monkeypatch.setattr(boto3, "Session", functools.cache(_SharedSession))
        _count_requests(world, monkeypatch)
        try:
            yield world
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def environment(url: str) -> dict[str, str]:
    """What points AWS's libraries to the emulated account alone."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_REGION": REGION,
        "NO_PROXY": "127.0.0.1",
    }


def _count_requests(world: Production, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the process end once request number `stop_after` was carried out and before its answer is read."""

    def counted(send: Any) -> Any:
        def carried_out(*arguments: Any, **more: Any) -> Any:
            answer = send(*arguments, **more)
            world.requests += 1
            world.after_request()
            if world.stop_after is not None and world.requests >= world.stop_after:
                raise Stopped(f"after request {world.requests}")
            return answer

        return carried_out

    monkeypatch.setattr(URLLib3Session, "send", counted(URLLib3Session.send))
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", counted(requests.adapters.HTTPAdapter.send))


def stopped_everywhere(
    world: Production, prepare: Callable[[], None], command: Callable[[], None], *, at_least: int = 5
) -> Iterator[int]:
    """Prepare the world and run the command, stopped after each of its requests in turn, then once more to its end.

    Gives the number of requests after which it was stopped, each time when the second run is over.
    """
    number = 0
    while True:
        number += 1
        world.begin_anew()
        prepare()
        world.requests, world.stop_after = 0, number
        try:
            command()
        except Stopped:
            world.stop_after = None
            command()
            yield number
        else:
            world.stop_after = None
            assert number > at_least
            return
