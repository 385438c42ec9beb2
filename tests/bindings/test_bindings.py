"""The lazy bindings behave like the ordinary ones and load faster."""

import json
import os
import subprocess
import sys
import typing
import zipfile
from pathlib import Path
from typing import Any

import cdktf
import cdktf_cdktf_provider_aws as aws
import constructs
import jsii
import pytest
from jsii import _reference_map

import bindings
from bindings import node

# Nearly all start Python and Node anew.
pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]


def python(code: str, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter, which looks for modules in PYTHONPATH and not in the working directory."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CDKTF_", "JSII_", "NODE_"))}
    environment = inherited | {"PYTHONPATH": os.pathsep.join(map(str, (PROJECT, HERE))), **variables}
    command = [sys.executable, "-P", "-c", code, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def is_loaded(module: str) -> bool:
    return f"cdktf_cdktf_provider_aws.{module}" in sys.modules


def create_in_javascript(scope: constructs.Construct, id: str, jsii_type: str, config: dict[str, Any]) -> Any:
    """Create a resource that Python knows nothing of, as a library in TypeScript would; return a bare handle."""
    handle = type("Handle", (), {"__jsii_type__": jsii_type, "__jsii_declared_type__": jsii_type})()
    jsii.create(type(handle), handle, [scope, id, config])
    del _reference_map._refs._refs[handle.__jsii_ref__.ref]
    return handle


@pytest.fixture
def stack() -> cdktf.TerraformStack:
    return cdktf.TerraformStack(cdktf.Testing.app(), "stack")


# Each test of "not loaded so far" has a module of its own, one that this project has no use for.


def test_a_module_loads_when_it_is_read_as_an_attribute_of_the_root() -> None:
    assert not is_loaded("chime_voice_connector")
    assert aws.chime_voice_connector.ChimeVoiceConnector.TF_RESOURCE_TYPE == "aws_chime_voice_connector"
    assert is_loaded("chime_voice_connector")


def test_a_module_loads_when_it_is_imported_from_the_root() -> None:
    assert not is_loaded("gamelift_fleet")
    from cdktf_cdktf_provider_aws import gamelift_fleet

    assert gamelift_fleet is aws.gamelift_fleet


def test_the_root_lists_its_modules_without_loading_them() -> None:
    assert {"vpc", "gamelift_script", "__all__", "__file__"} <= set(dir(aws))
    assert "gamelift_script" in aws.__all__
    assert not is_loaded("gamelift_script")


def test_an_unknown_attribute_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(AttributeError) as refused:
        aws.Subnets  # type: ignore[attr-defined]  # noqa: B018
    assert str(refused.value) == "module 'cdktf_cdktf_provider_aws' has no attribute 'Subnets'. Did you mean: 'subnet'?"


def test_an_attribute_like_no_other_is_refused_without_a_guess() -> None:
    with pytest.raises(AttributeError) as refused:
        aws.zzzzzzzz  # type: ignore[attr-defined]  # noqa: B018
    assert str(refused.value) == "module 'cdktf_cdktf_provider_aws' has no attribute 'zzzzzzzz'"


def test_an_unknown_name_cannot_be_imported() -> None:
    with pytest.raises(ImportError, match="cannot import name 'subnets' from 'cdktf_cdktf_provider_aws'"):
        from cdktf_cdktf_provider_aws import subnets  # noqa: F401
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'cdktf_cdktf_provider_aws\.subnets'"):
        import cdktf_cdktf_provider_aws.subnets  # type: ignore[import-not-found]  # noqa: F401


def test_an_error_inside_a_module_is_not_taken_for_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cdktf_cdktf_provider_aws.gamelift_alias", None)
    with pytest.raises(ModuleNotFoundError, match="gamelift_alias"):
        aws.gamelift_alias  # noqa: B018


def test_a_resource_from_javascript_has_its_class_though_nothing_imported_it(stack: cdktf.TerraformStack) -> None:
    create_in_javascript(stack, "app", "@cdktf/provider-aws.pinpointApp.PinpointApp", {"name": "sample"})
    assert not is_loaded("pinpoint_app")
    found = stack.node.find_child("app")
    assert type(found) is aws.pinpoint_app.PinpointApp
    assert found.name_input == "sample"


def test_a_struct_from_javascript_has_its_class_though_nothing_imported_it(stack: cdktf.TerraformStack) -> None:
    config = {"repositoryName": "sample", "catalogData": {"architectures": ["ARM"], "usageText": "none"}}
    jsii_type = "@cdktf/provider-aws.ecrpublicRepository.EcrpublicRepository"
    repository = create_in_javascript(stack, "repository", jsii_type, config)
    assert not is_loaded("ecrpublic_repository")
    struct = jsii.get(repository, "catalogDataInput")
    assert type(struct) is aws.ecrpublic_repository.EcrpublicRepositoryCatalogData
    assert (struct.architectures, struct.usage_text) == (["ARM"], "none")


def test_an_aspect_visits_resources_of_types_that_nothing_imported(stack: cdktf.TerraformStack) -> None:
    visited: list[str] = []

    @jsii.implements(cdktf.IAspect)
    class Recorder:
        def visit(self, node: constructs.IConstruct) -> None:
            visited.append(type(node).__name__)

    jsii_type = "@cdktf/provider-aws.locationTracker.LocationTracker"
    create_in_javascript(stack, "tracker", jsii_type, {"trackerName": "sample"})
    assert not is_loaded("location_tracker")
    cdktf.Aspects.of(stack).add(Recorder())
    cdktf.Testing.synth(stack)
    assert visited == ["TerraformStack", "LocationTracker"]


def test_only_the_modules_in_use_are_loaded() -> None:
    code = """
import bindings; bindings.install()
from cdktf_cdktf_provider_aws import vpc
import sys
print(sorted(n for n in sys.modules if n.startswith("cdktf_cdktf_provider_aws.") and not n.endswith("._private")))
"""
    assert python(code).stdout == "['cdktf_cdktf_provider_aws._jsii', 'cdktf_cdktf_provider_aws.vpc']\n"


LOAD_NODE = """
import bindings; bindings.install()
import os
before = dict(os.environ)
import cdktf_cdktf_provider_aws.vpc
assert dict(os.environ) == before, "the environment has changed"
"""


def test_loading_says_nothing_and_leaves_the_environment_alone() -> None:
    run = python(LOAD_NODE)
    assert (run.stdout, run.stderr, run.returncode) == ("", "", 0)


def test_node_loads_the_lazy_entry_point_beside_what_the_user_requires(tmp_path: Path) -> None:
    copy = tmp_path / "a folder" / "bindings"
    copy.mkdir(parents=True)
    for file in (PROJECT / "bindings").glob("*.*"):
        (copy / file.name).write_bytes(file.read_bytes())
    own = tmp_path / "own.cjs"
    own.write_text("console.error('the hook of the user');")
    run = python(LOAD_NODE, PYTHONPATH=str(copy.parent), NODE_OPTIONS=f'--require "{own}"', JSII_DEBUG_TIMING="1")
    assert run.returncode == 0, run.stderr
    assert "the hook of the user" in run.stderr
    assert "provider-aws/lib/lazy-index.js):" in run.stdout
    assert "provider-aws/lib/index.js):" not in run.stdout


def test_node_runs_from_the_packages_without_one_on_the_path(tmp_path: Path) -> None:
    run = python(LOAD_NODE + "print(cdktf_cdktf_provider_aws.vpc.Vpc.TF_RESOURCE_TYPE)", PATH=str(tmp_path))
    assert (run.stdout, run.stderr, run.returncode) == ("aws_vpc\n", "", 0)


def test_node_is_the_one_that_the_user_names(tmp_path: Path) -> None:
    own = tmp_path / "node"
    own.write_text(f'#!/bin/sh\necho $1 >>"{tmp_path}/log"\nexec {node.packaged()} "$@"\n')
    own.chmod(0o755)
    run = python(LOAD_NODE, JSII_NODE=str(own))
    assert (run.stdout, run.stderr, run.returncode) == ("", "", 0)
    assert (tmp_path / "log").read_text() == "--version\n--max-old-space-size=4069\n"


def test_node_leaves_nothing_behind(tmp_path: Path) -> None:
    run = python(LOAD_NODE + "print(cdktf_cdktf_provider_aws.vpc.Vpc.TF_RESOURCE_TYPE)", TMPDIR=str(tmp_path))
    assert run.returncode == 0, run.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_package_that_node_cannot_load_is_an_error_at_the_next_request() -> None:
    code = """
import bindings; bindings.install()
import cdktf
from jsii._runtime import kernel
kernel.load("none", "1.0.0", "/none.tgz")
cdktf.App()
"""
    run = python(code)
    assert "JSIIError: ENOENT: no such file or directory, open '/none.tgz'" in run.stderr
    assert run.returncode == 1


def test_the_failure_of_what_has_no_result_is_an_error_at_the_next_request() -> None:
    code = """
import bindings; bindings.install()
import cdktf, cdktf_cdktf_provider_aws as aws
stack = cdktf.TerraformStack(cdktf.App(), "stack")
vpc = aws.vpc.Vpc(stack, "vpc")
for _ in range(10_000):
    vpc.add_override("tags.a", "b")
stack.node.set_context("too", "late")
print("it went on")
cdktf.App()
"""
    run = python(code)
    assert "Cannot set context after children have been added: vpc" in run.stderr
    assert (run.stdout, run.returncode) == ("it went on\n", 1)


@pytest.mark.parametrize(("check_types", "error"), [("True", "TypeError: "), ("False", "RuntimeError: ")])
def test_node_refuses_wrong_types_where_python_does_not_check_them(check_types: str, error: str) -> None:
    code = f"""
import bindings; bindings.install(check_types={check_types})
import cdktf, cdktf_cdktf_provider_aws as aws
stack = cdktf.TerraformStack(cdktf.App(), "stack")
try:
    aws.vpc.Vpc(stack, "wrong", cidr_block=10)
except Exception as error:
    print(f"{{type(error).__name__}}: {{error}}")
"""
    run = python(code)
    assert (run.stderr, run.returncode) == ("", 0)
    assert run.stdout.startswith(error)


def test_requests_sent_ahead_never_block() -> None:
    code = """
import bindings; bindings.install()
import cdktf
from jsii._runtime import kernel
for _ in range(10_000):
    kernel.provider._process.request_ahead({"api": "sget", "fqn": "none.None", "property": "none"})
print(cdktf.App().node.path == "")
"""
    run = python(code)
    assert (run.stdout, run.stderr, run.returncode) == ("True\n", "", 0)


def test_assets_can_be_archived(tmp_path: Path) -> None:
    app = cdktf.App(outdir=str(tmp_path / "out"))
    stack = cdktf.TerraformStack(app, "stack")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("text")
    cdktf.TerraformAsset(stack, "asset", path=str(tmp_path / "folder"), type=cdktf.AssetType.ARCHIVE)
    app.synth()
    (archive,) = (tmp_path / "out").rglob("archive.zip")
    assert zipfile.ZipFile(archive).read("file") == b"text"


def test_every_call_is_checked(stack: cdktf.TerraformStack) -> None:
    with pytest.raises(TypeError, match="type of argument cidr_block must be one of"):
        aws.vpc.Vpc(stack, "vpc", cidr_block=10)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "module", [aws.launch_template.LaunchTemplate, aws.codebuild_project.CodebuildProject, cdktf.App]
)
def test_hints_of_checks_are_those_of_typing(module: type) -> None:
    names = vars(sys.modules[module.__module__]._private)
    stubs = [value for name, value in names.items() if name.startswith("_typecheckingstub__")]
    assert len(stubs) > 50
    for stub in stubs:
        hints = typing.get_type_hints(stub)
        del hints["return"]
        found = names["_type_hints"](stub)
        assert {name: found[name] for name in hints} == hints


