"""What every deployment promises about access, checked on its policies at each synthesis."""

from iam.model import Model
from iam.promises import builds, exposure, identities, least_privilege, rooms, units
from iam.promises.promise import BrokenPromise, Promise, PromiseSubject
from terraform.unreadable import refused_at

PROMISES: tuple[Promise, ...] = (
    rooms.rooms_never_push,
    rooms.rooms_reach_no_git_server,
    rooms.pull_users_never_push,
    identities.users_stay_in_place,
    identities.nobody_administers,
    exposure.nothing_is_public,
    identities.roles_are_for_services,
    identities.only_builds_write,
    units.builds_reach_their_targets,
    units.one_build_assumes_a_role,
    units.nobody_tags,
    builds.builds_use_their_own,
    least_privilege.nobody_does_more,
    least_privilege.builds_tell_of_mirrors_alone,
    least_privilege.nothing_outside_is_named,
    identities.policies_name_what_they_mean,
    exposure.files_are_mounted_over_tls,
    exposure.endpoints_lead_to_this_account,
    exposure.no_group_is_open,
    exposure.no_method_is_open,
    identities.no_secret_in_state,
)
"""In the order of every output."""


def broken(model: Model) -> list[BrokenPromise]:
    """Every promise that `model` breaks, once for each place."""
    subject = PromiseSubject(model)
    found = {}
    for promise in PROMISES:
        with refused_at(f"the promise {promise.id}"):
            for breach in promise.check(subject):
                broken = BrokenPromise(promise=promise, place=breach.place, what=breach.what)
                found[promise.id, breach.place] = broken
    return list(found.values())
