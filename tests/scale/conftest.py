"""A cluster of two nodes on this machine, and a pipeline."""

import logging
import os

import pytest
import ray
from ray.cluster_utils import Cluster

from ..distil import stock_teacher

# Workers as important as other processes of a busy machine, and nothing that calls home.
os.environ |= {"RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
NODE = {"num_cpus": 2, "object_store_memory": 100 << 20}


@pytest.fixture(scope="session")
def cluster():
    cluster = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    cluster.add_node(**NODE)
    ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("scale") / "model"
    stock_teacher(factory="lstm_tagger").to_disk(path)
    return path
