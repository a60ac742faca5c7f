"""From a clip to cameras that can be believed: several solvers, bundle adjustment, and the evidence
for a verdict.
"""

import math

import numpy as np

from ...geometry.conventions import align_similarity
from ...media.tracks.tracks import Tracks, merge, split
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from ..bundle.equations import FreeParameters
from ..bundle.state import (
    Observations,
    Reconstruction,
    errors,
    travelled,
    unit_of,
    unit_of_size,
)
from ..bundle.triangulate import triangulate
from ..solvers import rotation, straight
from .conclusion import LEAST_TRACKS, _sure_of, at_infinity, conclude
from .problem import Estimate, EstimateConfig, Problem, Progress, SolverResult
from .refine import RefinedCameras, fewer, refine


def turning(problem: Problem, config: EstimateConfig) -> tuple[Reconstruction, float, bool]:
    """The best camera that only turns, its median error in unit pixels, and whether it zooms."""
    unit = unit_of_size(problem.size)
    few = fewer(problem.klt_tracks, 500, problem.frames)
    best, least, zooms = None, math.inf, False
    for zoom in (False, True):
        cameras = rotation.solve(
            few, problem.frames, problem.size, config.rotation, problem.prior, zoom
        )
        error = rotation.typical_error(cameras, Observations.of(few)) / unit
        if error < 0.7 * least:  # a zoom has to earn its freedom
            best, least, zooms = cameras, error, zoom
        if least < 0.15:
            break
    assert best is not None
    return best, least, zooms


def only_turns(
    problem: Problem,
    rotating: Reconstruction,
    error: float,
    moving: Reconstruction,
    config: EstimateConfig,
) -> bool:
    """Whether a turning camera with that error explains the tracks, and a moving one (with the
    tracks' points) does so no better: on the way forwards a zoom alone comes close, too.
    """
    everything = Observations.of(problem.klt_tracks)
    turned_error = rotation.typical_error(at_infinity(rotating, problem.klt_tracks), everything)
    return (
        error <= config.turning_px
        and rotation.typical_error(moving, everything) >= config.parallax * turned_error
    )


def distance(a: SolverResult, b: SolverResult) -> tuple[float, float]:
    """Root mean square between positions as a share of b's path, and the relative difference of
    focal lengths.
    """
    common, ia, ib = np.intersect1d(a.frames, b.frames, return_indices=True)
    if len(common) < max(3, 0.6 * max(len(a.frames), len(b.frames))):
        return math.inf, math.inf
    ours, theirs = a.solve.centers[ia].numpy(), b.solve.centers[ib].numpy()
    scale, turn, shift = align_similarity(ours, theirs)
    off = np.sqrt(np.square(scale * ours @ turn.T + shift - theirs).sum(1).mean())
    path = travelled(b.solve.centers[ib])
    ratio = (a.solve.focals[ia] / b.solve.focals[ib]).log().abs().max()
    return float(off / path), float(ratio)


def mirror_ratio(refined: RefinedCameras, config: EstimateConfig) -> float:
    """Error of the hollow-face twin over that of the solve, on its own tracks; about 1 when the two
    can't be told apart.
    """
    unit = unit_of(refined.solve)
    few = fewer(refined.tracks, 400, len(refined.frames))
    observations = Observations.of(few)
    fixed = FreeParameters(focal=False)
    cap = config.refine.cap * unit
    twin = straight.descend(
        straight.mirrored(refined.solve),
        observations,
        few.points,
        ((8 * unit, 8), (2 * unit, 8), (unit, 6)),
        fixed,
        None,
    )
    same = straight.descend(refined.solve, observations, few.points, ((unit, 3),), fixed, None)
    if (
        distance(SolverResult("", refined.frames, twin), SolverResult("", refined.frames, same))[0]
        < config.verdict.apart
    ):
        return math.inf  # it slid back: there is no twin
    floor = 0.05 * unit
    return (straight.capped_error(twin, observations, cap) + floor) / (
        straight.capped_error(same, observations, cap) + floor
    )


