"""A promise about Terraform's state."""

from collections.abc import Iterator

from iam.promises.promise import Breach, PromiseSubject, promise


@promise(
    id="no-secret-in-state",
    what="Terraform creates no password or key of a user",
    why="its state would contain it in clear text",
)
def no_secret_in_state(subject: PromiseSubject) -> Iterator[Breach]:
    for user in subject.users:
        for secret in user.secrets:
            yield Breach(place=secret, what=f"puts a password or a key of {user.name} into Terraform's state")
