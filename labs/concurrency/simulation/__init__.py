"""How long a copy takes, without copying: a model of workers, S3 and Lambda, run by simpy.

A model is worth something when it is fitted to one run and right about others. So `calibrate` sees
one measured run, `predict` foretells runs that it has not seen, and `error` says how far off it
was. `article` runs the same model at the size of the article of 2016.
"""

from labs.concurrency.simulation.calibration import calibrate, error
from labs.concurrency.simulation.functions import by_itself, in_line, predict_lambda
from labs.concurrency.simulation.model import Parameters, Prediction
from labs.concurrency.simulation.pool import predict

__all__ = [
    "Parameters",
    "Prediction",
    "by_itself",
    "calibrate",
    "error",
    "in_line",
    "predict",
    "predict_lambda",
]
