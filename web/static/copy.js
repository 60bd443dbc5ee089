/* Copying a text of the page, an addition to a text that can be selected without it: a button with
   data-copy names the element. */
(() => {
  const TOLD = 2500; /* ms for which the button says that it has copied */
  const timers = new WeakMap();

  const select = (element) => {
    const selection = getSelection();
    selection.removeAllRanges();
    const range = document.createRange();
    range.selectNodeContents(element);
    selection.addRange(range);
  };

  const copy = async (element) => {
    try {
      await navigator.clipboard.writeText(element.textContent);
      return true;
    } catch { /* not a secure page, or not allowed: the older way, by what is selected */ }
    select(element);
    try {
      if (document.execCommand("copy")) {
        getSelection().removeAllRanges();
        return true;
      }
    } catch { /* the text stays selected for the reader's own keys */ }
    return false;
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const element = document.getElementById(button.dataset.copy);
    const told = document.getElementById("copied");
    const done = await copy(element);
    const label = button.firstChild;
    button.dataset.label ??= label.data;
    label.data = done ? "已复制" : "已选中，请按复制键";
    told.textContent = done ? "已复制到剪贴板" : "浏览器不让复制；文字已选中，请用键盘复制";
    clearTimeout(timers.get(button));
    timers.set(button, setTimeout(() => {
      label.data = button.dataset.label;
      told.textContent = "";
    }, TOLD));
  });
})();
