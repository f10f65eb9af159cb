// Makes the drawn map movable: the same land, the same places, from the page itself and from this server only.
//
// Places are the items of the list with data-lat and data-lon. All text goes in as text: labels are the data's.

import L from "leaflet";

import { element } from "./lib/dom.js";
import { _, number } from "./lib/words.js";

const SIDES = ["right", "left", "above", "below"];
// Degrees from the equator beyond which Mercator's map ends.
const POLE = 85;
// Pixels between two places below which they share a mark: less, and a finger could not choose.
const NEAR = 18;

function placesOf(scope) {
  return [...scope.querySelectorAll("[data-places] [data-lat]")].map((item) => ({
    item,
    at: L.latLng(Number(item.dataset.lat), Number(item.dataset.lon)),
    status: item.dataset.status,
    name: item.querySelector(".name").textContent.trim(),
    lang: item.querySelector(".name [lang]")?.lang ?? "",
  }));
}

/** A popup's content: what the list says of the place. */
function told({ item }) {
  const copy = element("div", {}, ...[...item.children].map((child) => child.cloneNode(true)));
  for (const part of copy.querySelectorAll(".evidence, .sign")) part.remove();
  return copy;
}

function icon({ status, name, lang, group }) {
  const many = group.length > 1;
  const short = name.length > 28 ? `${name.slice(0, 27)}…` : name;
  const shown = many ? `${short} +${number(group.length - 1)}` : short;
  const holder = element(
    "span",
    {},
    element("span", { class: `pin ${status}${many ? " many" : ""}`, "aria-hidden": "true" }, many ? number(group.length) : null),
    element("bdi", { class: "pin-label", lang: lang || null, "aria-hidden": "true", hidden: true }, shown),
    // What is heard is the whole name of each place, whatever has room beside the mark.
    element("span", { class: "unseen" }, ...group.map((place) => element("span", { lang: place.lang || null }, `${place.name} `))),
  );
  return L.divIcon({ html: holder, className: "pin-holder", iconSize: [24, 24], iconAnchor: [12, 12] });
}

function apart(a, b) {
  return a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
}

/** Shows each label on the first of its sides where it covers no mark and no label before it. */
function arrange(map, markers) {
  const frame = map.getContainer().getBoundingClientRect();
  const parts = markers.map((marker) => marker.getElement());
  const marks = parts.map((part) => part.querySelector(".pin").getBoundingClientRect());
  const taken = [...map.getContainer().querySelectorAll(".leaflet-control")].map((c) => c.getBoundingClientRect());
  parts.forEach((part, index) => {
    const label = part.querySelector(".pin-label");
    label.hidden = false;
    const others = marks.filter((_mark, other) => other !== index);
    const fits = SIDES.some((side) => {
      label.className = `pin-label ${side}`;
      const box = label.getBoundingClientRect();
      const inside = box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
      if (!inside || ![...taken, ...others].every((other) => apart(box, other))) return false;
      taken.push(box);
      return true;
    });
    label.hidden = !fits;
  });
  for (const name of map.getContainer().querySelectorAll(".country")) {
    const box = name.getBoundingClientRect();
    const free = [...taken, ...marks].every((other) => apart(box, other));
    name.classList.toggle("covered", !free);
    if (free) taken.push(box);
  }
}

/** A country's name, which nobody can touch. */
function country(name) {
  return L.divIcon({ html: element("span", {}, name), className: "country", iconSize: [name.length * 8, 18] });
}

/** Places that are near each other on the screen share a mark, which stands at the first of them; what is planned shows
 *  where anything there is. */
function grouped(map, places) {
  const spots = [];
  for (const place of places) {
    const point = map.project(place.at);
    const near = spots.find((spot) => spot.point.distanceTo(point) < NEAR);
    if (near) near.group.push(place);
    else spots.push({ point, group: [place] });
  }
  return spots.map(({ group }) => {
    const kinds = new Set(group.map((place) => place.status));
    const status = kinds.size === 1 ? group[0].status : kinds.has("prospect") || kinds.has("both") ? "both" : "happened";
    return { ...group[0], status, group };
  });
}

function start(figure) {
  const places = placesOf(figure.closest("section, .map-page") ?? document);
  const drawing = figure.querySelector(".drawing");
  if (places.length === 0 || !drawing) return;
  const holder = element("div", { class: "movable", role: "region", "aria-label": _("Movable map; the list says the same") });
  drawing.replaceWith(holder);

  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(holder, {
    attributionControl: false,
    zoomControl: false,
    zoomAnimation: !still,
    fadeAnimation: !still,
    markerZoomAnimation: !still,
    // A wheel over the map scrolls the page, until the map has the focus.
    scrollWheelZoom: false,
    maxZoom: 12,
    worldCopyJump: false,
  });
  L.control.zoom({ zoomInTitle: _("Zoom in"), zoomOutTitle: _("Zoom out") }).addTo(map);
  // The drawn land says nothing to who does not see it, and Leaflet names its cross in English.
  map.getPane("overlayPane").setAttribute("aria-hidden", "true");
  map.on("popupopen", ({ popup }) =>
    popup.getElement().querySelector(".leaflet-popup-close-button").setAttribute("aria-label", _("Close")),
  );
  map.on("focus", () => map.scrollWheelZoom.enable());
  map.on("blur", () => map.scrollWheelZoom.disable());
  map.fitBounds(L.latLngBounds(places.map((place) => place.at)).pad(0.4), { maxZoom: 7, animate: false });

  let markers = [];
  const put = () => {
    const groups = grouped(map, places);
    // The same marks as before stay, with the focus and the popup that one of them may have.
    if (groups.length === markers.length && groups.every(({ group }, at) => group.length === markers[at].places)) return;
    const focused = markers.findIndex((marker) => marker.getElement() === document.activeElement);
    const first = focused < 0 ? null : markers[focused].first;
    for (const marker of markers) marker.remove();
    markers = groups.map((place) => {
      const marker = L.marker(place.at, { icon: icon(place), riseOnHover: true }).addTo(map);
      marker.bindPopup(element("div", {}, ...place.group.map(told)));
      marker.places = place.group.length;
      marker.first = place.item;
      return marker;
    });
    // Who has the focus on a mark keeps it on the mark of the same place.
    if (first) markers[groups.findIndex(({ group }) => group.some(({ item }) => item === first))].getElement().focus();
  };
  const tidy = () => arrange(map, markers);
  map.on("zoomend", put);
  map.on("zoomend moveend resize", tidy);
  put();
  tidy();

  fetch(figure.dataset.land, { headers: { "Accept-Language": document.documentElement.lang } })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.statusText))))
    .then((land) => {
      const [west, south, east, north] = land.bbox;
      L.geoJSON(land, { style: { className: "land" }, interactive: false }).addTo(map).bringToBack();
      for (const [name, lon, lat] of land.names) {
        L.marker([lat, lon], { icon: country(name), interactive: false, keyboard: false, zIndexOffset: -1000 }).addTo(map);
      }
      tidy();
      const bounds = L.latLngBounds([Math.max(south, -POLE), west], [Math.min(north, POLE), east]);
      for (const place of places) bounds.extend(place.at);
      map.setMaxBounds(bounds);
      map.setMinZoom(Math.min(map.getZoom(), map.getBoundsZoom(bounds, true)));
    })
    // Without land the places still stand where they are, and the list says the rest.
    .catch(() => {});
}

document.querySelectorAll("[data-map]").forEach(start);
// Figures that other scripts put into the page say so themselves.
document.addEventListener("kg:map", (event) => start(event.target));
