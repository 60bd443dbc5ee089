/* Looking through all values of a facet while one types, an addition to a form that works without
   it: the list under the field becomes that of the values that match. */
(() => {
  const PAUSE = 150; /* ms without a key before the server is asked */
  const SHOWN = 50; /* values in one answer */

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const number = (count) => count.toLocaleString("en");

  const counts = ({ count, salient }) => {
    if (salient === undefined) return [number(count)];
    const told = `主角 ${number(salient)} 篇，共 ${number(count)} 篇`;
    const shown = element("span", { "aria-hidden": "true" }, element("b", {}, number(salient)), ` / ${number(count)}`);
    return [element("span", { title: told }, shown, element("span", { class: "visually-hidden" }, told))];
  };

  const row = (found) => {
    const link = element("a", { class: "entry", href: found.url },
      element("span", { class: "entry-name" }, element("span", {}, found.value)),
      element("span", { class: "entry-count" }, ...counts(found)));
    if (found.selected) link.setAttribute("aria-current", "true");
    const item = element("li", {}, link);
    if (found.exclude_url) {
      const name = element("span", { class: "visually-hidden" }, found.value);
      item.append(element("a", { class: "exclude", href: found.exclude_url, rel: "nofollow" }, "不含", name));
    }
    return item;
  };

  const attach = (form) => {
    const field = form.querySelector("input[type=search]");
    const values = form.parentElement.querySelector(".facet-values");
    const told = form.parentElement.querySelector(".find-told");
    const before = [...values.childNodes];
    const wasTold = told.textContent;
    const noun = form.dataset.noun;
    const wasTyped = field.value;
    let timer = 0;
    let asking = null;

    const restore = () => {
      values.replaceChildren(...before);
      told.textContent = wasTyped ? wasTold : "";
    };

    const ask = async () => {
      clearTimeout(timer);
      asking?.abort();
      const typed = field.value.trim();
      /* Without a text the page may have been answered for another one: only it has the list. */
      if (typed === wasTyped.trim() || (!typed && !wasTyped)) {
        restore();
        return;
      }
      const asked = new URLSearchParams();
      for (const hidden of form.querySelectorAll("input[type=hidden]")) asked.append(hidden.name, hidden.value);
      asked.set("prefix", typed);
      asked.set("limit", SHOWN);
      asking = new AbortController();
      try {
        const answer = await fetch(`/api/v1/facets/${form.dataset.find}?${asked}`, { signal: asking.signal });
        if (!answer.ok) throw new Error(answer.statusText);
        const found = await answer.json();
        if (field.value.trim() !== typed) return;
        values.replaceChildren(element("ul", { class: "index" }, ...found.values.map(row)));
        const more = found.total > found.values.length ? `，列出 ${found.values.length} 个` : "";
        told.textContent = found.total ? `${number(found.total)} 个${noun}符合${more}` : `结果中没有这个${noun}`;
      } catch (error) {
        if (error.name !== "AbortError") told.textContent = "没有应答，请按“查找”";
      }
    };

    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE);
    };
    field.addEventListener("input", (event) => { if (!event.isComposing) later(); });
    field.addEventListener("compositionstart", () => clearTimeout(timer));
    field.addEventListener("compositionend", later);
    field.addEventListener("keydown", (event) => {
      /* Keys belong to the input method while it composes. */
      if (event.isComposing || event.keyCode === 229) return;
      if (event.key === "ArrowDown") {
        const first = values.querySelector("a.entry");
        if (first) {
          event.preventDefault();
          first.focus();
        }
      } else if (event.key === "Escape" && field.value) {
        /* The first Esc empties the field, the next one closes the sheet that it may be in. */
        event.preventDefault();
        event.stopPropagation();
        field.value = "";
        ask();
      }
    });
  };

  document.querySelectorAll("form[data-find]").forEach(attach);
  document.addEventListener("anwen:swapped", () => document.querySelectorAll(".filters form[data-find]").forEach(attach));
})();
