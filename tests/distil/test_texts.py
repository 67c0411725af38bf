import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin

from spacy_lstm_tagger.distil.texts import Text, find_texts, in_shards, read_texts


def texts_of(path, **options):
    return [text.text for text in read_texts([path], **options)]


def test_plain_text_has_one_text_a_line(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("One text.\n\n  Ένα κείμενο.\n", encoding="utf-8")
    assert texts_of(path) == ["One text.", "", "Ένα κείμενο."]


def test_jsonl(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "One\\ntext.", "n": 1}\n\n{"text": "Two."}\n', encoding="utf-8")
    assert texts_of(path) == ["One\ntext.", "", "Two."]
    path.write_text('{"body": "One."}\n', encoding="utf-8")
    assert texts_of(path, text_key="body") == ["One."]


def test_tokens_of_docs_are_kept(tmp_path):
    vocab = spacy.blank("en").vocab
    doc = Doc(vocab, words=["don't", "go", "!"], spaces=[True, False, False], tags=["A", "B", "C"])
    DocBin(docs=[doc, Doc(vocab)]).to_disk(tmp_path / "a.spacy")
    first, second = read_texts([tmp_path / "a.spacy"])
    assert first[:3] == (None, ["don't", "go", "!"], [True, False, False])
    assert second.words == []


def test_sizes_sum_to_those_of_the_files(tmp_path):
    (tmp_path / "a.txt").write_text("Ένα\n\nzwei", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"text": "x"}\n', encoding="utf-8")
    vocab = spacy.blank("en").vocab
    DocBin(docs=[Doc(vocab, words=["a"])] * 3).to_disk(tmp_path / "c.spacy")
    paths = find_texts(tmp_path)
    assert [path.name for path in paths] == ["a.txt", "b.jsonl", "c.spacy"]
    total = sum(path.stat().st_size for path in paths)
    assert sum(text.size for text in read_texts(paths)) == pytest.approx(total)


@pytest.mark.parametrize(
    "line,why",
    [
        (b"{", "Expecting"),
        (b'{"body": "x"}', "'text'"),
        (b'["x"]', "indices"),
        (b'{"text": 3}', "strip"),
        (b'{"text": "\xff"}', "decode"),
    ],
)
def test_bad_line_is_named(tmp_path, line, why):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "ok"}\n' + line + b"\n")
    with pytest.raises(ValueError, match=rf"D002.*a\.jsonl, line 2.*{why}.*\"text\""):
        list(read_texts([path]))


@pytest.mark.parametrize("name", ["missing.txt", "."])
def test_nothing_to_label(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="D001"):
        find_texts(tmp_path / name)


@given(st.lists(st.text("ab ", max_size=9)), st.integers(1, 20))
def test_shards_are_the_texts_in_order_and_large_enough(strings, size):
    texts = [Text(string, [], [], 1.0) for string in strings]
    shards = list(in_shards(iter(texts), size))
    assert [text for shard in shards for text in shard] == texts
    lengths = [sum(map(len, (text.text for text in shard))) for shard in shards]
    assert all(length >= size for length in lengths[:-1])
    # A shard ends with the text that completes it.
    assert all(n - len(s[-1].text) < size for n, s in zip(lengths, shards, strict=True))


def test_shards_are_a_stream():
    def endless():
        while True:
            yield Text("abc", [], [], 4.0)

    shards = in_shards(endless(), 6)
    assert len(next(shards)) == 2
