"""Which policies users and roles have before or after the apply: their own, managed ones, and those of their groups."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from iam.documents import parse
from iam.statements import Policy, UnsupportedError
from ops.review.plan_moment import PlanMoment
from ops.review.rule import ReviewedChange
from terraform.plan import Action

KINDS = ("user", "role", "group")

Owner = tuple[str, str]
"""Kind and name of a user, a role or a group."""


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """One policy of an owner; `named` identifies a managed policy, `inline` is the name of an inline one.

    `document` is an inline policy that is a part of the owner's own arguments.
    """

    change: ReviewedChange
    named: str | None = None
    inline: str | None = None
    document: str | None = None

    @property
    def stays(self) -> bool:
        """Whether destroying its resource leaves the policy attached.

        https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/iam/user_policy_attachments_exclusive.go
        """
        is_destroyed = self.change.action in {Action.DELETE, Action.REPLACE}
        return self.change.type.endswith("_policy_attachments_exclusive") and is_destroyed

    def is_still(self, other: "Attachment") -> bool:
        """Whether `other` is the same policy, by the same resource."""
        return self.change is other.change and (self.named, self.inline) == (other.named, other.inline)


class Attachments:
    """The attachments of one moment, by owner.

    Where resources contradict each other (one removes what another attaches), or the owner is not known, the policies
    of every owner concerned are not known.
    """

    of: dict[Owner, list[Attachment]]

    def __init__(self, moment: PlanMoment) -> None:
        self._moment = moment
        self.of = defaultdict(list)
        self._groups: dict[str, dict[str, list[ReviewedChange]]] = defaultdict(lambda: defaultdict(list))
        self._doubts: dict[tuple[str, str | None], UnsupportedError] = {}
        self._existing_groups = {str(moment.values(group).get("name")) for group in moment.existing("aws_iam_group")}
        self._before = Attachments(replace(moment, is_after=False)) if moment.is_after else self
        self._read()
        self._read_renamed()

    def policies(self, kind: str, name: str) -> Iterator[Policy]:
        """The policies of an owner, and those of a user's groups. Raises UnsupportedError where one is not known."""
        for doubtful in (name, None):
            if error := self._doubts.get((kind, doubtful)):
                raise error
        for attachment in self.of.get((kind, name), ()):
            if attachment.named is not None:
                yield self._moment.managed(attachment.named, attachment.change.address)
            elif attachment.document is not None:
                yield parse(attachment.document, attachment.change.address)
            else:
                yield self._moment.known_policy(attachment.change)
        for group, changes in self._groups.get(name, {}).items() if kind == "user" else ():
            if group not in self._existing_groups:
                raise UnsupportedError(changes[0].address, f"the group {group}, which is in none of the plans")
            yield from self.policies("group", group)

    def owners(self) -> Mapping[Owner, ReviewedChange]:
        """Everyone who has a policy or is in a group, each with a resource that says so."""
        members = {("user", name): changes[0] for name, found in self._groups.items() for changes in found.values()}
        return members | {owner: found[0].change for owner, found in self.of.items() if found}

    def _read(self) -> None:
        """What adds first, then what removes everything else."""
        self._read_attached()
        self._read_groups()
        self._read_role_arguments()
        self._read_taken()
        self._read_twice()
        for kind in KINDS:
            for change in self._moment.existing(f"aws_iam_{kind}_policy_attachments_exclusive"):
                for owner in self._owners(change, kind, f"{kind}_name"):
                    self._attached_only(owner, change, self._texts(change, "policy_arns", *owner))
            for change in self._moment.existing(f"aws_iam_{kind}_policies_exclusive"):
                for owner in self._owners(change, kind, f"{kind}_name"):
                    self._inline_only(owner, change, self._texts(change, "policy_names", *owner))
        for change in self._moment.existing("aws_iam_policy_attachment"):
            self._owned_only(change)
        for change in self._moment.existing("aws_iam_group_membership"):
            self._members_only(change)

    def _read_attached(self) -> None:
        for kind in KINDS:
            for change in self._moment.existing(f"aws_iam_{kind}_policy"):
                name = str(self._moment.values(change).get("name"))
                for owner in self._owners(change, kind, kind):
                    self.of[owner].append(Attachment(change=change, inline=name))
            for change in self._moment.existing(f"aws_iam_{kind}_policy_attachment", "aws_iam_policy_attachment"):
                is_list = change.type == "aws_iam_policy_attachment"
                for owner in self._owners(change, kind, f"{kind}s" if is_list else kind):
                    self._attach(owner, change)
            for change in self._moment.existing(f"aws_iam_{kind}_policy_attachments_exclusive"):
                for owner in self._owners(change, kind, f"{kind}_name"):
                    arns = self._texts(change, "policy_arns", *owner)
                    self.of[owner] += [Attachment(change=change, named=arn) for arn in arns]

    def _read_groups(self) -> None:
        for change in self._moment.existing("aws_iam_user_group_membership"):
            for kind, name in self._owners(change, "user", "user"):
                for group in self._texts(change, "groups", kind, name):
                    self._groups[name][group].append(change)
        for change in self._moment.existing("aws_iam_group_membership"):
            for _, name in self._owners(change, "user", "users"):
                for group in self._texts(change, "group", "user"):
                    self._groups[name][group].append(change)

    def _read_taken(self) -> None:
        """Doubt what one resource takes from an owner and another gives: their order is not known.

        An exclusive list that is destroyed takes nothing: its policies stay attached.
        """
        for owner, attachments in self._before.of.items() if self._moment.is_after else ():
            now = self.of[owner]
            gone = [found for found in attachments if not any(found.is_still(one) for one in now)]
            taken = [found for found in gone if not found.stays and found.change.type != "aws_iam_role"]
            for found in taken:
                for other in (one for one in now if (one.named, one.inline) == (found.named, found.inline)):
                    self._doubt_order(owner, found.change, other.change)
            left = [found for found in gone if found.stays]
            now += [found for found in left if found.named not in {one.named for one in (*taken, *now)}]
        for name, groups in self._before._groups.items() if self._moment.is_after else ():
            for group, changes in groups.items():
                still = self._groups.get(name, {}).get(group, [])
                for change in changes:
                    if still and not any(change is one for one in still):
                        self._doubt_order(("user", name), change, still[0])

    def _doubt_order(self, owner: Owner, taking: ReviewedChange, giving: ReviewedChange) -> None:
        what = f"it takes from {owner[1]} what {giving.address} gives, and it is not known which is last"
        self._doubt(owner, UnsupportedError(taking.address, what))

    def _read_twice(self) -> None:
        """Doubt inline policies of one name: AWS keeps the one that was written last."""
        for owner, attachments in self.of.items():
            named: dict[str, ReviewedChange] = {}
            for found in attachments:
                if found.inline is not None and named.setdefault(found.inline, found.change) is not found.change:
                    what = f"it has the name {found.inline}, as {named[found.inline].address} has"
                    self._doubt(owner, UnsupportedError(found.change.address, what))

    def _read_renamed(self) -> None:
        """Doubt what is renamed: AWS keeps its policies, and the plans say that they are of the old name."""
        for change in self._moment.existing(*(f"aws_iam_{kind}" for kind in KINDS)):
            kind, now = change.type.removeprefix("aws_iam_"), self._moment.values(change).get("name")
            old = (kind, str(change.before.get("name")))
            is_renamed = self._moment.is_after and change.action is Action.UPDATE and change.before.get("name") != now
            if is_renamed and (self.of.get(old) or (kind == "user" and old[1] in self._groups)):
                self._doubt((kind, str(now)), UnsupportedError(change.address, f"policies of its old name {old[1]}"))

    def _owners(self, change: ReviewedChange, kind: str, argument: str) -> list[Owner]:
        return [(kind, name) for name in self._texts(change, argument, kind)]

    def _texts(self, change: ReviewedChange, argument: str, kind: str, owner: str | None = None) -> list[str]:
        """The texts of an argument; where they are not known, `owner` is in doubt, or everyone of this kind."""
        try:
            if argument.endswith("s"):
                return self._moment.texts(change, argument)
            return [self._moment.known_text(change, argument)]
        except UnsupportedError as error:
            self._doubt((kind, owner), error)
            return []

    def _doubt(self, owner: tuple[str, str | None], error: UnsupportedError) -> None:
        self._doubts.setdefault(owner, error)

    def _attach(self, owner: Owner, change: ReviewedChange) -> None:
        try:
            named = self._moment.named(change, "policy_arn")
            if named is None:
                raise UnsupportedError(change.address, "an attachment of no policy")
        except UnsupportedError as error:
            self._doubt(owner, error)
        else:
            self.of[owner].append(Attachment(change=change, named=named))

    def _read_role_arguments(self) -> None:
        """What a role's own arguments attach; where nothing sets them, they list all that is attached."""
        for change in self._moment.existing("aws_iam_role"):
            owner = ("role", str(self._moment.values(change).get("name")))
            detached = {str(found.before.get("policy_arn")) for found in self._removed(owner[1])}
            known = {found.named for found in self.of.get(owner, ())} | detached
            arns = self._listed(change, "managed_policy_arns", owner)
            for arn in arns:
                if arn not in known:
                    self.of[owner].append(Attachment(change=change, named=str(arn)))
            kept = {found.inline for found in self.of.get(owner, ())}
            kept |= {str(found.before.get("name")) for found in self._removed(owner[1])}
            inline = {
                str(found.get("name")): found.get("policy") for found in self._listed(change, "inline_policy", owner)
            }
            for name, document in inline.items():
                if isinstance(document, str) and document and name not in kept:
                    self.of[owner].append(Attachment(change=change, inline=name, document=document))
                elif not isinstance(document, str) and name not in kept:
                    self._doubt(owner, UnsupportedError(change.address, f"an inline_policy {name} that is not known"))
            if self._is_set(change, "managed_policy_arns"):
                self._attached_only(owner, change, arns)
            if self._is_set(change, "inline_policy"):
                self._inline_only(owner, change, inline)

    def _removed(self, role: str) -> Iterator[ReviewedChange]:
        """What the apply removes of a role's policies."""
        removed = self._moment.plans.changes("aws_iam_role_policy", "aws_iam_role_policy_attachment")
        return (
            change
            for change in removed
            if self._moment.is_after and change.is_removed and change.before.get("role") == role
        )

    def _is_set(self, change: ReviewedChange, argument: str) -> bool:
        """Whether the configuration is known to set an argument."""
        arguments = change.references.configuration.arguments(change.address)
        return arguments is not None and argument in arguments

    def _listed(self, change: ReviewedChange, argument: str, owner: Owner) -> list[Any]:
        """The entries of a role's own argument; where one is not known, the role's policies are in doubt."""
        found = self._moment.values(change).get(argument)
        is_open = self._moment.is_after and change.unknown(argument) and self._is_set(change, argument)
        kind = str if argument.endswith("s") else dict
        entries = found if isinstance(found, list) else []
        if is_open or not (found is None or isinstance(found, list)) or not all(isinstance(e, kind) for e in entries):
            self._doubt(owner, UnsupportedError(change.address, f"a {argument} that is not known"))
        return [entry for entry in entries if isinstance(entry, kind)]

    def _attached_only(self, owner: Owner, change: ReviewedChange, arns: Collection[str]) -> None:
        for found in self.of.get(owner, ()):
            if found.named is not None and found.named not in arns:
                what = f"it detaches {found.named}, which {found.change.address} attaches"
                self._doubt(owner, UnsupportedError(change.address, what))

    def _inline_only(self, owner: Owner, change: ReviewedChange, names: Collection[str]) -> None:
        found = {inline.inline: inline for inline in self.of.get(owner, ()) if inline.inline is not None}
        for name in found.keys() ^ set(names):
            place = found[name].change.address if name in found else "none of the plans"
            what = f"the inline policies that it keeps and those in the plans differ: {name}, which is in {place}"
            self._doubt(owner, UnsupportedError(change.address, what))

    def _owned_only(self, change: ReviewedChange) -> None:
        """Doubt the attachments that an exclusive attachment of the same policy removes."""
        try:
            named = self._moment.named(change, "policy_arn")
        except UnsupportedError as error:
            for kind in KINDS:
                self._doubt((kind, None), error)
            return
        for owner, attachments in self.of.items():
            is_kept = any(found.change is change for found in attachments)
            if not is_kept and any(found.named == named for found in attachments if named is not None):
                what = f"it detaches {named} from every other {owner[0]}"
                self._doubt(owner, UnsupportedError(change.address, what))

    def _members_only(self, change: ReviewedChange) -> None:
        """Doubt the members that an exclusive list of the same group removes."""
        for group in self._texts(change, "group", "user"):
            members = self._texts(change, "users", "user")
            for name, groups in self._groups.items():
                if group in groups and name not in members:
                    what = f"it removes {name}, whom {groups[group][0].address} adds"
                    self._doubt(("user", name), UnsupportedError(change.address, what))
