// Printing, and picking up a whole address with one touch.

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-select]")) event.target.select();
});
