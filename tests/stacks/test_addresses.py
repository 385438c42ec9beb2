from tests.stacks.addresses import LIST, listed
from tests.terraform import Stacks


def test_every_address_is_the_one_that_states_already_hold(example: Stacks) -> None:
    # An address is API: a renamed one destroys and creates. `make addresses` writes a change that is wanted.
    assert listed(example) == LIST.read_text()


def test_no_address_holds_a_hash(example: Stacks) -> None:
    for terraform in example.terraform.values():
        for address in terraform.addresses():
            assert not any(len(part) == 8 and part.isalnum() and part.upper() == part for part in address.split("_"))
