"""Names for arrays by what they hold; shapes stand where they are used. numpy only."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Reals = NDArray[np.floating]  # of either width
Ints = NDArray[np.int64]
Ints32 = NDArray[np.int32]
Pixels = NDArray[np.uint8]
Flags = NDArray[np.bool_]
