"""Scores rows with scikit-learn's isolation forest, one thread; each line of input is one turn. Arguments: file of float32 rows, columns."""
import json
import sys
import time

import numpy as np
import sklearn
from sklearn.ensemble import IsolationForest

rows = np.ascontiguousarray(np.fromfile(sys.argv[1], dtype="<f4").reshape(-1, int(sys.argv[2])))
forest = IsolationForest(n_estimators=100, max_samples=256, random_state=0, n_jobs=1).fit(rows)
print(".".join(sklearn.__version__.split(".")[:2]), flush=True)
for _ in sys.stdin:
    cpu, wall = time.process_time(), time.perf_counter()
    scores = forest.score_samples(rows)
    sample = {"cpuSeconds": time.process_time() - cpu, "wallSeconds": time.perf_counter() - wall}
    quantiles = np.quantile(-scores, [0.05, 0.5, 0.95])
    print(json.dumps({**sample, "low": quantiles[0], "middle": quantiles[1], "high": quantiles[2]}), flush=True)
