"""Fits scikit-learn's Gaussian mixture, one thread; each line of input is one turn, which answers seconds per iteration. Arguments: file of float64 rows, columns, components, iterations."""
import json
import sys
import time
import warnings

import numpy as np
import sklearn
from sklearn.mixture import GaussianMixture

warnings.filterwarnings("ignore")
columns, components, iterations = (int(text) for text in sys.argv[2:5])
rows = np.fromfile(sys.argv[1], dtype="<f8").reshape(-1, columns)
print(".".join(sklearn.__version__.split(".")[:2]), flush=True)


class Timed(GaussianMixture):
    """Counts what its expectation and maximisation steps cost, and nothing else."""

    cpu = wall = 0.0

    def timed(self, step, *given):
        cpu, wall = time.process_time(), time.perf_counter()
        answer = step(*given)
        self.cpu += time.process_time() - cpu
        self.wall += time.perf_counter() - wall
        return answer

    def _e_step(self, X):
        return self.timed(super()._e_step, X)

    def _m_step(self, X, log_resp):
        return self.timed(super()._m_step, X, log_resp)


for _ in sys.stdin:
    mixture = Timed(components, max_iter=iterations, tol=0, init_params="random", means_init=rows[:components], random_state=0)
    mixture.fit(rows)
    # one expectation more than iterations: fit ends with one
    steps = mixture.n_iter_
    print(
        json.dumps({"cpuSeconds": mixture.cpu / (steps + 0.5), "wallSeconds": mixture.wall / (steps + 0.5), "iterations": steps}), flush=True
    )
