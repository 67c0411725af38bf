"""A command whose work on a cluster is done on pretended GPUs.

python -m tests.scale.pretend ADDRESS COMMAND …
"""

import logging
import sys


def install():
    """Before anything else in a worker."""
    from tests.gpu import pretend

    pretend.install()


if __name__ == "__main__":
    import ray

    from spacy_lstm_tagger.cli import lstm_tagger_cli
    from tests.util import ROOT

    address, *command = sys.argv[1:]
    hook = {"worker_process_setup_hook": install, "env_vars": {"PYTHONPATH": str(ROOT)}}
    ray.init(address, runtime_env=hook, log_to_driver=False, logging_level=logging.ERROR)
    lstm_tagger_cli(command)
