"""Speech is told from music, noise and silence, in any language and at any level; by the measured
rule, and by a network of Silero's kind.
"""

from pathlib import Path

import numpy as np
import pytest
from helpers import tiny_onnx
from helpers.places import DATA
from helpers.voiceless import KINDS, voiceless

from backend.formats.arkit import BLENDSHAPES
from backend.media.sound import RATE, read_sound
from backend.protocol import InputError
from backend.talking_head.speech.audio_features import shown_by_sound, speech_features
from backend.talking_head.speech.espeak import speak
from backend.talking_head.speech.synthetic_speech import at_rate
from backend.talking_head.speech.viseme_encoder import load_encoder
from backend.talking_head.speech.visemes import mouths
from backend.talking_head.speech.voice_activity import (
    load_voice_model,
    sounds_like_speech,
    speech_evidence,
    voice_chances,
)
from backend.talking_head.speech.voice_measures import (
    MEASURES,
    VoiceMeasureConfig,
    periods,
    voice_measures,
)

# espeak's languages that the rule was not found on
SENTENCES = {
    "de": "Fünf Bären putzen Pfeffer im Bummelzug. Am Montag kommt ein großer Umbau auf uns zu.",
    "cmn": "明天早上我们去市场买面包和水果。猫在椅子上睡觉。",
    "ru": "Завтра утром мы пойдём на рынок за хлебом и фруктами. Кошка спит на стуле.",
    "ja": "あしたのあさ、いちばにパンとくだものをかいにいきます。ねこはいすのうえでねています。",
    "hi": "कल सुबह हम बाज़ार जाकर रोटी और फल खरीदेंगे। बिल्ली कुर्सी पर सो रही है।",
}
SILERO = DATA / "weights/silero_vad/silero_vad_16k_op15.onnx"
TALKING = DATA / "talking"


def said(language: str, voice: str = "") -> np.ndarray:
    wave, rate, _ = speak(SENTENCES[language], language + voice, 150, 40)
    return at_rate(wave, rate)


@pytest.mark.parametrize("language", SENTENCES)
def test_speech_of_any_language_is_heard(language: str) -> None:
    for voice in ("", "+f2"):
        samples = said(language, voice)
        assert sounds_like_speech(samples)
        noise = 0.01 * np.random.default_rng(0).normal(size=len(samples))
        assert sounds_like_speech((samples + noise).astype(np.float32)), "-40 dBFS"


@pytest.mark.parametrize("kind", KINDS)
def test_music_noise_and_silence_are_no_speech(kind: str) -> None:
    assert not sounds_like_speech(voiceless(kind, 1))
    assert not sounds_like_speech(voiceless(kind, 5))


def test_how_loud_it_is_does_not_matter() -> None:
    samples = said("de")
    measured = speech_evidence(samples)
    for gain in (0.05, 0.5, 2.0):
        assert abs(speech_evidence(samples * np.float32(gain)) - measured) < 0.05
    assert speech_evidence(np.zeros(RATE, np.float32)) == -np.inf


