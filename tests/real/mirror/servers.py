"""The servers that a build connects to, in a network namespace: Backlog's SSH, CodeCommit's Git, and APIs over TLS.

Run by `world.py` as `python -m tests.real.mirror.servers FOLDER [DELAY]`, as the first process of the namespace.
FOLDER/cases has one folder for each test: `source` with Backlog's repositories, `target` with CodeCommit's. A build's
SSH key and its AWS access key, which is the name of the folder, decide which folder it uses. sshd, git upload-pack, git
http-backend and TLS are real; the APIs of AWS are stand-ins. DELAY is the milliseconds that a packet takes each way.
"""

import os
import shutil
import ssl
import subprocess
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

from tests.real.mirror.codecommit import SPIED, SPY
from tests.real.mirror.keys import Keys
from tests.real.mirror.services import CREDENTIALS_ADDRESS, HOSTS, BridgeHandler

SOURCE_HOST = "example.git.backlog.jp"
SOURCE_USER = "example"

# A file in a case's folder: the bytes that Backlog sent, one line for each connection.
SOURCE_TRAFFIC = "traffic.source"

# The command that Backlog runs for a key; $1 is the folder of the key's case. It is silent about its version of Git's
# protocol 2, as an old server is.
_SERVE = f"""#!/bin/bash
[[ $SSH_ORIGINAL_COMMAND =~ ^git-upload-pack\\ \\'(/[A-Za-z0-9_./-]+)\\'$ ]] || exit 1
path=${{BASH_REMATCH[1]}} name=${{BASH_REMATCH[1]##*/}}
name=${{name%.git}}
tools=${{0%/*}}
unset GIT_PROTOCOL
cd "$1" || exit 1
[ ! -e {SPY} ] || cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline >>{SPIED} 2>/dev/null
"$tools/at" "$1" source_listing "$name"
hook=()
[ ! -e "faults/at.source_packing.$name" ] || hook=(-c "uploadpack.packObjectsHook=$tools/packing $1 $name")
exec 3> >(wc -c >>{SOURCE_TRAFFIC})
counter=$!
if compgen -G 'faults/source_*' >/dev/null; then
    git "${{hook[@]}}" upload-pack "source$path" | python3 -IS "$tools/faulty.py" "$1" "$name" | tee /dev/fd/3
else
    git "${{hook[@]}}" upload-pack "source$path" | tee /dev/fd/3
fi
status=${{PIPESTATUS[0]}}
exec 3>&-
wait "$counter"
exit "$status"
"""

_AT = """#!/bin/sh
# Runs the script of moment $2 of repository $3, once.
cd "$1/faults" 2>/dev/null || exit 0
[ ! -e "at.$2.$3" ] || { mv "at.$2.$3" "done.$2.$3" && exec sh -eu "done.$2.$3" >/dev/null; }
"""

# https://git-scm.com/docs/git-config#Documentation/git-config.txt-uploadpackpackObjectsHook
_PACKING = """#!/bin/sh
"${0%/*}/at" "$1" source_packing "$2"
shift 2
exec "$@"
"""

_FAULTY = '''"""Passes on what upload-pack sends, as the case's faults say."""
import os
import sys
import time

case, name = sys.argv[1:]


def file_of(fault):
    files = [f"{case}/faults/{fault}.{name}", f"{case}/faults/{fault}"]
    return next((file for file in files if os.path.exists(file)), None)


def number(fault):
    file = file_of(fault)
    return int(open(file).read()) if file else None


left = number("source_unavailable")
if left:
    with open(file_of("source_unavailable"), "w") as file:
        file.write(str(left - 1))
    sys.exit(1)
cut, silent, slow, sent = number("source_cut"), number("source_silent"), number("source_slow"), 0
while part := os.read(0, 4096 if slow else 65536):
    end = min((limit for limit in (cut, silent) if limit is not None), default=sent + len(part))
    part = part[: max(0, end - sent)]
    os.write(1, part)
    sent += len(part)
    if slow:
        time.sleep(len(part) / slow)
    if sent >= end and cut is not None:
        break
    while sent >= end and silent is not None and file_of("source_silent"):
        time.sleep(0.05)
'''

_SSHD = """
Port 22
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
AcceptEnv GIT_PROTOCOL
MaxStartups 100
UseDNS no
"""


def _enter_the_namespace(folder: Path, delay: int) -> None:
    """Give this machine the services' host names, and Backlog's user. Nothing changes outside the namespace."""
    (folder / "hosts").write_text(f"127.0.0.1 localhost {SOURCE_HOST} {' '.join(HOSTS)}\n")
    (folder / "passwd").write_text(f"{Path('/etc/passwd').read_text()}{SOURCE_USER}:*:0:0::{folder}:/bin/sh\n")
    for command in (
        ["ip", "link", "set", "lo", "up"],
        ["ip", "address", "add", f"{CREDENTIALS_ADDRESS}/32", "dev", "lo"],
        *([["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", f"{delay}ms"]] if delay else []),
        ["mount", "--bind", str(folder / "hosts"), "/etc/hosts"],
        ["mount", "--bind", str(folder / "passwd"), "/etc/passwd"],
        ["mount", "-t", "tmpfs", "tmpfs", "/run"],
    ):
        subprocess.run(command, check=True)
    Path("/run/sshd").mkdir(mode=0o755)


def _wait_for_orphans() -> None:
    """Continue in a child process; the namespace's first process waits for every process that loses its parent."""
    servers = os.fork()
    while servers:
        ended, _ = os.wait()
        if ended == servers:
            sys.exit(1)


def _listen(address: str, port: int, handler: type[BridgeHandler], tls: ssl.SSLContext | None) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer((address, port), handler, bind_and_activate=False)
    server.daemon_threads = True
    server.request_queue_size = 100
    server.server_bind()
    server.server_activate()
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


def main(folder: Path, delay: int) -> None:
    """Serve until killed; prints a line once the servers listen."""
    _wait_for_orphans()
    _enter_the_namespace(folder, delay)
    for name, text in {"serve": _SERVE, "at": _AT, "packing": _PACKING, "faulty.py": _FAULTY}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    (folder / "sshd_config").write_text(_SSHD.format(folder=folder))
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    assert sshd
    subprocess.Popen([sshd, "-D", "-e", "-f", folder / "sshd_config"], stderr=(folder / "sshd.log").open("w"))

    class CaseHandler(BridgeHandler):
        cases = folder / "cases"
        keys = Keys(folder / "cases")

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.pem")
    plain = _listen(CREDENTIALS_ADDRESS, 80, CaseHandler, None)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    server = _listen("127.0.0.1", 443, CaseHandler, tls)
    print("listening", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int((sys.argv[2:] or ["0"])[0]))
