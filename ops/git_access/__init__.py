"""Git credentials of the production account's users, and the GitLab mirrors that push with them."""

PATIENCE_SECONDS = 600.0
"""How long a command waits for mirrors to succeed, unless it is given another time."""
