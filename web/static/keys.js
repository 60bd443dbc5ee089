/* Walking through the results by keys: down from the field, up and down (or j and k) from title to
   title, Esc back to the field. Enter opens a title because it is a link. */
(() => {
  const STEPS = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 };

  document.addEventListener("keydown", (event) => {
    /* Keys belong to the input method while it composes, and to the suggestions while they are open. */
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const titles = [...document.querySelectorAll(".results .hit-title a")];
    const field = document.getElementById("q");
    if (!titles.length || !field || location.hash === "#filters") return;
    const from = document.activeElement;
    const at = titles.findIndex((title) => title.closest(".hit").contains(from));
    const step = STEPS[event.key];

    if (event.key === "Escape" && at >= 0) {
      event.preventDefault();
      field.focus();
    } else if (from === field) {
      if (event.key !== "ArrowDown") return;
      event.preventDefault();
      titles[0].focus();
    } else if (step && !from.closest("input, textarea, select, [contenteditable]")) {
      /* Arrows scroll as ever until a result has the focus; letters begin at the first. */
      if (at < 0 && event.key !== "j") return;
      event.preventDefault();
      if (at < 0) titles[0].focus();
      else if (at + step < 0) field.focus();
      else titles[Math.min(at + step, titles.length - 1)].focus();
    }
  });
})();
