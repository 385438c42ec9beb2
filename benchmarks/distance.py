"""Puts a distance between a build and the servers of tests/real/mirror, where the kernel has no `tc netem`.

`away` does it. This file, run inside the servers' namespace, is the proxy: every segment takes DELAY milliseconds in
each direction, and a connection begins a round trip late, as its handshake on the loopback takes no time.
"""

import asyncio
import functools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real.mirror.world import MirrorWorld

_HERE, _THERE = "127.0.0.2", "127.0.0.1"
_PORTS = (22, 443)


@contextmanager
def away(world: MirrorWorld, milliseconds: int) -> Iterator[None]:
    """Let Backlog's SSH and AWS's HTTPS be so far away. The address of the container's credentials stays near."""
    hosts = world.folder / "hosts"
    near = hosts.read_text()
    proxy = subprocess.Popen(  # noqa: S603  (our own command)
        [*world.enter(), sys.executable, "-m", __name__, str(milliseconds)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if proxy.stdout is None or proxy.stdout.readline() != "listening\n":
            raise SystemExit("the proxy that delays does not start")
        hosts.write_text(near.replace(_THERE, _HERE).replace("localhost ", ""))
        yield
    finally:
        hosts.write_text(near)
        proxy.kill()
        proxy.wait()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Write what is read, each part `delay` seconds after it came."""
    parts: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def write() -> None:
        while True:
            due, part = await parts.get()
            await asyncio.sleep(due - time.monotonic())
            if not part:
                writer.write_eof()
                return
            writer.write(part)
            await writer.drain()

    writing = asyncio.create_task(write())
    part = b"-"
    while part:
        part = await reader.read(1 << 16)
        parts.put_nowait((time.monotonic() + delay, part))
    await writing


async def _serve(delay: float) -> None:
    running: set[asyncio.Task[None]] = set()  # asyncio itself holds tasks so loosely that they may vanish

    def begin(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(task := asyncio.create_task(connected(port, reader, writer)))
        task.add_done_callback(running.discard)

    async def connected(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2 * delay)
        far_reader, far_writer = await asyncio.open_connection(_THERE, port)
        try:
            await asyncio.gather(_pass_on(reader, far_writer, delay), _pass_on(far_reader, writer, delay))
        except OSError:
            pass  # an end closed the connection, which the other learns
        finally:
            writer.close()
            far_writer.close()

    for port in _PORTS:
        await asyncio.start_server(functools.partial(begin, port), _HERE, port)
    print("listening", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]) / 1000))
