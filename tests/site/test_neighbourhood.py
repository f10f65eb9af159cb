"""A thing's surroundings on its page: linked things at most two steps away, its times, its places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from kg.site.components import neighbourhood

Read = Callable[[str], Any]


def drawn(page: Any) -> dict[str, str]:
    """Addresses in the picture by what stands there."""
    (picture,) = page.all("svg", class_="neighbours")
    return {a.all("text")[0].text: a.attributes["href"] for a in picture.all("a")}


def test_things_one_and_two_steps_away_are_links(read_voyage: Read) -> None:
    assert drawn(read_voyage("/page/return")) == {
        "Lindmar road": "../page/road",
        "the departure of the Petrel": "../page/departure",
        "spring 2022": "../page/next-spring",
    }


def test_nothing_is_drawn_twice(read_voyage: Read) -> None:
    page = read_voyage("/page/petrel")
    names = [a.all("text")[0].text for a in page.all("svg", class_="neighbours")[0].all("a")]
    assert len(names) == len(set(names))
    # The call and the grounding lead to the same time: one word, two lines.
    lines = page.all("svg", class_="neighbours")[0].all("path")
    assert len(lines) > len(names)


def test_lines_are_drawn_as_their_claims_say_it(read_voyage: Read) -> None:
    page = read_voyage("/page/petrel")
    assert {path.attributes["class"] for path in page.all("svg", class_="neighbours")[0].all("path")} == {
        "stated",
        "reported",
    }
    (picture,) = read_voyage("/page/return").all("svg", class_="neighbours")
    assert {path.attributes["class"] for path in picture.all("path")} == {"prospect", "stated"}


def test_the_picture_is_bounded(read_page: Read, app: Flask) -> None:
    for name in ("north-pier", "hostile", "crowd"):
        pictures = read_page(f"/page/{name}").all("svg", class_="neighbours")
        links = pictures[0].all("a") if pictures else []
        assert len(links) <= neighbourhood.NEAR * (1 + neighbourhood.FAR)


def test_names_from_the_data_are_text_and_keep_their_language(read_page: Read) -> None:
    (picture,) = read_page("/page/north-pier").all("svg", class_="neighbours")
    assert [t.attributes["lang"] for t in picture.all("text") if "الرصيف" in t.text] == ["ar"]
    (picture,) = read_page("/page/caf%C3%A9").all("svg", class_="neighbours")
    assert not picture.all("img")
    assert any("<img src=x" in t.text for t in picture.all("text"))


def test_a_thing_that_is_linked_with_nothing_has_no_picture(read_page: Read) -> None:
    assert not read_page("/page/crowd").all("svg", class_="neighbours")


def test_pages_of_things_with_times_and_places_draw_them(read_voyage: Read) -> None:
    page = read_voyage("/page/departure")
    lines = {li.all("a")[0].text: li for li in page.all("li", class_="moment")}
    assert "the departure of the Petrel" in lines
    marks = [a.attributes["href"] for a in page.all("svg", class_="drawing")[0].all("a")]
    assert marks == ["../page/road"]
    assert not read_voyage("/page/fifth-crane").all("svg", class_="drawing")


def test_a_single_day_is_not_drawn(read_voyage: Read, voyage_client: FlaskClient) -> None:
    assert voyage_client.get("/page/ada").status_code == 200
    assert not read_voyage("/page/ada").all("li", class_="moment")


@pytest.mark.browser
@pytest.mark.parametrize(("width", "letters"), [(360, "100%"), (1280, "100%"), (1280, "200%")])
def test_words_do_not_cover_each_other_and_scroll_in_their_own_region(
    browser: Browser, dataset_address: str, width: int, letters: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800})
    tab = context.new_page()
    tab.goto(dataset_address + "page/al-qaim-base")
    tab.evaluate("size => document.documentElement.style.fontSize = size", letters)
    boxes = [box for text in tab.locator(".neighbours a text").all() if (box := text.bounding_box())]
    assert len(boxes) > 10
    assert tab.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            apart = (
                a["x"] + a["width"] <= b["x"] + 1
                or b["x"] + b["width"] <= a["x"] + 1
                or a["y"] + a["height"] <= b["y"] + 1
                or b["y"] + b["height"] <= a["y"] + 1
            )
            assert apart, (a, b)
    tab.locator(".neighbours").get_by_role("link", name="the forces working from al-Qaim").click()
    tab.wait_for_url("**/page/forces-at-al-qaim")
    context.close()
