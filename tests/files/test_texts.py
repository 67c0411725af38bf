"""Texts are read as a stream, bad ones are named, long ones are cut."""

import io
import json
import os
import tracemalloc
import zlib
from types import SimpleNamespace

import pyarrow.parquet
import pytest
import spacy
import srsly
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin

from spacy_lstm_tagger.files import cut as cutting
from spacy_lstm_tagger.files import lines
from spacy_lstm_tagger.files.cut import cut
from spacy_lstm_tagger.files.parquet import read_parquet
from spacy_lstm_tagger.files.reading import find_texts, read_texts
from spacy_lstm_tagger.files.streams import STANDARD, Source
from spacy_lstm_tagger.files.texts import BadTexts, Reading, Text


def texts_of(path, *, bad=None, **options):
    return [text.text for text in read_texts([path], Reading(**options), bad=bad)]


def test_plain_text_has_one_text_a_line(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("One text.\n\n  Ένα κείμενο.\n", encoding="utf-8")
    assert texts_of(path) == ["One text.", "", "Ένα κείμενο."]


@pytest.mark.parametrize("space", ["\u00a0", "\u2007", "\u202f"])
def test_words_with_spaces_between_them(tmp_path, space):
    path = tmp_path / "a.txt"
    path.write_text(f"I have\t10{space}000 {space} cats{space} .\n", encoding="utf-8")
    (text,) = read_texts([path], Reading(tokens=True))
    assert text.words == ["I", "have", f"10{space}000", "cats", "."]


def test_jsonl(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "One\\ntext.", "n": 1}\n\n{"text": "Two."}\n', encoding="utf-8")
    assert texts_of(path) == ["One\ntext.", "", "Two."]
    path.write_text('{"body": "One."}\n', encoding="utf-8")
    assert texts_of(path, text_key="body") == ["One."]
    path.write_text('{"kind": "text", "text": "One.", "more": {"text": 2}}\n', encoding="utf-8")
    assert texts_of(path) == ["One."]


def test_tokens_of_docs_are_kept(tmp_path):
    vocab = spacy.blank("en").vocab
    doc = Doc(vocab, words=["don't", "go", "!"], spaces=[True, False, False], tags=["A", "B", "C"])
    DocBin(docs=[doc, Doc(vocab)]).to_disk(tmp_path / "a.spacy")
    first, second = read_texts([tmp_path / "a.spacy"])
    assert first[:3] == (None, ["don't", "go", "!"], [True, False, False])
    assert second.words == []


def test_sentences_of_files_put_together(tmp_path):
    """Each file has its mark of UTF-8, and lines end as on Windows; the end may be missing."""
    rows = ["# n = 1", "1\tGo\t_\t_\tVB\t_\t_\t_\t_\tSpaceAfter=No", "2\t!" + "\t_" * 8]
    sentence = "\r\n".join(["\ufeff" + rows[0], *rows[1:]])
    path = tmp_path / "a.conllu"
    path.write_text(f"{sentence}\r\n\r\n\ufeff\r\n{sentence}", encoding="utf-8", newline="")
    texts = list(read_texts([path], Reading(keep=True)))
    assert [text[1:3] for text in texts] == [(["Go", "!"], [False, True])] * 2
    assert [text.source for text in texts] == [rows] * 2
    assert [text.place for text in texts] == [f"{path}, line 1", f"{path}, line 6"]


def test_sentences_that_are_no_text(tmp_path):
    path, good = tmp_path / "a.conllu", b"1\tGo" + b"\t_" * 8
    path.write_bytes(b"\n".join([good, b"# \xff", b"", good, b"", b"# \xfe", good, b""]))
    bad = BadTexts(2)
    (text,) = read_texts([path], bad=bad)
    assert text.place == f"{path}, line 4"
    assert [each.split(":")[0] for each in bad.found] == [f"{path}, line {n}" for n in (2, 6)]


def test_sizes_sum_to_those_of_the_files(tmp_path):
    (tmp_path / "a.txt").write_text("Ένα\n\nzwei", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"text": "x"}\n', encoding="utf-8")
    vocab = spacy.blank("en").vocab
    DocBin(docs=[Doc(vocab, words=["a"])] * 3).to_disk(tmp_path / "c.spacy")
    paths = find_texts(tmp_path)
    assert [path.name for path in paths] == ["a.txt", "b.jsonl", "c.spacy"]
    total = sum(path.stat().st_size for path in paths)
    assert sum(text.size for text in read_texts(paths)) == pytest.approx(total)


BAD_LINES = [
    (b"{", "Expecting"),
    (b'{"body": "x", "id": 3}', "found 'body', 'id' in the object"),
    (b'["x"]', "found list, not an object"),
    (b'{"text": 3}', "found int as 'text'"),
    (b'{"text": "a", "text": "b"}', "found 'text' more than once"),
    (b'{"text": "\xff"}', "decode"),
    (b'{"text": "\\ud83d"}', "surrogates not allowed"),
    (b'{"text": ["a", "\\ud83d"]}', "surrogates not allowed"),
    (b"[" * 100_000, "(recursion|Stack overflow)"),
    (b'{"text": ' + b"9" * 5000 + b"}", "limit"),
]


@pytest.mark.parametrize("line,why", BAD_LINES)
def test_bad_line_is_named(tmp_path, line, why):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "ok"}\n' + line + b'\n{"text": "good"}\n')
    pattern = rf"^\[D002\] .*a\.jsonl, line 2 cannot be read: .*{why}.*\"text\".*--skip-bad N\.$"
    with pytest.raises(ValueError, match=pattern):
        list(read_texts([path]))
    bad = BadTexts(1)
    assert texts_of(path, bad=bad) == ["ok", "good"]
    assert len(bad.found) == 1 and "a.jsonl, line 2: " in bad.found[0]


