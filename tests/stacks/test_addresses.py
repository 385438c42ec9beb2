from tests.stacks.addresses import LIST, listed
from tests.terraform import Stacks


def test_every_address_is_in_the_list_of_addresses(example: Stacks) -> None:
    # Addresses are part of the interface: a rename destroys and creates. `make addresses` writes an intended change.
    assert listed(example) == LIST.read_text()


def test_no_address_has_a_hash(example: Stacks) -> None:
    for terraform in example.terraform.values():
        for address in terraform.addresses():
            assert not any(len(part) == 8 and part.isalnum() and part.upper() == part for part in address.split("_"))
