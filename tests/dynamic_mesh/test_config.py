"""What a preset makes of a clip."""

from backend.dynamic_mesh.config import lengthened, make_config
from backend.dynamic_mesh.mesh_verb import PRESETS, MeshOptions
from backend.dynamic_mesh.tracked.fit import for_gait


def test_a_longer_clip_gets_more_steps_but_at_most_twice_as_many() -> None:
    config = make_config("balanced", MeshOptions()).tracked
    steps = PRESETS["balanced"].steps
    found = [lengthened(config, moments).fit.steps for moments in (0, 10, 50, 113, 200, 2000)]
    assert found[:3] == [steps] * 3 and found[4:] == [2 * steps] * 2
    assert steps < found[3] < 2 * steps
    assert lengthened(config, 200).canonical == config.canonical


def test_a_gait_is_held_back_less_and_drawn_to_what_is_missed() -> None:
    config = make_config("fast", MeshOptions()).tracked.fit
    gait = for_gait(config)
    assert config.weights.missed == 0 < gait.weights.missed
    assert gait.weights.rigid < config.weights.rigid and gait.weights.slow < config.weights.slow
    assert gait.steps == config.steps
