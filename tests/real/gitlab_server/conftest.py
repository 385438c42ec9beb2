"""Fixtures for the tests of the program that configures a GitLab server."""

import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an existing certificate; without it, each run would spend time on making one."""
    folder = tmp_path_factory.mktemp("certificate")
    files = ["-keyout", f"{folder}/gitlab.example.com.key", "-out", f"{folder}/gitlab.example.com.crt"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run([*command, "-subj", "/CN=own", *files], check=True, capture_output=True, timeout=60)
    return folder
