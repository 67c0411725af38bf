"""The page in a real browser: Chromium, without a network."""

import shutil

import pytest

from spacy_lstm_tagger.report import Report

from ..util import write_conllu
from . import BAD_NAME, hostile_sentences, make_pipeline, one_tag

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium: apt-get install chromium"),
]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory, ours, theirs, corpus, words):
    path = tmp_path_factory.mktemp("page") / "report.html"
    report = Report({"ours": ours, "theirs": theirs}, corpus, train=words)
    path.write_text(report.to_html(), encoding="utf-8")
    return path


@pytest.fixture
def open_page(browser):
    """Opens a page; at the end, nothing was said in the console, and nothing asked of a network."""
    contexts, said, asked = [], [], []

    def open_page(path, **settings):
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def texts(locator):
    return [text.strip() for text in locator.all_text_contents()]


def test_the_matrix(open_page, path, ours, corpus):
    page = open_page(path)
    figures = Report({"ours": ours}, corpus).figures["pipelines"][0]
    counts = {(gold, guess): count for gold, guess, count in map(dict.values, figures["confusion"])}
    cells = page.locator("#matrix td button")
    assert sorted(map(int, texts(cells))) == sorted(counts.values())
    gold, guess = next(pair for pair in counts if pair[0] != pair[1])
    page.locator(f'#matrix button[title^="{gold} tagged as {guess}:"]').click()
    assert (
        page.locator("#cell h3")
        .text_content()
        .startswith(f"{gold} tagged as {guess}: {counts[gold, guess]} of")
    )
    mistake = next(m for m in figures["mistakes"] if (m["gold"], m["guess"]) == (gold, guess))
    assert page.locator("#cell li").count() == len(mistake["sentences"])
    assert texts(page.locator("#cell mark small"))[0] == f"{gold} → {guess}"


def test_the_controls(open_page, path, theirs, corpus):
    page = open_page(path)
    tags = page.locator("#matrix tbody th")
    before = texts(tags)
    page.select_option("#order", "name")
    assert texts(tags) == sorted(before)
    page.select_option("#unit", "share")
    assert all(float(text) <= 100 for text in texts(page.locator("#matrix td button")))
    page.select_option("#unit", "count")
    page.select_option("#pipeline", "1")
    confusion = Report({"theirs": theirs}, corpus).figures["pipelines"][0]["confusion"]
    expected = sorted(row["count"] for row in confusion)
    assert sorted(map(int, texts(page.locator("#matrix td button")))) == expected


def test_tables_are_sorted_by_a_click(open_page, path):
    page = open_page(path)
    table = page.locator("table.sortable").first
    for heading, column in (("F1", 6), ("words", 2)):
        cells = table.locator(f"tbody tr td:nth-child({column})")
        table.get_by_role("button", name=heading, exact=True).click()
        falling = [float(text) for text in texts(cells)]
        assert falling == sorted(falling, reverse=True)
        table.get_by_role("button", name=heading, exact=True).click()
        assert [float(text) for text in texts(cells)] == sorted(falling)
        sorted_by = table.locator("th[aria-sort]")
        assert texts(sorted_by) == [heading]
        assert sorted_by.get_attribute("aria-sort") == "ascending"


def test_keyboard(open_page, path):
    page = open_page(path)
    button = page.locator("#matrix td button").first
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    assert page.locator("#cell h3").count() == 1


