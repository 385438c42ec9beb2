"""Runs work for stacks in the order of their dependencies, two at a time."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter


def each(
    dependencies: Mapping[str, Iterable[str]],
    work: Callable[[str], None],
    *,
    backwards: bool = False,
    on_failure: Callable[[], None],
) -> None:
    """Do `work` for every name, each after its dependencies, or before them when `backwards`.

    When `work` fails, or Ctrl-C is pressed, `on_failure` has to end what is still running.
    """
    order = TopologicalSorter[str]()
    for name, needed in dependencies.items():
        order.add(name)
        for other in needed:
            order.add(*((other, name) if backwards else (name, other)))
    order.prepare()
    running: dict[Future[None], str] = {}
    with ThreadPoolExecutor(max_workers=2) as pool:
        try:
            while order.is_active():
                running |= {pool.submit(work, name): name for name in order.get_ready()}
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    order.done(running.pop(future))
        except BaseException:
            on_failure()
            raise
