// Puts clashing items into order by dragging a handle, with mouse or finger; the buttons beside it
// do the same one step at a time, without this script too.

let held = null;

const middle = (item) => { const box = item.getBoundingClientRect(); return box.top + box.height / 2; };

document.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest("[data-handle]");
  if (!handle) return;
  held = handle.closest("li");
  held.dataset.from = [...held.parentNode.children].indexOf(held);
  held.classList.add("is-held");
  handle.setPointerCapture(event.pointerId);
  event.preventDefault();
});

document.addEventListener("pointermove", (event) => {
  if (!held) return;
  // Its neighbours move, not the held one itself: that would lose the pointer.
  const { previousElementSibling: above, nextElementSibling: below, parentNode: list } = held;
  if (above && event.clientY < middle(above)) list.insertBefore(above, below);
  else if (below && event.clientY > middle(below)) list.insertBefore(below, held);
});

function drop() {
  if (!held) return;
  const item = held;
  held = null;
  item.classList.remove("is-held");
  const moved = [...item.parentNode.children].indexOf(item) !== Number(item.dataset.from);
  if (moved) item.closest("form").requestSubmit();
}

document.addEventListener("pointerup", drop);
document.addEventListener("pointercancel", drop);
