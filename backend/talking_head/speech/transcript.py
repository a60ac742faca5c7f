"""What is said, from plain text, SubRip (.srt) or WebVTT (.vtt): lines with their times and who
says them, without notes such as [laughs].
"""

import html
import re
from dataclasses import dataclass

from ...protocol import InputError

CLOCK = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
CUE = re.compile(rf"^\s*{CLOCK}\s*-->\s*{CLOCK}.*$")
VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>")  # WebVTT's own way to say who speaks
MARKUP = re.compile(r"</?[a-zA-Z][^>]*>|<\d[\d:.]*>|\{\\[^}]*\}")
NOTE = re.compile(r"\[[^\]\n]*\]|♪[^♪\n]*♪?|[♫♬#](?=\s)[^♫♬#\n]*[♫♬#]|\*[^*\n]+\*")
ASIDE = re.compile(
    r"[(（][^()（）\n]*[)）]"
)  # a note in subtitles; in plain text only as a whole line
TAG = re.compile(r"^\s*(?:[-–—]\s*)?([^\W\d_][\w .'’-]{0,30}?)\s*[:：]\s+(?=\S)")
DASH = re.compile(r"^\s*[-–—]\s+")


@dataclass(frozen=True)
class Line:
    """Something that one person says."""

    text: str
    speaker: str = ""  # empty: not told
    start: float | None = None  # seconds, where they are told
    end: float | None = None


@dataclass(frozen=True)
class Transcript:
    """Lines in their order, and the notes that are not spoken."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()

    @property
    def timed(self) -> bool:
        """Whether it says when each line is spoken."""
        return bool(self.lines) and all(line.start is not None for line in self.lines)

    @property
    def speakers(self) -> tuple[str, ...]:
        """In the order in which they speak."""
        return tuple(dict.fromkeys(line.speaker for line in self.lines if line.speaker))


def parse(text: str) -> Transcript:
    """What is said. InputError for subtitles whose times are no times."""
    plain = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    rows = plain.split("\n")
    if any(CUE.match(row) for row in rows):
        return _with_speakers(_cues(rows), True)
    if plain.startswith("WEBVTT") or any("-->" in row for row in rows):
        raise InputError(
            "The subtitles have no times that can be read.",
            "Write them as 00:00:01,000 --> 00:00:02,500, or give the text alone.",
        )
    return _with_speakers([Line(row) for row in rows if row.strip()], False)


def _cues(rows: list[str]) -> list[Line]:
    """Every row of text below a row of times, until an empty one or the next cue's number."""
    lines, times = list[Line](), None
    for number, row in enumerate(rows):
        if match := CUE.match(row):
            times = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
            if times[1] <= times[0]:
                raise InputError(
                    f"The subtitle in line {number + 1} ends before it begins.",
                    "Correct its times, or give the text alone.",
                )
        elif not row.strip():
            times = None
        elif times is not None and not _numbers_next(rows, number):
            voice = VOICE.search(row)
            name = html.unescape(voice.group(1)).strip() if voice else ""
            lines.append(Line(html.unescape(MARKUP.sub("", row)), name, *times))
    return sorted(lines, key=lambda line: (line.start or 0.0, line.end or 0.0))


def _numbers_next(rows: list[str], number: int) -> bool:
    """Whether this row is the number of a cue that follows without an empty row between."""
    following = rows[number + 1] if number + 1 < len(rows) else ""
    return rows[number].strip().isdigit() and CUE.match(following) is not None


def _seconds(clock: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, part = clock
    whole = 3600 * int(hours or 0) + 60 * int(minutes or 0) + int(seconds or 0)
    return whole + int((part or "0").ljust(3, "0")) / 1000


def _with_speakers(lines: list[Line], subtitles: bool) -> Transcript:
    """Names before a colon and notes are taken out of the lines; a row without a name goes on with
    the one before, within a cue or a paragraph.
    """
    names = _names([line.text for line in lines])
    kept, notes, before = list[Line](), list[str](), None
    for line in lines:
        text, unsaid = _spoken(line.text, subtitles)
        notes += unsaid
        tag = TAG.match(text)
        name = line.speaker
        if tag and tag.group(1).strip() in names:
            name, text = tag.group(1).strip(), text[tag.end() :]
        elif (
            before is not None
            and not name
            and not DASH.match(text)
            and (not subtitles or before.start == line.start)
        ):
            name = before.speaker
        before = Line(text, name, line.start, line.end)
        text = DASH.sub("", text).strip()
        if re.search(r"\w", text):
            kept.append(Line(text, name, line.start, line.end))
    return Transcript(tuple(kept), tuple(notes))


def _spoken(text: str, subtitles: bool) -> tuple[str, list[str]]:
    notes = NOTE.findall(text)
    text = NOTE.sub(" ", text)
    if subtitles or ASIDE.fullmatch(text.strip()):
        notes += ASIDE.findall(text)
        text = ASIDE.sub(" ", text)
    return text, [note.strip() for note in notes]


def _names(texts: list[str]) -> set[str]:
    """What stands before a colon and is a name: in capitals; or capitalised, of at most three
    words, and before more than one line. Anything else ("Remember: …") is spoken.
    """
    tags = [
        match.group(1).strip() for text in texts if (match := TAG.match(_spoken(text, True)[0]))
    ]
    counts = {tag: tags.count(tag) for tag in tags}
    return {
        tag
        for tag, count in counts.items()
        if tag.isupper()
        or (count > 1 and len(tag.split()) <= 3 and all(w[0].isupper() for w in tag.split()))
    }
