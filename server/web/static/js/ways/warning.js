// A way: a prepared warning. Its words stand there as its slots are filled in; its sound is made by the server
// whenever something was chosen or filled in, and heard before use.

export default function warning({ panel, form, sound }) {
  const choice = panel.querySelector("[data-warning]");
  const make = panel.querySelector("[data-make]");
  const title = form.querySelector("[data-title-field]");

  function chosen() {
    return panel.querySelector(`[data-fill="${choice.value}"]`);
  }

  // What is heard must be what stands here.
  function changed() {
    if (sound.speech?.way === "warning") sound.clear();
  }

  function filled() {
    return [...chosen().querySelectorAll("[data-slot]")].filter((slot) => slot.value.trim());
  }

  // The sentences that the server will speak of what was filled in.
  function tell() {
    if (!choice.value) return;
    const sentences = filled().map((slot) => `${slot.dataset.says}: ${slot.value.trim().replace(/[.\s]+$/, "")}.`);
    chosen().querySelector("[data-filled]").textContent = sentences.join(" ");
  }

  const wordsOf = (fill) => [...fill.querySelectorAll("[data-words]")].map((part) => part.textContent.trim()).filter(Boolean).join(" ");

  function shown() {
    for (const fill of panel.querySelectorAll("[data-fill]")) {
      fill.hidden = fill.dataset.fill !== choice.value;
      fill.disabled = fill.hidden;
    }
    make.disabled = !choice.value;
    tell();
  }

  function speak() {
    const slots = filled();
    const body = {
      unit_id: sound.root.dataset.unit,
      values: Object.fromEntries(slots.map((slot) => [slot.dataset.slot, slot.value.trim()])),
      languages: [...chosen().querySelectorAll("[data-language]:checked")].map((box) => box.value),
    };
    sound.make({ way: "warning", url: `/api/v1/warnings/${choice.value}/sounds`, words: wordsOf(chosen()), body, own: !slots.length });
  }

  // What was kept on the phone stands here again.
  form.addEventListener("restored", () => {
    shown();
    if (choice.value && !panel.hidden && !sound.there) speak();
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
    if (!sound.recorded) speak();
  });
  title.addEventListener("input", () => delete title.dataset.offered);
  panel.addEventListener("input", (event) => {
    if (event.target === choice) return;
    tell();
    changed();
  });
  panel.addEventListener("change", (event) => { if (event.target !== choice && !sound.recorded) speak(); });
  make.addEventListener("click", speak);
}
