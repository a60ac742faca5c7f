"""Rows of sparse matrices: the largest values, and sums. scipy's own go row by row in Python."""

import numpy as np
from scipy.sparse import csr_matrix, diags

from .arrays import Floats, Ints32


def sums(rows: csr_matrix) -> Floats:
    """(N,) of rows (N, K)."""
    return np.asarray(rows.sum(1), np.float32).ravel()


def normalized(rows: csr_matrix) -> csr_matrix:
    """Rows (N, K) that add up to one; those without anything stay so."""
    return (diags(1 / np.maximum(sums(rows), 1e-6)) @ rows).astype(np.float32).tocsr()


def largest(rows: csr_matrix, count: int) -> tuple[Ints32, Floats]:
    """(N, count) columns of the largest values of each row (N, K), the largest first and of equals
    the first, -1: there are no more above zero; and these values.
    """
    rows = rows.tocsr()
    number = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    order = np.lexsort((rows.indices, -rows.data, number))
    rank = np.arange(len(order)) - rows.indptr[number]  # rows stay where they were
    kept = (rank < count) & (rows.data[order] > 0)
    columns = np.full((rows.shape[0], count), -1, np.int32)
    values = np.zeros((rows.shape[0], count), np.float32)
    columns[number[kept], rank[kept]] = rows.indices[order][kept]
    values[number[kept], rank[kept]] = rows.data[order][kept]
    return columns, values


def largest_of_each(rows: csr_matrix) -> tuple[Ints32, Floats]:
    """(N,) the column of the largest value of each row (N, K), -1 without any, and the value."""
    columns, values = largest(rows, 1)
    return columns[:, 0], values[:, 0]
