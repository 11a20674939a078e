// Search without marks on letters, and filters; kept while the list refreshes itself.

const search = document.getElementById("search");
const buttons = [...document.querySelectorAll("[data-filter]")];
let filter = "";

const plain = (text) => text.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/\p{M}/gu, "");

function apply() {
  const wanted = plain(search.value.trim());
  let found = 0;
  for (const group of document.querySelectorAll("[data-group]")) {
    let shown = 0;
    for (const card of group.querySelectorAll("[data-cluster]")) {
      const fits = card.dataset.searched.includes(wanted) && (!filter || card.dataset.states.split(" ").includes(filter));
      card.hidden = !fits;
      shown += fits;
    }
    group.hidden = !shown;
    found += shown;
  }
  const nothing = document.getElementById("nothing-found");
  if (nothing) nothing.hidden = found > 0 || !document.querySelector("[data-group]");
}

search.addEventListener("input", apply);
for (const button of buttons) {
  button.addEventListener("click", () => {
    filter = button.dataset.filter;
    for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
    apply();
  });
}
document.addEventListener("htmx:after:swap", apply);
