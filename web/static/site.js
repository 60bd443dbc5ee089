/* What cannot be done without a script: a theme other than the system's, the focus of the filter
   sheet, the keys that lead to the field. Everything else is links and forms.
   Loaded in the head without defer, so that the theme is set before the first paint. */
(() => {
  const root = document.documentElement;
  const KEY = "anwen-theme";
  const IS_APPLE = /Mac|iP(hone|ad|od)/.test(navigator.platform); /* there Ctrl-K cuts a line */
  root.classList.add("js");
  try {
    const kept = localStorage.getItem(KEY);
    if (kept === "light" || kept === "dark") root.dataset.theme = kept;
  } catch { /* storage may be closed to us: follow the system */ }

  const isDark = () =>
    (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-toggle]")) {
      root.dataset.theme = isDark() ? "light" : "dark";
      try { localStorage.setItem(KEY, root.dataset.theme); } catch { /* lasts for this page */ }
    }
  });

  /* While an answer is on its way the old one stays where it is, dimmed: nothing jumps. */
  const busy = (on) => document.querySelectorAll(".hits").forEach((list) => list.setAttribute("aria-busy", on));
  document.addEventListener("submit", (event) => { if (!("download" in event.target.dataset)) busy(true); });
  addEventListener("pageshow", () => busy(false));

  /* Narrow pages show the filters as a sheet while #filters is the target. The focus goes along,
     and what lies under the sheet is out of reach. */
  const narrow = matchMedia("(max-width: 56rem)");
  const sheetIsOpen = () => narrow.matches && location.hash === "#filters";
  let wasOpen = false;
  const followSheet = () => {
    const sheet = document.getElementById("filters");
    if (!sheet) return;
    const open = sheetIsOpen();
    document.querySelectorAll(".masthead, #main, .skip, .page > .foot").forEach((part) => { part.inert = open; });
    if (open && !wasOpen) sheet.querySelector("a").focus();
    if (!open && wasOpen) document.querySelector(".filter-open")?.focus();
    wasOpen = open;
  };
  addEventListener("hashchange", followSheet);
  addEventListener("DOMContentLoaded", followSheet);
  narrow.addEventListener("change", followSheet);

  document.addEventListener("keydown", (event) => {
    /* Enter, arrows and Esc belong to the input method while it composes. Safari ends the
       composition before it reports the key, which then still has the code 229. */
    if (event.isComposing || event.keyCode === 229) {
      if (event.key === "Enter") event.preventDefault();
      return;
    }
    if (event.key === "Escape" && sheetIsOpen()) location.hash = "#main";
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    const chord = IS_APPLE ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
    const isSlash = event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (isSlash || (chord && event.key.toLowerCase() === "k" && !event.altKey && !event.shiftKey && !sheetIsOpen())) {
      const field = document.getElementById("q");
      if (field) {
        event.preventDefault();
        field.focus();
        field.select();
      }
    }
  });
})();
