"""Long jobs, several at a time: in threads that each start a process, or on a cluster of Ray."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from typing import Any, TypeVar

Item = TypeVar("Item")
RETRIES = 3  # of a job whose node has died


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Let a script take a cluster."""
    parser.add_argument("--engine", choices=["ray"], help="ray: a task on a core of a cluster each")
    parser.add_argument("--address", help="the cluster, such as auto (default: this machine)")


def work_on(
    items: Sequence[Item], work: Callable[[Item], Any], args: argparse.Namespace
) -> Iterator[tuple[Item, Any]]:
    """Do jobs.

    items (Sequence[Item]): What there is to do.
    work (Callable[[Item], Any]): Does one of them, with one thread.
    args (argparse.Namespace): The options of `add_engine_options`, and `jobs` for threads.
    YIELDS (tuple[Item, Any]): Each item with its result, as it is done.
    RAISES (Exception): That of a job that failed, once the others are done.
    """
    failures: list[Exception] = []
    done = _on_ray(items, work, args) if args.engine == "ray" else _in_threads(items, work, args)
    for item, result in done:
        try:
            value = result()
        except Exception as error:  # the others are worth having
            failures.append(error)
        else:
            yield item, value
    for failure in failures:
        raise failure


def _in_threads(
    items: Sequence[Item], work: Callable[[Item], Any], args: argparse.Namespace
) -> Iterator[tuple[Item, Callable[[], Any]]]:
    with ThreadPoolExecutor(args.jobs) as pool:
        futures = {pool.submit(work, item): item for item in items}
        for future in as_completed(futures):
            yield futures[future], future.result


def _on_ray(
    items: Sequence[Item], work: Callable[[Item], Any], args: argparse.Namespace
) -> Iterator[tuple[Item, Callable[[], Any]]]:
    import ray

    if not ray.is_initialized():
        ray.init(address=args.address)
    task: Any = ray.remote(num_cpus=1, max_retries=RETRIES)(work)
    waiting = {task.remote(item): item for item in items}
    while waiting:
        (ref,), _ = ray.wait(list(waiting))
        yield waiting.pop(ref), partial(ray.get, ref)
