// A way: speak live. Its button stands where the page's own does, and leads to a page of its own.

export default function speak({ panel, form }) {
  const bar = panel.querySelector("[data-speak-bar]");
  form.append(bar);
  const follow = () => { bar.hidden = panel.hidden; };
  new MutationObserver(follow).observe(panel, { attributeFilter: ["hidden"] });
  follow();
}
