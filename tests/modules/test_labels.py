from modules.labels import Labels

LABELS = Labels(project="kakehashi", environment="dev", owner="platform-team")


def test_a_name_says_whose_it_is() -> None:
    assert LABELS.name("gitlab") == "kakehashi-dev-gitlab"
    assert LABELS.named("nat", "a") == {"Name": "kakehashi-dev-nat-a"}


def test_a_name_that_is_too_long_is_cut_and_stays_unique() -> None:
    long, other = (LABELS.name("x" * 80 + end, limit=64) for end in "ab")
    assert len(long) == len(other) == 64
    assert long != other
    assert long == LABELS.name("x" * 80 + "a", limit=64)
    assert long.startswith("kakehashi-dev-xxx")


def test_a_name_that_just_fits_stays_as_it_is() -> None:
    name = LABELS.name("x" * 50, limit=64)
    assert name == "kakehashi-dev-" + "x" * 50


def test_tags_of_the_deployment_come_beside_the_labels() -> None:
    assert LABELS.default_tags({"cost-center": "4711"}) == {
        "cost-center": "4711",
        "project": "kakehashi",
        "environment": "dev",
        "owner": "platform-team",
        "managed-by": "kakehashi",
    }
