// Recommended texts: inserted into what is empty, after what is written.

document.querySelectorAll("[data-wordings-of]").forEach((box) => {
  const texts = JSON.parse(document.getElementById(box.dataset.wordingsOf).textContent);
  const form = box.closest("form");
  const put = (name, text) => {
    const area = form.querySelector(`[name="q-${name}"]`);
    if (!text || !area || area.value.indexOf(text) >= 0) return;
    area.value = area.value.trim() ? `${area.value.trim()}\n${text}` : text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  box.hidden = false;
  box.querySelector("button").addEventListener("click", () => {
    const chosen = texts[box.querySelector("select").value];
    if (!chosen) return;
    put("tr.conclusion", chosen.conclusion);
    put("tr.cat", chosen.conduct);
  });
});
