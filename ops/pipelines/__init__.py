"""Writes the pipelines that plan, review and apply a deployment, for GitHub and GitLab.

The pipelines run `steps.sh`. The files written here say only when, with which role, and what a person must approve.
"""

import json
import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from errors import WRONG_USAGE, refused
from errors.shown import shown
from ops.pipelines import sources
from ops.pipelines.sources import Source
from settings import Deployment, LocatedProblem, SettingsError
from settings.place import is_outside
from terraform import output

FILES = {"github": Path(".github/workflows/kakehashi.yml"), "gitlab": Path(".gitlab-ci.yml")}

TERRAFORM = "1.11.4"
"""The release that pipelines install, for the plan as for the apply."""

_DRIFT_AT = "17 3 * * *"  # not on the hour, when GitHub is busiest and drops schedules
_ACKNOWLEDGED = "acknowledged.yaml"  # beside the deployment file
_NOTHING_ACKNOWLEDGED = """\
# Findings of `main.py review` that are meant, each as the comment shows it and with a reason. Take an entry out again
# once its change is applied: one that matches no finding fails the review.
# - allow: address-lost:dev-network/aws_eip.network_nat_a_address@5f2c81d09be4a763
#   because: the old line is cancelled, and production no longer names it
#   until: 2026-12-31
"""

Synthesise = Callable[[Deployment], AbstractContextManager[Path]]
"""Synthesises a deployment into an output folder that is removed afterwards."""


def write(
    platform: str,
    file: Path,
    deployment: Deployment,
    synthesise: Synthesise,
    *,
    out: Path | None,
    branch: str,
    force: bool,
    language: str = "en",
    kakehashi: str | None = None,
) -> dict[Path, str]:
    """Write a platform's pipeline for the deployment in `file` below `out`, by default into the repository it lies in.

    Its reviews are in `language`, which is one that `main.py review` has. It takes Kakehashi from `kakehashi`, which is
    REPOSITORY@COMMIT; without, the repository is Kakehashi's own. Gives what each written file is.

    Raises RefusedError for what no pipeline can work with and, unless `force`, for another file in its place.
    """
    if platform not in FILES:
        raise refused("ci", f"{platform!r} is not a platform", f"choose one of {', '.join(FILES)}", status=WRONG_USAGE)
    if not _is_branch(branch):
        what = f"{shown(branch)} is not the name of a branch"
        raise refused("--branch", what, "write it as Git shows it, for example main", status=WRONG_USAGE)
    problems = list(_problems(file, deployment))
    if problems:
        raise SettingsError(problems)
    source = sources.source(kakehashi, platform) if kakehashi is not None else None
    if source is None and is_outside(file):
        hint = "name what its pipeline takes Kakehashi from: --kakehashi REPOSITORY@TAG"
        raise refused(
            str(file), "lies outside this checkout, in a repository without Kakehashi", hint, status=WRONG_USAGE
        )
    repository = _repository(file)
    out = out or repository
    inside = _inside(file, out, repository)
    target = out / FILES[platform]
    stacks = _stacks(deployment, synthesise)
    text = render(platform, inside, deployment, stacks, branch=branch, language=language, source=source)
    if target.exists() and target.read_text(encoding="utf-8") != text and not force:
        hint = "compare it with what `--out` writes into an empty folder, or replace it with --force"
        raise refused(str(target), "there is another file already", hint)
    _put(target, text)
    written = {target: "the pipeline; its head says what to set up"}
    acknowledged = out / inside.with_name(_ACKNOWLEDGED)
    if not acknowledged.exists():
        _put(acknowledged, _NOTHING_ACKNOWLEDGED)
        written[acknowledged] = "an empty list of acknowledged findings, which the pipeline's reviews read"
    return written


def _is_branch(name: str) -> bool:
    """Whether Git takes it as a branch (https://git-scm.com/docs/git-check-ref-format), and it is printable."""
    parts = name.split("/")
    return (
        name.isprintable()
        and not re.search(r"[ ~^:?*\[\\]|\.\.|@\{|^-|\.$|^HEAD$", name)
        and not any(not part or part.startswith(".") or part.endswith(".lock") for part in parts)
    )


def _repository(file: Path) -> Path:
    """The folder of the repository that a deployment file lies in; where it is none of Git's, the file's folder."""
    if not is_outside(file):
        return Path()
    own = file.parent.resolve()
    found = next((folder for folder in (own, *own.parents) if (folder / ".git").exists()), own)
    return found if file.is_absolute() else Path(os.path.relpath(found))