@pytest.mark.parametrize("width", [390, 1100])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_wide_and_narrow(open_page, path, scheme, width):
    page = open_page(path, color_scheme=scheme, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    colours = page.evaluate(
        """() => [getComputedStyle(document.body).color,
                  getComputedStyle(document.body).backgroundColor,
                  getComputedStyle(document.querySelector("svg text")).fill]"""
    )
    ink, paper, plot = (sum(map(int, c[4:-1].split(", "))) for c in colours)
    assert (ink < paper) == (scheme == "light") and ink == plot
    assert page.locator("svg").first.bounding_box()["width"] > 200


def test_pipelines_are_told_apart_without_colours(open_page, path):
    """By their marks, which are letters: on paper and in high contrast too."""
    page = open_page(path, forced_colors="active")
    marks = page.locator("#plots .key .swatch")
    assert texts(marks) == ["●", "■"] and all(mark.is_visible() for mark in marks.all())


def test_on_paper(open_page, path):
    page = open_page(path)
    assert page.locator("#hint").is_visible()
    page.emulate_media(media="print")
    assert not page.locator("#hint").is_visible() and not page.locator("#controls").is_visible()
    adjust = "getComputedStyle(document.querySelector('#matrix td')).printColorAdjust"
    assert page.evaluate(adjust) == "exact"


def test_on_paper_nothing_is_cut_off(open_page, path):
    page = open_page(path, viewport={"width": 320, "height": 800})
    page.emulate_media(media="print")
    cut = """() => [...document.querySelectorAll(".wide")]
        .filter((e) => getComputedStyle(e).overflowX !== "visible").length"""
    assert page.evaluate(cut) == 0


def test_a_policy_that_forbids_the_script(browser, path, tmp_path):
    """Such as that of a web server: scripts run, but not this one."""
    forbidden = tmp_path / "forbidden.html"
    html = path.read_text(encoding="utf-8").replace("script-src 'sha256-", "script-src 'sha256-A")
    forbidden.write_text(html, encoding="utf-8")
    page = browser.new_page()
    page.goto(forbidden.as_uri())
    assert "needs JavaScript" in page.locator("#confusion").inner_text()
    page.close()


def test_without_scripts_the_errors_are_there(browser, path):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert not page.locator("#controls").is_visible() and not page.locator("#hint").is_visible()
    assert page.locator("#errors details").count() > 0
    page.locator("#errors summary").first.click()
    assert page.locator("#errors mark").first.is_visible()
    context.close()


def test_hostile_text_is_not_executed(open_page, tmp_path):
    nlp = make_pipeline(tags=["<b>V</b>"])
    corpus = write_conllu(tmp_path / "dev.conllu", hostile_sentences())
    path = tmp_path / "report.html"
    report = Report({BAD_NAME: nlp, "b": nlp}, corpus)
    path.write_text(report.to_html(), encoding="utf-8")
    page = open_page(path)
    for button in page.locator("#matrix td button").all():
        button.click()
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0
    assert BAD_NAME in page.locator("#accuracy thead").text_content()


def test_a_script_of_someone_else_does_not_run(browser, path, tmp_path):
    """Should something ever slip in, the page's policy forbids it."""
    changed = tmp_path / "changed.html"
    html = path.read_text(encoding="utf-8")
    bad = "<script>window.hacked=1</script><img src=x onerror='window.hacked=1'>"
    changed.write_text(html.replace("<main>", f"<main>{bad}"), encoding="utf-8")
    page = browser.new_page()
    page.goto(changed.as_uri())
    assert page.evaluate("window.hacked") is None
    assert page.locator("#matrix td button").count() > 0
    page.close()


def test_in_the_frame_of_a_notebook(open_page, ours, corpus, tmp_path):
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!doctype html>{Report(ours, corpus)._repr_html_()}", encoding="utf-8")
    page = open_page(notebook)
    frame = page.frame_locator("iframe")
    frame.locator("#matrix td button").first.click()
    frame.locator("a[href='#tags']").first.click()  # a part of the page, not of the notebook
    assert frame.locator("#tags").evaluate("() => location.hash") == "#tags"
    assert frame.locator("#cell h3").count() == 1


def test_words_without_a_tag_are_in_the_matrix_too(open_page, tmp_path, corpus):
    nlp = make_pipeline(steps=5)
    nlp.get_pipe("lstm_tagger").cfg["threshold"] = 0.6
    report = Report({"a" * 100: nlp}, corpus)
    (tmp_path / "report.html").write_text(report.to_html(), encoding="utf-8")
    page = open_page(tmp_path / "report.html", viewport={"width": 360, "height": 700})
    counts = [row["count"] for row in report.figures["pipelines"][0]["confusion"]]
    assert sum(map(int, texts(page.locator("#matrix td button")))) == sum(counts)
    assert texts(page.locator("#matrix thead th"))[-1] == "no tag"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_words_from_right_to_left(open_page, tmp_path):
    words = [("هذا", "DET"), ("كتاب", "NN"), ("قديم", "NN")]
    report = Report(make_pipeline(steps=2), write_conllu(tmp_path / "dev.conllu", [words] * 3))
    (tmp_path / "report.html").write_text(report.to_html(), encoding="utf-8")
    page = open_page(tmp_path / "report.html", viewport={"width": 320, "height": 700})
    mistake = report.figures["pipelines"][0]["mistakes"][0]
    page.locator(f'#matrix [title^="{mistake["gold"]} tagged as {mistake["guess"]}:"]').click()
    page.locator("#errors summary").first.click()
    for place in ("#cell", "#errors"):
        direction = f"getComputedStyle(document.querySelector('{place} li')).direction"
        assert page.evaluate(direction) == "rtl"
        assert page.locator(f"{place} .sentences").first.get_attribute("lang") == "en"
        # Parted from the word, and turned round by nothing.
        tags = page.locator(f"{place} mark small").first
        assert tags.get_attribute("dir") == "ltr" and tags.locator("bdi").count() == 2
        assert page.locator(f"{place} mark").first.text_content().split(" ")[0] in dict(words)
    assert texts(page.locator("#cell h3 bdi")) == [mistake["gold"], mistake["guess"]]
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_long_tags_leave_room_for_the_cells(open_page, tmp_path):
    tag = "VERB|" + "|".join(f"Feature{i}=Value" for i in range(8))
    words = [("The", "DET"), ("dog", tag)]
    nlp = make_pipeline(steps=2, tags=[tag])
    report = Report(nlp, write_conllu(tmp_path / "dev.conllu", [words] * 3))
    (tmp_path / "report.html").write_text(report.to_html(), encoding="utf-8")
    page = open_page(tmp_path / "report.html", viewport={"width": 360, "height": 700})
    page.locator("#matrix button").first.click(timeout=5000)
    assert page.locator("#cell h3").count() == 1


def test_sentences_whose_first_word_is_wrong_keep_their_direction(open_page, tmp_path):
    """Marked words count for it, too, and names do not turn what is beside them round."""
    corpus = write_conllu(tmp_path / "dev.conllu", [[("שלום", "C"), ("Google", "C")]] * 3)
    nlp, other = one_tag("A"), one_tag("B")
    report = Report({"מודל־א": nlp, "מודל־ב": other}, corpus)
    (tmp_path / "report.html").write_text(report.to_html(), encoding="utf-8")
    page = open_page(tmp_path / "report.html")
    page.locator("#matrix button").first.click()
    directions = "[...document.querySelectorAll('li')].map((e) => getComputedStyle(e).direction)"
    assert set(page.evaluate(directions)) == {"rtl"}
    keys = page.locator("#plots .key")
    marks = [mark.bounding_box()["x"] for mark in keys.locator(".swatch").all()]
    names = [name.bounding_box()["x"] for name in keys.locator("bdi").all()]
    assert marks[0] < names[0] < marks[1] < names[1]


def test_the_figures_of_long_tags_are_seen(open_page, tmp_path):
    tag = "VERB|" + "|".join(f"Feature{i}=Value" for i in range(12))
    nlp = make_pipeline(steps=2, tags=[tag])
    corpus = write_conllu(tmp_path / "dev.conllu", [[("The", "DET"), ("dog", tag)]] * 3)
    (tmp_path / "report.html").write_text(Report(nlp, corpus).to_html(), encoding="utf-8")
    page = open_page(tmp_path / "report.html", viewport={"width": 718, "height": 1000})
    assert tag in texts(page.locator("#tags tbody th"))
    for media in ("screen", "print"):
        page.emulate_media(media=media)
        wide = page.locator("#tags .wide")
        assert wide.evaluate("(e) => e.scrollWidth <= e.clientWidth")


def test_the_focus_is_not_hidden_by_the_tags_of_rows(open_page, tmp_path):
    tags = [f"VERB|Feature={'x' * 40}{i}" for i in range(12)]
    words = [("dog", tag) for tag in tags]
    corpus = write_conllu(tmp_path / "dev.conllu", [words])
    nlp = make_pipeline(steps=2, tags=tags)
    report = Report(nlp, corpus)
    report.figures["pipelines"][0]["confusion"] = [
        {"gold": tags[0], "guess": tag, "count": 1} for tag in tags
    ]
    (tmp_path / "report.html").write_text(report.to_html(), encoding="utf-8")
    page = open_page(tmp_path / "report.html", viewport={"width": 320, "height": 700})
    cells = page.locator("#matrix td button")
    cells.last.focus()
    seen = """() => { const e = document.activeElement, box = e.getBoundingClientRect();
        return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === e; }"""
    for _ in range(cells.count() - 1):
        page.keyboard.press("Shift+Tab")
        assert page.evaluate(seen)


def test_the_matrix_says_whose_it_is(open_page, path):
    """On paper, too, where there are no controls."""
    page = open_page(path)
    page.select_option("#pipeline", "1")
    page.emulate_media(media="print")
    assert page.get_by_role("table", name="theirs").is_visible()


def test_after_going_back_the_controls_say_what_is_shown(open_page, path):
    page = open_page(path)
    before = texts(page.locator("#matrix td button"))
    page.select_option("#pipeline", "1")
    page.goto("about:blank")
    page.go_back()
    assert texts(page.locator("#matrix td button")) == before
    assert page.locator("#pipeline").input_value() == "0"
