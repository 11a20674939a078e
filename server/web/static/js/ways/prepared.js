// A way: a clip that has been prepared beforehand; it brings its title along.

export default function prepared({ panel, form, sound }) {
  const title = form.querySelector("[data-title-field]");
  for (const radio of panel.querySelectorAll("[data-prepared]")) {
    radio.addEventListener("change", () => {
      sound.use(radio.value, radio.dataset.title, radio.dataset.length, Number(radio.dataset.seconds));
      if (!title.value.trim() || title.dataset.offered) {
        title.value = radio.dataset.title;
        title.dataset.offered = "yes";
      }
    });
  }
  title.addEventListener("input", () => delete title.dataset.offered);
}
