/* Results in place: what one types in the field of the result page, and its links and forms, go to
   the same addresses as without a script; of each answer the main part and the filters are taken. */
(() => {
  const PAUSE = 30; /* ms without a key before the server is asked anew while it is answering */
  const SETTLED = 500; /* ms without another answer before the count is announced */
  const SCROLLED = 150; /* ms at rest before the place is kept for Back */

  const form = document.querySelector(".masthead form.search");
  const path = form && new URL(form.action).pathname;
  if (!form || location.pathname !== path) return;
  const field = form.querySelector("input[type=search]");
  const narrow = matchMedia("(max-width: 56rem)");
  const told = document.createElement("p");
  told.className = "visually-hidden";
  told.setAttribute("role", "status");
  document.body.append(told);

  /* Two ways to write one address are one: URLSearchParams and the server differ in a few signs. */
  const same = (url) => `${url.pathname}?${new URLSearchParams(url.search)}`;
  let shown = same(location);
  let asking = null;
  let isTyping = false; /* the newest entry of the history is that of what is being typed */
  let isComposing = false;
  let pause = 0;
  let settling = 0;
  let scrolling = 0;

  const sheetIsOpen = () => narrow.matches && location.hash === "#filters";

  const busy = (on) => {
    for (const part of document.querySelectorAll("main, .hits")) {
      if (on) part.setAttribute("aria-busy", "true");
      else part.removeAttribute("aria-busy");
    }
  };

  const answered = () => {
    asking = null;
    busy(false);
  };
  const stop = () => {
    clearTimeout(pause);
    asking?.abort();
    answered();
  };

  /* Asking and taking over ------------------------------------------------- */

  /* The page that answers, null where another question came in between; throws where none came. */
  const ask = async (url) => {
    stop();
    clearTimeout(settling);
    const mine = new AbortController();
    asking = mine;
    busy(true);
    try {
      const answer = await fetch(url.pathname + url.search, { signal: mine.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (asking !== mine) return null;
      if (new URL(answer.url).pathname !== path || !page.querySelector("main"))
        throw new Error("not a page of results");
      return page;
    } catch (error) {
      if (asking !== mine) return null;
      throw error;
    } finally {
      if (asking === mine) answered(); /* what was typed in the meantime is still to be asked */
    }
  };

  /* What has the focus, told so that it is found again among other nodes. */
  const nameOf = (element) => (element.querySelector(".entry-name") ?? element).textContent.trim();
  const blockOf = (element) => {
    const block = element.closest("[aria-labelledby], [aria-label]");
    const name = block?.hasAttribute("aria-labelledby") ? "aria-labelledby" : "aria-label";
    return block ? `[${name}="${CSS.escape(block.getAttribute(name))}"]` : "main";
  };
  const isShown = (element) => element.getClientRects().length > 0;
  const focusAgain = ({ id, block, name }) => {
    const found = [...document.querySelectorAll(`:is(main, .filters) ${block} :is(a, button, summary)`)].filter(isShown);
    const next = (id && document.getElementById(id)) || found.find((one) => nameOf(one) === name) || found[0]
      || (sheetIsOpen() ? document.querySelector(".filters a") : document.querySelector("main"));
    next.focus({ preventScroll: true });
  };

  const opened = (details) => details.id || details.closest("section")?.getAttribute("aria-labelledby");

  /* A page that tells of an error has no filters; who goes on typing keeps those of its address. */
  const keptBy = (url) => [...url.searchParams]
    .filter(([name]) => !["q", "page", "cursor", "find"].includes(name))
    .map(([name, value]) => {
      const hidden = document.createElement("input");
      Object.assign(hidden, { type: "hidden", name, value });
      return hidden;
    });

  const takeOver = (page, url, keepsField) => {
    const main = document.querySelector("main");
    const fresh = page.querySelector("main");
    const sheet = document.getElementById("filters");
    const freshSheet = page.getElementById("filters");
    const focused = document.activeElement.closest("main, .filters") && document.activeElement !== main
      && { id: document.activeElement.id, block: blockOf(document.activeElement), name: nameOf(document.activeElement) };
    const open = new Set([...document.querySelectorAll(":is(main, .filters) details[open]")].map(opened));
    const place = sheet?.scrollTop;

    /* One region tells the count once it has settled; these would speak at each key. */
    for (const part of fresh.querySelectorAll("[role=status], [role=alert]")) part.removeAttribute("role");
    /* The nodes themselves stay, because the sheet is open as long as it is the target. */
    main.className = fresh.className;
    main.replaceChildren(...fresh.childNodes);
    if (sheet && freshSheet) {
      sheet.replaceChildren(...freshSheet.childNodes);
      sheet.scrollTop = place;
    } else if (freshSheet) main.before(freshSheet);
    else sheet?.remove();
    for (const details of document.querySelectorAll(":is(main, .filters) details")) {
      const name = opened(details);
      if (name && open.has(name)) details.open = true;
    }

    const others = page.querySelector(".masthead form.search");
    const kept = fresh.classList.contains("results") ? others.querySelectorAll("input[type=hidden]") : keptBy(url);
    form.querySelectorAll("input[type=hidden]").forEach((hidden) => hidden.remove());
    field.after(...kept);
    if (!keepsField) field.value = others?.querySelector("input[type=search]").value ?? field.value;
    document.title = page.title;
    const feed = 'link[rel="alternate"][type="application/atom+xml"]';
    document.querySelector(feed)?.remove();
    const freshFeed = page.querySelector(feed);
    if (freshFeed) document.head.append(freshFeed);

    document.dispatchEvent(new CustomEvent("anwen:swapped"));
    if (focused) focusAgain(focused);
    settling = setTimeout(() => {
      const parts = main.querySelectorAll("h1, .notice-error");
      told.textContent = [...parts].map((part) => part.textContent.trim()).join("。");
    }, SETTLED);
  };

  /* History ------------------------------------------------------------------ */

  const write = (how, state, url = "") => {
    /* Browsers refuse when it is done too often; the address then follows with the next step. */
    try { history[how](state, "", url || undefined); } catch { /* as above */ }
  };
  const keepPlace = () => {
    clearTimeout(scrolling);
    write("replaceState", { ...history.state, scroll: scrollY });
  };

  /* What one types has one entry of its own, which Enter settles; every other step has another. */
  const enter = (url, step) => {
    const replaces = same(url) === shown || (isTyping && step !== "link");
    isTyping = step === "typing";
    write(replaces ? "replaceState" : "pushState", replaces ? history.state : null, url.href);
    shown = same(url);
  };

  /* Steps ---------------------------------------------------------------------- */

  const fail = () => {
    const main = document.querySelector("main");
    main.querySelector(".unanswered")?.remove();
    const notice = document.createElement("p");
    notice.className = "notice notice-error unanswered";
    notice.textContent = "服务器没有应答，以下仍是先前的结果。按回车再试。";
    main.prepend(notice);
    told.textContent = notice.textContent;
  };

  const go = async (url, step) => {
    try {
      const page = await ask(url);
      if (!page) return;
      keepPlace(); /* before another height of the page moves it */
      takeOver(page, url, step === "typing");
      enter(url, step);
    } catch {
      if (step === "typing") fail();
      else location.assign(url);
      return;
    }
    document.dispatchEvent(new CustomEvent("anwen:arrived", { detail: step }));
  };

  const addressOf = (sent, submitter) => {
    const url = new URL(sent.action);
    const pairs = [...new FormData(sent, submitter)].map(([name, value]) => [name, value.trim()]);
    url.search = new URLSearchParams(pairs.filter(([, value]) => value));
    url.hash = sent.closest(".filters") && sheetIsOpen() ? "filters" : "";
    return url;
  };

  const type = () => {
    if (isComposing) return;
    const url = addressOf(form);
    if (same(url) === shown) {
      stop();
      document.querySelector(".unanswered")?.remove();
    } else go(url, "typing");
  };
  const later = () => {
    clearTimeout(pause);
    pause = setTimeout(type, asking ? PAUSE : 0);
  };
  field.addEventListener("input", (event) => { if (!event.isComposing) later(); });
  field.addEventListener("compositionstart", () => {
    isComposing = true;
    clearTimeout(pause); /* what stands in the field from now on is half composed */
  });
  field.addEventListener("compositionend", () => {
    isComposing = false;
    later();
  });

  document.addEventListener("submit", (event) => {
    const sent = event.target;
    if (event.defaultPrevented || sent.method !== "get" || new URL(sent.action).pathname !== path) return;
    event.preventDefault();
    const url = addressOf(sent, event.submitter);
    /* A phone takes its keyboard away, as it would for a new page. */
    if (sent === form && matchMedia("(pointer: coarse)").matches) field.blur();
    if (sent === form && isTyping && same(url) === shown) {
      stop();
      isTyping = false;
      document.dispatchEvent(new CustomEvent("anwen:arrived", { detail: "form" }));
    } else go(url, sent === form ? "form" : "link");
  });

  document.addEventListener("click", async (event) => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest("a[href]");
    if (!link?.closest("main, .filters") || link.hasAttribute("download") || link.hasAttribute("target")) return;
    const url = new URL(link.getAttribute("href"), location.href);
    if (url.origin !== location.origin || url.pathname !== path) return;
    if (url.hash && same(url) === same(location)) return; /* a place on this page */
    event.preventDefault();
    const turnsPage = Boolean(link.closest(".pager"));
    /* Choosing in the open sheet leaves it open, so that several values take several taps. */
    if (link.closest(".filters") && sheetIsOpen()) url.hash = "filters";
    await go(url, "link");
    if (!turnsPage || shown !== same(url)) return;
    const main = document.querySelector("main");
    main.focus({ preventScroll: true });
    if (main.getBoundingClientRect().top < 0) main.scrollIntoView();
  });

  /* Back, Forward and reload ----------------------------------------------------- */

  history.scrollRestoration = "manual"; /* the answer comes later than the browser would scroll */
  /* Once every script has added what is its own, and the page has its whole height. */
  addEventListener("DOMContentLoaded", () => {
    if (history.state?.scroll !== undefined) scrollTo(0, history.state.scroll);
  });
  addEventListener("scroll", () => {
    clearTimeout(scrolling);
    scrolling = setTimeout(keepPlace, SCROLLED);
  }, { passive: true });
  addEventListener("pagehide", () => {
    stop();
    keepPlace();
  });
  addEventListener("popstate", async () => {
    clearTimeout(scrolling);
    isTyping = false;
    if (same(location) === shown) {
      stop();
      return;
    }
    const url = new URL(location.href);
    try {
      const page = await ask(url);
      if (!page) return;
      takeOver(page, url, false);
      shown = same(url);
      document.dispatchEvent(new CustomEvent("anwen:arrived", { detail: "history" }));
      scrollTo(0, history.state?.scroll ?? 0); /* once the page has its whole height */
    } catch {
      location.reload();
    }
  });
})();
