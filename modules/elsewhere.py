"""All networks but some, as Terraform computes them and EventBridge matches them."""

_ELSEWHERE = """\
{
  # Each network around an expected one is halved. The halves that overlap none are elsewhere, and so
  # is all of IPv6. Without an expected one, both halves of all addresses are elsewhere. Two networks
  # overlap if one of them holds the first address of the other.
  for event, expected in EXPECTED : event => concat(
    [
      for half in distinct(flatten([
        for own in coalescelist(expected, ["0.0.0.0/1"]) : [
          for bits in range(split("/", own)[1]) : [
            for number in [0, 1] : cidrsubnet("${cidrhost(own, 0)}/${bits}", 1, number)
          ]
        ]
      ])) : half
      if !anytrue([
        for own in expected : (
          cidrhost("${cidrhost(half, 0)}/${split("/", own)[1]}", 0) == cidrhost(own, 0)
          || cidrhost("${cidrhost(own, 0)}/${split("/", half)[1]}", 0) == cidrhost(half, 0)
        )
      ])
    ],
    ["::/1", "8000::/1"],
  )
}"""


def elsewhere(expected: str) -> str:
    """A Terraform expression of every network outside those of `expected`, the reference to a map of lists of networks.

    A pattern has no "not in this network", so the expression lists all other networks.
    """
    return f"${{{_ELSEWHERE.replace('EXPECTED', expected)}}}"


def pattern_values(networks: str) -> str:
    """A Terraform expression of networks as JSON values of an event pattern. It refuses a /32, and takes an address.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-ip-matching
    https://github.com/aws/event-ruler/blob/main/src/main/software/amazon/event/ruler/CIDR.java
    """
    return f'[for ip in {networks} : try(regex("^(.*)/32$", ip)[0], {{ cidr = ip }})]'
