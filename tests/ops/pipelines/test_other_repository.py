"""Pipelines for a repository of its own, which has a deployment file and no Kakehashi."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from errors import RefusedError
from ops import pipelines
from ops.pipelines import FILES, sources
from settings import Deployment, load
from tests.terraform import with_changes

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def infra(project: Path, tmp_path: Path) -> Path:
    """A repository with a deployment file in a folder."""
    state = {"s3": {"bucket": "example-terraform-state", "key_prefix": "kakehashi", "region": "ap-northeast-1"}}
    file = tmp_path / "infra" / "environments" / "prd.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(with_changes(project / "deployments" / "minimal.yaml", {"state": state})))
    (tmp_path / "infra" / ".git").mkdir()
    return tmp_path / "infra"


@contextmanager
def _synthesised(_: Deployment) -> Iterator[Path]:
    raise AssertionError("nothing is synthesised for a pipeline that is refused")
    yield


def _write(infra: Path, kakehashi: str | None, out: Path | None = None) -> dict[Path, str]:
    file = infra / "environments" / "prd.yaml"
    stacks = {"prd": ["prd-codecommit"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipelines, "_stacks", lambda *_: stacks)
        return pipelines.write(
            "github", file, load(file), _synthesised, out=out, branch="main", force=False, kakehashi=kakehashi
        )


def test_the_pipeline_goes_into_the_deployment_files_repository_and_the_acknowledgements_beside_the_file(
    infra: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kakehashi").mkdir()
    monkeypatch.chdir(tmp_path / "kakehashi")
    written = _write(Path("../infra"), f"example/kakehashi@{COMMIT}")
    assert [str(path) for path in written] == [
        "../infra/.github/workflows/kakehashi.yml",
        "../infra/environments/acknowledged.yaml",
    ]
    pipeline, acknowledged = infra / FILES["github"], infra / "environments" / "acknowledged.yaml"
    text = pipeline.read_text()
    assert 'DEPLOYMENT: "environments/prd.yaml"' in text
    assert '--acknowledged "$(dirname "$DEPLOYMENT")/acknowledged.yaml"' in text
    acknowledged.write_text("- a reader's own\n")
    written = _write(infra, f"example/kakehashi@{COMMIT}", out=tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / FILES["github"]).read_text() == text
    assert acknowledged.read_text() == "- a reader's own\n"


@pytest.mark.parametrize("platform", FILES)
def test_no_script_of_a_pipeline_holds_the_path_of_the_deployment_file(infra: Path, platform: str) -> None:
    deployment = load(infra / "environments" / "prd.yaml")
    for path in ("a$(id)/b.yaml", "a b/b.yaml", "a;id;/b.yaml", "a'b/b.yaml", "a #b/b: c.yaml"):
        text = pipelines.render(platform, Path(path), deployment, {"prd": ["prd-codecommit"]}, branch="main")
        pipeline = YAML(typ="safe").load(text)
        given = pipeline["env" if platform == "github" else "variables"]
        assert given.pop("DEPLOYMENT") == path
        folder = str(Path(path).parent)
        assert folder not in json.dumps(pipeline)


def test_refuses_a_repository_without_kakehashi_when_nothing_says_where_it_is(infra: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        _write(infra, None)
    assert refused.value.status == 2
    assert str(refused.value) == (
        f"error: {infra}/environments/prd.yaml: lies outside this checkout, in a repository without Kakehashi\n"
        "hint: name what its pipeline takes Kakehashi from: --kakehashi REPOSITORY@TAG"
    )


@pytest.mark.parametrize(
    ("platform", "repository"),
    [
        ("github", "example/kakehashi"),
        ("gitlab", "https://gitlab.example.com/platform/tools/kakehashi.git"),
        ("gitlab", "https://gitlab.example.com:8443/platform/kakehashi"),
    ],
)
@pytest.mark.tool("git")
def test_kakehashi_is_pinned_by_a_commit_also_where_a_tag_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, repository: str
) -> None:
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        done = subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "--quiet", "--initial-branch", "main")
    git("commit", "--quiet", "--allow-empty", "--message", "a release")
    git("tag", "--annotate", "v1.2.0", "--message", "v1.2.0")
    released = git("rev-parse", "HEAD")
    git("commit", "--quiet", "--allow-empty", "--message", "later")
    git("branch", "v1.2.0")
    monkeypatch.setattr(sources, "CHECKOUT", tmp_path)
    tagged = sources.source(f"{repository}@v1.2.0", platform)
    assert (tagged.repository, tagged.commit, tagged.tag) == (repository, released, "v1.2.0")
    assert sources.source(f"{repository}@{COMMIT}", platform).commit == COMMIT
    for unknown in ("v9", "main", "HEAD", COMMIT[:12], COMMIT.upper(), "v1\x00", "v1\n", "--all"):
        with pytest.raises(RefusedError) as refused:
            sources.source(f"{repository}@{unknown}", platform)
        assert refused.value.status == 2
        assert str(refused.value).endswith(
            "is no tag of this checkout\nhint: check that tag out here, or write the commit's 40 digits"
        )


@pytest.mark.parametrize(
    ("platform", "text", "what"),
    [
        ("github", "kakehashi", "'kakehashi' names no commit of a repository"),
        ("github", "example/kakehashi@", "'example/kakehashi@' names no commit of a repository"),
        ("github", f"../kakehashi@{COMMIT}\n", f"'../kakehashi@{COMMIT}\\n' names no commit of a repository"),
        ("gitlab", "https://user:secret@gitlab.example.com/a/b", "'https://…@gitlab.example.com/a/b' names no commit"),
        ("gitlab", "https://user:se/cret@gitlab.example.com/a", "'https://…@gitlab.example.com/a' names no commit"),
        ("github", f"kakehashi@{COMMIT}", "'kakehashi' is no address"),
        ("github", f"https://github.com/example/kakehashi@{COMMIT}", "'https://github.com/example/kakehashi' is no"),
        ("gitlab", f"git@gitlab.example.com:p/k.git@{COMMIT}", "'git@gitlab.example.com:p/k.git' is no address"),
        ("gitlab", f"example/kakehashi@{COMMIT}", "'example/kakehashi' is no address that this platform takes"),
        ("gitlab", f"https://user:secret@gitlab.example.com/a/b@{COMMIT}", "'https://…@gitlab.example.com/a/b' is no"),
        ("gitlab", f'https://gitlab.example.com/a"$(id)/b@{COMMIT}', "'https://gitlab.example.com/a\"$(id)/b' is no"),
        ("gitlab", f"http://gitlab.example.com/a/b@{COMMIT}", "'http://gitlab.example.com/a/b' is no address"),
    ],
)
def test_refuses_what_names_no_commit_of_a_repository(platform: str, text: str, what: str) -> None:
    with pytest.raises(RefusedError) as refused:
        sources.source(text, platform)
    assert refused.value.status == 2
    assert str(refused.value).startswith(f"error: --kakehashi: {what}")
    assert "REPOSITORY is" in str(refused.value)
