"""Run a Ray cluster of nodes with a core each: print its address; end a node for each line on stdin, all at its end."""

from __future__ import annotations

import sys

from ray.cluster_utils import Cluster

if __name__ == "__main__":
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    more = [nodes.add_node(num_cpus=1) for _number in range(int(sys.argv[1]) - 1)]
    print(nodes.address, flush=True)
    for _line in sys.stdin:
        nodes.remove_node(more.pop(), allow_graceful=False)
        print("removed", flush=True)
    nodes.shutdown()
