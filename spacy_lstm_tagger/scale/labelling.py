"""Label texts on a cluster: `lstm-tagger label --engine ray`. The driver reads and writes."""

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray

from ..distil.labelling import LabelJob, Shard, Task
from ..workers import until_failure
from .pipelines import Shipped, count_actors, own_errors, prepare_worker, ship, unpacked

RETRIES = 5  # of a shard whose actor has died


class Labeller:
    """Labels the texts of a shard. One actor has one.

    job (LabelJob): How.
    teachers (list[Shipped]): Its teachers.
    """

    def __init__(self, job: LabelJob, teachers: list[Shipped]):
        prepare_worker()
        with ExitStack() as stack:
            paths = [stack.enter_context(unpacked(teacher)) for teacher in teachers]
            self.teachers = replace(job, teachers=tuple(paths)).load()

    def begin(self) -> None:
        """Tell that there was room for it, and that it can label."""

    def label(self, task: Task) -> Shard:
        """RETURNS (Shard): Labelled texts."""
        return Shard.of(task, self.teachers)


def label_on_ray(
    tasks: Iterator[Task],
    job: LabelJob,
    *,
    concurrency: int,
    gpus: float,
    code: Path | None,
) -> Iterator[Shard]:
    """Label the texts of shards. Only a few wait at a time, so they stay a stream.

    tasks (Iterator[Task]): The texts.
    job (LabelJob): How they are labelled. Only the driver has to see its teachers and texts.
    concurrency (int): How many actors label. 0: as many as there are CPUs, or GPUs.
    gpus (float): How many GPUs each of them has.
    code (Optional[Path]): A file with registered functions that the teachers need.
    YIELDS (Shard): The shards, in the order of the tasks.
    RAISES (ChildProcessError): If actors die again and again. What goes wrong in the tasks is
        raised after the shards before it.
    """
    first, *others = job.teachers
    teachers = [ship(first, code=code), *map(ship, others)]  # the code is imported once
    actor: Any = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=-1, max_task_retries=RETRIES)(
        Labeller
    )
    actors = [actor.remote(job, teachers) for _ in range(count_actors(concurrency, gpus))]
    # What each does, and what it does next. Those that the cluster has no room for get nothing.
    doing = {chosen.begin.remote(): chosen for chosen in [*actors, *actors]}
    waiting: deque[ray.ObjectRef] = deque()
    failures: list[Exception] = []
    with own_errors():
        for task in until_failure(tasks, failures):
            (done,), _ = ray.wait(list(doing))
            chosen = doing.pop(done)
            waiting.append(chosen.label.remote(task))
            doing[waiting[-1]] = chosen
            if len(waiting) >= 2 * len(actors):
                yield ray.get(waiting.popleft())
        while waiting:
            yield ray.get(waiting.popleft())
    for failure in failures:
        raise failure
