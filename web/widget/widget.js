/* <anwen-search>: a search field, a dialog or a list of related articles on somebody else's page.
   It stands in a shadow root, writes text by textContent alone, and leaves what stands inside the
   element (a plain form) to browsers that run no script. docs/widget.md is for those who embed it. */
(() => {
  const NAME = "anwen-search";
  /* Older browsers keep the form; a second script tag changes nothing. */
  if (!("adoptedStyleSheets" in document) || customElements.get(NAME)) return;

  /* currentScript is null in a module. */
  const script = document.currentScript || document.querySelector('script[src*="/widget"]');
  const HOME = script ? new URL(script.src).origin : location.origin;
  const PAUSE = 150; /* ms without a key before the server is asked */
  const PATIENCE = 10000; /* ms until an answer counts as none */
  const MOST = 20000; /* characters and lines of a text that the server compares */
  const LINES = 300;
  const FILTERS = ["category", "organisation", "source"];

  const SHEET = new CSSStyleSheet();
  SHEET.replaceSync("@@CSS@@"); /* widget.css, put here by bundle.py */

  const TEXTS = {
    zh: {
      name: "安闻", field: "检索安全新闻", go: "检索", close: "关闭", list: "建议",
      title: "文章", organisation: "机构", identifier: "编号",
      wait: "正在检索", fail: "暂时连不上安闻", calm: "不影响本站其他功能。", there: "到安闻页面检索",
      none: (query) => `没有关于“${query}”的文章、机构或编号。`, still: (query) => `仍检索“${query}”`,
      all: (number) => `回车看全部 ${number} 条`, told: (number) => `${number} 条建议，用上下键选择`,
      count: (number) => `${number} 篇`,
      related: "相关报道", alone: "没有相关报道。", more: "更多报道", found: (number) => `${number} 篇相关报道`,
    },
    en: {
      name: "Anwen", field: "Search security news", go: "Search", close: "Close", list: "Suggestions",
      title: "Articles", organisation: "Organisations", identifier: "Identifiers",
      wait: "Searching", fail: "Anwen cannot be reached", calm: "Nothing else here is affected.",
      there: "Search at Anwen",
      none: (query) => `Nothing about “${query}”.`, still: (query) => `Search for “${query}” all the same`,
      all: (number) => `Enter: all ${number} results`, told: (number) => `${number} suggestions, choose with the arrow keys`,
      count: (number) => `${number}`,
      related: "Related articles", alone: "No related articles.", more: "More articles",
      found: (number) => `${number} related articles`,
      reasons: {
        event: "The same event", identifier: "The same identifier", group: "Both name", organisation: "Both name",
        words: "Similar words",
      },
    },
  };

  const make = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    made.append(...children);
    return made;
  };

  const figure = (number) => number.toLocaleString("en");

  /* The server counts characters, a string of JavaScript their halves. */
  const marked = (text, ranges) => {
    const signs = [...text];
    const parts = [];
    let last = 0;
    for (const [start, end] of ranges) {
      parts.push(signs.slice(last, start).join(""), make("mark", {}, signs.slice(start, end).join("")));
      last = end;
    }
    return [...parts, signs.slice(last).join("")];
  };

  /* The first place where the last word that was typed stands. */
  const typedRange = (text, query) => {
    const word = query.split(/\s+/).pop();
    const at = text.toLowerCase().indexOf(word.toLowerCase());
    if (at < 0) return [];
    const start = [...text.slice(0, at)].length;
    return [[start, start + [...word].length]];
  };

  /* A day of this year goes without it. */
  const day = (moment, short) => {
    const whole = (moment || "").slice(0, 10);
    return short && whole.startsWith(`${new Date().getFullYear()}-`) ? whole.slice(5) : whole;
  };

  const waiting = () => ["wait", "wait wait-short", "wait"].map((look) => make("p", { class: look }));

  /* What one element asks for, read from its attributes. */
  const readOptions = (element) => {
    const named = element.getAttribute("server");
    const server = /^https?:\/\/./i.test(named || "") ? new URL(named).origin : HOME;
    const language = element.closest("[lang]")?.lang.startsWith("en") ? "en" : "zh";
    const filters = FILTERS.flatMap((name) =>
      (element.getAttribute(name) || "").split(/[,，]/).map((value) => [name, value.trim()]).filter((pair) => pair[1]));
    const address = (path, parameters) => {
      const url = new URL(path, server);
      if (parameters) url.search = new URLSearchParams(parameters);
      /* An address that is no page of the server's is not followed. */
      return url.origin === server ? url.href : server;
    };
    return {
      filters, address, texts: TEXTS[language], english: language === "en",
      size: Math.min(Math.max(parseInt(element.getAttribute("size"), 10) || 6, 1), 20),
      tell: (name, detail, cancelable) => element.dispatchEvent(
        new CustomEvent(`anwen:${name}`, { bubbles: true, composed: true, cancelable, detail })),
      searchAddress: (query) => address("/search", [["q", query], ...filters]),
      ask: async (signal, path, parameters, body) => {
        const answer = await fetch(address(`/api/v1/${path}`, parameters), {
          signal, credentials: "omit",
          ...(body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
        });
        if (answer.ok) return answer.json();
        const error = new Error();
        error.status = answer.status;
        /* What a reader may have done wrong is told in words for the reader. */
        if (error.status < 500) error.told = (await answer.json()).error.message;
        throw error;
      },
    };
  };

  const link = (options, href, ...children) => make("a", { href, rel: "noopener" }, ...children);

  const foot = (options, ...first) =>
    make("p", { class: "foot" }, make("span", {}, ...first), link(options, options.address("/"), options.texts.name));

  const notice = (options, error) => make("p", { class: "notice" },
    ...(error.told ? [make("span", { lang: "zh-Hans" }, error.told)] : [make("b", {}, options.texts.fail), options.texts.calm]));

  /* A combobox after ARIA 1.2: the field keeps the focus, the options are links. */
  const searchForm = (options, life, typed) => {
    const { texts } = options;
    const field = make("input", {
      type: "search", name: "q", maxlength: 200, placeholder: texts.field, "aria-label": texts.field, value: typed,
      autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "search",
      role: "combobox", "aria-autocomplete": "list", "aria-haspopup": "listbox", "aria-expanded": "false",
      "aria-controls": "list",
    });
    const list = make("div", { id: "list", role: "listbox", "aria-label": texts.list });
    const rest = make("div");
    const box = make("div", { class: "suggest", hidden: "" }, list, rest);
    const status = make("p", { class: "unseen", role: "status" });
    const form = make("form", { class: "search", role: "search", action: options.address("/search") },
      field, make("button", {}, texts.go), box, status);
    let timer, asking, shown;
    let rows = [];
    let active = -1;

    const choose = (number) => {
      rows[active]?.setAttribute("aria-selected", "false");
      active = number;
      if (active < 0) return field.removeAttribute("aria-activedescendant");
      rows[active].setAttribute("aria-selected", "true");
      rows[active].scrollIntoView({ block: "nearest" });
      field.setAttribute("aria-activedescendant", rows[active].id);
    };

    const open = (groups, below, told) => {
      choose(-1);
      rows = groups.flatMap((group) => group.rows);
      rows.forEach((row, place) => { row.id = `option-${place}`; });
      list.replaceChildren(...groups.map((group) => make("div", { role: "group", "aria-labelledby": group.name },
        make("p", { class: "label", id: group.name }, texts[group.name]), ...group.rows)));
      list.hidden = !rows.length;
      rest.replaceChildren(...below);
      box.hidden = false;
      box.removeAttribute("aria-busy");
      field.setAttribute("aria-expanded", String(rows.length > 0));
      status.textContent = told;
    };

    const close = () => {
      clearTimeout(timer);
      asking?.abort();
      asking = null;
      shown = "";
      choose(-1);
      box.hidden = true;
      field.setAttribute("aria-expanded", "false");
      status.textContent = "";
    };

    const option = (kind, href, detail, ...children) => {
      const row = link(options, href, ...children);
      for (const [key, value] of [["class", "option"], ["role", "option"], ["tabindex", -1], ["aria-selected", "false"]])
        row.setAttribute(key, value);
      row.addEventListener("click", (event) => {
        if (!options.tell("select", { kind, url: href, ...detail }, true)) event.preventDefault();
      });
      return row;
    };

    const show = (query, results, suggested) => {
      const groups = [{
        name: "title",
        rows: results.hits.map((hit) => option("article", options.address(`/article/${hit.id}`),
          { id: hit.id, text: hit.title },
          make("span", { lang: "zh-Hans" }, ...marked(hit.title, hit.title_highlights)),
          make("span", { class: "aside" }, day(hit.published, true), make("br"),
            make("span", { lang: "zh-Hans" }, hit.source || "")))),
      }, ...suggested.filter((group) => group.name === "organisation" || group.name === "identifier").map((group) => ({
        name: group.name,
        rows: group.suggestions.slice(0, 3).map((found) => option(group.name, options.address(found.url), { text: found.text },
          make("span", group.name === "identifier" ? { class: "code" } : { lang: "zh-Hans" },
            ...marked(found.text, typedRange(found.text, query))),
          make("span", { class: "aside" }, found.count ? texts.count(figure(found.count)) : ""))),
      }))].filter((group) => group.rows.length);
      const none = !groups.length;
      const all = link(options, options.searchAddress(query), none ? texts.still(query) : texts.all(figure(results.total)));
      open(groups, [...(none ? [make("p", { class: "text" }, texts.none(query))] : []), foot(options, all)],
        none ? texts.none(query) : texts.told(groups.reduce((sum, group) => sum + group.rows.length, 0)));
      options.tell("results", { query, total: results.total, hits: results.hits });
    };

    const load = async () => {
      const query = field.value.trim();
      if (!query) return close();
      if (query === shown) return;
      asking?.abort();
      const mine = asking = new AbortController();
      const limit = setTimeout(() => mine.abort(), PATIENCE);
      shown = query;
      /* What was found before stays, dimmed; bars stand only where nothing was. */
      if (box.hidden || !rows.length) open([], waiting(), texts.wait);
      else box.setAttribute("aria-busy", "true");
      options.tell("search", { query });
      try {
        const [results, suggested] = await Promise.all([
          options.ask(mine.signal, "search", [["q", query], ["size", options.size], ...options.filters]),
          /* Suggestions know no filters, and a search is as good without them. */
          options.filters.length ? [] : options.ask(mine.signal, "suggest", [["q", query]]).then((answer) => answer.groups, () => []),
        ]);
        if (mine === asking) show(query, results, suggested);
      } catch (error) {
        if (mine !== asking) return;
        open([], [notice(options, error), foot(options, link(options, options.searchAddress(query), texts.there))],
          error.told || texts.fail);
        shown = ""; /* the same words may be asked once more */
      } finally {
        clearTimeout(limit);
      }
    };

    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(load, PAUSE);
    };

    field.addEventListener("input", (event) => { if (!event.isComposing) soon(); });
    field.addEventListener("compositionstart", () => clearTimeout(timer));
    field.addEventListener("compositionend", soon);
    field.addEventListener("keydown", (event) => {
      const { key } = event;
      /* Keys belong to the input method while it composes; Safari tells by 229 alone. */
      if (event.isComposing || event.keyCode === 229) {
        if (key === "Enter" || key === "Escape") event.preventDefault();
      } else if (key === "ArrowDown" || key === "ArrowUp") {
        event.preventDefault();
        if (box.hidden) return load();
        /* The field itself is one of the places. */
        const places = rows.length + 1;
        choose((active + (key === "ArrowDown" ? 2 : places)) % places - 1);
      } else if (key === "Enter" && active >= 0) {
        event.preventDefault();
        rows[active].click();
      } else if (key === "Escape" && !box.hidden && !form.closest("dialog")) {
        event.preventDefault();
        close();
      }
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault(); /* a page's form-action may not allow what a link may do */
      const query = field.value.trim();
      const url = options.searchAddress(query);
      if (options.tell("select", { kind: "all", url, query }, true)) location.assign(url);
    });
    form.addEventListener("focusout", (event) => {
      if (!form.contains(event.relatedTarget) && !form.closest("dialog")) close();
    });
    /* The field keeps the focus, or its loss would close the list before the click. */
    box.addEventListener("mousedown", (event) => event.preventDefault());
    life.addEventListener("abort", close);
    return form;
  };

  const modal = (options, life, typed) => {
    const { texts } = options;
    const mac = /Mac|iPhone|iPad/.test(navigator.platform);
    const button = make("button", { type: "button", class: "opener", "aria-haspopup": "dialog", "aria-keyshortcuts": "Control+K Meta+K" },
      texts.field, make("kbd", { "aria-hidden": "true" }, mac ? "⌘K" : "Ctrl K"));
    const form = searchForm(options, life, typed);
    const shut = make("button", { type: "button", class: "close" }, texts.close);
    const dialog = make("dialog", { "aria-label": texts.field }, form, shut);
    button.addEventListener("click", () => dialog.showModal());
    shut.addEventListener("click", () => dialog.close());
    /* Around the dialog's content is only what lies behind it. */
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    document.addEventListener("keydown", (event) => {
      if (event.isComposing || event.defaultPrevented || event.altKey || event.shiftKey) return;
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
      event.preventDefault(); /* and a second element on the page sees that it is done */
      if (dialog.open) dialog.close();
      else dialog.showModal();
    }, { signal: life });
    return [button, dialog];
  };

  /* The text that a page is about: what a selector names, or its main part. */
  const ownText = (selector) => {
    let part = null;
    try {
      part = document.querySelector(selector || "main, article") || (selector ? null : document.body);
    } catch { /* no selector at all */ }
    if (!part) return null;
    const title = (part.querySelector("h1")?.innerText || document.title).trim().slice(0, LINES);
    const lines = part.innerText.split(/\s*\n\s*/).filter(Boolean).slice(0, LINES - 1);
    return { title, text: lines.join("\n").slice(0, MOST - title.length) };
  };

  const related = (options, life, about) => {
    const { texts } = options;
    const list = make("ol", { class: "hits", "aria-label": texts.related, hidden: "" });
    const rest = make("div", { class: "still", "aria-busy": "true" }, ...waiting());
    const status = make("p", { class: "unseen", role: "status" }, texts.wait);

    const reason = (found) => options.english
      ? [texts.reasons[found.kind] || [], found.values.join(", ") || []].flat().join(": ") : found.text;

    const row = (hit) => {
      const href = options.address(`/article/${hit.id}`);
      const title = link(options, href, hit.title);
      title.addEventListener("click", (event) => {
        if (!options.tell("select", { kind: "article", url: href, id: hit.id, text: hit.title }, true)) event.preventDefault();
      });
      const published = day(hit.published);
      const why = hit.reasons[0];
      return make("li", {},
        make("p", { class: "when" }, ...(published ? [make("time", { datetime: published }, published)] : []),
          make("span", { lang: "zh-Hans" }, hit.source || "")),
        make("div", {}, make("p", { class: "title", lang: "zh-Hans" }, title),
          ...(why ? [make("p", { class: "aside" }, reason(why))] : [])));
    };

    const load = async () => {
      const signal = AbortSignal.any ? AbortSignal.any([life, AbortSignal.timeout(PATIENCE)]) : life;
      const size = [["size", options.size]];
      let more = options.address("/");
      let answer = { hits: [] };
      try {
        let article = null;
        if (/^https?:\/\//i.test(about)) {
          /* A page that the archive lacks is compared by its text. */
          article = await options.ask(signal, "articles", [["url", about]]).catch((error) => {
            if (error.status !== 404) throw error;
            return null;
          });
        }
        if (article) {
          more = options.address(`/article/${article.id}`);
          answer = await options.ask(signal, `articles/${article.id}/related`, size);
        } else {
          const own = ownText(/^https?:\/\//i.test(about) ? "" : about);
          if (own && (own.title + own.text).trim()) {
            more = options.searchAddress(own.title.slice(0, 100));
            answer = await options.ask(signal, "related", null, { ...own, size: options.size });
          }
        }
        const { hits } = answer;
        list.replaceChildren(...hits.map(row));
        list.hidden = !hits.length;
        rest.className = hits.length ? "" : "still";
        rest.replaceChildren(...(hits.length ? [] : [make("p", { class: "text" }, texts.alone)]),
          foot(options, ...(hits.length ? [link(options, more, texts.more)] : [])));
        status.textContent = hits.length ? texts.found(hits.length) : texts.alone;
        options.tell("results", { query: null, total: hits.length, hits });
      } catch (error) {
        if (life.aborted) return;
        rest.replaceChildren(notice(options, error), foot(options, link(options, options.address("/search"), texts.there)));
        status.textContent = error.told || texts.fail;
      }
      rest.removeAttribute("aria-busy");
    };

    /* The page's own text is whole only when the page is. */
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", load, { signal: life });
    else load();
    return [list, rest, status];
  };

  customElements.define(NAME, class extends HTMLElement {
    static get observedAttributes() {
      return ["server", "mode", "lang", "size", "related-to", ...FILTERS];
    }

    constructor() {
      super();
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [SHEET];
    }

    connectedCallback() {
      this.disconnectedCallback();
      const typed = this.shadowRoot.querySelector("input")?.value || "";
      const options = readOptions(this);
      const mode = this.getAttribute("mode");
      const life = new AbortController();
      this.life = life;
      const parts = mode === "related" ? related(options, life.signal, (this.getAttribute("related-to") || "").trim())
        : mode === "modal" ? modal(options, life.signal, typed) : [searchForm(options, life.signal, typed)];
      this.shadowRoot.replaceChildren(
        make("div", { class: mode === "related" ? "related" : "", lang: options.english ? "en" : "zh-Hans" }, ...parts));
    }

    disconnectedCallback() {
      this.life?.abort();
      this.life = null;
    }

    /* Attributes that change together make one new rendering. */
    attributeChangedCallback(name, before, after) {
      if (!this.life || before === after) return;
      const { life } = this;
      queueMicrotask(() => { if (this.life === life) this.connectedCallback(); });
    }
  });
})();
