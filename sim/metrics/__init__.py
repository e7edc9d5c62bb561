"""Metrics: what runs show, as numbers. The truth is here, and goes to no estimator.

*Anonymity.* ``p_named`` is the share of posts whose author the estimator named, with the Wilson interval; ``anonymity``
says what else is told. *Spreading.* Coverage is measured from publication, over the honest nodes.
"""

from .anonymity import Anonymity, Author, Bin, Calibration, Verdict, summary
from .numbers import entropy_bits, quantile, quantiles, wilson
from .ranks import Ranking, calibrate, judge
from .users import user_shares

__all__ = [
    "Anonymity",
    "Author",
    "Bin",
    "Calibration",
    "Ranking",
    "Verdict",
    "calibrate",
    "entropy_bits",
    "judge",
    "quantile",
    "quantiles",
    "summary",
    "user_shares",
    "wilson",
]
