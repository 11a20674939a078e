// A way: speak live. Its button stands where the page's own does, and leads to a page of its own.

import { chosenClusters } from "../picker.js";

export default function speak({ panel, form, say }) {
  const bar = panel.querySelector("[data-speak-bar]");
  const words = document.querySelector("[data-asking]").dataset;
  form.append(bar);
  const follow = () => { bar.hidden = panel.hidden; };
  new MutationObserver(follow).observe(panel, { attributeFilter: ["hidden"] });
  follow();
  bar.querySelector("button").addEventListener("click", (event) => {
    const missing = [
      chosenClusters(form).size ? "" : words.noTarget,
      form.elements.title.value.trim() ? "" : words.noTitle,
    ].filter(Boolean);
    if (missing.length) event.preventDefault();
    say(missing);
  });
}
