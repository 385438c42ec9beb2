"""The text that runs on machines: the mirror build, GitLab's configuration, cloud-init. Rendered here alone."""
