/* Read marks: the articles opened in this browser, kept in its own storage and sent nowhere. */
(() => {
  const KEY = "anwen-read";
  const MOST = 2000; /* ids, 40 kB; the oldest go first */
  const ADDRESS = /^\/article\/([^/]+)$/;

  const read = () => {
    try {
      const found = JSON.parse(localStorage.getItem(KEY));
      return Array.isArray(found) ? found : [];
    } catch { return []; }
  };
  const write = (ids) => {
    try {
      if (ids.length) localStorage.setItem(KEY, JSON.stringify(ids));
      else localStorage.removeItem(KEY);
      return true;
    } catch { return false; /* closed or full: the page works without marks */ }
  };

  const idOf = (path) => ADDRESS.exec(path)?.[1];
  const opened = idOf(location.pathname);
  if (opened && document.querySelector(".record-head"))
    write([...read().filter((id) => id !== opened), opened].slice(-MOST));

  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "清除已读标记";
  button.addEventListener("click", () => {
    const tools = button.parentElement;
    write([]);
    show();
    tools?.querySelector("a, button:not([hidden])")?.focus();
  });

  const show = () => {
    const known = new Set(read());
    for (const link of document.querySelectorAll(".hit-title a, .lines a")) {
      const isRead = known.has(idOf(link.pathname));
      const mark = link.querySelector(".read-mark");
      link.classList.toggle("is-read", isRead);
      if (!isRead) mark?.remove();
      else if (!mark) {
        const said = document.createElement("span");
        said.className = "visually-hidden read-mark";
        said.textContent = "（已读）";
        link.append(said);
      }
    }
    const tools = document.querySelector(".results .tools");
    if (tools && button.parentElement !== tools) tools.append(button);
    button.hidden = !known.size;
  };

  try {
    localStorage.getItem(KEY);
    /* From here on the marks say what is read, not the browser's history: they can be cleared. */
    document.documentElement.classList.add("marks-read");
  } catch { return; }
  show();
  document.addEventListener("anwen:arrived", show);
  addEventListener("pageshow", (event) => { if (event.persisted) show(); });
  addEventListener("storage", (event) => { if (event.key === KEY || event.key === null) show(); });
})();
