"""Changes that every review must call dangerous, each with the rule that names it."""

from tests.ops.review.dangerous import data, networks, permissions, watch

DANGEROUS = [*networks.ROWS, *permissions.ROWS, *data.ROWS, *watch.ROWS]
