"""A text has a loop over a single member's lines only where this text, not another one, has the next member's."""

from typing import Any

from ops.handover import convert, shipped
from tests.ops.handover.by_plan import OFFLINE
from tests.ops.handover.cases import sets

_REST = "".join(f"# {number}\n" for number in range(60))


def _stack(*names: str) -> dict[str, Any]:
    """Queues, a text that allows the first one, and another text that allows all of them."""
    queues = {it: {"name": it, "//": {"metadata": {"path": f"stack/queues/{it}", "uniqueId": it}}} for it in names}
    texts = {"first": "allow website\n", "all": "".join(f"allow {it}\n" for it in names)}
    parameters = {
        name: {"name": name, "type": "String", "value": f"# {name}\n{it}{_REST}"} for name, it in texts.items()
    }
    resources = {"aws_sqs_queue": queues, "aws_ssm_parameter": parameters}
    return {"provider": {"aws": [OFFLINE]}, "resource": resources, **sets.releases()}


def test_a_text_with_the_line_of_one_member_has_no_loop_because_another_text_has_the_next_line() -> None:
    files = convert(_stack("website"), name="stack", schemas=shipped(), larger=_stack("website", "following")).files
    assert "for queue in queues" in files["value/all.txt.tftpl"]
    assert [name for name in files if "first" in name] == ["value/first.txt"]
