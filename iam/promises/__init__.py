"""What every deployment promises about access, checked on its policies at each synthesis."""

from iam.model import Model
from iam.promises.networks import no_group_is_open, no_method_is_open
from iam.promises.promise import BrokenPromise, Promise, PromiseSubject
from iam.promises.resources import nothing_is_public
from iam.promises.roles import only_builds_write, roles_are_for_services
from iam.promises.rooms import pull_users_never_push, rooms_never_push
from iam.promises.state import no_secret_in_state
from iam.promises.users import nobody_administers, policies_name_what_they_mean, users_stay_in_place

PROMISES: tuple[Promise, ...] = (
    rooms_never_push,
    pull_users_never_push,
    users_stay_in_place,
    nobody_administers,
    nothing_is_public,
    roles_are_for_services,
    only_builds_write,
    policies_name_what_they_mean,
    no_group_is_open,
    no_method_is_open,
    no_secret_in_state,
)
"""In the order of every output."""


def broken(model: Model) -> list[BrokenPromise]:
    """Every promise that `model` breaks, once for each place."""
    subject = PromiseSubject(model)
    found = {
        (promise.id, breach.place): BrokenPromise(promise=promise, place=breach.place, what=breach.what)
        for promise in PROMISES
        for breach in promise.check(subject)
    }
    return list(found.values())