def test_speech_after_long_music_is_heard_and_what_is_short_passes() -> None:
    music = voiceless("piano", 3, 12)
    assert not sounds_like_speech(music)
    assert sounds_like_speech(np.concatenate([music, said("ru"), said("de")]))
    assert sounds_like_speech(voiceless("white noise", 1, 0.3)), "too short to tell"
    assert not sounds_like_speech(np.zeros(RATE // 4, np.float32))
    assert not sounds_like_speech(np.zeros(0, np.float32))


def test_measures_are_what_they_are_called() -> None:
    t = np.arange(3 * RATE) / RATE
    tone = np.sin(2 * np.pi * 200 * t).astype(np.float32)
    strength, pitch = periods(tone, 300, VoiceMeasureConfig())
    assert strength[20:-20].min() > 0.9 and np.abs(pitch[20:-20] - np.log2(200)).max() < 0.02
    glide = np.sin(2 * np.pi * np.cumsum(150 * 2 ** (t / 2)) / RATE).astype(np.float32)
    swung = (tone * (1 + np.sin(2 * np.pi * 5 * t))).astype(np.float32)
    found = {
        name: {k: row[MEASURES.index(k)] for k in MEASURES}
        for name, row in (
            ("tone", voice_measures(tone)[1]),
            ("glide", voice_measures(glide)[1]),
            ("swung", voice_measures(swung)[1]),
        )
    }
    assert found["tone"]["flat pitch"] > 0.9 > 0.1 > found["glide"]["flat pitch"]
    assert found["glide"]["gliding pitch"] > 0.3 > found["tone"]["gliding pitch"]
    assert found["swung"]["swing 4-8 Hz"] > found["tone"]["swing 4-8 Hz"] + 2
    assert found["swung"]["swing 4-8 Hz"] > found["swung"]["swing 0.5-2 Hz"]
    assert np.isfinite(voice_measures(voiceless("metronome", 1))).all()


@pytest.mark.parametrize("sr", [(), (1,)])
def test_a_network_decides_where_there_is_one(tmp_path: Path, sr: tuple[int, ...]) -> None:
    network = load_voice_model(str(tiny_onnx.voice(tmp_path / "silero" / "model.onnx", sr)))
    assert network is not None
    samples = np.zeros(2 * RATE, np.float32)
    samples[RATE : RATE + RATE // 2] = 0.5
    chances = voice_chances(network, samples)
    assert len(chances) == -(-len(samples) // 512)
    assert (chances[33:45] > 0.9).all() and (chances[:30] < 0.1).all()
    assert sounds_like_speech(voiceless("tone", 1, peak=0.9), network), "the network's word counts"
    assert not sounds_like_speech(said("de") * np.float32(0.01), network)
    assert load_voice_model(str(tmp_path / "silero")) is not None, "a folder does too"


def test_networks_that_are_no_voice_models_get_a_sentence(tmp_path: Path) -> None:
    assert load_voice_model("") is None
    path = tiny_onnx.loudness(tmp_path / "wav2vec.onnx")
    with pytest.raises(InputError, match="is not a voice model"):
        load_voice_model(str(path))
    with pytest.raises(InputError):
        load_voice_model(str(tmp_path / "absent.onnx"))


@pytest.mark.data
@pytest.mark.whole
@pytest.mark.skipif(not TALKING.is_dir(), reason="the recordings are not here")
def test_all_recordings_of_people_are_speech() -> None:
    paths = [
        *TALKING.glob("speech_dev/*.wav"),
        *TALKING.glob("mfa_aligned_dev/wav/*"),
        *TALKING.glob("audio_to_blendshapes/*.wav"),
        *TALKING.glob("*/*.mp4"),
        *TALKING.glob("grid_s1_32/s1/*.mpg"),
    ]
    assert len(paths) > 40
    assert not [path.name for path in paths if not sounds_like_speech(read_sound(path))]


@pytest.mark.data
@pytest.mark.skipif(not SILERO.is_file(), reason="Silero's network is not here")
def test_silero_hears_speech_alone() -> None:
    network = load_voice_model(str(SILERO))
    assert sounds_like_speech(said("de"), network)
    for kind in ("chords", "white noise", "metronome"):
        assert not sounds_like_speech(voiceless(kind, 1, 4), network)


def test_a_little_noise_does_not_change_how_far_the_mouth_opens() -> None:
    encoder, jaw = load_encoder(), BLENDSHAPES.index("jawOpen")
    for language in ("de", "hi"):
        samples = said(language)
        noise = 0.01 * np.random.default_rng(0).normal(size=len(samples))
        opened = [
            mouths(shown_by_sound(speech_features(sound, encoder)))[:, jaw].mean()
            for sound in (samples, (samples + noise).astype(np.float32))
        ]
        assert abs(opened[1] / opened[0] - 1) < 0.15, "-40 dBFS"
