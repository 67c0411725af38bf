"""A cluster of two nodes on this machine, an object store that it sees, and a pipeline."""

import logging
import os
import urllib.request

import pytest
import ray
from moto.server import ThreadedMotoServer
from ray.cluster_utils import Cluster

from ..distil import stock_teacher

# Workers as important as other processes of a busy machine, and nothing that calls home.
os.environ |= {"RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
NODE = {"num_cpus": 2, "object_store_memory": 100 << 20}
HEAD = {**NODE, "num_gpus": 1, "include_dashboard": False}


class Store(ThreadedMotoServer):
    """What answers as S3 does."""

    @property
    def address(self):
        """RETURNS (str): Host and port."""
        _, port = self.get_host_and_port()
        return f"localhost:{port}"

    def reset(self):
        """Forget all buckets."""
        urllib.request.urlopen(f"http://{self.address}/moto-api/reset", data=b"").close()


@pytest.fixture(scope="session")
def store():
    """RETURNS (Store): A store that processes started from now on find by their environment."""
    store = Store(ip_address="localhost", port=0, verbose=False)
    store.start()
    patch = pytest.MonkeyPatch()
    patch.setenv("AWS_ENDPOINT_URL", f"http://{store.address}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "test")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    yield store
    patch.undo()
    store.stop()


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