def test_as_many_bad_texts_as_are_allowed(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\n\xff\ntwo\n\xfe\n\xfd\n")
    with pytest.raises(ValueError, match=r"D002.*line 5"):
        texts_of(path, bad=BadTexts(2))
    assert texts_of(path, bad=BadTexts(3)) == ["one", "two"]


def test_marks_of_utf_8_are_no_text(tmp_path):
    for name, line in (("a.txt", b"One."), ("a.jsonl", b'{"text": "One."}')):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + line)
        assert texts_of(tmp_path / name) == ["One."]


@pytest.mark.parametrize("cut_at", [0, 1, 20, -1])
def test_damaged_docs_name_their_file(tmp_path, cut_at):
    path = tmp_path / "a.spacy"
    DocBin(docs=[Doc(spacy.blank("en").vocab, words=["a"])]).to_disk(path)
    path.write_bytes(path.read_bytes()[:cut_at])
    with pytest.raises(ValueError, match=r"D011.*a\.spacy cannot be read .*again"):
        list(read_texts([path], bad=BadTexts(5)))


def damage(path, **parts):
    message = srsly.msgpack_loads(zlib.decompress(path.read_bytes()))
    path.write_bytes(zlib.compress(srsly.msgpack_dumps({**message, **parts})))


@pytest.mark.parametrize(
    "parts", [{"attrs": [74]}, {"spaces": b""}, {"flags": []}, {"lengths": b"12"}, {"strings": 3}]
)
def test_docs_whose_parts_do_not_fit(tmp_path, parts):
    path = tmp_path / "a.spacy"
    DocBin(docs=[Doc(spacy.blank("en").vocab, words=["a", "b"])]).to_disk(path)
    damage(path, **parts)
    with pytest.raises(ValueError, match=r"D011.*a\.spacy"):
        list(read_texts([path]))


def test_a_doc_that_lacks_its_words(tmp_path):
    path = tmp_path / "a.spacy"
    vocab = spacy.blank("en").vocab
    DocBin(docs=[Doc(vocab, words=[word]) for word in "abc"]).to_disk(path)
    damage(path, strings=["a", "c"])
    with pytest.raises(ValueError, match=r"D002.*a\.spacy, doc 2 cannot be read: .*no string"):
        list(read_texts([path]))
    assert [text.words for text in read_texts([path], bad=BadTexts(1))] == [["a"], ["c"]]


def test_docs_without_spaces(tmp_path):
    doc = Doc(spacy.blank("en").vocab, words=["a", "b"])
    DocBin(docs=[doc]).to_disk(tmp_path / "a.spacy")
    (text,) = read_texts([tmp_path / "a.spacy"])
    assert text[:3] == (None, ["a", "b"], [True] * 2)


