/* With the sound of chime.js a telephone vibrates: of those for whom something may ring on every page. */

document.addEventListener("relais:chime", () => {
  // eslint-disable-next-line compat/compat -- an older browser vibrates without having been touched
  const activation = navigator.userActivation;
  if (navigator.vibrate && (!activation || activation.hasBeenActive)) {
    navigator.vibrate([400, 200, 400]);
  }
});
