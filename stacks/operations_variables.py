"""Every Terraform variable, by stack: the values that operations may change without Python.

Each attribute is a reference to one variable. `stacks.variables` has the kinds of variables.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network

from cdktf import Token

from settings import Deployment
from settings.backlog import BacklogSettings
from settings.codecommit import CodeCommitSettings, PullSettings
from settings.gitlab import AmiSettings, GitlabSettings
from settings.network import NetworkSettings
from settings.proxy import SquidSettings
from stacks import variables
from stacks.base import BaseStack
from stacks.variables import Apart
from terraform.facts import AddressList

NO_TERMINAL = "An isolated room must not reach GitLab: name no address of a work terminal."
_INSTANCE_TYPE = "^[a-z0-9-]+\\\\.[a-z0-9-]+$"


class NetworkVariables:
    """Variables of dev-network."""

    def __init__(self, stack: BaseStack, settings: NetworkSettings) -> None:
        self.flow_log_retention_days = variables.log_retention_days(
            stack,
            "flow_log_retention_days",
            "How long CloudWatch keeps the VPC's flow logs, days.",
            settings.flow_log_retention_days,
        )


class ProxyVariables:
    """Variables of dev-proxy."""

    def __init__(self, stack: BaseStack, settings: SquidSettings) -> None:
        self.instance_count = variables.whole_number(
            stack,
            "instance_count",
            "How many proxies run.",
            settings,
            "instances",
        )
        self.instance_type = variables.text(
            stack,
            "instance_type",
            "EC2 instance type of a proxy; its processor must stay the same.",
            settings.instance_type,
            pattern=_INSTANCE_TYPE,
            example="c7i.2xlarge",
        )
        self.log_retention_days = variables.log_retention_days(
            stack, "log_retention_days", "How long CloudWatch keeps the access log.", settings.log_retention_days
        )


class GitlabVariables:
    """Variables of dev-gitlab; `start_schedule` and `stop_schedule` exist where the server has hours."""

    start_schedule: str
    stop_schedule: str

    def __init__(self, stack: BaseStack, settings: GitlabSettings, deployment: Deployment) -> None:
        """The deployment file has the networks of the isolated rooms, which must not reach GitLab."""
        self.work_terminal_cidrs = variables.cidrs(
            stack,
            AddressList(
                variable="work_terminal_cidrs", use="work terminals", open_because=settings.open_to_the_world_because
            ),
            "Where people and their Git clients come from.",
            settings.work_terminal_cidrs,
            public=False,
            apart=Apart(
                networks=deployment.room_networks,
                otherwise="An isolated room must not reach GitLab: name no address of a room.",
                elsewhere=_checks_of_rooms(deployment),
            ),
        )
        self.instance_type = variables.text(
            stack,
            "instance_type",
            "EC2 instance type of the server.",
            settings.instance_type,
            pattern=_INSTANCE_TYPE,
            example="c7i.2xlarge",
        )
        self.ami_id, self.ami_name_pattern = self._image(stack, settings.ami)
        self.termination_protection = variables.termination_protection(
            stack,
            "termination_protection",
            "Whether EC2 refuses to terminate the server; false is needed to destroy it.",
            settings.termination_protection,
        )
        self.data_volume_gib = variables.whole_number(
            stack,
            "data_volume_gib",
            "Size of the volume that holds GitLab's data, GiB; it can grow, not shrink.",
            settings.data_volume,
            "size_gib",
        )
        self.keep_backup_days = variables.whole_number(
            stack,
            "keep_backup_days",
            "How long a daily backup is kept, days.",
            settings.backups,
            "keep_days",
        )
        self.image_retention_count = variables.retention(
            stack,
            "image_retention_count",
            "How many daily images of the server are kept.",
            settings.images,
            "keep",
        )
        if settings.schedule is not None:
            self.start_schedule, self.stop_schedule = (
                variables.schedule(stack, f"{name}_schedule", f"When the server is {done}.", cron, rates=False)
                for name, done, cron in (
                    ("start", "started", settings.schedule.start),
                    ("stop", "stopped", settings.schedule.stop),
                )
            )

    def _image(self, stack: BaseStack, ami: AmiSettings) -> tuple[str | None, str]:
        """The image's id, where the file names one; otherwise the name that chooses it."""
        if ami.id is not None:
            description = "Image the server is first made from; a later change does nothing."
            pattern, example = "^ami-[0-9a-f]+$", "ami-0123456789abcdef0"
            ami_id = variables.text(stack, "ami_id", description, ami.id, pattern=pattern, example=example)
            return ami_id, ami.name_pattern
        description = "The server is first made from the newest image of this name; a later change does nothing."
        return None, variables.any_text(
            stack, "ami_name_pattern", description, ami.name_pattern, example="GitLab CE 18.*"
        )


