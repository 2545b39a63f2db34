/* [data-timer="60"]: one minute to count breaths, seen as figures, told at its beginning and end, felt and heard. */

function beep() {
  // eslint-disable-next-line compat/compat -- Safari 13 has the prefixed one
  const Context = window.AudioContext || window.webkitAudioContext;
  if (!Context) {
    return;
  }
  try {
    const sound = new Context();
    const tone = sound.createOscillator();
    const volume = sound.createGain();
    volume.gain.value = 0.2;
    tone.frequency.value = 880;
    tone.connect(volume);
    volume.connect(sound.destination);
    tone.start();
    tone.stop(sound.currentTime + 0.6);
    tone.onended = () => sound.close();
  } catch (error) {
    // A browser that refuses sound still shows the end.
  }
}

function bind(timer) {
  const left = timer.querySelector("[data-timer-left]");
  const seconds = timer.querySelector("[data-timer-seconds]");
  const said = timer.querySelector("[data-timer-said]");
  const label = timer.querySelector("[data-timer-label]");
  const total = Number(timer.dataset.timer);
  let ticking = 0;
  timer.hidden = false;

  function end() {
    clearInterval(ticking);
    left.hidden = true;
    said.textContent = said.dataset.done;
    label.textContent = label.dataset.again;
    beep();
    if (window.navigator.vibrate) {
      window.navigator.vibrate([300, 100, 300]);
    }
    const input = timer.parentNode.querySelector("input");
    if (input && timer.contains(document.activeElement)) {
      input.focus();
    }
  }

  timer.querySelector("[data-timer-start]").addEventListener("click", () => {
    clearInterval(ticking);
    const until = Date.now() + total * 1000;
    const show = () => {
      const rest = Math.max(0, Math.ceil((until - Date.now()) / 1000));
      seconds.textContent = String(rest);
      if (!rest) {
        end();
      }
    };
    left.hidden = false;
    said.textContent = said.dataset.begun;
    ticking = setInterval(show, 250);
    show();
  });
}

export function bindTimers(form) {
  Array.from(form.querySelectorAll("[data-timer]")).forEach(bind);
}
