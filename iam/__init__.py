"""Who may do what, from where: computed from the policies that a deployment emits, not from its settings."""