@pytest.mark.parametrize("name", ["missing.txt", "."])
def test_nothing_to_label(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="D001"):
        find_texts(tmp_path / name)


NLP = spacy.blank("en")


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["One", "two.", "Gr. 3 ", " ", "\n\n", "é", "don't!” "]), max_size=60)
)
def test_cut_texts_have_the_same_tokens(parts):
    string = " ".join(parts).strip()
    pieces = list(cut([Text(string, [], [], 6.0)], max_words=1))
    assert "".join(piece.text for piece in pieces) == string
    assert sum(piece.size for piece in pieces) == pytest.approx(6.0)
    assert all(len(piece.text) <= cutting.LETTERS for piece in pieces)
    assert (len(pieces) == 1) == (len(string) <= cutting.LETTERS)
    tokens = [token.text_with_ws for piece in pieces for token in NLP(piece.text)]
    assert tokens == [token.text_with_ws for token in NLP(string)]


@pytest.mark.parametrize("sign", [".", "…", "؟", "।", "։", "。"])
def test_cut_at_the_end_of_a_sentence(sign):
    string = f"It was so{sign} " * 20
    pieces = list(cut([Text(string, [], [], 6.0)], max_words=1))
    assert len(pieces) > 1 and all(piece.text.endswith(f"so{sign} ") for piece in pieces)
    words = [*["so"] * 8, sign] * 10
    pieces = list(cut([Text(None, words, [True] * 90, 6.0)], max_words=1))
    assert len(pieces) == 10 and all(piece.words[-1] == sign for piece in pieces)
    assert [word for piece in pieces for word in piece.words] == words
    assert all(len(piece.spaces) == len(piece.words) for piece in pieces)


@pytest.mark.parametrize("end", ["。", "！”", "？」"])
def test_cut_where_no_space_is_written_after_a_sentence(end):
    string = f"我们昨天读书{end}" * 20
    pieces = list(cut([Text(string, [], [], 6.0)], max_words=1))
    assert len(pieces) > 1 and all(piece.text.endswith(f"书{end}") for piece in pieces)
    assert "".join(piece.text for piece in pieces) == string


@pytest.mark.parametrize("string", ["ab" * 500, "字" * 500, " " * 500])
def test_without_a_place_to_cut(string):
    pieces = [piece.text for piece in cut([Text(string, [], [], 1.0)], max_words=1)]
    assert "".join(pieces) == string and max(map(len, pieces)) == cutting.LETTERS


@pytest.mark.parametrize("string", ["One two. ", "字", "é ", "x"])
def test_a_long_line_of_plain_text_comes_in_parts(tmp_path, monkeypatch, string):
    monkeypatch.setattr(lines, "LINE", 50)
    path = tmp_path / "a.txt"
    path.write_text(f"{string * 100}\nnext\n" + "\n", encoding="utf-8")
    *parts, last, empty = texts_of(path)
    assert "".join("".join(parts).split()) == "".join((string * 100).split())
    assert (last, empty) == ("next", "")
    assert all(len(part.encode()) <= 50 for part in parts)
    places = ["1", *(f"1, part {i}" for i in range(2, len(parts) + 1)), "2", "3"]
    assert [text.place for text in read_texts([path])] == [f"{path}, line {n}" for n in places]
    path.write_bytes(path.read_bytes() + b"x" * 60 + b"\xff")
    with pytest.raises(ValueError, match="line 4"):
        texts_of(path)
    path.write_bytes(b"\x80" * 60)  # no character begins there
    with pytest.raises(ValueError, match="line 1 "):
        texts_of(path)


def test_memory_does_not_grow_with_a_line(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"It was so. " * 2_000_000)
    tracemalloc.start()
    pieces = sum(1 for _ in cut(read_texts([path]), max_words=500))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pieces > 500
    assert peak < 10 * lines.LINE


def test_a_bad_row_of_a_table(tmp_path):
    path, bad = tmp_path / "a.parquet", BadTexts(1)
    pyarrow.parquet.write_table(pyarrow.table({"text": [["a"], ["b", None], None]}), path)
    assert [text.whole() for text in read_texts([path], bad=bad)] == ["a ", ""]
    assert bad.found == [f"{path}, row 2: found None in the list 'text', where words are"]