def test_names_of_a_stack_that_asks_for_nothing_are_those_of_cdktf(stack: cdktf.TerraformStack) -> None:
    scope = constructs.Construct(stack, "scope")
    assert aws.vpc.Vpc(scope, "vpc").friendly_unique_id == "scope_vpc_BF210B13"


def test_names_of_a_stack_that_asks_for_it_are_its_construct_paths(stack: cdktf.TerraformStack) -> None:
    stack.node.set_context(bindings.PATHS_BY_NAME, {})
    scope = constructs.Construct(stack, "a scope")
    assert aws.vpc.Vpc(scope, "Default").friendly_unique_id == "a_scope"
    assert aws.vpc.Vpc(scope, "é😀").friendly_unique_id == "a_scope___"
    assert aws.vpc.Vpc(constructs.Construct(stack, "a_scope"), "Default").friendly_unique_id == "a_scope"
    assert stack.node.try_get_context(bindings.PATHS_BY_NAME) == {
        "a_scope": ["a scope/Default", "a_scope/Default"],
        "a_scope___": ["a scope/é😀"],
    }


def test_a_second_call_changes_nothing() -> None:
    before = list(sys.meta_path)
    bindings.install()
    assert sys.meta_path == before


def test_a_first_call_after_cdktf_is_refused() -> None:
    run = python("import cdktf, bindings; bindings.install()")
    assert run.stderr.endswith(
        "RuntimeError: bindings.install() comes too late, call it before importing cdktf, constructs\n"
    )


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The sample app's output with ordinary imports, and what those imports have in memory: one run of some 15 s."""
    out = tmp_path_factory.mktemp("plain")
    code = """
import bindings; bindings.install()
import json, sys
import cdktf_cdktf_provider_aws as aws, sample_app
from jsii import _reference_map as known
sample_app.synthesise(sys.argv[1])
kinds = known._types, known._data_types, known._enums, known._interfaces
modules = {name: found.__module__ for kind in kinds for name, found in kind.items() if name.startswith("@cdktf/")}
print(json.dumps({"names": aws.__all__, "modules": modules}))
"""
    run = python(code, out, KAKEHASHI_PLAIN_IMPORTS="1")
    assert run.returncode == 0, run.stderr
    return out, json.loads(run.stdout)


