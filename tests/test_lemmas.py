"""Tables of lemmas: what the treebank has is right, and other words follow their ending."""

from collections import Counter, defaultdict

import pytest
import srsly
from hypothesis import given
from hypothesis import strategies as st

from spacy_lstm_tagger.lemmas import LemmaTables

WORDS = [
    ("walked", "VBD", "walk"),
    ("talked", "VBD", "talk"),
    ("jumped", "VBD", "jump"),
    ("smiled", "VBD", "smile"),
    ("filed", "VBD", "file"),
    ("controlled", "VBD", "control"),
    ("went", "VBD", "go"),
    ("smell", "VB", "smell"),
    ("dogs", "NNS", "dog"),
    ("cities", "NNS", "city"),
    ("parties", "NNS", "party"),
    ("The", "DT", "the"),
    ("the", "DT", "the"),
    ("Anna", "NNP", "Anna"),
    ("her", "PRP", "she"),
    ("her", "PRP$", "her"),
    ("Cats", "NNS", "cat"),
]


@pytest.fixture(scope="module")
def tables():
    return LemmaTables.learn(Counter(WORDS))


@pytest.mark.parametrize(
    ("word", "tag", "lemma"),
    [
        *WORDS,
        ("WALKED", "VBD", "walk"),
        ("THE", "DT", "the"),
        ("Bob", "NNP", "Bob"),
        ("IBM", "NNP", "IBM"),
    ],
)
def test_known(tables, word, tag, lemma):
    assert tables.lemma(word, tag) == lemma


@pytest.mark.parametrize(
    ("word", "tag", "lemma"),
    [
        ("stalked", "VBD", "stalk"),
        ("compiled", "VBD", "compile"),
        ("Puppies", "NNS", "puppy"),
        ("s", "NNS", "s"),
        ("", "NNS", ""),
        ("Walked", "XYZ", "walked"),
        ("walked", "DT", "walked"),
    ],
)
def test_by_ending(tables, word, tag, lemma):
    assert tables.lemma(word, tag) == lemma


def test_a_known_lemma_is_preferred(tables):
    """After "controlled" it would be "smel"."""
    assert tables.lemma("smelled", "VBD") == "smell"


def test_a_change_of_other_endings_leads_to_a_known_lemma():
    words = {"walking": "walk", "talking": "talk", "mining": "mine", "making": "make"}
    counts = {(word, "VBG", lemma): 1 for word, lemma in words.items()}
    assert LemmaTables.learn(counts).lemma("parking", "VBG") == "park"
    known = {("spark", "VB", "spark"): 0, ("stare", "VB", "stare"): 0, ("star", "VB", "star"): 0}
    tables = LemmaTables.learn(counts | known)
    assert tables.lemma("sparking", "VBG") == "spark"
    assert tables.lemma("staring", "VBG") == "stare", "the longest"
    assert LemmaTables.learn(counts | {("going", "VBG", "go"): 0}).others == tables.others
    letter = LemmaTables.learn(counts | {("f", "NN", "f"): 1})
    assert letter.lemma("fing", "VBG") != "f"


def test_a_name_is_not_shortened_to_another_one():
    names = {"Jets": "Jet", "Colts": "Colt", "Han": "Han", "Paris": "Paris", "Ross": "Ross"}
    names |= {"James": "James", "Lois": "Lois"}
    tables = LemmaTables.learn({(name, "NNP", lemma): 1 for name, lemma in names.items()})
    assert tables.lemma("Hans", "NNP") == "Hans"


def test_what_one_word_has_is_no_rule():
    words = [("Sept.", "September"), ("Dept.", "Dept."), ("Capt", "Capt"), ("Anna", "Anna")]
    tables = LemmaTables.learn({(word, "NNP", lemma): 1 for word, lemma in words})
    assert tables.lemma("Sept.", "NNP") == "September"
    assert tables.lemma("Capt.", "NNP") == "Capt."
    tables = LemmaTables.learn({("mice", "NNS", "mouse"): 1, ("louse", "NN", "louse"): 1})
    assert tables.lemma("lice", "NNS") == "louse", "a known lemma says that it is one"
    assert tables.lemma("rice", "NNS") == "rice"


def test_a_name_that_is_written_otherwise():
    words = ["London", "NASA", "Nasa", "van", "Van"]
    tables = LemmaTables.learn({(word, "NNP", word): 1 for word in words})
    written = {"london": "London", "LONDON": "London", "McDonald": "McDonald", "oslo": "oslo"}
    for word, lemma in (written | dict(zip(words, words, strict=True))).items():
        assert tables.lemma(word, "NNP") == lemma


def test_names_that_are_exceptions_or_in_capitals():
    words = {"London": "London", "Berlin": "Berlin", "NASA": "NASA", "Best": "Good", "Good": "Good"}
    tables = LemmaTables.learn({(word, "NNP", lemma): 1 for word, lemma in words.items()})
    written = {"nasa": "NASA", "best": "Good", "BEST": "Good", "BERLIN": "Berlin"}
    for word, lemma in (written | words).items():
        assert tables.lemma(word, "NNP") == lemma


