"""Rows of sparse matrices, against dense ones."""

import numpy as np
from scipy.sparse import csr_matrix

from backend.geometry.sparse_rows import largest, largest_of_each, normalized, sums


def test_the_largest_of_every_row() -> None:
    random = np.random.default_rng(0)
    dense = (random.random((200, 7)) * (random.random((200, 7)) < 0.3)).astype(np.float32)
    dense[3] = 0
    dense[4] = [0, 2, 0, 2, 1, 0, 0]
    best, value = largest_of_each(csr_matrix(dense))
    assert (best == np.where(dense.any(1), dense.argmax(1), -1)).all()
    np.testing.assert_array_equal(value, dense.max(1))
    columns, values = largest(csr_matrix(dense), 3)
    np.testing.assert_array_equal(values, -np.sort(-dense, 1)[:, :3])
    assert columns[4].tolist() == [1, 3, 4] and columns[3].tolist() == [-1, -1, -1]
    assert largest(csr_matrix((5, 0), dtype=np.float32), 3)[0].tolist() == [[-1] * 3] * 5


def test_rows_add_up_to_one() -> None:
    rows = csr_matrix(np.array([[1, 3], [0, 0], [0, 5]], np.float32))
    np.testing.assert_allclose(sums(normalized(rows)), [1, 0, 1])