@pytest.mark.parametrize("check_types", [True, False])
def test_the_output_is_the_same_byte_for_byte_with_ordinary_imports(
    plain: tuple[Path, dict[str, Any]], tmp_path: Path, check_types: bool
) -> None:
    install = f"bindings.install(check_types={check_types})"
    run = python(f"import sys, bindings; {install}; import sample_app; sample_app.synthesise(sys.argv[1])", tmp_path)
    assert run.returncode == 0, run.stderr
    assert "stacks/sample/cdk.tf.json" in files(tmp_path)
    assert files(tmp_path) == files(plain[0])


def test_every_module_and_type_is_where_ordinary_imports_have_it(plain: tuple[Path, dict[str, Any]]) -> None:
    _, ordinary = plain
    assert len(ordinary["modules"]) > 20_000, "these were not ordinary imports"
    assert aws.__all__ == sorted(ordinary["names"])
    modules = {name: _reference_map._submodule_fqn_map[name.rpartition(".")[0]] for name in ordinary["modules"]}
    assert modules == ordinary["modules"]


@pytest.mark.parametrize(("without", "cached"), [("", True), ("1", False)])
def test_bytecode_goes_where_python_keeps_it_and_nowhere_if_python_writes_none(
    tmp_path: Path, without: str, cached: bool
) -> None:
    code = "import bindings; bindings.install(); import cdktf"
    done = python(code, PYTHONPYCACHEPREFIX=str(tmp_path), PYTHONDONTWRITEBYTECODE=without)
    assert (done.returncode, done.stderr) == (0, "")
    assert bool(list(tmp_path.glob("generated-*/**/*.pyc"))) is cached


