"""Words a second of `lstm-tagger tag --engine ray`, from raw text in Parquet to tags in Parquet.

    python -m benchmarks.cluster --pipeline fast=output/fast/model-best --ud UD_FOLDER

Beside it the same work by `nlp.pipe` with as many processes. Each is run on few words and on many,
and what more words cost is its speed: starting processes costs the same for both. Memory is the
most that all processes of Ray had to themselves in a run.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as pq
import spacy
from spacy.tokens import Doc

from spacy_lstm_tagger.files.formats import to_columns, to_table
from spacy_lstm_tagger.files.tagged import Style, TaggedTexts
from spacy_lstm_tagger.files.texts import Reading, Text
from spacy_lstm_tagger.tagging import FileTagger, Job

from .outputs import OUTPUT, write
from .speed import named_path
from .texts import of_length, read_texts
from .treebanks import add_ud_option, find_treebank

DOC_WORDS = 100
ROWS = 1000  # are written at a time
READING = Reading(strip=False, keep=True)
MEGABYTE = 1 << 20


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and write the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument(
        "--pipeline", type=named_path, action="append", required=True, metavar="NAME=PATH"
    )
    add_ud_option(parser)
    parser.add_argument("--words", type=int, default=4_000_000, help="of the longer run")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--block-size", type=float, default=2.0)
    parser.add_argument("--output", type=Path, default=OUTPUT / "cluster.json")
    args = parser.parse_args(argv)
    dev = find_treebank(parser, args.ud, "en_ewt") / "dev.conllu"
    import ray  # not where it is only asked for --help

    ray.init("local", num_cpus=max(args.workers), include_dashboard=False, log_to_driver=False)
    sizes = (args.words // 4, args.words)
    figures: dict[str, Any] = {"words": args.words, "block_size": args.block_size}
    with tempfile.TemporaryDirectory(prefix="cluster-") as place:
        paths = [write_texts(dev, n, Path(place) / f"{n}.parquet") for n in sizes]
        for name, model in args.pipeline:
            print(name)
            runs = dict(measure(str(model), sizes, paths, args.workers, args.block_size))
            figures[name] = {"runs": runs, "shares": where_time_goes(str(model), paths[0])}
    write(args.output, figures)


def measure(
    model: str,
    sizes: Sequence[int],
    paths: Sequence[Path],
    counts: Sequence[int],
    block_size: float,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """YIELDS (tuple): Each way to tag the files, and its figures."""
    for workers in counts:
        ways: dict[str, Callable[[Path, Path], None]] = {
            f"nlp.pipe, n_process={workers}": partial(by_pipe, model, n_process=workers),
            f"ray, {workers} actors": partial(by_ray, model, actors=workers, block_size=block_size),
        }
        for name, way in ways.items():
            times, peaks = [], []
            for path in paths:
                with tempfile.TemporaryDirectory(dir=path.parent) as folder, peak_memory() as peak:
                    start = time.perf_counter()
                    way(path, Path(folder) / "out")
                    times.append(time.perf_counter() - start)
                peaks.append(peak[0] // MEGABYTE)
            speed = (sizes[1] - sizes[0]) / max(times[1] - times[0], 1e-9)
            run = {"words_per_second": round(speed), "seconds": [round(t, 1) for t in times]}
            print(f"{name:<24} {speed:>10,.0f} words/s  {run['seconds']}  {peaks} MB", flush=True)
            yield name, run | ({"peak_mb": peaks} if "ray" in name else {})


def write_texts(treebank: Path, words: int, path: Path) -> Path:
    """RETURNS (Path): A Parquet file with texts of about so many words in all."""
    texts = of_length(read_texts([treebank]), DOC_WORDS, n_tokens=words)
    table = pyarrow.table({"id": range(len(texts)), "text": list(map(str, texts))})
    pq.write_table(table, path, row_group_size=10 * ROWS)
    return path


def by_pipe(model: str, source: Path, target: Path, *, n_process: int) -> None:
    """Tag a file as a script does."""
    nlp = spacy.load(model)
    writer = None
    table = pq.read_table(source)
    docs = nlp.pipe(table["text"].to_pylist(), n_process=n_process)
    for start in range(0, len(table), ROWS):
        rows = table[start : start + ROWS]
        found = to_columns(TaggedTexts([], take(docs, len(rows)), []), Style())
        for name, column in found.items():
            rows = rows.append_column(name, column)
        writer = writer or pq.ParquetWriter(target, rows.schema)
        writer.write_table(rows)
    if writer is not None:
        writer.close()


def take(docs: Iterator[Doc], count: int) -> list[Doc]:
    """RETURNS (list[Doc]): The next docs."""
    return [next(docs) for _ in range(count)]


def by_ray(model: str, source: Path, target: Path, *, actors: int, block_size: float) -> None:
    """Tag a file as the command does."""
    from spacy_lstm_tagger.scale.tagging import Cluster, tag_on_ray

    job = Job(model, ".parquet", Style())
    cluster = Cluster(actors, block_size=block_size)
    tag_on_ray(job, [str(source)], str(target), READING, cluster=cluster)


def where_time_goes(model: str, path: Path) -> dict[str, float]:
    """RETURNS (dict[str, float]): The seconds of each part of an actor's work on a file."""
    tagger = FileTagger(Job(model, ".parquet", Style()))
    texts = [Text(text, [], []) for text in pq.read_table(path)["text"].to_pylist()]
    seconds = {}

    def clock(name: str, work: Callable[[], object]) -> None:
        start = time.perf_counter()
        work()
        seconds[name] = round(time.perf_counter() - start, 2)

    clock("tokenizing", lambda: [tagger.nlp.make_doc(str(text.text)) for text in texts])
    clock("tokenizing and tagging", lambda: tagger.apply(texts, lambda tagged, style: None))
    clock("… and a table", lambda: tagger.apply(texts, to_table))
    return seconds


@contextmanager
def peak_memory(of: Callable[[Iterable[int]], int] = sum) -> Iterator[list[int]]:
    """Watch the processes of Ray.

    of (Callable[[Iterable[int]], int]): `sum`: all of them together. `max`: the largest.
    YIELDS (list[int]): Its one number becomes the most bytes that they had.
    """
    peak, is_over = [0], threading.Event()

    def watch() -> None:
        while not is_over.wait(0.5):
            peak[0] = max(peak[0], of(map(own_memory, Path("/proc").glob("[0-9]*"))))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        is_over.set()
        thread.join()


def own_memory(process: Path) -> int:
    """RETURNS (int): The bytes that a process of Ray has to itself; 0 of another one."""
    try:
        if not (process / "cmdline").read_bytes().startswith(b"ray::"):
            return 0
        lines = (process / "status").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon")), 0)


if __name__ == "__main__":
    main()
