/* For hosts: who waits at the door, with a sound, and the two buttons that decide. */

import { find, make, show, text } from "./page.js";
import * as server from "./server.js";

/** Draw the people of `waiting` ([{invitation, name}]). `urls.people` is the base of their addresses. */
export function draw(waiting, urls) {
  const door = find("[data-door]");
  if (!door) {
    return;
  }
  const wanted = waiting.map((one) => one.invitation).join();
  if (door.dataset.shown === wanted) {
    return;
  }
  door.dataset.shown = wanted;
  door.textContent = "";
  waiting.forEach((one) => {
    const row = make("div", "room-door-row");
    const words = text("waits", one.name);
    row.dataset.waiting = one.invitation;
    row.dataset.waitingLabel = words;
    row.append(make("p", "", words), decide(row, one, "admettre", "admit", "btn-primary", urls), decide(row, one, "retirer", "refuse", "btn-secondary", urls));
    door.append(row);
  });
  show(door, waiting.length > 0);
  document.dispatchEvent(new CustomEvent("relais:waiting"));
}

function decide(row, one, verb, word, style, urls) {
  const button = make("button", `btn btn-sm ${style}`, text(word));
  button.type = "button";
  button.setAttribute("aria-label", `${text(word)} : ${one.name}`);
  button.addEventListener("click", () => {
    button.disabled = true;
    server.postForm(`${urls.people}/${one.invitation}/${verb}`, {}).then((answer) => {
      button.disabled = false;
      if (answer.status === 200) {
        row.remove();
      }
    });
  });
  return button;
}
