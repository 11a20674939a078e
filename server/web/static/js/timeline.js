// Moves the line of the present, and keeps it where it belongs after a refresh.

function move() {
  const drawing = document.querySelector("[data-start]");
  if (!drawing) return;
  const start = Date.parse(drawing.dataset.start);
  const end = Date.parse(drawing.dataset.end);
  const x = (100 * (Date.now() - start)) / (end - start);
  for (const line of drawing.querySelectorAll("[data-now]")) {
    line.setAttribute("x1", `${x}%`);
    line.setAttribute("x2", `${x}%`);
  }
}

setInterval(move, 10000);
document.addEventListener("htmx:after:swap", move);
