/* Suggestions under the search field, an addition to a form that works without them: a combobox
   after the ARIA Authoring Practices, list autocomplete with manual selection. */
(() => {
  const LABELS = { query: "检索词", organisation: "机构", identifier: "编号", category: "类别", title: "文章" };
  const PAUSE = 80; /* ms without a key before the server is asked */

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  /* The first place where the typed text stands is marked; pinyin stands nowhere. */
  const marked = (text, typed) => {
    const at = typed ? text.toLowerCase().indexOf(typed.toLowerCase()) : -1;
    if (at < 0) return [text];
    const end = at + typed.length;
    return [text.slice(0, at), element("mark", {}, text.slice(at, end)), text.slice(end)];
  };

  const attach = (form) => {
    const field = form.querySelector("input[type=search]");
    const list = element("div", { id: "suggestions", role: "listbox", "aria-label": "建议" });
    const box = element("div", { class: "suggest", hidden: "" }, list);
    const told = element("p", { class: "visually-hidden", role: "status" });
    form.append(box, told);
    for (const [key, value] of Object.entries({
      role: "combobox", "aria-expanded": "false", "aria-controls": "suggestions",
      "aria-autocomplete": "list", "aria-haspopup": "listbox",
    })) field.setAttribute(key, value);

    let timer = 0;
    let asking = null;
    let options = [];
    let active = -1;
    let shownFor = field.value;

    const close = () => {
      clearTimeout(timer);
      asking?.abort();
      box.hidden = true;
      active = -1;
      field.setAttribute("aria-expanded", "false");
      field.removeAttribute("aria-activedescendant");
    };

    const choose = (number) => {
      options[active]?.setAttribute("aria-selected", "false");
      active = number;
      if (active < 0) {
        field.removeAttribute("aria-activedescendant");
        return;
      }
      options[active].setAttribute("aria-selected", "true");
      options[active].scrollIntoView({ block: "nearest" });
      field.setAttribute("aria-activedescendant", options[active].id);
    };

    const show = (answer, typed) => {
      const last = typed.trim().split(/\s+/).pop();
      options = [];
      list.replaceChildren(...answer.groups.map((group, place) => {
        const label = element("p", { class: "suggest-label", id: `suggest-${place}` }, LABELS[group.name]);
        const rows = group.suggestions.map((found) => {
          const option = element("a", {
            class: "option", role: "option", tabindex: "-1", "aria-selected": "false",
            id: `suggestion-${options.length}`, href: found.url,
          }, element("span", group.name === "identifier" ? { class: "code" } : {}, ...marked(found.text, last)));
          if (found.count !== null && group.name !== "query")
            option.append(element("span", { class: "aside" }, `${found.count.toLocaleString("en")} 篇`));
          /* A word keeps the filters of the page, which are fields of the form. */
          if (group.name === "query") option.dataset.query = found.text;
          options.push(option);
          return option;
        });
        return element("div", { role: "group", "aria-labelledby": label.id }, label, ...rows);
      }));
      active = -1;
      field.removeAttribute("aria-activedescendant");
      box.hidden = !options.length;
      field.setAttribute("aria-expanded", String(options.length > 0));
      told.textContent = options.length ? `${options.length} 条建议，用上下键选择` : "";
    };

    const ask = async () => {
      const typed = field.value;
      if (typed === shownFor && !box.hidden) return;
      shownFor = typed;
      asking?.abort();
      if (!typed.trim()) {
        close();
        return;
      }
      asking = new AbortController();
      try {
        const answer = await fetch(`/api/v1/suggest?${new URLSearchParams({ q: typed })}`, { signal: asking.signal });
        if (answer.ok && field.value === typed && document.activeElement === field) show(await answer.json(), typed);
        else if (!answer.ok) close();
      } catch (error) {
        if (error.name !== "AbortError") close(); /* the form still works */
      }
    };

    const follow = (option) => {
      if (option.dataset.query === undefined) {
        location.assign(option.href);
        return;
      }
      field.value = option.dataset.query;
      close();
      form.requestSubmit();
    };

    field.addEventListener("input", (event) => {
      if (event.isComposing) return;
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE);
    });
    field.addEventListener("compositionstart", () => clearTimeout(timer));
    field.addEventListener("compositionend", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE);
    });
    field.addEventListener("blur", close);
    form.addEventListener("submit", close);
    /* The field keeps the focus, or its blur would close the list before the click. */
    box.addEventListener("mousedown", (event) => event.preventDefault());
    box.addEventListener("click", (event) => {
      const option = event.target.closest(".option");
      if (!option || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      follow(option);
    });
    field.addEventListener("keydown", (event) => {
      /* Keys belong to the input method while it composes. */
      if (event.isComposing || event.keyCode === 229) return;
      /* Where results stand below, the arrow leads to them and Alt with it to the suggestions. */
      const opens = event.altKey || !document.querySelector(".results .hit-title a");
      if (event.key === "ArrowDown" && box.hidden) {
        if (!opens || !field.value.trim()) return;
        event.preventDefault();
        shownFor = null;
        ask();
      } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !box.hidden) {
        event.preventDefault();
        const step = event.key === "ArrowDown" ? 1 : -1;
        const count = options.length + 1; /* the field itself is one of the places */
        choose(((active + 1 + step + count) % count) - 1);
      } else if (event.key === "Enter" && !box.hidden && active >= 0) {
        event.preventDefault();
        follow(options[active]);
      } else if (event.key === "Escape" && !box.hidden) {
        event.preventDefault();
        close();
      }
    });
  };

  document.querySelectorAll("form.search").forEach(attach);
})();