def test_a_table_from_a_pipe(monkeypatch):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *place):
            raise io.UnsupportedOperation

    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"text": ["One."]}), file)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=Pipe(file.getvalue())))
    assert texts_of(STANDARD, kind=".parquet") == ["One."]


def test_columns_that_are_not_asked_for_may_have_one_name(tmp_path):
    path, text = tmp_path / "a.parquet", pyarrow.array(["One."])
    pyarrow.parquet.write_table(pyarrow.table([text] * 3, ["x", "text", "x"]), path)
    assert texts_of(path) == ["One."]
    with pytest.raises(ValueError, match="2 columns are named 'x'"):
        texts_of(path, keep=True)


def test_a_table_is_read_as_far_as_it_is_asked_for(tmp_path):
    """As a file and, in a cluster, as what a file system gives."""
    path, read = tmp_path / "a.parquet", []
    table = pyarrow.table({"text": [f"{i:0999}" for i in range(5000)]})
    pyarrow.parquet.write_table(table, path, row_group_size=1000, compression="none")

    class Counting(io.FileIO):
        def readinto(self, buffer):
            read.append(super().readinto(buffer))
            return read[-1]

        def readall(self):
            data = super().readall()
            read.append(len(data))
            return data

    for is_local in (True, False):
        with io.BufferedReader(Counting(path)) as file:
            source = Source(path, file, file if is_local else None)
            assert next(read_parquet(source, Reading(), BadTexts())).text == "0" * 999
        assert sum(read) < 2_000_000 < path.stat().st_size
        read.clear()


def test_long_white_space_is_cut_in_time():
    """Each place to cut is looked at once: it would take hours otherwise."""
    text = Text("a" + " " * 1_000_000 + "b", [], [], 1)
    assert sum(len(part.text) for part in cut([text], max_words=10_000)) == 1_000_002


@pytest.mark.parametrize("ascii", [True, False])
def test_a_name_that_is_given_twice_is_told_in_any_script(tmp_path, ascii):
    path, name = tmp_path / "a.jsonl", json.dumps("Ελλάδα", ensure_ascii=ascii)
    path.write_text(f'{{"Ελλάδα": "x", {name}: "y"}}\n', encoding="utf-8")
    with pytest.raises(ValueError, match="more than once"):
        texts_of(path, text_key="Ελλάδα")


def test_a_bad_line_is_told_with_the_name_that_a_text_should_have(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "x"}\n')
    with pytest.raises(ValueError, match=r'D002.*line 1 cannot be read: .*"body"'):
        texts_of(path, text_key="body")


def test_the_length_of_a_text_is_that_of_its_words():
    assert Text("I slept", [], []).characters == 7
    assert Text(None, ["I", "slept"], [True, False]).characters == 6


def test_only_what_is_asked_for_is_kept(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "x", "n": 1}\n')
    for keep, source in ((False, None), (True, {"text": "x", "n": 1})):
        assert [text.source for text in read_texts([path], Reading(keep=keep))] == [source]


def test_the_order_of_files_is_that_of_every_system(tmp_path, monkeypatch):
    """Windows takes `a` and `A` for one in comparing paths, but work may go on elsewhere."""
    for name in ("b.txt", "A.txt", "a2.txt", "C.txt"):
        (tmp_path / name).touch()
    kind = type(tmp_path)
    monkeypatch.setattr(kind, "__lt__", lambda a, b: str(a).lower() < str(b).lower())
    found = [path.name for path in find_texts(tmp_path)]
    assert found == sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
def test_a_pipe_in_a_folder_is_passed_over(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "a.txt").write_text("one\n")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nothing")  # an error, when it is read
    assert find_texts(tmp_path) == [tmp_path / "a.txt", tmp_path / "gone.txt"]


def test_a_folder_that_links_lead_to_again_is_read_once(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.txt").touch()
    (tmp_path / "in").mkdir()
    try:
        for name in "cd":
            (tmp_path / "in" / name).symlink_to(tmp_path / "b", target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    assert find_texts(tmp_path / "in") == [tmp_path / "in" / "c" / "x.txt"]


def test_cut_texts_keep_their_place():
    pieces = list(cut([Text("It was so. " * 20, [], [], 6.0, "in.txt, line 2")], max_words=1))
    assert len(pieces) > 1 and {piece.place for piece in pieces} == {"in.txt, line 2"}