def _checks_of_rooms(deployment: Deployment) -> str:
    """What prd-codecommit checks against the work terminals' networks."""
    codecommit = deployment.prd.codecommit if deployment.prd is not None else None
    rooms = codecommit.rooms.values() if codecommit is not None else ()
    pull = codecommit.pull if codecommit is not None else None
    names = [
        *(["pull_from_cidrs"] if pull is not None and pull.from_cidrs is not None else []),
        *(["room_…_from_cidrs"] if any(room.from_cidrs is not None for room in rooms) else []),
    ]
    return f"prd-codecommit's {' and '.join(names)}{', and of its rooms in iam_rooms.tf' if rooms else ''}"


class CodecommitVariables:
    """Variables of prd-codecommit; the networks that may push or pull are Terraform expressions of lists.

    `room_cidrs` has those of each room that pulls from networks, by its name, and `pull_cidrs` those of the pull user.
    """

    push_cidrs: str | None
    pull_cidrs: str | None
    room_cidrs: dict[str, str]
    trail_retention_days: float

    def __init__(self, stack: BaseStack, settings: CodeCommitSettings, work_terminals: Sequence[IPv4Network]) -> None:
        """`work_terminals` are the networks in the deployment file that reach GitLab."""
        self.push_cidrs, self.pull_cidrs, self.room_cidrs = None, None, {}
        no_terminal = Apart(
            networks=work_terminals,
            otherwise=NO_TERMINAL,
            elsewhere="dev-gitlab's work_terminal_cidrs",
        )
        push = settings.push
        if push is not None and push.from_cidrs is not None:
            self.push_cidrs = _public_cidrs(
                stack,
                AddressList(variable="push_from_cidrs", use="push user", open_because=push.open_to_the_world_because),
                "Public addresses the push user works from: development's way out.",
                push.from_cidrs,
            )
        rooms: list[tuple[str | None, PullSettings | None]] = [(None, settings.pull), *settings.rooms.items()]
        for name, room in rooms:
            if room is None or room.from_cidrs is None:
                continue
            cidrs = _public_cidrs(
                stack,
                AddressList(
                    variable="pull_from_cidrs" if name is None else f"room_{name}_from_cidrs",
                    use="room",
                    room=name,
                    open_because=room.open_to_the_world_because,
                ),
                "Public addresses the pull user works from: the isolated room's way out.",
                room.from_cidrs,
                no_terminal,
            )
            if name is None:
                self.pull_cidrs = cidrs
            else:
                self.room_cidrs[name] = cidrs
        if settings.detection is not None and settings.detection.trail_retention_days is not None:
            self.trail_retention_days = variables.retention(
                stack,
                "trail_retention_days",
                "How long the trail's files are kept, days.",
                settings.detection,
                "trail_retention_days",
            )


class BacklogVariables:
    """Variables of backlog-bridge; `cache_retention_days` exists where builds keep their copies in S3."""

    cache_retention_days: float

    def __init__(self, stack: BaseStack, settings: BacklogSettings) -> None:
        self.webhook_sender_cidrs = variables.cidrs(
            stack,
            AddressList(
                variable="webhook_sender_cidrs",
                use="webhook senders",
                open_because=settings.webhook.open_to_the_world_because,
            ),
            "Public addresses that Backlog's webhooks come from, as Nulab publishes them.",
            settings.webhook.sender_cidrs,
            public=True,
        )
        self.reconcile_schedule = variables.schedule(
            stack,
            "reconcile_schedule",
            "When all mirrors are compared, also without a webhook.",
            settings.reconcile,
            rates=True,
        )
        self.build_timeout_minutes = variables.whole_number(
            stack,
            "build_timeout_minutes",
            "After this a build is stopped, minutes.",
            settings,
            "build_timeout_minutes",
            in_json="timeout_minutes",
        )
        self.log_retention_days = variables.log_retention_days(
            stack,
            "log_retention_days",
            "How long CloudWatch keeps the builds' logs, days.",
            settings.log_retention_days,
        )
        self.silent_hours = variables.whole_number(
            stack,
            "silent_hours",
            "An alarm is raised when a mirror differed, or none was reconciled, for this long, hours.",
            settings.alerts,
            "silent_hours",
            in_json="alert_hours",
        )
        self.silent_seconds = Token.as_number("${var.silent_hours * 3600}")
        if settings.cache.mode == "s3":
            self.cache_retention_days = variables.retention(
                stack,
                "cache_retention_days",
                "How long an unused cache is kept, days.",
                settings.cache,
                "expiration_days",
            )


def _public_cidrs(
    stack: BaseStack,
    fact: AddressList,
    description: str,
    default: Iterable[IPv4Network],
    apart: Apart | None = None,
) -> str:
    variables.cidrs(stack, fact, description, default, public=True, apart=apart)
    return f"var.{fact.variable}"
