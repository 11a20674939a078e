// The choice of loudspeakers: all of a commune stands for its villages; search hides the rest.

const plain = (text) => text.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/\p{M}/gu, "");

// A village and a group may share clusters: each counts once.
export function chosenClusters(root = document) {
  const chosen = new Set();
  for (const village of root.querySelectorAll("[data-village]:checked")) {
    for (const cluster of village.value.split(",")) chosen.add(cluster);
  }
  for (const group of root.querySelectorAll("[data-group]:checked")) {
    for (const cluster of group.dataset.group.split(",")) chosen.add(cluster);
  }
  return chosen;
}

export function chosenPeople(root = document) {
  const chosen = chosenClusters(root);
  let people = 0;
  for (const village of root.querySelectorAll("[data-village]")) {
    const clusters = village.value.split(",");
    const meant = clusters.filter((cluster) => chosen.has(cluster)).length;
    people += (Number(village.dataset.people) * meant) / clusters.length;
  }
  return Math.round(people);
}

function settle(commune) {
  const all = commune.querySelector("[data-all]");
  for (const village of commune.querySelectorAll("[data-village]")) {
    village.disabled = all.checked;
    if (all.checked) village.checked = true;
  }
}

for (const picker of document.querySelectorAll("[data-picker]")) {
  picker.addEventListener("change", (event) => {
    const all = event.target.closest("[data-all]");
    const commune = event.target.closest("[data-commune]");
    if (all && commune) {
      if (!all.checked) {
        for (const village of commune.querySelectorAll("[data-village]")) village.checked = false;
      }
      settle(commune);
    }
    picker.dispatchEvent(new CustomEvent("picked", { bubbles: true }));
  });
  picker.querySelector("[data-picker-search]")?.addEventListener("input", (event) => {
    const wanted = plain(event.target.value.trim());
    for (const commune of picker.querySelectorAll("[data-commune]")) {
      commune.hidden = !commune.dataset.searched.includes(wanted);
    }
  });
  for (const commune of picker.querySelectorAll("[data-commune]")) settle(commune);
}
