// Small things that every page has: switches that go somewhere, questions before what cannot be
// undone, buttons that act once.

document.addEventListener("change", (event) => {
  const select = event.target.closest("form[data-go] select");
  if (select) location.assign(select.value);
  event.target.closest("form[data-submit-on-change]")?.submit();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.ask && !confirm(form.dataset.ask)) { event.preventDefault(); return; }
  if (form.dataset.once === undefined) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  form.classList.add("is-sent");
});

// Coming back with the back button shows a page as it was left: let it act again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-sent]")) {
    delete form.dataset.sent;
    form.classList.remove("is-sent");
  }
});

const MENUS = "details.account[open], details.menu[open]";

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(MENUS)) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.(MENUS);
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

document.getElementById("findings")?.focus();