@pytest.mark.parametrize(
    ("node", "what"),
    [("/nonexistent/node", "No such file or directory"), ("/bin/true", "does not run jsii's program as Node does")],
)
def test_a_node_that_does_not_run_is_an_error_of_two_lines(node: str, what: str) -> None:
    done = python("import main; raise SystemExit(main.main([]))", JSII_NODE=node)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {node}: {what}\nhint: name a Node that runs in JSII_NODE, or unset it\n"


def old_node(folder: Path, version: str) -> str:
    """A program that says it is Node of this version, and is nothing else."""
    program = folder / "node"
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo {version}\n')
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize("version", ["v18.20.4", "v9.0.0"])
def test_a_node_older_than_20_is_refused_by_its_version(tmp_path: Path, version: str) -> None:
    program = old_node(tmp_path, version)
    done = python("import main; raise SystemExit(main.main([]))", JSII_NODE=program)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: {program}: is Node {version[1:]}, and Node 20 or later is needed\n"
        "hint: name a newer Node in JSII_NODE, or unset it, and the packaged one runs\n"
    )


def test_an_old_node_on_the_path_is_refused_where_no_other_is_installed(tmp_path: Path) -> None:
    program = old_node(tmp_path, "v18.20.4")
    without = "from bindings import node; node.packaged = lambda: None; "
    done = python(without + "import main; raise SystemExit(main.main([]))", PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: {program}: is Node 18.20.4, and Node 20 or later is needed\n"
        "hint: run make synth, which installs Node, or name one in JSII_NODE\n"
    )


def test_no_node_at_all_is_an_error_of_two_lines(tmp_path: Path) -> None:
    without = "from bindings import node; node.packaged = lambda: None; "
    done = python(without + "import main; raise SystemExit(main.main([]))", PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: node: No such file or directory\nhint: run make synth, which installs Node, or name one in JSII_NODE\n"
    )
