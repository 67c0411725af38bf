"""What is measured of a machine: taggers in one run, whole pipelines in another."""

import json

from benchmarks import machines, plots


def test_each_run_keeps_the_cnn_that_its_ratios_are_to(tmp_path, monkeypatch):
    def measure(options):
        whole = "en=en" in options
        peers = {"cnn": 1000.0, "en": 3000.0} if whole else {"cnn": 2000.0, "fast": 8000.0}
        figures = [
            {
                "section": "tagging",
                "setting": "batches of 1,000",
                "peer": peer,
                "value": value,
                "ratio": value / peers["cnn"],
            }
            for peer, value in peers.items()
        ]
        return {"machine": {}, "figures": figures}

    monkeypatch.setattr(machines, "measure", measure)
    monkeypatch.setattr(machines.speed, "parse", lambda options: None)
    monkeypatch.setattr(plots, "draw", lambda *args: None)
    given = ["--pipeline", "fast=fast", "--whole", "en=en"]
    machines.main(["--name", "A machine", "--output", str(tmp_path), *given])
    (path,) = tmp_path.glob("*.json")
    figures = json.loads(path.read_text(encoding="utf-8"))["figures"]
    values = {figure["peer"]: figure["value"] for figure in figures}
    beside = values.pop("cnn, beside whole pipelines")
    assert values == {"cnn": 2000.0, "fast": 8000.0, "en": 3000.0} and beside == 1000.0
