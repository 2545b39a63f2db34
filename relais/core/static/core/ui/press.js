/* A click is a press and a release on the same thing: nothing that moves or replaces the page happens between the two. */

const LONGEST_PRESS = 2000; // a list of choices may swallow the release
const due = [];
let pressed = false;
let lifting = null;

/** Whether a finger, or the mouse, is on something of this page. */
export function isPressed() {
  return pressed;
}

/** Do `work` now, or once what is pressed has been let go and its click is over. */
export function afterPress(work) {
  if (pressed) {
    due.push(work);
  } else {
    work();
  }
}

function lift() {
  clearTimeout(lifting);
  pressed = false;
  due.splice(0).forEach((work) => work());
}

document.addEventListener("pointerdown", () => {
  pressed = true;
  clearTimeout(lifting);
  lifting = setTimeout(lift, LONGEST_PRESS);
});
["pointerup", "pointercancel"].forEach((name) => {
  document.addEventListener(name, () => setTimeout(lift, 0)); // the click comes first
});