def test_words_that_the_treebank_lacks_teach_nothing():
    counts = Counter(WORDS)
    known = LemmaTables.learn(counts)
    more = {("sank", "VBD", "sink"): 0, ("drank", "VBD", "drink"): 0, ("went", "VBD", "wend"): 0}
    tables = LemmaTables.learn({**counts, **more})
    assert tables.lemma("sank", "VBD") == "sink" and tables.lemma("drank", "VBD") == "drink"
    assert tables.lemma("shrank", "VBD") == known.lemma("shrank", "VBD") == "shrank"
    assert tables.lemma("went", "VBD") == "go"
    assert tables.changes == known.changes
    # But what is known is preferred.
    tables = LemmaTables.learn({**counts, ("hope", "VB", "hope"): 0})
    assert known.lemma("hoped", "VBD") == "hop" and tables.lemma("hoped", "VBD") == "hope"


def test_one_frequent_word_does_not_make_names_of_the_others():
    counts = {("I", "PRP", "I"): 99, ("He", "PRP", "he"): 2, ("She", "PRP", "she"): 1}
    tables = LemmaTables.learn(counts)
    assert (
        not tables.cased and tables.lemma("HE", "PRP") == "he" and tables.lemma("i", "PRP") == "I"
    )


def test_names_are_those_of_words_that_the_treebank_has():
    counts = {("Ann", "NNP", "Ann"): 1, ("Cats", "NNP", "cat"): 0, ("Dogs", "NNP", "dog"): 0}
    assert LemmaTables.learn(counts).cased == {"NNP"}


def test_exceptions_by_which_other_words_would_be_found():
    """ "ab" would be "Zz" as "Ab" is."""
    words = {"ab": "ab", "Ab": "Zz", "Zz": "Zz", "Cd": "Cd", "Ef": "Ef", "Gh": "Gh"}
    tables = LemmaTables.learn({(word, "NNP", lemma): 1 for word, lemma in words.items()})
    assert {word: tables.lemma(word, "NNP") for word in words} == words


def test_rules_of_small_letters_put_none_behind_capitals():
    words = {"Μεγάλη": "Μεγάλης", "Μικρή": "Μικρής", "Nghymru": "Cymru", "Cymru": "Cymru"}
    tables = LemmaTables.learn({(word, "PROPN", lemma): 1 for word, lemma in words.items()})
    assert tables.lemma("Στενή", "PROPN") == "Στενής" and tables.lemma("ΣΤΕΝΗ", "PROPN") == "ΣΤΕΝΗ"
    assert tables.lemma("NGHYMRU", "PROPN") == "Cymru"
    words = {"Μεγάλη": "Μεγάλης", "Μικρή": "Μικρής", "Καλή": "Καλής", "στενή": "στενός"}
    counts = {(word, "ADJ", lemma): 1 for word, lemma in (words | {"στενός": "στενός"}).items()}
    assert LemmaTables.learn(counts).lemma("ΣΤΕΝΉ", "ADJ") == "στενός"


def test_the_more_frequent_lemma_wins():
    tables = LemmaTables.learn({("saw", "V", "saw"): 1, ("saw", "V", "see"): 2})
    assert tables.lemma("saw", "V") == "see"


letters = st.text("abcAB'1é", min_size=1, max_size=7)
treebanks = st.dictionaries(
    st.tuples(letters, st.sampled_from("XY"), letters), st.integers(1, 3), max_size=30
)


@given(treebanks)
def test_the_treebank_is_known(counts):
    """Each word has a lemma that is as frequent as any, among those of its form with that tag."""
    tables = LemmaTables.learn(counts)
    lemmas = defaultdict(Counter)
    for (word, tag, lemma), count in counts.items():
        lemmas[tables.form(word, tag), tag][lemma] += count
    for word, tag, _ in counts:
        found = lemmas[tables.form(word, tag), tag]
        assert found[tables.lemma(word, tag)] == max(found.values())


@given(treebanks)
def test_their_order_does_not_matter(counts):
    assert LemmaTables.learn(dict(reversed(counts.items()))) == LemmaTables.learn(counts)


@given(treebanks, letters, st.sampled_from("XYZ"))
def test_saved_tables_are_the_same(counts, word, tag):
    tables = LemmaTables.learn(counts)
    again = LemmaTables.from_json(srsly.json_loads(srsly.json_dumps(tables.to_json())))
    assert again == tables
    assert again.lemma(word, tag) == tables.lemma(word, tag) != ""


def test_the_same_tables_are_the_same_file():
    """In every process: Python's sets have another order in each."""
    tables = LemmaTables(cased=set("badc"), rare={"NN": set("badc")}, lemmas=set("badc"))
    data, letters = tables.to_json(), ["a", "b", "c", "d"]
    assert data["cased"] == data["rare"]["NN"] == data["lemmas"] == letters


