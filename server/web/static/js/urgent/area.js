// The choice of loudspeakers by an area drawn on a map: corners by taps, or a line drawn around them. It
// ticks villages of the list, which is the same choice without a map.

const MOVED_PX = 8;
const MOST_NAMES = 40;

export function prepareArea(root, form) {
  const box = root.querySelector("[data-map]");
  const draw = root.querySelector("[data-map-draw]");
  const clear = root.querySelector("[data-map-clear]");
  const said = root.querySelector("[data-map-said]");
  const villages = [...form.querySelectorAll("[data-village][data-points]")].map((input) => ({
    input,
    points: input.dataset.points.split(" ").map((pair) => pair.split(",").map(Number)),
    dots: [],
  }));
  if (!villages.length) return;
  root.hidden = false;
  let map = null;
  let leaflet = null;
  let shape = null;
  let corners = [];
  let ours = new Set();

  async function open() {
    if (map || !root.open) return;
    const style = document.createElement("link");
    Object.assign(style, { rel: "stylesheet", href: box.dataset.style });
    document.head.append(style);
    leaflet = await import(box.dataset.leaflet);
    map = leaflet.map(box, { preferCanvas: true, attributionControl: Boolean(box.dataset.tiles), maxZoom: 17, zoomSnap: 0.5 });
    if (box.dataset.tiles) {
      leaflet.tileLayer(box.dataset.tiles, { attribution: new URL(box.dataset.tiles.split("{")[0]).host }).addTo(map);
    }
    for (const village of villages) {
      village.dots = village.points.map((point) => leaflet.circleMarker(point, { radius: 9, weight: 2 }).addTo(map));
    }
    name();
    map.fitBounds(leaflet.latLngBounds(villages.flatMap((village) => village.points)).pad(0.15));
    colour();
    listen();
  }

  // Communes where there are several, else villages.
  function name() {
    const places = new Map();
    const communes = form.querySelectorAll("[data-commune]").length > 1;
    for (const village of villages) {
      const at = village.input.closest(communes ? "[data-commune]" : "[data-village-row]");
      const text = at.querySelector(communes ? "legend" : "[data-village-name]").textContent.trim();
      places.set(text, [...(places.get(text) ?? []), ...village.points]);
    }
    if (places.size > MOST_NAMES) return;
    for (const [text, points] of places) {
      const at = leaflet.latLngBounds(points).getCenter();
      leaflet.tooltip({ permanent: true, direction: "top", offset: [0, -8], className: "map-name" }).setLatLng(at).setContent(document.createTextNode(text)).addTo(map);
    }
  }

  function colour() {
    for (const { input, dots } of villages) {
      for (const dot of dots) {
        dot.setStyle(input.checked
          ? { color: "#7a2706", fillColor: "#c2410c", fillOpacity: 1 }
          : { color: "#0b3a66", fillColor: "#ffffff", fillOpacity: 1 });
      }
    }
  }

  function redraw() {
    shape?.remove();
    shape = corners.length > 1 ? leaflet.polygon(corners, { color: "#c2410c", weight: 3, fillOpacity: 0.12, interactive: false }).addTo(map) : null;
    if (!shape && corners.length) shape = leaflet.circleMarker(corners[0], { radius: 5, color: "#c2410c", interactive: false }).addTo(map);
    clear.disabled = !corners.length;
    choose();
  }

  // What an earlier area had ticked is unticked; what was ticked by hand stays.
  function choose() {
    const inside = new Set(villages.filter(({ points }) => points.some((point) => within(point, corners))));
    for (const village of villages) {
      const { input } = village;
      if (input.disabled) continue;
      if (inside.has(village) && !input.checked) { input.checked = true; ours.add(village); }
      if (!inside.has(village) && ours.delete(village)) input.checked = false;
    }
    said.textContent = corners.length > 2 ? root.dataset.inside.replace("{}", inside.size) : root.dataset.how;
    colour();
    form.dispatchEvent(new CustomEvent("picked", { bubbles: true }));
  }

  function listen() {
    let line = null;
    let from = null;
    const at = (event) => { const { lat, lng } = map.mouseEventToLatLng(event); return [lat, lng]; };
    box.addEventListener("pointerdown", (event) => {
      if (!drawing() || !event.isPrimary || event.target.closest(".leaflet-control")) return;
      box.setPointerCapture(event.pointerId);
      from = [event.clientX, event.clientY];
      line = null;
    });
    box.addEventListener("pointermove", (event) => {
      if (!from) return;
      if (!line && Math.hypot(event.clientX - from[0], event.clientY - from[1]) < MOVED_PX) return;
      line ??= [];
      line.push(at(event));
      corners = line;
      redraw();
    });
    box.addEventListener("pointerup", (event) => {
      if (!from) return;
      from = null;
      if (!line) { corners = [...corners, at(event)]; redraw(); }
    });
    box.addEventListener("pointercancel", () => { from = null; });
  }

  const drawing = () => draw.getAttribute("aria-pressed") === "true";

  draw.addEventListener("click", () => {
    const on = !drawing();
    draw.setAttribute("aria-pressed", String(on));
    box.classList.toggle("is-drawing", on);
    // A finger that draws must not move the map, nor two taps enlarge it.
    for (const move of [map?.dragging, map?.doubleClickZoom, map?.boxZoom, map?.touchZoom]) move?.[on ? "disable" : "enable"]();
    said.textContent = on ? root.dataset.how : "";
  });
  clear.addEventListener("click", () => { corners = []; redraw(); });
  root.addEventListener("toggle", open);
  form.addEventListener("picked", () => { if (map) colour(); });
}

// Even and odd crossings of a line to the east.
export function within([y, x], corners) {
  if (corners.length < 3) return false;
  let inside = false;
  for (let one = 0, other = corners.length - 1; one < corners.length; other = one, one += 1) {
    const [y1, x1] = corners[one];
    const [y2, x2] = corners[other];
    if ((y1 > y) !== (y2 > y) && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}
