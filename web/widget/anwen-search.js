/* <anwen-search>: the search of an Anwen site on somebody else's page.
   One element, a shadow root, no dependency. What stands inside the element, best a plain form, is
   what a reader without JavaScript sees. The server puts the stylesheet in the place of CSS below
   and takes comments and indentation away. */
(() => {
  const CSS = "%CSS%";
  const HOME = new URL(document.currentScript.src).origin;
  const PAUSE = 80; /* ms without a key before the server is asked */
  const LONGEST = 20000; /* characters of a page's own text; the server takes no more */
  const TEXTS = {
    zh: {
      search: "检索", label: "检索安全新闻", hint: "词语、机构、编号", list: "建议", title: "文章", organisation: "机构",
      identifier: "编号", articles: (n) => `${n} 篇`, all: (n) => `回车看全部 ${n} 篇`, none: (q) => `没有找到“${q}”`,
      still: "仍检索", failed: "暂时连不上安闻。", elsewhere: "到安闻页面检索", close: "关闭", waiting: "正在检索",
      choices: (n) => `${n} 条结果，用上下键选择`, more: "更多报道", unrelated: "没有相关报道。",
    },
    en: {
      search: "Search", label: "Search security news", hint: "Words, organisations, ids", list: "Suggestions",
      title: "Articles", organisation: "Organisations", identifier: "Identifiers", articles: (n) => `${n} articles`,
      all: (n) => `Enter shows all ${n}`, none: (q) => `Nothing found for “${q}”`, still: "Search anyway",
      failed: "Anwen does not answer.", elsewhere: "Search at Anwen", close: "Close", waiting: "Searching",
      choices: (n) => `${n} results, use the arrow keys`, more: "More coverage", unrelated: "No related coverage.",
    },
  };
  const PRESETS = ["category", "organisation", "source"];
  let sheet;
  let number = 0; /* ids need be unique in their shadow root alone, but some tools look across */

  const make = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) if (value != null) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const count = (n) => n.toLocaleString("en");

  /* Ranges are in code points, strings in UTF-16. */
  const marked = (text, ranges) => {
    const points = [...text];
    const made = make("span");
    let last = 0;
    for (const [start, end] of ranges) {
      made.append(points.slice(last, start).join(""), make("mark", {}, points.slice(start, end).join("")));
      last = end;
    }
    made.append(points.slice(last).join(""));
    return made;
  };

  class AnwenSearch extends HTMLElement {
    static observedAttributes = ["lang", "mode", "server", "size", "related-to", ...PRESETS];

    connectedCallback() {
      if (!this.shadowRoot) {
        this.attachShadow({ mode: "open" });
        if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(CSS);
        this.shadowRoot.adoptedStyleSheets = [sheet];
      }
      this.draw();
    }

    disconnectedCallback() {
      this.stop();
    }

    attributeChangedCallback() {
      if (this.isConnected && this.shadowRoot) this.draw();
    }

    get words() {
      return TEXTS[(this.lang || document.documentElement.lang || "zh").startsWith("en") ? "en" : "zh"];
    }

    get server() {
      const named = this.getAttribute("server");
      return named && /^https?:/i.test(named) ? named.replace(/\/+$/, "") : HOME;
    }

    get size() {
      return Math.min(Math.max(parseInt(this.getAttribute("size"), 10) || 6, 1), 20);
    }

    /* The preset filters as names and values. */
    get filters() {
      return PRESETS.flatMap((name) => (this.getAttribute(name) ?? "").split(",")
        .map((value) => [name, value.trim()]).filter(([, value]) => value));
    }

    stop() {
      clearTimeout(this.timer);
      this.asking?.abort();
      if (this.onKey) document.removeEventListener("keydown", this.onKey);
    }

    draw() {
      this.stop();
      const mode = this.getAttribute("mode");
      this.shadowRoot.replaceChildren();
      if (mode === "related") this.drawRelated();
      else if (mode === "modal") this.drawModal();
      else this.shadowRoot.append(this.drawForm());
    }

    tell(name, detail) {
      return this.dispatchEvent(new CustomEvent(`anwen:${name}`,
        { detail, bubbles: true, composed: true, cancelable: name === "select" }));
    }

    async ask(path, options = {}) {
      const answer = await fetch(this.server + path, { ...options, credentials: "omit" });
      if (!answer.ok) throw new Error(answer.status);
      return answer.json();
    }

    searchUrl(query) {
      return `${this.server}/search?${new URLSearchParams([["q", query], ...this.filters])}`;
    }

    brand() {
      return make("a", { href: this.server, rel: "noopener" }, "安闻");
    }

    link(attributes, hit, ...children) {
      const made = make("a", { ...attributes, href: `${this.server}/article/${hit.id}`, rel: "noopener" }, ...children);
      made.addEventListener("click", (event) => {
        if (!this.tell("select", { id: hit.id, title: hit.title, url: hit.url, href: made.href })) event.preventDefault();
      });
      return made;
    }

    /* The field and its list: a combobox after the ARIA Authoring Practices, whose options are links. */
    drawForm() {
      const { words } = this;
      const id = ++number;
      const field = make("input", {
        id: `q${id}`, name: "q", type: "search", placeholder: words.hint, autocomplete: "off", autocapitalize: "off",
        spellcheck: "false", enterkeyhint: "search", role: "combobox", "aria-expanded": "false",
        "aria-controls": `list${id}`, "aria-autocomplete": "list",
      });
      const list = make("div", { id: `list${id}`, role: "listbox", "aria-label": words.list });
      const foot = make("p", { class: "foot" });
      const box = make("div", { class: "list", hidden: "" }, list, foot);
      const told = make("p", { class: "quiet", role: "status" });
      const form = make("form", { class: "search", role: "search", action: `${this.server}/search` },
        make("label", { class: "quiet", for: field.id }, words.label), field,
        ...this.filters.map(([name, value]) => make("input", { type: "hidden", name, value })),
        make("button", {}, words.search));
      const whole = make("div", {}, form, told);
      form.append(box);

      let options = [];
      let active = -1;

      const open = (on) => {
        box.hidden = !on;
        field.setAttribute("aria-expanded", String(on && options.length > 0));
        if (!on) choose(-1);
      };
      const choose = (next) => {
        options[active]?.setAttribute("aria-selected", "false");
        active = next;
        const chosen = options[active];
        chosen?.setAttribute("aria-selected", "true");
        chosen?.scrollIntoView({ block: "nearest" });
        if (chosen) field.setAttribute("aria-activedescendant", chosen.id);
        else field.removeAttribute("aria-activedescendant");
      };
      const fill = (groups, ...below) => {
        choose(-1);
        options = groups.flatMap(([, made]) => made);
        options.forEach((option, place) => {
          option.id = `o${id}-${place}`;
          option.className = "option";
          option.role = "option";
          option.tabIndex = -1;
          option.ariaSelected = "false";
        });
        list.hidden = !options.length;
        list.replaceChildren(...groups.filter(([, made]) => made.length).map(([name, made]) =>
          make("div", { role: "group", "aria-label": words[name] },
            make("p", { class: "label", "aria-hidden": "true" }, words[name]), ...made)));
        box.querySelectorAll(".told, .failed, .wait").forEach((part) => part.remove());
        foot.replaceChildren(...below, this.brand());
        open(true);
      };
      const say = (kind, text, foothold, query) => {
        fill([], make("a", { href: this.searchUrl(query) }, foothold));
        list.after(make("p", { class: kind }, text));
        told.textContent = text;
      };

      const show = (query, found, suggested) => {
        const titles = found.hits.map((hit) => this.link({}, hit, marked(hit.title, hit.title_highlights),
          make("span", { class: "aside" }, (hit.published ?? "").slice(0, 10))));
        const named = ["organisation", "identifier"].map((name) => [name,
          (suggested.groups.find((group) => group.name === name)?.suggestions ?? []).slice(0, 3).map((each) =>
            make("a", { href: this.server + each.url, rel: "noopener" }, make("span", {}, each.text),
              make("span", { class: "aside" }, each.count == null ? "" : words.articles(count(each.count)))))]);
        fill([["title", titles], ...named], make("a", { href: this.searchUrl(query) }, words.all(count(found.total))));
        told.textContent = words.choices(options.length);
        this.tell("results", { query, total: found.total, hits: found.hits });
      };

      const search = async () => {
        const query = field.value.trim();
        this.asking?.abort();
        if (!query) {
          open(false);
          told.textContent = "";
          return;
        }
        const asking = this.asking = new AbortController();
        box.setAttribute("aria-busy", "true");
        if (box.hidden) {
          fill([]);
          list.after(...[1, 2, 3].map(() => make("p", { class: "wait" })));
          told.textContent = words.waiting;
        }
        this.tell("search", { query });
        try {
          const asked = new URLSearchParams([["q", query], ["size", this.size], ...this.filters]);
          const { signal } = asking;
          const [found, suggested] = await Promise.all([
            this.ask(`/api/v1/search?${asked}`, { signal }),
            /* Names are an addition: results stand without them. */
            this.ask(`/api/v1/suggest?${new URLSearchParams({ q: query })}`, { signal }).catch(() => ({ groups: [] })),
          ]);
          if (asking.signal.aborted || field.value.trim() !== query) return;
          if (found.total) show(query, found, suggested);
          else say("told", words.none(query), words.still, query);
        } catch {
          if (asking.signal.aborted) return;
          say("failed", words.failed, words.elsewhere, query);
        }
        box.removeAttribute("aria-busy");
      };
      const later = () => {
        clearTimeout(this.timer);
        this.timer = setTimeout(search, PAUSE);
      };

      field.addEventListener("input", (event) => { if (!event.isComposing) later(); });
      field.addEventListener("compositionend", later);
      field.addEventListener("keydown", (event) => {
        /* Keys belong to the input method while it composes. Safari ends the composition before
           it reports the key, which then still has the code 229. */
        if (event.isComposing || event.keyCode === 229) {
          if (event.key === "Enter") event.preventDefault();
          return;
        }
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (step) {
          event.preventDefault();
          if (box.hidden) search();
          else if (options.length) {
            const places = options.length + 1; /* the field itself is one of the places */
            choose(((active + 1 + step + places) % places) - 1);
          }
        } else if (event.key === "Enter" && !box.hidden && active >= 0) {
          event.preventDefault();
          options[active].click();
        } else if (event.key === "Escape") {
          /* The first closes the list, the next one the dialog around it. */
          event.preventDefault();
          event.stopPropagation();
          if (box.hidden) field.closest("dialog")?.close();
          open(false);
        }
      });
      /* The list closes when the focus leaves the form, not when it goes on to the list's own links. */
      form.addEventListener("focusout", (event) => { if (!form.contains(event.relatedTarget)) open(false); });
      list.addEventListener("mousedown", (event) => event.preventDefault());
      form.addEventListener("submit", (event) => { if (!field.value.trim()) event.preventDefault(); });
      return whole;
    }

    drawModal() {
      const { words } = this;
      const mac = /Mac|iP/.test(navigator.platform);
      const opener = make("button", { class: "open", type: "button", "aria-haspopup": "dialog" }, words.label,
        make("kbd", { "aria-hidden": "true" }, mac ? "⌘K" : "Ctrl K"));
      const closer = make("button", { class: "close", type: "button" }, words.close);
      const dialog = make("dialog", { "aria-label": words.label }, this.drawForm(), closer);
      this.shadowRoot.append(opener, dialog);
      const show = () => {
        if (!dialog.open) dialog.showModal(); /* the browser gives the focus back when it closes */
        dialog.querySelector("input").focus();
      };
      opener.addEventListener("click", show);
      closer.addEventListener("click", () => dialog.close());
      dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
      this.onKey = (event) => {
        if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
        event.preventDefault();
        show();
      };
      document.addEventListener("keydown", this.onKey);
    }

    /* Coverage related to an address the archive knows, or else to the page's own words. */
    async drawRelated() {
      const { words } = this;
      const list = make("ol", {});
      const told = make("p", { class: "quiet", role: "status" }, words.waiting);
      this.shadowRoot.append(list, told);
      const wait = [1, 2, 3].map(() => make("p", { class: "wait" }));
      list.before(...wait);
      const asking = this.asking = new AbortController();
      try {
        const { hits } = await this.related(asking.signal);
        if (asking.signal.aborted) return;
        list.append(...hits.map((hit) => make("li", {},
          make("span", { class: "aside" }, [(hit.published ?? "").slice(0, 10), hit.source].filter(Boolean).join(" ")),
          make("div", {}, this.link({}, hit, hit.title),
            make("p", { class: "aside" }, hit.reasons.map((reason) => reason.text).join("；"))))));
        told.textContent = hits.length ? words.articles(hits.length) : words.unrelated;
        if (!hits.length) told.className = "aside";
        this.shadowRoot.append(make("p", { class: "foot" }, make("a", { href: this.server }, words.more), this.brand()));
        this.tell("results", { total: hits.length, hits });
      } catch {
        if (asking.signal.aborted) return;
        told.className = "failed";
        told.textContent = words.failed;
      } finally {
        wait.forEach((bar) => bar.remove());
      }
    }

    async related(signal) {
      const named = this.getAttribute("related-to") ?? "";
      const size = this.size;
      if (/^https?:/i.test(named)) {
        try {
          const { id } = await this.ask(`/api/v1/articles?${new URLSearchParams({ url: named })}`, { signal });
          return await this.ask(`/api/v1/articles/${id}/related?size=${size}`, { signal });
        } catch (error) {
          if (error.message !== "404") throw error; /* not in the archive: the page speaks for itself */
        }
      }
      const own = (!/^https?:/i.test(named) && named && document.querySelector(named))
        || document.querySelector("article, main") || document.body;
      const title = document.title.slice(0, 300);
      /* The server refuses more lines than these. */
      const text = own.innerText.split("\n").filter((line) => line.trim()).slice(0, 290).join("\n");
      return this.ask("/api/v1/related", {
        signal, method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ title, text: [...text].slice(0, LONGEST - 300).join(""), size }),
      });
    }
  }

  if (!customElements.get("anwen-search")) customElements.define("anwen-search", AnwenSearch);
})();
