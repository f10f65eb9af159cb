"""The map: drawn by the server, movable with scripts, and all of it in a list."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, FloatRect, Page, expect

from kg import build
from kg.config import load
from kg.site import create_app
from kg.site.assets import FOLDER
from kg.site.components import basemap
from kg.site.components.basemap import Window

Read = Callable[[str], Any]


def test_places_of_every_vocabulary_are_on_the_map_and_in_the_list(read_voyage: Read) -> None:
    page = read_voyage("/map")
    drawn = {a.attributes["href"]: a.attributes["class"] for a in page.all("svg", class_="drawing")[0].all("a")}
    assert drawn == {"./page/qalat": "spot happened", "./page/road": "spot both"}
    listed = {li.all("h3")[0].text: li for li in page.all("ul", class_="places")[0].all("li", class_="place")}
    assert set(listed) == {"Qal'at Sālih", "Lindmar road"}
    assert "54.25° N, 10.5° E" in listed["Qal'at Sālih"].text


def test_what_is_planned_at_a_place_is_told_from_what_happened(read_voyage: Read) -> None:
    page = read_voyage("/map")
    (road,) = page.all("ul", class_="places")[0].all("li", class_="both")
    things = {
        li.all("a")[0].text: li.all("span", class_="mark")[0].text
        for li in road.all("ul", class_="things")[0].all("li")
    }
    assert things == {"the departure of the Petrel": "Stated", "the return of the Petrel": "Planned or expected"}


def test_the_list_says_who_gives_the_coordinates(read_voyage: Read) -> None:
    places = read_voyage("/map").all("ul", class_="places")[0].all("li", class_="place")
    assert places
    for place in places:
        assert place.all("span", class_="says"), place.text


def test_the_map_as_geojson(voyage_client: FlaskClient) -> None:
    response = voyage_client.get("/map", headers={"Accept": "application/geo+json"})
    assert response.content_type == "application/geo+json"
    assert response.json is not None
    assert [(f["id"].rsplit("/", 1)[1], f["geometry"]["coordinates"]) for f in response.json["features"]] == [
        ("road", [10.25, 54.5]),
        ("qalat", [10.5, 54.25]),
    ]
    assert {f["properties"]["status"] for f in response.json["features"]} == {"happened", "both"}


def test_a_part_of_the_places_says_how_many_there_are(starter: Path) -> None:
    places = "".join(f":place-{n} wgs84:lat {n % 80}.5 ; wgs84:long {n}.25 . " for n in range(120))
    claims = starter / "data/claims/about-kg.trig"
    source = claims.read_text(encoding="utf-8").replace("claim:1 { ", f"claim:1 {{ {places}")
    claims.write_text("@prefix wgs84: <http://www.w3.org/2003/01/geo/wgs84_pos#> .\n" + source, encoding="utf-8")
    labels = "".join(f':place-{n} rdfs:label "place {n}"@en .\n' for n in range(120))
    with (starter / "data/entities/labels.ttl").open("a", encoding="utf-8") as file:
        file.write(labels)
    config = load(starter)
    release, findings = build.build(config)
    assert release is not None, findings
    site = create_app(release, config).test_client(use_cookies=False)
    pages = [json.loads(site.get(f"/map.json?page={page}").data) for page in (1, 2)]
    assert [(p["count"], p["pages"], p["more"]) for p in pages] == [(120, 2, False)] * 2
    assert len({feature["id"] for p in pages for feature in p["features"]}) == 120


def test_the_land_around_the_places_comes_from_this_server(voyage_client: FlaskClient) -> None:
    land = voyage_client.get("/map/basemap.json").json
    assert land is not None
    west, south, east, north = land["bbox"]
    assert west < 10 < east
    assert south < 54 < north
    positions = [position for polygon in land["coordinates"] for ring in polygon for position in ring]
    assert positions
    assert all(west - 0.01 <= x <= east + 0.01 and south - 0.01 <= y <= north + 0.01 for x, y in positions)
    assert "Germany" in {name for name, _, _ in land["names"]}


def test_a_release_without_places_says_so(read_page: Read, client: FlaskClient) -> None:
    assert "Nothing in this release has coordinates." in read_page("/map").text
    assert client.get("/map/basemap.json").status_code == 404


def test_the_land_around_any_box_is_there(client: FlaskClient) -> None:
    land = client.get("/map/basemap.json?box=-71,-34,-70,-33").json
    assert land is not None
    assert "Chile" in {name for name, _, _ in land["names"]}
    assert client.get("/map/basemap.json?box=-180,-90,180,90").status_code == 200
    # Against the clock, each (RFC 7946, section 3.1.6): what draws a globe would fill all but the land.
    more = client.get("/map/basemap.json?box=0,40,20,60").json or {}
    for (ring,) in (*land["coordinates"], *more["coordinates"]):
        assert ring[0] == ring[-1]
        assert sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring)) >= 0
    for wrong in ("", "1,2,3", "a,b,c,d", "10,54,9,55", "10,54,11,91", "0,0,999,1", "1.5,0,2,1", "٠,0,1,1"):
        assert client.get("/map/basemap.json", query_string={"box": wrong}).status_code == 400, wrong


def test_the_licences_of_what_is_bundled_are_handed_on() -> None:
    text = (FOLDER / "third-party.txt").read_text(encoding="utf-8")
    assert re.search(r"^leaflet 1\.9\.4 \(BSD-2-Clause\)$", text, re.MULTILINE)
    assert re.search(r"^world-atlas .* \(ISC\)$", text, re.MULTILINE)
    assert "Volodymyr Agafonkin" in text


@pytest.mark.parametrize(
    "positions",
    [
        [(0, 0)],
        [(179.9, 0)],
        [(-179.9, -89.9), (179.9, 89.9)],
        [(44, 33), (44, 34)],
        [(10, 90)],
        [(-70, -54), (-70, 70)],
    ],
)
def test_a_window_holds_its_places_and_stays_on_the_world(positions: list[tuple[float, float]]) -> None:
    view = basemap.window(positions)
    assert -240 <= view.west < view.east <= 240
    assert -85.1 <= view.south < view.north <= 85.1
    for lon, lat in positions:
        x, y = view.place(lon, lat)
        assert -0.001 <= x <= 1.001
        assert -0.001 <= y <= 1.001


def test_no_land_crosses_the_map_where_the_world_is_cut() -> None:
    view = basemap.wider(basemap.window([(-170, -60), (170, 75)]), 4)
    rings = basemap.outlines(view, 600)
    assert rings
    for outline in rings:
        for (lon, lat), (to_lon, to_lat) in pairwise((*outline.ring, outline.ring[0])):
            on_the_edge = lat == to_lat == view.south
            assert on_the_edge or abs(to_lon - lon) < 60, (outline.name, lon, lat, to_lon, to_lat)


def test_what_is_clipped_stays_inside() -> None:
    view = Window(40, 30, 46, 36)
    rings = basemap.outlines(view, 600)
    assert rings
    assert {name for name, _, _ in basemap.names(view)} >= {"Iraq"}
    for outline in rings:
        assert all(40 <= x <= 46 and 30 <= y <= 36 for x, y in outline.ring)


@pytest.mark.browser
class TestInABrowser:
    """With scripts and without."""

    def test_the_map_moves_and_asks_nobody_else(self, tab: Page, voyage_address: str) -> None:
        asked: list[str] = []
        said: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: said.append(message.text))
        tab.goto(voyage_address + "map")
        expect(tab.locator(".movable path.land")).to_have_count(1)
        tab.get_by_role("button", name="Zoom in").click()
        moving = tab.locator(".leaflet-zoom-anim, .leaflet-pan-anim")
        expect(moving).to_have_count(0)
        pin = tab.get_by_role("button", name="Lindmar road")
        pin.focus()
        tab.keyboard.press("Enter")
        popup = tab.locator(".leaflet-popup-content")
        expect(popup).to_contain_text("the return of the Petrel")
        expect(moving).to_have_count(0)  # what moves may be missed by a click
        popup.get_by_role("link", name="the return of the Petrel").click()
        tab.wait_for_url("**/page/return")
        assert {urlsplit(url).netloc for url in asked} == {urlsplit(voyage_address).netloc}
        assert said == []

    def test_its_buttons_speak_the_language_of_the_page(self, tab: Page, voyage_address: str) -> None:
        tab.goto(voyage_address + "map?lang=de")
        map_ = tab.get_by_role("region", name="Bewegliche Karte")
        for name in ("Vergrößern", "Verkleinern"):
            expect(map_.get_by_role("button", name=name)).to_have_attribute("title", name)
        map_.get_by_role("button", name="Lindmar road").press("Enter")
        map_.get_by_role("button", name="Schließen").click()
        expect(tab.locator(".leaflet-popup-content")).to_have_count(0)
        expect(map_.get_by_role("img")).to_have_count(0)

    @pytest.mark.parametrize("scripts", [True, False])
    @pytest.mark.parametrize("width", [360, 1280])
    def test_labels_do_not_cover_each_other(
        self, browser: Browser, dataset_address: str, width: int, scripts: bool
    ) -> None:
        context = browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=scripts)
        tab = context.new_page()
        tab.goto(dataset_address + "map")
        if scripts:
            expect(tab.locator(".movable path.land")).to_have_count(1)
        labels = tab.locator(".pin-label:visible, .country:not(.covered) span" if scripts else ".drawing text:visible")
        boxes: list[FloatRect] = []
        # The map may still be moving to where its places are.
        while boxes != (boxes := [box for label in labels.all() if (box := label.bounding_box())]):
            tab.wait_for_timeout(300)
        frame = tab.locator(".movable" if scripts else ".drawing").bounding_box()
        context.close()
        assert frame is not None
        assert len(boxes) >= 4
        for i, a in enumerate(boxes):
            for b in boxes[i + 1 :]:
                apart = (
                    a["x"] + a["width"] <= b["x"] + 1
                    or b["x"] + b["width"] <= a["x"] + 1
                    or a["y"] + a["height"] <= b["y"] + 4
                    or b["y"] + b["height"] <= a["y"] + 4
                )
                assert apart, (a, b)

    def test_without_scripts_marks_are_links(self, browser: Browser, voyage_address: str) -> None:
        context = browser.new_context(java_script_enabled=False)
        tab = context.new_page()
        tab.goto(voyage_address + "map")
        tab.locator(".drawing").get_by_role("link", name="Lindmar road").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Lindmar road")
        context.close()


def test_countries_are_called_in_the_readers_language(voyage_client: FlaskClient) -> None:
    names = {}
    for language in ("en", "de"):
        headers = {"Accept-Language": language}
        land = voyage_client.get("/map/basemap.json", headers=headers).json or {}
        names[language] = {name for name, _, _ in land["names"]}
        assert voyage_client.get("/map", headers=headers).text.count('class="country"') >= 1
    assert "Germany" in names["en"]
    assert "Deutschland" in names["de"]
    assert "Germany" not in names["de"]
