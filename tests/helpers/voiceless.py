"""Sounds in which nobody speaks, as tests make them: music, noises and silence, by a seed."""

from collections.abc import Callable

import numpy as np

RATE = 16_000
Random = np.random.Generator


def _time(seconds: float) -> np.ndarray:
    return np.arange(int(seconds * RATE)) / RATE


def _colored(random: Random, count: int, power: float) -> np.ndarray:
    """Noise whose spectrum falls by this power of the frequency: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(random.normal(size=count))
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    spectrum *= np.maximum(hertz, 20.0) ** (-power / 2)
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise / np.abs(noise).max())


def _note(
    hertz: float, seconds: float, timbre: np.ndarray, decay: float, vibrato: float = 0.0
) -> np.ndarray:
    """A tone with overtones, a soft beginning and an end that dies away."""
    t = _time(seconds)
    phase = 2 * np.pi * hertz * t + vibrato * np.sin(2 * np.pi * 5.5 * t)
    tone = sum(a * np.sin((k + 1) * phase) for k, a in enumerate(timbre) if hertz * (k + 1) < 7500)
    ends = np.minimum(1, np.minimum(t / 0.01, (seconds - t) / 0.02).clip(0))
    return np.asarray(tone * np.exp(-decay * t) * ends)


def _scale(random: Random) -> np.ndarray:
    root = random.uniform(110, 330)
    steps = (
        np.array([0, 2, 4, 5, 7, 9, 11]) if random.random() < 0.5 else np.array([0, 3, 5, 7, 10])
    )
    return np.asarray(root * 2 ** ((np.concatenate([steps, steps + 12])) / 12))


def _timbre(random: Random) -> np.ndarray:
    return np.asarray(random.uniform(0.2, 1, 10) ** 2 * 0.7 ** np.arange(10) + np.eye(10)[0])


def _melody(
    random: Random, seconds: float, rate: float, decay: float, vibrato: float
) -> np.ndarray:
    """Notes of a scale, one after the other, some of them twice as long."""
    scale, timbre, parts, length = _scale(random), _timbre(random), [], 0
    while length < seconds * RATE:
        long = float(random.choice([1, 1, 2])) / rate
        loud = random.uniform(0.5, 1)
        parts.append(loud * _note(float(random.choice(scale)), long, timbre, decay, vibrato))
        length += len(parts[-1])
    return np.concatenate(parts)[: int(seconds * RATE)]


def _chords(random: Random, seconds: float) -> np.ndarray:
    scale, timbre, parts, beat = _scale(random), _timbre(random), [], random.uniform(0.5, 1.6)
    decay = random.uniform(0, 3)
    for _ in range(int(seconds / beat) + 1):
        notes = random.choice(scale, 3, replace=False)
        parts.append(np.sum([_note(float(n), beat, timbre, decay) for n in notes], 0))
    return np.concatenate(parts)[: int(seconds * RATE)]


def _drums(random: Random, seconds: float) -> np.ndarray:
    count, beat = int(seconds * RATE), 60 / random.uniform(80, 160)
    track = np.zeros(count + RATE)
    t = _time(0.3)
    for k in range(int(seconds / beat * 2)):
        at = int(k * beat / 2 * RATE)
        hat = 0.2 * random.normal(size=len(t)) * np.exp(-60 * t)
        kick = np.sin(2 * np.pi * (50 * t + 4 * (1 - np.exp(-30 * t)))) * np.exp(-12 * t)
        snare = 0.6 * random.normal(size=len(t)) * np.exp(-20 * t)
        track[at : at + len(t)] += hat + (kick if k % 4 == 0 else snare if k % 4 == 2 else 0)
    return track[:count]


def _band(random: Random, seconds: float) -> np.ndarray:
    return np.asarray(
        _chords(random, seconds) * 0.5
        + _drums(random, seconds)
        + _melody(random, seconds, random.uniform(2, 6), 2.0, 0.5)
    )


def _impulses(random: Random, seconds: float, times: np.ndarray, decay: float) -> np.ndarray:
    track, t = np.zeros(int(seconds * RATE) + RATE), _time(0.2)
    for time in times:
        at = int(time * RATE)
        track[at : at + len(t)] += (
            random.uniform(0.3, 1) * random.normal(size=len(t)) * np.exp(-decay * t)
        )
    return track[: int(seconds * RATE)]


def _typing(random: Random, seconds: float) -> np.ndarray:
    gaps = random.gamma(2, 0.08, int(seconds / 0.05))
    times = np.cumsum(gaps)
    return _impulses(random, seconds, times[times < seconds], 150)


def _metronome(random: Random, seconds: float) -> np.ndarray:
    return _impulses(random, seconds, np.arange(0, seconds, 60 / random.uniform(60, 200)), 300)


def _applause(random: Random, seconds: float) -> np.ndarray:
    return _impulses(random, seconds, random.uniform(0, seconds, int(seconds * 150)), 120)


def _hum(random: Random, seconds: float) -> np.ndarray:
    base, t = float(random.choice([50, 60, 100])), _time(seconds)
    return np.asarray(sum(np.sin(2 * np.pi * base * k * t) / k for k in range(1, 12)))


def _engine(random: Random, seconds: float) -> np.ndarray:
    t, noise = _time(seconds), _colored(random, int(seconds * RATE), 1.0)
    turns = random.uniform(15, 40) * (1 + 0.3 * np.sin(2 * np.pi * 0.2 * t))
    phase = 2 * np.pi * np.cumsum(turns) / RATE
    tones = sum(np.sin(k * phase) / k for k in range(1, 30))
    return np.asarray(tones * 0.4 + noise * (1 + np.sin(phase)))


def _wind(random: Random, seconds: float) -> np.ndarray:
    count = int(seconds * RATE)
    swell = np.interp(_time(seconds), np.arange(0, seconds + 1, 0.7),
                      random.uniform(0.1, 1, len(np.arange(0, seconds + 1, 0.7))))  # fmt: skip
    return _colored(random, count, random.uniform(0.8, 1.6)) * swell


def _siren(random: Random, seconds: float) -> np.ndarray:
    t = _time(seconds)
    hertz = 700 + 300 * np.sin(2 * np.pi * random.uniform(0.2, 3) * t)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    return np.asarray(np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase))


def _birds(random: Random, seconds: float) -> np.ndarray:
    track = 0.01 * random.normal(size=int(seconds * RATE) + RATE)
    for at in random.uniform(0, seconds, int(seconds * 3)):
        t = _time(random.uniform(0.05, 0.2))
        sweep = random.uniform(2000, 5000) + random.uniform(-8000, 8000) * t
        chirp = np.sin(2 * np.pi * np.cumsum(sweep) / RATE) * np.hanning(len(t))
        track[int(at * RATE) : int(at * RATE) + len(t)] += chirp
    return track[: int(seconds * RATE)]


def _beating_noise(random: Random, seconds: float) -> np.ndarray:
    """As strong and as weak by turns as speech is, but with nothing in it."""
    swing = 0.5 + 0.5 * np.sin(2 * np.pi * random.uniform(2, 6) * _time(seconds))
    return _colored(random, int(seconds * RATE), 1.0) * swing**2


KINDS: dict[str, Callable[[Random, float], np.ndarray]] = {
    "silence": lambda random, s: np.zeros(int(s * RATE)),
    "white noise": lambda random, s: _colored(random, int(s * RATE), 0.0),
    "pink noise": lambda random, s: _colored(random, int(s * RATE), 1.0),
    "brown noise": lambda random, s: _colored(random, int(s * RATE), 2.0),
    "hum": _hum,
    "tone": lambda random, s: np.sin(2 * np.pi * random.uniform(100, 2000) * _time(s)),
    "chords": _chords,
    "arpeggio": lambda random, s: _melody(random, s, random.uniform(4, 10), 4.0, 0.0),
    "piano": lambda random, s: _melody(random, s, random.uniform(1.5, 4), 3.0, 0.0),
    "violin": lambda random, s: _melody(random, s, random.uniform(1, 3), 0.0, 1.0),
    "drums": _drums,
    "band": _band,
    "typing": _typing,
    "metronome": _metronome,
    "applause": _applause,
    "engine": _engine,
    "wind": _wind,
    "siren": _siren,
    "birds": _birds,
    "beating noise": _beating_noise,
}


def voiceless(kind: str, seed: int, seconds: float = 8.0, peak: float = 0.3) -> np.ndarray:
    """(S,) at 16 kHz; every seed another tune, pace and colour."""
    random = np.random.default_rng([seed, list(KINDS).index(kind)])
    samples = KINDS[kind](random, seconds)
    return np.asarray(samples * (peak / max(np.abs(samples).max(), 1e-9)), np.float32)
