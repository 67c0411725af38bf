"""A cluster of two nodes on this machine, an object store that it sees, and a pipeline."""

import logging
import os

import pytest
import ray
from moto.server import ThreadedMotoServer
from ray.cluster_utils import Cluster

from ..distil import stock_teacher

# Workers as important as other processes of a busy machine, and nothing that calls home. Those that
# have nothing to do stay: Ray would end them after a second, and start others.
os.environ |= {
    "RAY_worker_niceness": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_num_workers_soft_limit": "4",
    "RAY_idle_worker_killing_time_threshold_ms": "600000",
}
NODE = {"num_cpus": 1, "object_store_memory": 100 << 20}
HEAD = {**NODE, "num_gpus": 1, "include_dashboard": False}


@pytest.fixture(scope="session")
def store():
    """RETURNS (str): Host and port of a store that answers as S3 does, to processes from now on."""
    server = ThreadedMotoServer(ip_address="localhost", port=0, verbose=False)
    server.start()
    patch = pytest.MonkeyPatch()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "test")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    yield f"localhost:{server.get_host_and_port()[1]}"
    patch.undo()
    server.stop()


@pytest.fixture(scope="session")
def cluster(store):
    cluster = Cluster(initialize_head=True, head_node_args=HEAD)
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
