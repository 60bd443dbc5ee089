/* Saved searches: kept in this browser's own storage, listed on the home page and under the filters,
   each with the number of articles that appeared since it was last looked at. */
(() => {
  const KEY = "anwen-saved";
  const COUNTS = "anwen-saved-counts";
  const MOST = 10; /* each costs a request where the list is seen */
  const COUNTED = 50; /* hits of that request; where all are new, there may be more */
  const FRESH = 5 * 60_000; /* ms for which a count is not asked for again */
  const NAME = 60;

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  /* Storage ------------------------------------------------------------------ */

  /* Beyond the last moment that a date can have, to write one would throw. */
  const isMoment = (number) => Number.isFinite(number) && Math.abs(number) <= 8e15;
  const isSaved = (one) => typeof one?.url === "string" && /^\/search(\?|$)/.test(one.url)
    && typeof one.name === "string" && isMoment(one.seen);
  const readAll = () => {
    try {
      const found = JSON.parse(localStorage.getItem(KEY));
      return Array.isArray(found) ? found.filter(isSaved).slice(0, MOST) : [];
    } catch { return []; }
  };
  const writeAll = (all) => {
    try { localStorage.setItem(KEY, JSON.stringify(all)); } catch { /* closed or full: nothing is kept */ }
    show();
  };
  const change = (url, values) => writeAll(readAll().map((one) => (one.url === url ? { ...one, ...values } : one)));

  const counts = () => {
    try { return JSON.parse(sessionStorage.getItem(COUNTS)) ?? {}; } catch { return {}; }
  };
  const keepCount = (url, count) => {
    try { sessionStorage.setItem(COUNTS, JSON.stringify({ ...counts(), [url]: count })); } catch { /* asked again */ }
  };

  /* The search of this page, whatever its page of results; null on other pages. */
  const current = () => {
    if (!document.querySelector(".results")) return null;
    const asked = new URLSearchParams(location.search);
    for (const name of ["page", "cursor", "find"]) asked.delete(name);
    for (const [name, value] of [...asked]) if (!value) asked.delete(name, value);
    return asked.size ? `/search?${asked}` : "/search";
  };

  const nameOfPage = () => {
    const words = new URLSearchParams(location.search).get("q")?.trim();
    const chosen = [...document.querySelectorAll(".chip b")].map((chip) => chip.textContent.trim());
    return [words, ...chosen].filter(Boolean).join("，").slice(0, NAME) || "全部文章";
  };

  /* Counting ----------------------------------------------------------------- */

  const dayOf = (moment) => new Date(moment + 8 * 3_600_000).toISOString().slice(0, 10); /* Beijing */
  const clockOf = (moment) => new Date(moment + 8 * 3_600_000).toISOString().slice(0, 16).replace("T", " ");

  /* Newest first and every copy, so that the hits up to the moment are the new ones. */
  const count = async (saved) => {
    const asked = new URLSearchParams(saved.url.split("?")[1]);
    for (const [name, value] of [["sort", "newest"], ["size", COUNTED], ["duplicates", "show"], ["correct", "0"]])
      asked.set(name, value);
    const from = dayOf(saved.seen);
    if ((asked.get("to") ?? from) < from) return 0;
    /* Days given would stop words such as 最近一周 from being read as days. */
    if (!saved.hasPeriod && (asked.get("from") ?? "") < from) asked.set("from", from);
    const answer = await fetch(`/api/v1/search?${asked}`);
    if (!answer.ok) throw new Error(answer.statusText);
    const { hits } = await answer.json();
    return hits.filter((hit) => hit.published && Date.parse(hit.published) > saved.seen).length;
  };

  const tell = (place, saved, found) => {
    const number = found < COUNTED ? `${found} 篇` : `${COUNTED} 篇以上`;
    const why = `自上次以来 ${number}：发表时间晚于 ${clockOf(saved.seen)}（北京时间）的文章，转载也计入；`
      + "只标日期的文章按当日零点算，补录的旧文不计";
    place.title = why;
    place.replaceChildren(element("span", { class: "visually-hidden" }, "自上次以来 "), number);
  };

  /* One after another, once the list is seen. */
  let isCounting = false;
  const countAll = async () => {
    if (isCounting) return;
    isCounting = true;
    for (const saved of readAll()) {
      const known = counts()[saved.url];
      if (known?.seen === saved.seen && Date.now() - known.at < FRESH) continue;
      try {
        keepCount(saved.url, { seen: saved.seen, at: Date.now(), found: await count(saved) });
        fill();
      } catch { /* the row stands without a number */ }
    }
    isCounting = false;
  };

  const fill = () => {
    const known = counts();
    for (const saved of readAll()) {
      const place = rows.get(saved.url)?.querySelector(".entry-count");
      if (place && known[saved.url]?.seen === saved.seen) tell(place, saved, known[saved.url].found);
    }
  };

  /* The list ------------------------------------------------------------------- */

  const rows = new Map();
  const list = element("ul", { class: "index" });
  const editors = element("ul", { class: "saved-edit" });
  const block = element("section", { class: "block saved", "aria-labelledby": "saved" },
    element("h2", { class: "label", id: "saved" }, "保存的检索 ", element("small", {}, "自上次以来")),
    list,
    element("details", { class: "reposts" }, element("summary", {}, "改名与移除"), editors,
      element("p", {}, "只存在这个浏览器里。")));

  const row = (saved) => {
    const link = element("a", { class: "entry", href: saved.url },
      element("span", { class: "entry-name" }, element("span", {}, saved.name)), element("span", { class: "entry-count" }));
    if (saved.url === current()) link.setAttribute("aria-current", "true");
    const item = element("li", {}, link);
    rows.set(saved.url, item);
    return item;
  };

  const editor = (saved) => {
    const field = element("input", { class: "field", value: saved.name, maxlength: NAME, autocomplete: "off", "aria-label": `“${saved.name}”的新名字` });
    const remove = element("button", { class: "button", type: "button", "aria-label": `移除“${saved.name}”` }, "移除");
    remove.addEventListener("click", () => {
      writeAll(readAll().filter((one) => one.url !== saved.url));
      block.querySelector("summary").focus();
    });
    const form = element("form", { class: "find" }, field, element("button", { class: "button" }, "改名"), remove);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation(); /* nothing is asked of the server */
      change(saved.url, { name: field.value.trim() || saved.name });
      block.querySelector("summary").focus();
    });
    return element("li", {}, form);
  };

  /* The button -------------------------------------------------------------------- */

  const button = element("button", { type: "button" });
  button.addEventListener("click", () => {
    const url = current();
    const all = readAll();
    const others = all.filter((one) => one.url !== url);
    if (others.length < all.length) writeAll(others);
    else if (all.length < MOST) {
      const hasPeriod = [...document.querySelectorAll(".chip")].some((chip) => chip.textContent.includes("读自“"));
      writeAll([...all, { url, name: nameOfPage(), seen: Date.now(), hasPeriod }]);
    }
  });

  const showButton = (all) => {
    const results = document.querySelector(".results");
    if (!results) {
      button.remove();
      return;
    }
    if (!results.contains(button)) {
      const tools = results.querySelector(".tools") ?? element("div", { class: "tools" });
      if (!tools.isConnected) results.append(tools);
      tools.append(button);
    }
    const isKept = all.some((one) => one.url === current());
    const isFull = !isKept && all.length >= MOST;
    button.textContent = isKept ? "不再保存这个检索" : "保存检索";
    button.setAttribute("aria-disabled", String(isFull));
    button.title = isFull ? `最多保存 ${MOST} 个，请先移除一个` : "只存在这个浏览器里";
  };

  const seen = new IntersectionObserver((found) => { if (found.some((one) => one.isIntersecting)) countAll(); });

  const show = () => {
    const all = readAll();
    showButton(all);
    rows.clear();
    list.replaceChildren(...all.map(row));
    editors.replaceChildren(...all.map(editor));
    const place = document.getElementById("filters") ?? document.querySelector(".front-columns > div:last-child");
    if (!all.length || !place) {
      block.remove();
      return;
    }
    if (block.parentElement !== place) {
      if (place.id === "filters") place.append(block);
      else place.prepend(block);
    }
    fill();
    /* Observed anew, the list is reported again, and what is not counted yet is asked for. */
    seen.unobserve(block);
    seen.observe(block);
  };

  /* Who opens a saved search has looked at it. */
  const look = () => {
    const url = current();
    if (url && readAll().some((one) => one.url === url)) change(url, { seen: Date.now() });
    else show();
  };

  try { localStorage.getItem(KEY); } catch { return; }
  look();
  document.addEventListener("anwen:arrived", (event) => { if (event.detail === "typing") show(); else look(); });
  addEventListener("pageshow", (event) => { if (event.persisted) show(); });
  addEventListener("storage", (event) => { if (event.key === KEY || event.key === null) show(); });
})();
