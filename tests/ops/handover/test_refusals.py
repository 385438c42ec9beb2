"""The handover refuses what it cannot convert exactly, and then writes nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from errors import RefusedError
from ops.handover import hand_over

pytestmark = pytest.mark.tool("terraform")

OTHER_RELEASE = (
    "hint: if a newer release of the provider has it, run `terraform providers schema -json` with that release and "
    "pass its output with --schema"
)
AWS_5 = {"terraform": {"required_providers": {"aws": {"source": "aws", "version": "~> 5.0"}}}}
IN_A_TEMPLATE = "hint: complete the expression, or write $${ or %%{ for the characters themselves"

REFUSED = {
    "unknown_top_level_block": (
        {"resources": {}},
        "error: web: resources: 'resources' is not a Terraform block\nhint: remove it, or hand over this stack as JSON",
    ),
    "argument_of_another_release": (
        AWS_5 | {"resource": {"aws_sns_topic": {"news": {"name": "news", "region": "eu-west-1"}}}},
        "error: web: resource.aws_sns_topic.news.region: 'region' is neither an argument nor a block of resource "
        f"aws_sns_topic\n{OTHER_RELEASE}",
    ),
    "unknown_resource_type": (
        AWS_5 | {"resource": {"aws_sns_topics": {"news": {"name": "news"}}}},
        "error: web: resource.aws_sns_topics.news: registry.terraform.io/hashicorp/aws 5.100.0 has no "
        f"'aws_sns_topics'\n{OTHER_RELEASE}",
    ),
    "text_in_place_of_a_block": (
        {"resource": {"aws_instance": {"it": {"root_block_device": "${local.devices}"}}}},
        "error: web: resource.aws_instance.it.root_block_device: '${local.devices}' is not a block\n"
        "hint: write an object, or a dynamic block",
    ),
    "dynamic_block_of_an_unknown_type": (
        {"resource": {"aws_security_group": {"it": {"dynamic": {"gate": {"for_each": [], "content": {}}}}}}},
        "error: web: resource.aws_security_group.it.dynamic.gate: 'gate' is not a block that can be dynamic here\n"
        f"{OTHER_RELEASE}",
    ),
    "unknown_argument_of_a_dynamic_block": (
        {"resource": {"aws_security_group": {"it": {"dynamic": {"ingress": {"labels": [], "content": {}}}}}}},
        "error: web: resource.aws_security_group.it.dynamic.ingress.labels: 'labels' is neither an argument nor a "
        "block of dynamic\nhint: remove it",
    ),
    "interpolation_without_an_end": (
        {"output": {"it": {"value": "${var.x"}}},
        f"error: web: output.it.value: '${{var.x': a '${{' or '%{{' has no '}}'\n{IN_A_TEMPLATE}",
    ),
    "expression_that_is_not_complete": (
        {"output": {"it": {"value": ["a", {"b": "x ${1 +}"}]}}},
        f"error: web: output.it.value[1].b: 'x ${{1 +}}': '1 +' is not an expression\n{IN_A_TEMPLATE}",
    ),
    "expression_in_a_key": (
        {"output": {"it": {"value": {"${a b}": 1}}}},
        f"error: web: output.it.value: '${{a b}}': 'a b' is not an expression\n{IN_A_TEMPLATE}",
    ),
    "directive_without_an_end": (
        {"output": {"it": {"value": "%{ if true }a"}}},
        "error: web: output.it.value: '%{ if true }a': its directives (%{ … }) are not complete\n" + IN_A_TEMPLATE,
    ),
    "half_of_a_character": (
        {"output": {"it": {"value": ["a", {"b\ud83d": "\udc4d x"}]}}},
        "error: web: output.it.value[1].b\\ud83d: 'b\\ud83d' has half of a character\n"
        "hint: write the whole character, and synthesise again\n"
        "error: web: output.it.value[1].b\\ud83d: '\\udc4d x' has half of a character\n"
        "hint: write the whole character, and synthesise again",
    ),
    "reference_that_is_none": (
        {"resource": {"terraform_data": {"it": {"depends_on": ["terraform_data.", True]}}}},
        "error: web: resource.terraform_data.it.depends_on[0]: 'terraform_data.' is not a reference\n"
        "hint: write a reference as a string\n"
        "error: web: resource.terraform_data.it.depends_on[1]: true is not a reference\n"
        "hint: write a reference as a string",
    ),
    "escape_after_a_lone_carriage_return": (
        {"output": {"it": {"value": "a\rb$$${c}"}}},
        "error: web: output.it.value: 'a\\rb$$${c}': Terraform reads '$$${' differently after a lone carriage return\n"
        + IN_A_TEMPLATE,
    ),
    "unknown_backend": (
        {"terraform": {"backend": {"floppy": {}}}},
        "error: web: terraform.backend.floppy: unknown backend 'floppy'\n"
        "hint: use one of: azurerm, consul, cos, gcs, http, kubernetes, local, oss, pg, remote, s3",
    ),
    "module_outside_the_stack": (
        {"module": {"it": {"source": "../../modules/it"}}},
        "error: web: module.it.source: '../../modules/it' is outside the stack's folder and would not be handed over\n"
        "hint: let cdktf copy the module (an asset), or publish it",
    ),
    "resource_name_that_leads_to_another_folder": (
        {"resource": {"aws_sns_topic": {"../../x": {"name": "x"}}}},
        "error: web: resource.aws_sns_topic.../../x: '../../x' is not a valid Terraform name\n"
        "hint: rename it, and synthesise again",
    ),
    "unknown_argument_of_a_terraform_block": (
        {"output": {"it": {"value": 1, "secret": True}}},
        "error: web: output.it.secret: 'secret' is neither an argument nor a block of output\nhint: remove it",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str, out: Callable[..., Path], tmp_path: Path) -> None:
    document, message = REFUSED[case]
    with pytest.raises(RefusedError) as refused:
        hand_over(out(document), tmp_path / "hcl")
    assert str(refused.value) == message
    assert not (tmp_path / "hcl").exists()


def test_reports_every_problem_of_every_stack_at_once(out: Callable[..., Path], tmp_path: Path) -> None:
    bad = {"resource": {"aws_sns_topic": {"a": {"x": 1, "y": 2}}}}
    with pytest.raises(RefusedError) as refused:
        hand_over(out(web=bad, mail=bad), tmp_path / "hcl")
    assert [problem.where for problem in refused.value.problems] == [
        "web: resource.aws_sns_topic.a.x",
        "web: resource.aws_sns_topic.a.y",
        "mail: resource.aws_sns_topic.a.x",
        "mail: resource.aws_sns_topic.a.y",
    ]


def test_refuses_an_expression_that_only_terraform_finds_wrong(out: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="Terraform cannot parse an expression in the JSON"):
        hand_over(out({"output": {"it": {"value": "${local.a.0.1}"}}}), tmp_path / "hcl")
    assert not (tmp_path / "hcl").exists()


def test_refuses_a_local_value_with_a_name_that_leads_to_another_folder(
    out: Callable[..., Path], tmp_path: Path
) -> None:
    name = "files_../../../../escaped_sh"
    folder = out({"locals": {name: "x\n" * 30}})
    with pytest.raises(RefusedError) as refused:
        hand_over(folder, tmp_path / "hcl")
    assert str(refused.value) == (
        f"error: web: locals.{name}: '{name}' is not a valid Terraform name\nhint: rename it, and synthesise again"
    )
    assert list(tmp_path.rglob("escaped*")) == []


def test_refuses_a_link_out_of_the_stacks_folder(out: Callable[..., Path], tmp_path: Path) -> None:
    folder = out()
    (tmp_path / "secret").write_text("of this machine")
    (folder / "stacks" / "web" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(RefusedError, match="is a link that leads out of the stack's folder"):
        hand_over(folder, tmp_path / "hcl")
    assert not (tmp_path / "hcl").exists()


def test_refuses_an_unknown_provider_once(out: Callable[..., Path], tmp_path: Path) -> None:
    document = {
        "terraform": {"required_providers": {"acme": {"source": "example.invalid/acme/acme"}}},
        "resource": {"acme_thing": {"it": {}}, "acme_other": {"it": {}}},
    }
    with pytest.raises(RefusedError) as refused:
        hand_over(out(document), tmp_path / "hcl")
    (problem,) = refused.value.problems
    assert problem.where == "web: resource.acme_thing.it"
    assert problem.what.startswith("the schema of provider example.invalid/acme/acme is not known, and `terraform ")
    assert problem.hint == (
        'run `echo \'{"terraform": {"required_providers": {"acme": {"source": "example.invalid/acme/acme", "version": '
        '"VERSION"}}}}\' >versions.tf.json && terraform init && terraform providers schema -json >schema.json`, where '
        "Terraform can download it, and pass --schema schema.json"
    )
