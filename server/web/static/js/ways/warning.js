// A way: a prepared warning, its slots filled in, spoken by the server, then heard before use.

export default function warning({ panel, form, sound }) {
  const choice = panel.querySelector("[data-warning]");
  const make = panel.querySelector("[data-make]");
  const title = form.querySelector("[data-title-field]");
  let mine = "";
  let making = false;

  function chosen() {
    return panel.querySelector(`[data-fill="${choice.value}"]`);
  }

  // What is heard must be what stands here.
  function changed() {
    if (making || (mine && sound.digest.value === mine)) sound.clear();
    making = false;
    mine = "";
  }

  function shown() {
    for (const fill of panel.querySelectorAll("[data-fill]")) {
      fill.hidden = fill.dataset.fill !== choice.value;
      fill.disabled = fill.hidden;
    }
    make.disabled = !choice.value;
  }

  // What was kept on the phone stands here again.
  form.addEventListener("restored", () => {
    shown();
    mine = choice.value ? sound.digest.value : "";
  });
  choice.addEventListener("change", () => {
    shown();
    changed();
    if (!choice.value) return;
    const { title: name, class: wanted, severity } = choice.selectedOptions[0].dataset;
    if (!title.value.trim() || title.dataset.offered) {
      title.value = name;
      title.dataset.offered = "yes";
    }
    form.querySelector(`[data-class][value="${wanted}"]`)?.click();
    if (Number(severity)) form.elements.severity.value = severity;
  });
  title.addEventListener("input", () => delete title.dataset.offered);
  panel.addEventListener("input", (event) => { if (event.target !== choice) changed(); });
  make.addEventListener("click", () => {
    making = true;
    const slots = [...chosen().querySelectorAll("[data-slot]")].filter((slot) => slot.value.trim());
    const body = {
      unit_id: sound.root.dataset.unit,
      values: Object.fromEntries(slots.map((slot) => [slot.dataset.slot, slot.value.trim()])),
      languages: [...chosen().querySelectorAll("[data-language]:checked")].map((box) => box.value),
    };
    sound.make(`/api/v1/warnings/${choice.value}/sounds`, body, (digest) => {
      making = false;
      mine = digest;
    });
  });
}
