/* The day in Paris, as 2026-11-21. */

const DAY = 24 * 60 * 60 * 1000; // ms
const PARTS = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Paris", year: "numeric", month: "2-digit", day: "2-digit" });

/* At a moment (ms since 1970). */
export function dayAt(moment) {
  const parts = {};
  PARTS.formatToParts(new Date(moment)).forEach((part) => {
    parts[part.type] = part.value;
  });
  return `${parts.year}-${parts.month}-${parts.day}`;
}

/* That of a page which was opened at `opened` on the day `given`: the server's word, moved on by the midnights that this
   device's clock has seen since. */
export function dayOf(given, opened) {
  const passed = Math.round((Date.parse(dayAt(Date.now())) - Date.parse(dayAt(opened))) / DAY);
  return passed > 0 ? new Date(Date.parse(given) + passed * DAY).toISOString().slice(0, 10) : given;
}
