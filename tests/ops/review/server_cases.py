"""For each rule about servers and their networks, changes in which it finds something and similar ones."""

from tests.ops.review.rule_cases import RuleCase, updated

CASES: dict[str, RuleCase] = {
    "host-allowed": RuleCase(
        found=[updated("aws_launch_template", "user_data", "", "packages: [squid]")],
        at="aws_launch_template.it",
        not_found=[updated("aws_launch_template", "user_data", "", "packages: [git]")],
    ),
}
