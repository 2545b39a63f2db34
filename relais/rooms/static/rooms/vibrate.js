/* With the sound of chime.js a telephone vibrates: of those for whom something may ring on every page. */

document.addEventListener("relais:chime", () => {
  const touched = !navigator.userActivation || navigator.userActivation.hasBeenActive; // before, the browser refuses
  if (navigator.vibrate && touched) {
    navigator.vibrate([400, 200, 400]);
  }
});
