"""Words as tokens: pairs are joined in their order, by files old and new; and open_clip agrees."""

import json
from pathlib import Path

import pytest

from backend.networks.clip_tokens import END, LETTERS, START, WORD_END, read_tokens
from backend.protocol import InputError

MERGES = ["r e", "re d</w>", "h e", "l a", "la m", "lam p</w>"]


def vocabulary() -> dict[str, int]:
    parts = [*LETTERS, *(letter + WORD_END for letter in LETTERS)]
    parts += [merge.replace(" ", "") for merge in MERGES]
    return {part: i for i, part in enumerate([*parts, START, END])}


def test_pairs_are_joined_in_their_order(tmp_path: Path) -> None:
    known = vocabulary()
    (tmp_path / "vocab.json").write_text(json.dumps(known))
    (tmp_path / "merges.txt").write_text("\n".join(["#version: 0.2", *MERGES, ""]))
    tokens = read_tokens(tmp_path)
    rows = tokens(["Red  LAMP", "redre", "a" * 30], 8)
    red, lamp, re = known["red</w>"], known["lamp</w>"], known["re"]
    assert rows[0].tolist() == [known[START], red, lamp, known[END], 0, 0, 0, 0]
    assert rows[1].tolist()[1:5] == [re, known["d"], known["r"], known["e</w>"]]
    assert rows[2].tolist() == [known[START], *[known["a"]] * 6, known[END]], "it is cut"
    assert tokens.lengths(rows).tolist() == [4, 6, 8]
    new = {"model": {"vocab": known, "merges": [merge.split() for merge in MERGES]}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(new))
    assert read_tokens(tmp_path)(["Red  LAMP"], 8).tolist() == rows[:1].tolist()


@pytest.mark.parametrize("wrong", [
    {}, {"vocab": 3, "merges": []}, {"vocab": {"a": 1}, "merges": []},
    {"vocab": {START: 0, END: "1"}, "merges": []}, {"vocab": {START: 0, END: 1}, "merges": ["a"]},
    {"vocab": {START: 0, END: 1}, "merges": [[1, 2]]}, [],
], ids=str)  # fmt: skip
def test_other_vocabularies_are_refused(tmp_path: Path, wrong: object) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": wrong}))
    with pytest.raises(InputError, match="not CLIP's"):
        read_tokens(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(InputError, match="no vocabulary"):
        read_tokens(tmp_path)


def test_open_clip_agrees(tmp_path: Path) -> None:
    from backend.semantics.regions import torchvision_shim

    torchvision_shim.make_importable()
    plain = pytest.importorskip("open_clip.tokenizer").SimpleTokenizer()
    names = {"<start_of_text>": START, "<end_of_text>": END}
    known = {names.get(part, part): number for part, number in plain.encoder.items()}
    merges = [" ".join(pair) for pair in plain.bpe_ranks]
    (tmp_path / "vocab.json").write_text(json.dumps(known))
    (tmp_path / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]))
    texts = [
        "a photo of a Lamp.", "it's the dog\u2019s 42nd birthday, don't!!", "under_score a_b __x",
        "\u706f na\u00efve caf\u00e9", "\u00bd x2 \u0663", "emoji \U0001f600\U0001f600 tea",
        "&lt;b&gt; \u2014 \u201cquotes\u201d", "  spaces   and\ttabs ", "banana" * 40,
        "word " * 100, "", "e\u0301clair",
    ]  # fmt: skip
    assert read_tokens(tmp_path)(texts, 77).tolist() == plain(texts).tolist()
