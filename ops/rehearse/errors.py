"""Why a rehearsal stopped, in the words a user needs."""


class RehearsalError(Exception):
    """`what` went wrong, what to do next, and what Terraform itself said, if it was Terraform."""

    def __init__(self, what: str, *, hint: str, said: str = "") -> None:
        self.what = what
        self.hint = hint
        self.said = said
        super().__init__(what)

    def __str__(self) -> str:
        said = f"{self.said.strip()}\n" if self.said.strip() else ""
        return f"{said}error: {self.what}\nhint: {self.hint}"
