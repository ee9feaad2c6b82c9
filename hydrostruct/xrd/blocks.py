"""Least squares of many blocks that share some parameters: each block is eliminated, what is shared is solved for.

The normal matrix of a map is an arrow: a block for each point, and a border of what all points share. Its Schur
complement costs one small solution a point, so that the whole goes linearly with the number of points.

References
----------
Triggs et al., in Vision Algorithms: Theory and Practice, LNCS 1883 (2000), doi 10.1007/3-540-44480-7_21, section 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """What one point says of its parameters."""

    normal: Floats
    """Normal matrix, shape (p, p)."""
    gradient: Floats
    """Half the descent of chi², shape (p,)."""
    shared: Ints
    """For each parameter the number of the shared one that it is, -1 for the block's own, shape (p,)."""
    fixed: Bools
    """Parameters that do not move, shape (p,)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockSpread:
    """Uncertainty of one block's own parameters, in two parts."""

    own: Floats
    """Covariance at given shared parameters, shape (p, p); 0 for those that are shared or fixed."""
    by_shared: Floats
    """How the parameters follow the shared ones, shape (p, shared)."""


def block_step(blocks: Sequence[Block], held: Bools, *, damping: float) -> tuple[list[Floats], Floats, float]:
    """One damped Gauss-Newton step of all parameters.

    Parameters
    ----------
    blocks : sequence of Block
        One for each point.
    held : array of bool, shape (shared,)
        Shared parameters that do not move.
    damping : float
        Marquardt's: the diagonal is multiplied by one more than this.

    Returns
    -------
    steps : list of array
        Of each block's parameters, the shared ones among them.
    shared : array, shape (shared,)
        Step of the shared parameters.
    expected : float
        What chi² would fall by, if it were a parabola and the damping small.
    """
    schur, right = np.zeros((held.size, held.size)), np.zeros(held.size)
    solved = []
    for block in blocks:
        own, common = _parts(block)
        inner = block.normal[np.ix_(own, own)].copy()
        inner[np.diag_indices_from(inner)] *= 1.0 + damping
        border = block.normal[np.ix_(own, common)]
        answer = _solve(inner, np.column_stack((border, block.gradient[own])))
        at = block.shared[common]
        np.add.at(schur, (at[:, None], at[None, :]), block.normal[np.ix_(common, common)] - border.T @ answer[:, :-1])
        np.add.at(right, at, block.gradient[common] - border.T @ answer[:, -1])
        solved.append((own, common, answer))
    schur[np.diag_indices_from(schur)] *= 1.0 + damping
    schur[held] = schur[:, held] = 0.0
    shared = _solve(schur, right)
    steps, expected = [], 0.0
    for block, (own, common, answer) in zip(blocks, solved, strict=True):
        step = np.zeros(block.gradient.size)
        step[common] = shared[block.shared[common]]
        step[own] = answer[:, -1] - answer[:, :-1] @ step[common]
        expected += float(step @ np.where(block.fixed, 0.0, block.gradient))
        steps.append(step)
    return steps, shared, expected


def block_spreads(blocks: Sequence[Block], held: Bools, *, scales: Sequence[float]) -> tuple[Floats, list[BlockSpread]]:
    """Covariances at the minimum.

    Parameters
    ----------
    blocks : sequence of Block
        One for each point.
    held : array of bool, shape (shared,)
        Shared parameters that do not move.
    scales : sequence of float
        What the uncertainties of each block are to be multiplied with.

    Returns
    -------
    shared : array, shape (shared, shared)
        Covariance of the shared parameters, the blocks' scales in it; 0 for those that nothing determines.
    spreads : list of BlockSpread
        Of each block, `own` without its scale. A block's whole covariance is ``scale² own + by_shared shared
        by_sharedᵀ``: its own noise and that of the shared parameters are independent at the minimum.
    """
    count = held.size
    schur, noise = np.zeros((count, count)), np.zeros((count, count))
    spreads = []
    for block, scale in zip(blocks, scales, strict=True):
        own, common = _parts(block)
        inverse = scaled_inverse(block.normal[np.ix_(own, own)])
        border = block.normal[np.ix_(own, common)]
        at = block.shared[common]
        mine = block.normal[np.ix_(common, common)] - border.T @ inverse @ border
        np.add.at(schur, (at[:, None], at[None, :]), mine)
        np.add.at(noise, (at[:, None], at[None, :]), scale**2 * mine)
        size = block.gradient.size
        spread, follows = np.zeros((size, size)), np.zeros((size, count))
        spread[np.ix_(own, own)] = inverse
        follows[np.ix_(own, at)] = -inverse @ border
        follows[common, at] = 1.0
        spreads.append(BlockSpread(own=spread, by_shared=follows))
    schur[held] = schur[:, held] = 0.0
    inverse = scaled_inverse(schur)
    return inverse @ noise @ inverse, spreads


def _parts(block: Block) -> tuple[Ints, Ints]:
    """Numbers of the parameters that are the block's own, and of those that are shared, without the fixed ones."""
    moves = ~block.fixed
    return np.flatnonzero(moves & (block.shared < 0)), np.flatnonzero(moves & (block.shared >= 0))


def _solve(matrix: Floats, right: Floats) -> Floats:
    return np.asarray(scaled_inverse(matrix) @ right)


def scaled_inverse(matrix: Floats) -> Floats:
    """Inverse of a symmetric matrix, scaled to a unit diagonal first; rows that nothing determines become 0.

    Parameters
    ----------
    matrix : array, shape (p, p)
        Normal matrix.

    Returns
    -------
    array, shape (p, p)
    """
    diagonal = np.diag(matrix)
    known = diagonal > 0
    scale = np.where(known, 1.0 / np.sqrt(np.where(known, diagonal, 1.0)), 0.0)
    inner = matrix * scale[:, None] * scale[None, :]
    return np.asarray(np.linalg.pinv(inner, rcond=1e-12, hermitian=True) * scale[:, None] * scale[None, :])
