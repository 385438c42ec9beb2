"""The program that mirrors Backlog repositories into CodeCommit, rendered into the buildspec.

It runs in CodeBuild's image with Python 3.9 or newer and Git, and imports the standard library alone.
"""
