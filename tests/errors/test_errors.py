import pytest

from errors import FAILED, WRONG_USAGE, Problem, RefusedError, refused, without_credentials

ONE = Problem(where="a.yaml:3: name", what="'1' is not a name", hint="write a name")
OTHER = Problem(where="b", what="c", hint="d")


def test_a_problem_is_two_lines() -> None:
    assert str(ONE) == "error: a.yaml:3: name: '1' is not a name\nhint: write a name"


def test_a_warning_has_the_same_two_lines() -> None:
    assert OTHER.as_warning() == "warning: b: c\nhint: d"


def test_a_problem_cannot_write_to_the_terminal() -> None:
    assert str(Problem(where="a\x1b[2J", what="b\nc", hint="d\u202e")) == "error: a\\x1b[2J: b\\nc\nhint: d\\u202e"


def test_a_refusal_prints_every_problem_after_the_details() -> None:
    error = RefusedError([ONE, OTHER], details="\n- old\n+ new\n")
    assert str(error) == f"- old\n+ new\n{ONE}\n{OTHER}"
    assert (error.problems, error.status) == ((ONE, OTHER), FAILED)


def test_details_keep_their_lines_and_show_neither_credentials_nor_control_characters() -> None:
    error = RefusedError([ONE], details="clone https://user:s3cret@host/a\n\x1b[2Jdone\r\n")
    assert error.details == "clone https://…@host/a\n\\x1b[2Jdone"


def test_a_refusal_carries_its_exit_status() -> None:
    assert refused("a", "b", "c").status == 1
    assert refused("a", "b", "c", status=WRONG_USAGE).status == 2


def test_a_text_from_outside_is_put_on_one_line_and_cut_in_the_middle() -> None:
    (problem,) = refused("a", f"begins\n{'x' * 500}\n  ends", "c").problems
    assert problem.what == f"begins {'x' * 93}…{'x' * 35} ends"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://user:s3cret@host/path", "see https://…@host/path"),
        ("'https://AKIAX%IQoJ/b3+Jp==@host': no", "'https://…@host': no"),
        ("https://host/path and a@b", "https://host/path and a@b"),
        ("codecommit::region://profile@name", "codecommit::region://…@name"),
    ],
)
def test_an_address_is_shown_without_user_and_password(text: str, shown: str) -> None:
    assert without_credentials(text) == shown
    assert str(refused(text, text, text)) == f"error: {shown}: {shown}\nhint: {shown}"
