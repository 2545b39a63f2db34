/* With the sound of rooms/chime.js the telephone of the doctor on call vibrates. */

document.addEventListener("relais:chime", () => {
  if (navigator.vibrate) {
    navigator.vibrate([400, 200, 400]);
  }
});
