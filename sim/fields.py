"""Fields: the numbers of a result as they are printed."""

import math
from typing import Any, Final

__all__ = ["rounded"]

#: Significant digits of what was measured.
DIGITS: Final = 4


def rounded(value: Any) -> Any:
    """What is printed of a measured value, or of a list of them; anything else as it is."""
    if isinstance(value, list):
        return [rounded(each) for each in value]
    if isinstance(value, float) and value and math.isfinite(value):
        return round(value, DIGITS - 1 - math.floor(math.log10(abs(value))))
    return value