def test_apostrophes_are_alike():
    tables = LemmaTables.learn({("n't", "RB", "not"): 1, ("o’clock", "NN", "o'clock"): 1})
    assert tables.lemma("n’t", "RB") == "not" and tables.lemma("o'clock", "NN") == "o'clock"


def test_apostrophes_are_those_of_the_lemmas():
    tables = LemmaTables.learn({("п’ять", "NUM", "п’ять"): 1, ("м'яч", "NOUN", "м’яч"): 1})
    assert tables.lemma("п'ять", "NUM") == "п’ять" and tables.lemma("м’яч", "NOUN") == "м’яч"
    assert tables.lemma("пам'ять", "NOUN") == "пам’ять"


def test_the_longest_ending_has_five_letters():
    kinds = {"1": ["xabcde", "zabcde"], "2": ["xzbcde", "yzbcde", "zzbcde"]}
    counts = {(word, "V", word + kind): 1 for kind, words in kinds.items() for word in words}
    tables = LemmaTables.learn(counts)
    assert tables.lemma("yabcde", "V") == "yabcde1" and tables.lemma("yqbcde", "V") == "yqbcde2"


def test_a_tag_keeps_capitals_if_most_of_its_capitalized_words_do():
    counts = {("IBM", "NN", "IBM"): 1, ("Dogs", "NN", "dog"): 2, ("Anna", "NNP", "Anna"): 1}
    tables = LemmaTables.learn(counts)
    assert tables.cased == {"NNP"} and tables.lemma("Dogs", "NN") == "dog"
    assert tables.lemma("DOGS", "NN") == "dog"


def test_words_without_capitals_do_not_tell_whether_a_tag_keeps_them():
    counts = {("Anna", "NNP", "Anna"): 1, ("van", "NNP", "van"): 9, ("de", "NNP", "de"): 9}
    assert LemmaTables.learn(counts).cased == {"NNP"}
    counts = {("IBM", "NN", "IBM"): 1, ("TV", "NN", "TV"): 1, ("Dogs", "NN", "dog"): 1}
    assert LemmaTables.learn(counts).cased == {"NN"}
    assert not LemmaTables.learn({("IBM", "NN", "IBM"): 1, ("Dogs", "NN", "dog"): 1}).cased


def test_an_ending_is_not_shorter_than_what_is_taken_off():
    """After "mice", "dogs" would be "douse"."""
    assert LemmaTables.learn({("mice", "NNS", "mouse"): 1}).lemma("dogs", "NNS") == "dogs"


def test_a_name_in_capitals_follows_a_rule_for_capitals():
    tables = LemmaTables.learn({("CDS", "NNPS", "CD"): 1, ("TVS", "NNPS", "TV"): 1})
    assert tables.lemma("DVDS", "NNPS") == "DVD"


def test_a_word_that_is_no_name_is_not_written_as_one():
    counts = {("Bush", "NNP", "Bush"): 1, ("cat", "NN", "cat"): 1, ("dog", "NN", "dog"): 1}
    assert LemmaTables.learn(counts).lemma("bush", "NN") == "bush"


def test_the_turkish_capital_i():
    words = [("için", "ADP", "için"), ("evler", "NOUN", "ev"), ("kediler", "NOUN", "kedi")]
    counts = dict.fromkeys(words, 1)
    tables = LemmaTables.learn(counts)
    assert tables.lemma("İçin", "ADP") == "için" and tables.lemma("İnekler", "NOUN") == "inek"


NUMBERS = [("20,000", "CD", "20000"), ("1,300,000", "CD", "1300000"), ("3,40", "CD", "3.40")]


def test_numbers_without_commas():
    """If those of the treebank have none."""
    tables = LemmaTables.learn(Counter(NUMBERS))
    numbers = ["1,000,000,000", "45,321", "12,500.50", "7,5", "1,2345", "0,1,2", "2,000s"]
    found = [tables.lemma(number, "CD") for number in numbers]
    assert found == ["1000000000", "45321", "12500.50", "7,5", "1,2345", "0,1,2", "2,000s"]
    assert [tables.lemma(word, tag) for word, tag, _ in NUMBERS] == [row[2] for row in NUMBERS]


def test_a_number_that_keeps_its_commas_teaches_nothing():
    words = [*NUMBERS, ("7,500", "CD", "7,500"), ("8000", "CD", "8000")]
    tables = LemmaTables.learn(Counter(words))
    numbers = ["7500", "1500", "4,500", "7,500"]
    assert [tables.lemma(number, "CD") for number in numbers] == ["7500", "1500", "4500", "7500"]


@pytest.mark.parametrize("words", [[], [("20,000", "CD", "20000"), ("30,000", "CD", "30,000")]])
def test_numbers_keep_their_commas(words):
    """Unless most of the treebank have none."""
    tables = LemmaTables.learn(Counter(words))
    assert tables.lemma("45,321", "CD") == "45,321"
