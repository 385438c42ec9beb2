"""The surroundings of a proxy, in a network namespace: a resolver, hosts on the internet, clients.

Run by `conftest.py` as `python -m tests.real.proxy.namespace FOLDER`, as the first process of the namespace. FOLDER
has `squid.conf`, which real Squid runs unchanged, `cases` with CodeCommit's repositories, and `server.pem`. Every name
resolves, and every host listens on every port that a test uses, so a connection fails only when the proxy refuses it.
Requests to the proxy are read from standard input as JSON, one on each line. The answer is JSON, too: the proxy's
status, and what came of the bytes that a client then sends into the tunnel.
"""

import base64
import json
import os
import shutil
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path

from tests.real.mirror.codecommit import Handler
from tests.real.mirror.services import GIT_HOST

PROXY_HOST = "kakehashi-dev-proxy-0123456789abcdef.elb.ap-northeast-1.amazonaws.com"
PROXY = "10.10.11.9"
CODECOMMIT = "198.51.100.10"
ELSEWHERE = "198.51.100.20"
METADATA = "169.254.169.254"
LEADS_TO_METADATA = "gems.example.net"
"""An allowed host that its owner lets resolve to the instance's own metadata."""

IN_THE_VPC = "10.10.0.5"
OUTSIDE_THE_VPC = "203.0.113.99"
_RESOLVER = "10.10.0.2"
_ADDRESSES = (PROXY, CODECOMMIT, ELSEWHERE, METADATA, IN_THE_VPC, OUTSIDE_THE_VPC, _RESOLVER)
_NAMES = {GIT_HOST: CODECOMMIT, PROXY_HOST: PROXY, LEADS_TO_METADATA: METADATA}
_PORTS = (22, 80, 443, 8443)
_A, _IN = 1, 1


class DnsStandIn(socketserver.BaseRequestHandler):
    """Answers every name with an IPv4 address, and none with an IPv6 address."""

    def handle(self) -> None:
        query, answer_socket = self.request
        end = query.index(b"\0", 12)
        labels, place = [], 12
        while place < end:
            labels.append(query[place + 1 : place + 1 + query[place]].decode())
            place += 1 + query[place]
        (kind,) = struct.unpack("!H", query[end + 1 : end + 3])
        address = socket.inet_aton(_NAMES.get(".".join(labels).lower(), ELSEWHERE))
        found = struct.pack("!HHHIH", 0xC00C, _A, _IN, 60, 4) + address if kind == _A else b""
        header = query[:2] + struct.pack("!HHHHH", 0x8180, 1, bool(found), 0, 0)
        answer_socket.sendto(header + query[12 : end + 5] + found, self.client_address)


def _enter_the_namespace(folder: Path) -> None:
    """Set up addresses, a resolver, and the folders that Squid writes to. Nothing changes outside the namespace."""
    (folder / "resolv.conf").write_text(f"nameserver {_RESOLVER}\n")
    log, etc = folder / "log", folder / "etc"
    log.mkdir()
    etc.mkdir()
    shutil.copy(folder / "server.pem", etc / "unused.pem")
    Path("/var/log/squid").mkdir(exist_ok=True)
    for command in (
        ["ip", "link", "set", "lo", "up"],
        *(["ip", "address", "add", f"{address}/32", "dev", "lo"] for address in _ADDRESSES),
        ["mount", "--bind", str(folder / "resolv.conf"), "/etc/resolv.conf"],
        ["mount", "--bind", str(log), "/var/log/squid"],
        ["mount", "--bind", str(etc), "/etc/squid"],
        ["mount", "-t", "tmpfs", "tmpfs", "/run"],
        ["mount", "-t", "tmpfs", "tmpfs", "/dev/shm"],  # noqa: S108  (every Squid of one name shares memory there)
    ):
        subprocess.run(command, check=True)
    shutil.chown(log, "proxy", "proxy")  # as whom Debian's Squid runs


class Internet(ThreadingHTTPServer):
    """A host on the internet, which remembers who connected."""

    reached = 0

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        Internet.reached += 1
        super().process_request(request, client_address)


def _serve(folder: Path) -> None:
    threading.Thread(target=socketserver.UDPServer((_RESOLVER, 53), DnsStandIn).serve_forever, daemon=True).start()

    class CodeCommit(Handler):
        cases = folder / "cases"

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.pem")
    for port in _PORTS:
        server = Internet(("0.0.0.0", port), CodeCommit)
        if port == 443:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()


def _squid(folder: Path) -> None:
    program = shutil.which("squid", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program
    subprocess.Popen(
        [program, "-N", "-d", "1", "-f", folder / "squid.conf"], stderr=(folder / "squid.stderr").open("w")
    )
    for _ in range(100):
        try:
            if _answer(IN_THE_VPC, f"CONNECT {GIT_HOST}:443 HTTP/1.1\r\n\r\n")["status"] == 200:
                return
        except ConnectionError:
            pass
        time.sleep(0.1)
    raise SystemExit("Squid opens no tunnel")


def _answer(source: str, request: str, sent: str = "") -> dict[str, int | str]:
    """The proxy's status to a client at `source`, the connections that hosts got, and what came back for `sent`.

    `sent` goes into the tunnel in two parts, because a TLS greeting may come in several segments.
    """
    before = Internet.reached
    with socket.create_connection((PROXY, 3128), timeout=10, source_address=(source, 0)) as client:
        client.sendall(request.encode())
        answer = client.makefile("rb")
        status = int(answer.readline().split()[1])
        came = b""
        if sent:
            while answer.readline().strip():
                pass
            data = base64.b64decode(sent)
            try:
                client.sendall(data[:7])
                time.sleep(0.05)
                client.sendall(data[7:])
                client.settimeout(1)
                came = answer.read1()
            except OSError:  # the proxy closed the tunnel, or nobody answers
                pass
    return {"status": status, "reached": Internet.reached - before, "came": base64.b64encode(came).decode()}


def main(folder: Path) -> None:
    """Serve until standard input ends; prints a line once everything listens."""
    _enter_the_namespace(folder)
    _serve(folder)
    _squid(folder)
    print("listening", flush=True)
    for line in sys.stdin:
        print(json.dumps(_answer(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
