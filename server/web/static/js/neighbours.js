// The loudspeakers of the list on a map: a dot for each, a circle as far as it reaches, in the colour of
// its turn. The list says the same without a map.

const MOST_NAMES = 40;

const box = document.querySelector("[data-map]");
const horns = [...document.querySelectorAll("[data-north]")].map((line) => ({
  line,
  at: [Number(line.dataset.north), Number(line.dataset.east)],
  reach: Number(line.dataset.reach),
  label: `${line.dataset.turn} · ${line.dataset.name}`,
  colour: getComputedStyle(line.querySelector(".turn-mark circle")).fill,
}));

async function draw() {
  const style = document.createElement("link");
  const styled = new Promise((done) => { style.onload = style.onerror = done; });
  Object.assign(style, { rel: "stylesheet", href: box.dataset.style });
  document.head.append(style);
  const [leaflet] = await Promise.all([import(box.dataset.leaflet), styled]);
  box.hidden = false;
  const map = leaflet.map(box, { preferCanvas: true, attributionControl: Boolean(box.dataset.tiles), maxZoom: 18, zoomSnap: 0.5, scrollWheelZoom: false, zoomControl: false });
  leaflet.control.zoom({ position: "bottomright" }).addTo(map);
  if (box.dataset.tiles) {
    leaflet.tileLayer(box.dataset.tiles, { attribution: new URL(box.dataset.tiles.split("{")[0]).host }).addTo(map);
  }
  // Wide circles first: a narrow one is not to be hidden beneath.
  const wide = [...horns].sort((one, other) => other.reach - one.reach);
  map.setView(horns[0].at, 15);
  const circles = wide.map(({ at, reach, colour }) => leaflet.circle(at, { radius: reach, color: colour, weight: 1.5, fillOpacity: 0.14, interactive: false }).addTo(map));
  for (const horn of horns) {
    const dot = leaflet.circleMarker(horn.at, { radius: 7, weight: 2, color: "#ffffff", fillColor: horn.colour, fillOpacity: 1 }).addTo(map);
    dot.bindTooltip(document.createTextNode(horn.label), { permanent: horns.length <= MOST_NAMES, direction: "top", offset: [0, -6], className: "map-name" });
    dot.on("click", () => { window.location.hash = horn.line.id; });
  }
  map.fitBounds(leaflet.featureGroup(circles).getBounds().pad(0.15));
}

if (box && horns.length) draw();
