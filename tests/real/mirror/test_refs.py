"""What the source's refs become at the target."""

from tests.real.mirror.world import Mirror


def test_the_first_build_brings_everything(mirror: Mirror) -> None:
    mirror.source.commit("refs/heads/main", text="one")
    mirror.source.commit("refs/heads/main", text="two")
    mirror.source.commit("refs/heads/feature/a")
    mirror.mirrors()


def test_a_commit_arrives(mirror: Mirror) -> None:
    mirror.source.commit("refs/heads/main", text="one")
    mirror.mirrors()
    mirror.source.commit("refs/heads/main", text="two")
    mirror.mirrors()