def confirm(
    refined: RefinedCameras,
    problem: Problem,
    config: EstimateConfig,
    progress: Progress = lambda step, total: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> SolverResult | None:
    """A second opinion from nothing but the followed tracks that the solve takes for still:
    straight paths once more.
    """
    if not problem.klt_tracks.points:
        return None
    local = problem.klt_tracks.in_frames(refined.frames, 3)
    placed = triangulate(refined.solve, Observations.of(local), local.points)
    unit = unit_of(refined.solve)
    good = errors(placed, Observations.of(local)).numpy() < config.refine.outlier * unit
    still = local.keep(good, 3)
    if still.points < 60:
        return None
    if (
        refined.free_parameters.focal_per_frame
    ):  # straight paths know one lens only: give them the zoom undone
        ratio = (refined.solve.focals[0] / refined.solve.focals).numpy()[still.frame, None]
        middle = np.array(problem.size) / 2
        still = Tracks(still.frame, still.point, (still.uv - middle) * ratio + middle)
    cameras = straight.solve(
        still,
        len(refined.frames),
        problem.size,
        config.straight,
        problem.prior,
        problem.seed,
        progress,
        keeper,
    )
    if cameras is None:
        return None
    if refined.free_parameters.focal_per_frame:
        zoomed = cameras.focals * (refined.solve.focals / refined.solve.focals[0])
        cameras = Reconstruction(
            rotations=cameras.rotations,
            translations=cameras.translations,
            focals=zoomed,
            radial=cameras.radial,
            center=cameras.center,
            points=cameras.points,
        )
    return SolverResult("straight paths", refined.frames, cameras)


class Estimator:
    """Collects starts, refines them, and gives the best with its verdict."""

    def __init__(
        self,
        problem: Problem,
        matched: Tracks,
        config: EstimateConfig,
        progress: Progress = lambda step, total: None,
        keeper: StageKeeper = KEEP_NOTHING,
    ) -> None:
        self.problem, self.config, self._progress = problem, config, progress
        self._keeper = keeper
        self.fit, self.held = split(
            merge([problem.klt_tracks, matched]), config.held_out, problem.seed
        )
        self.starts: list[SolverResult] = []
        self.refined: list[RefinedCameras] = []

    def add(self, start: SolverResult) -> None:
        """A start that says what an earlier one said is a second opinion and is not refined
        again.
        """
        finite = all(
            bool(t.isfinite().all())
            for t in (start.solve.rotations, start.solve.translations, start.solve.focals)
        )
        if not finite or len(start.frames) < 3:
            return
        settled = any(self._same(distance(start, other)) for other in self.starts)
        self.starts.append(start)
        if settled or self.fit.in_frames(start.frames).points < LEAST_TRACKS:
            return
        self.refined.append(
            self._keeper.stage(
                f"bundle-{start.name.replace(' ', '-')}",
                RefinedCameras,
                lambda: refine(
                    start.name,
                    start.solve,
                    start.frames,
                    self.fit,
                    self.held,
                    self.config.refine,
                    self.problem.prior,
                ),
            )
        )

    def _same(self, apart: tuple[float, float]) -> bool:
        return apart[0] < self.config.agree and apart[1] < self.config.verdict.focal_apart

    def _doubt(self, cross_check: tuple[str, float, float]) -> float:
        """How far another solver is from the best, each measure by its own limit."""
        return max(
            cross_check[1] / self.config.verdict.apart,
            cross_check[2] / self.config.verdict.focal_apart,
        )

    @property
    def settled(self) -> bool:
        """Two solvers, or more, say the same as the best one; or who says otherwise explains the
        pictures far worse, while the best one is held firmly.
        """
        if not self.refined:
            return False
        best = self.best()
        if self._same(self._cross_check(best)[1:]):
            return True
        verdict = self.config.verdict
        if self._cross_check_error(best) < verdict.outvoted:
            return False
        sure = _sure_of(best, self.problem)
        return sure.focal < verdict.outvoted_focal and sure.drift < verdict.outvoted_drift

    def _cross_check_error(self, best: RefinedCameras) -> float:
        """Error of the best one of the refined solves that disagree over that of this one; 1 where
        none disagrees.
        """
        ours = SolverResult(best.name, best.frames, best.solve)
        apart = [
            r
            for r in self.refined
            if r is not best
            and not self._same(distance(SolverResult(r.name, r.frames, r.solve), ours))
        ]
        return min((r.held_out for r in apart), default=best.held_out) / max(best.held_out, 1e-12)

    def best(self) -> RefinedCameras:
        """The candidate that places most pictures well: errors of unplaced pictures count as the
        cap.
        """
        cap = self.config.refine.cap

        def loss(r: RefinedCameras) -> float:
            share = len(r.frames) / self.problem.frames
            return share * r.held_out / unit_of(r.solve) + (1 - share) * cap

        return min(self.refined, key=loss)

    def _cross_check(self, best: RefinedCameras) -> tuple[str, float, float]:
        """Of the solvers that did not give the best start, the one nearest to it."""
        ours = SolverResult(best.name, best.frames, best.solve)
        others = [(s.name, *distance(s, ours)) for s in self.starts if s.name != best.name]
        others += [
            (r.name, *distance(SolverResult(r.name, r.frames, r.solve), ours))
            for r in self.refined
            if r.name != best.name
        ]
        return min(others, key=self._doubt, default=("", math.inf, math.inf))

    def estimate(self, expected_focal: float = 0.0) -> Estimate:
        """The best solver's cameras with evidence and verdict; SolveError where no solver gave
        any.
        """
        best = self.best()
        name, apart, focal_apart = self._cross_check(best)
        if apart > self.config.verdict.apart or focal_apart > self.config.verdict.focal_apart:
            keeper = self._keeper.inside("confirming")
            again = confirm(best, self.problem, self.config, self._progress, keeper)
            if again is not None and best.name != again.name:
                ours = SolverResult(best.name, best.frames, best.solve)
                redone = (again.name, *distance(again, ours))
                name, apart, focal_apart = min((name, apart, focal_apart), redone, key=self._doubt)
        mirror = mirror_ratio(best, self.config)
        return conclude(
            best,
            self.problem,
            merge([self.fit, self.held]),
            "moving",
            self.config,
            (name, apart, focal_apart),
            mirror,
            expected_focal,
            self._cross_check_error(best),
        )
