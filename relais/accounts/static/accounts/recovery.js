/* Recovery codes leave the page by a file or by paper, never by a second request. */

const codes = Array.from(document.querySelectorAll("[data-recovery-codes] li")).map((item) => item.textContent.trim());
const save = document.querySelector("[data-recovery-save]");
const print = document.querySelector("[data-recovery-print]");

save.hidden = false;
print.hidden = false;
print.addEventListener("click", () => window.print());
save.addEventListener("click", () => {
  const text = `Relais, codes de secours. Chacun sert une fois.\r\n\r\n${codes.join("\r\n")}\r\n`;
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "relais-codes-de-secours.txt";
  document.body.appendChild(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
});
