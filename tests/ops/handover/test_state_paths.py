"""The HCL reads and writes the same local states as the JSON, wherever it is written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from errors import RefusedError
from ops.handover import hand_over
from tests.ops.handover.folders import TOPIC

pytestmark = pytest.mark.tool("terraform")


def with_path(path: str, **more: Any) -> dict[str, Any]:
    return {**TOPIC, "terraform": {"backend": {"local": {"path": path}}}, **more}


def reading(path: str) -> dict[str, Any]:
    return {"terraform_remote_state": {"other": {"backend": "local", "config": {"path": path}}}}


@pytest.mark.parametrize("place", ["hcl", "deep/er/hcl"])
def test_a_relative_path_names_the_same_file(place: str, out: Callable[..., Path], tmp_path: Path) -> None:
    mail = with_path("/srv/x.tfstate", data=reading("../web/x.tfstate"))
    folder = out(
        web=with_path("../../../states/web.tfstate", data=reading("../mail/x.tfstate")), mail=mail, app=with_path("a/x")
    )
    hand_over(folder, tmp_path / place, states_from=folder)

    def paths(stack: str, file: str) -> list[str]:
        text = (tmp_path / place / stack / file).read_text()
        return [line.split('"')[1] for line in text.splitlines() if "path" in line]

    steps = "../" * (2 + place.count("/"))
    assert paths("web", "backend.tf") == [f"{steps}states/web.tfstate"]
    assert paths("web", "remote_state.tf") == ["../mail/x.tfstate"]
    assert (paths("mail", "backend.tf"), paths("mail", "remote_state.tf")) == (["/srv/x.tfstate"], ["../web/x.tfstate"])
    assert paths("app", "backend.tf") == ["a/x"]


@pytest.mark.parametrize("folder_name", ["${path.module}/", "${ path.root }/"])
def test_an_expression_may_name_the_stack_s_own_folder(
    folder_name: str, out: Callable[..., Path], tmp_path: Path
) -> None:
    folder = out(web=TOPIC, app={**TOPIC, "data": reading(f"{folder_name}../platform.tfstate")})
    hand_over(folder, tmp_path / "hcl", states_from=folder)
    found = (tmp_path / "hcl" / "app" / "remote_state.tf").read_text()
    own = folder_name.replace("{ ", "{").replace(" }", "}")
    assert f'path = "{own}../../cdktf.out/stacks/platform.tfstate"' in found


@pytest.mark.parametrize(
    "path", ["${var.folder}/x.tfstate", "../${terraform.workspace}/x.tfstate", "${path.cwd}/../x.tfstate", "%{ if a }b"]
)
def test_refuses_a_relative_path_of_which_the_file_is_not_known(
    path: str, out: Callable[..., Path], tmp_path: Path
) -> None:
    folder = out({**TOPIC, "data": reading(path)})
    with pytest.raises(RefusedError) as refused:
        hand_over(folder, tmp_path / "hcl", states_from=folder)
    assert str(refused.value) == (
        f"error: web: '{path}' is the path of a local state, and may name another file from the new folder\n"
        "hint: write an absolute path, or one whose only expression is ${path.module} at the start"
    )


def test_refuses_settings_of_which_the_path_is_not_known(out: Callable[..., Path], tmp_path: Path) -> None:
    other = {"backend": "local", "config": "${local.state}"}
    state = {"path": "../mail/x.tfstate"}
    folder = out({**TOPIC, "data": {"terraform_remote_state": {"other": other}}, "locals": {"state": state}})
    with pytest.raises(RefusedError) as refused:
        hand_over(folder, tmp_path / "hcl", states_from=folder)
    assert str(refused.value) == (
        "error: web: '${local.state}' has the path of a local state, and may name another file from the new folder\n"
        "hint: write `config` as an object with its `path`"
    )


def test_an_absolute_path_may_have_expressions(out: Callable[..., Path], tmp_path: Path) -> None:
    folder = out({**TOPIC, "data": reading("/srv/${terraform.workspace}.tfstate")})
    hand_over(folder, tmp_path / "hcl", states_from=folder)
    assert '"/srv/${terraform.workspace}.tfstate"' in (tmp_path / "hcl" / "web" / "remote_state.tf").read_text()


def test_the_folder_of_workspaces_stays_the_same(out: Callable[..., Path], tmp_path: Path) -> None:
    folder = out({**TOPIC, "terraform": {"backend": {"local": {"workspace_dir": "../../../states"}}}})
    hand_over(folder, tmp_path / "hcl", states_from=folder)
    assert 'workspace_dir = "../../states"' in (tmp_path / "hcl" / "web" / "backend.tf").read_text()


@pytest.mark.parametrize("path", ["{}/terraform.web.tfstate", "../../../terraform.web.tfstate"])
def test_a_state_of_the_project_stays_where_it_is(path: str, out: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "terraform.web.tfstate").write_text("{}")
    path = path.format(tmp_path)
    folder = out(web=with_path(path), app=with_path("/srv/x.tfstate", data=reading(path)))
    hand_over(folder, tmp_path / "terraform", states_from=folder)
    expected = f'path = "{path.replace("../../../", "../../")}"'
    assert expected in (tmp_path / "terraform" / "web" / "backend.tf").read_text()
    assert expected in (tmp_path / "terraform" / "app" / "remote_state.tf").read_text()


def test_refuses_a_state_of_the_project_as_another_argument(out: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "x.tfstate").write_text("{}")
    path = "../../../x.tfstate"
    backup = {"aws_s3_object": {"it": {"bucket": "b", "key": "k", "source": path}}}
    folder = out(with_path(path, resource=backup))
    with pytest.raises(
        RefusedError, match=r"^error: web: resource\.aws_s3_object\.it\.source: '\.\./\.\./\.\./x\.tfstate' is "
    ):
        hand_over(folder, tmp_path / "hcl", states_from=folder)


@pytest.mark.parametrize("document", [TOPIC, with_path("./terraform.tfstate")])
def test_refuses_to_leave_a_state_behind(document: Any, out: Callable[..., Path], tmp_path: Path) -> None:
    folder = out(document)
    state = folder / "stacks" / "web" / "terraform.tfstate"
    state.write_text("{}")
    with pytest.raises(RefusedError) as refused:
        hand_over(folder, tmp_path / "hcl", states_from=folder)
    place = tmp_path / "hcl" / "web" / "terraform.tfstate"
    assert str(refused.value) == (
        f"error: {state}: is a state in the output folder\n"
        f"hint: move it to {place}, or its backend to another place, and hand over again"
    )
    place.parent.mkdir(parents=True)
    state.rename(place)
    hand_over(folder, tmp_path / "hcl", states_from=folder)
    assert (tmp_path / "hcl" / "web" / "sns.tf").exists()
