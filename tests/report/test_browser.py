"""The page in a browser: it sorts, filters and follows permalinks, asks nothing of any host, and can be read aloud."""

import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
playwright = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def address(reference_page, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(reference_page, encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, address):
    """The page, and what it said and asked for since."""
    tab = browser.new_page()
    tab.said, tab.asked = [], []
    tab.on("console", lambda message: tab.said.append(message.text))
    tab.on("pageerror", lambda error: tab.said.append(str(error)))
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.goto(address)
    yield tab
    tab.close()


def first_table(tab):
    return tab.locator(".results").first


def names(tab):
    """The visible rows of the first table, from above."""
    return first_table(tab).locator("tbody tr:visible th").all_inner_texts()


def test_nothing_goes_wrong_and_nobody_is_asked(opened, address):
    opened.wait_for_load_state("networkidle")
    opened.mouse.wheel(0, 100_000)
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith("data:")] == [address]


def test_click_on_a_heading_sorts_best_first_and_another_turns_it_round(opened):
    heading = first_table(opened).locator("thead th", has_text="reverse_kl")
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert names(opened)[:3] == ["oracle", "wgan-gp", "centres"]
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert names(opened)[:2] == ["gaussian", "noise"]
    assert names(opened)[-1] == "null band"


def test_keyboard_sorts_too(opened):
    button = first_table(opened).locator("thead th", has_text="hq").locator("button")
    button.focus()
    button.press("Enter")
    assert names(opened)[0] == "centres"


def test_rows_are_filtered_by_their_names(opened):
    first_table(opened).locator("input[type=search]").fill("WGAN")
    assert names(opened) == ["wgan", "wgan-gp"]


def test_controls_can_be_hidden_and_further_metrics_shown(opened):
    table = first_table(opened)
    table.locator(".fixed").uncheck()
    assert names(opened) == ["gan", "wgan", "wgan-gp"]
    assert not table.locator("thead th", has_text="jsd").is_visible()
    table.locator(".all-columns").check()
    assert table.locator("thead th", has_text="jsd").is_visible()


def test_permalink_opens_what_it_leads_into(browser, address):
    tab = browser.new_page()
    tab.goto(f"{address}#toy2d-grid25-steps-6000-veegan2017")
    table = tab.locator("#toy2d-grid25-steps-6000-veegan2017 table")
    assert table.is_visible()
    assert table.bounding_box()["y"] < tab.viewport_size["height"]
    tab.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_follows_the_readers_scheme_until_told_otherwise(scheme, browser, address):
    tab = browser.new_page(color_scheme=scheme)
    tab.goto(address)
    shown = "document.documentElement.dataset.theme"
    assert tab.evaluate(shown) == scheme
    tab.locator("#theme").click()
    assert tab.evaluate(shown) != scheme
    tab.close()


def test_phone_scrolls_tables_and_not_the_page(browser, address):
    tab = browser.new_page(viewport={"width": 390, "height": 800})
    tab.goto(address)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.close()


@pytest.mark.parametrize(("scheme", "few", "passes"), [("light", {}, 21), ("dark", {"runOnly": ["color-contrast"]}, 1)])
def test_axe_finds_no_barrier(scheme, few, passes, browser, address):
    """In the dark, colours alone are others."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    tab = browser.new_page(color_scheme=scheme)
    tab.goto(address)
    tab.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    found = axe.Axe().run(tab, options={"resultTypes": ["violations"], **few})
    assert len(found.response["passes"]) >= passes
    assert found.violations_count == 0, found.generate_report()
    tab.close()
