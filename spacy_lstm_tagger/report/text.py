"""The report as text for a terminal."""

from collections.abc import Sequence
from typing import Any

from wasabi import table

from .names import BANDS, HEADLINE, count_bands, percent, probability

SHOWN = 15  # so many tags and confusions


def render_text(figures: dict[str, Any]) -> str:
    """RETURNS (str): The figures of a report as tables."""
    corpus, pipelines = figures["corpus"], figures["pipelines"]
    parts = [
        f"{corpus['path']}: {corpus['words']:,} words in {corpus['sentences']:,} sentences, "
        f"{corpus['texts']:,} texts. In per cent, with {figures['level']:.0%} intervals by drawing "
        f"{figures['units']} anew."
    ]
    parts += [missing(pipe) for pipe in pipelines if pipe["missing_tags"]]
    names = [pipe["name"] for pipe in pipelines]
    parts.append(_table(("accuracy", "number", *names), _headline(pipelines)))
    parts += [
        _table((f"by {BANDS[key]}", "number", *names), _by_band(pipelines, key))
        for key in BANDS
        if any(key in pipe["bands"] for pipe in pipelines)
    ]
    for pipe in pipelines:
        parts += _of_one(pipe)
    parts += [_comparison(each) for each in figures["comparisons"]]
    return "\n".join(f"{part.strip()}\n" for part in parts)


def missing(pipe: dict[str, Any]) -> str:
    """RETURNS (str): Which tags a pipeline does not give."""
    tags = ", ".join(pipe["missing_tags"])
    return f"Always wrong, as {pipe['name']} does not give these tags: {tags}"


def _headline(pipelines: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    rows = []
    for key, name in HEADLINE.items():
        found = [pipe["figures"][key] for pipe in pipelines]
        counts = dict.fromkeys(f"{each['count']:,}" for each in found if each is not None)
        rows.append((name, ", ".join(counts) or "–", *map(_interval, found)))
    return rows


def _interval(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return "–"
    value = figure["accuracy"] if "accuracy" in figure else figure["value"]
    return f"{percent(value)} ({percent(figure['low'])}–{percent(figure['high'])})"


def _by_band(pipelines: Sequence[dict[str, Any]], key: str) -> list[tuple[str, ...]]:
    tables = [pipe["bands"].get(key, []) for pipe in pipelines]
    rows = [{row["band"]: row for row in table} for table in tables]
    return [
        (band, count, *(_interval(each.get(band)) for each in rows))
        for band, count in count_bands(tables).items()
    ]


def _of_one(pipe: dict[str, Any]) -> list[str]:
    tags = [
        (row["tag"], f"{row['count']:,}", *(percent(row[key]) for key in "prf"))
        for row in pipe["tags"][:SHOWN]
    ]
    errors = [
        (row["gold"], row["guess"] or "none", f"{row['count']:,}") for row in pipe["mistakes"]
    ]
    name, n_tags = pipe["name"], len(pipe["tags"])
    header: tuple[str, ...] = ("tag", "words", "P", "R", "F")
    parts = [f"{name}: tags, {min(SHOWN, n_tags)} of {n_tags}\n\n{_table(header, tags)}"]
    header = ("right", "given", "words")
    shown = f"{min(SHOWN, len(errors))} of {len(errors)}"
    parts.append(f"{name}: errors, {shown}\n\n{_table(header, errors[:SHOWN])}")
    if pipe["reliability"] is not None:
        error = percent(pipe["reliability"]["error"])
        parts.append(f"{name}: expected calibration error {error}")
    return parts


def _comparison(found: dict[str, Any]) -> str:
    difference = percent(found["difference"], signed=True)
    low, high = (percent(found[key], signed=True) for key in ("low", "high"))
    return (
        f"{found['second']} against {found['first']}: {difference} ({low} to {high}), "
        f"{probability(found['p'])}; only the former is right on {found['only_second']:,} words, "
        f"only the latter on {found['only_first']:,}."
    )


def _table(header: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    aligns: Any = ["l" if name in ("", "given") else "r" for name in ("", *header[1:])]
    return table(rows, header=header, aligns=aligns, divider=True, max_col=80).strip()
