from modules.labels import Labels

LABELS = Labels(project="kakehashi", environment="dev", owner="platform-team")


def test_a_name_starts_with_project_and_environment() -> None:
    assert LABELS.name("gitlab") == "kakehashi-dev-gitlab"
    assert LABELS.named("nat", "a") == {"Name": "kakehashi-dev-nat-a"}


def test_a_name_that_is_too_long_is_cut_and_stays_unique() -> None:
    long, other = (LABELS.name("x" * 80 + end, limit=64) for end in "ab")
    assert len(long) == len(other) == 64
    assert long != other
    assert long == LABELS.name("x" * 80 + "a", limit=64)
    assert long.startswith("kakehashi-dev-xxx")


def test_a_name_of_the_limits_length_is_not_cut() -> None:
    name = LABELS.name("x" * 50, limit=64)
    assert name == "kakehashi-dev-" + "x" * 50


def test_default_tags_are_the_labels_and_the_deployments_tags() -> None:
    assert LABELS.default_tags({"cost-center": "4711"}) == {
        "cost-center": "4711",
        "project": "kakehashi",
        "environment": "dev",
        "owner": "platform-team",
        "managed-by": "kakehashi",
    }