def _inside(file: Path, out: Path, repository: Path) -> Path:
    """The deployment file as a pipeline finds it, from the repository's folder."""
    if "$" in str(file):
        what = "a pipeline cannot work with a path with '$', which make and GitLab take for a variable"
        raise SettingsError([LocatedProblem(file=str(file), what=what, hint="rename it")])
    for folder in (out, repository):
        if file.resolve().is_relative_to(folder.resolve()):
            return file.resolve().relative_to(folder.resolve())
    hint = "keep it in the repository, below deployments/"
    raise SettingsError([LocatedProblem(file=str(file), what="is outside the repository", hint=hint)])


def _put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def render(
    platform: str,
    file: Path,
    deployment: Deployment,
    stacks: dict[str, list[str]],
    *,
    branch: str,
    language: str = "en",
    source: Source | None = None,
) -> str:
    """The pipeline's text; `stacks` are in the order of deployment, by environment."""
    s3 = deployment.state.s3
    if s3 is None:
        raise ValueError("a pipeline needs a state that outlives it")
    template = _environment().get_template(f"{platform}.yml.j2")
    home = f"{sources.FOLDER}/" if source else ""
    main = f"{home}.venv/bin/python {home}main.py"
    beside = f' -C {sources.FOLDER} DEPLOYMENT="$PWD/$DEPLOYMENT" CDKTF_OUTDIR="$PWD/cdktf.out"' if source else ""
    plans = " ".join(f"plans/{name}.json" for names in stacks.values() for name in names)
    # The path itself stands in no script: a shell would read what is in it.
    acknowledged = f'"$(dirname "$DEPLOYMENT")/{_ACKNOWLEDGED}"'
    in_language = "" if language == "en" else f" --language {language}"
    return template.render(
        applied=f"s3://{s3.bucket}/{s3.key_prefix}/plans/applied",
        branch=branch,
        deployment=file.as_posix(),
        drift_at=_DRIFT_AT,
        environments=list(stacks),
        home=home,
        language=in_language,
        main=main,
        record=f'{main} approval record --commit "$(git rev-parse HEAD)" --to plans/approval.json {plans}',
        region=deployment.region,
        reviewed=f" --acknowledged {acknowledged} --outputs plans/applied cdktf.out --in-order{in_language} {plans}",
        source=source,
        stacks={environment: " ".join(names) for environment, names in stacks.items()},
        state_key=s3.kms_key_arn,
        state_role=s3.assume_role_arn,
        steps=f"{home}ops/pipelines/steps.sh",
        synth=f"make{beside} synth",
        terraform=TERRAFORM,
    )


def _problems(file: Path, deployment: Deployment) -> list[LocatedProblem]:
    """What a pipeline cannot work with: every run starts on an empty machine."""
    found = []
    if deployment.state.s3 is None:
        found.append(
            LocatedProblem(
                file=str(file),
                path=("state", "s3"),
                what="is missing, and a pipeline cannot keep a state in files",
                hint="name a bucket in state.s3: the states lie there, and the lock files of the last apply",
            )
        )
    profiles = [
        (("dev", "account", "profile"), deployment.dev and deployment.dev.account.profile),
        (("prd", "account", "profile"), deployment.prd and deployment.prd.account.profile),
        (("state", "s3", "profile"), deployment.state.s3 and deployment.state.s3.profile),
    ]
    found += [
        LocatedProblem(
            file=str(file),
            path=path,
            what=f"{profile!r} is a profile of your machine, and a pipeline has none",
            hint="remove it, and set AWS_PROFILE where you work by hand",
        )
        for path, profile in profiles
        if profile
    ]
    return found


def _stacks(deployment: Deployment, synthesise: Synthesise) -> dict[str, list[str]]:
    """The stacks of each environment, in the order of deployment."""
    with synthesise(deployment) as out:
        stacks = output.read(out)
    accounts = {
        environment: part.account.id
        for environment, part in (("dev", deployment.dev), ("prd", deployment.prd))
        if part is not None
    }
    return {
        environment: names
        for environment, account in accounts.items()
        if (names := [stack.name for stack in stacks if stack.account == account])
    }


def _yaml(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _expression(value: str) -> str:
    """A string in an expression of GitHub's, which doubles its quotation marks."""
    return "'" + value.replace("'", "''") + "'"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  (nothing here is HTML; every value of a user's goes through `yaml`)
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # GitHub's own expressions are written {{ … }}.
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
    )
    environment.filters["yaml"] = _yaml
    environment.filters["expression"] = _expression
    return environment
