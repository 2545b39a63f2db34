/* Sends the file of `<input type="file" data-upload="/upload/">` as soon as it is chosen, and shows how far it is.
 *
 * The form then carries a handle (`<name>_handle`) instead of the file. Without this script, or when sending ahead
 * fails twice, the form carries the file itself: nothing is lost.
 * Texts come from data- attributes of the input: data-sending, data-sent, data-failed.
 */

const SMALL = 200 * 1024; // bytes that the form carries as fast as we would

function token(form) {
  const field = form && form.querySelector("[name=csrfmiddlewaretoken]");
  return field ? field.value : document.querySelector('meta[name="csrf-token"]').content;
}

function status(input) {
  const known = document.getElementById(input.id + "-upload");
  if (known) return known;
  const box = document.createElement("div");
  box.id = input.id + "-upload";
  box.className = "upload-status mt-2";
  const bar = document.createElement("progress");
  bar.max = 100;
  bar.className = "w-100";
  bar.setAttribute("aria-label", input.dataset.sending || "Envoi du fichier");
  const words = document.createElement("p");
  words.className = "mb-0";
  words.setAttribute("role", "status");
  box.append(bar, words);
  input.insertAdjacentElement("afterend", box);
  return box;
}

function say(input, text, percent) {
  const box = status(input);
  const bar = box.querySelector("progress");
  bar.hidden = percent === null;
  if (percent !== null) bar.value = percent;
  const words = box.querySelector("p");
  if (words.textContent !== text) words.textContent = text;
}

function send(input, file, tell) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", input.dataset.upload);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-CSRFToken", token(input.form));
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) tell(Math.round((100 * event.loaded) / event.total));
    });
    request.addEventListener("load", () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch (error) {
        answer = {};
      }
      if (request.status === 200 && answer.handle) resolve(answer);
      else reject({ final: Boolean(answer.error) && request.status < 500, text: answer.error || "" });
    });
    request.addEventListener("error", () => reject({ final: false, text: "" }));
    request.send(file);
    input.uploading = request;
  });
}

function forget(input) {
  if (input.uploading) input.uploading.abort();
  input.uploading = null;
  const old = input.form.querySelectorAll('input[data-handle-of="' + input.id + '"]');
  Array.prototype.forEach.call(old, (field) => field.remove());
  if (input.dataset.name) input.name = input.dataset.name;
  input.setCustomValidity("");
}

function carry(input, answer) {
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = input.dataset.name + "_handle";
  field.value = answer.handle;
  field.dataset.handleOf = input.id;
  input.insertAdjacentElement("afterend", field);
}

async function sendAll(input) {
  forget(input);
  const files = Array.from(input.files);
  const round = {};
  input.round = round;
  if (!files.length || files.every((file) => file.size < SMALL)) {
    say(input, "", null);
    return;
  }
  const sending = input.dataset.sending || "Envoi du fichier";
  input.setCustomValidity(input.dataset.wait || "Attendez la fin de l’envoi du fichier.");
  const answers = [];
  for (let index = 0; index < files.length; index += 1) {
    const told = files.length > 1 ? " (" + (index + 1) + " / " + files.length + ")" : "";
    const tell = (percent) => say(input, sending + told + " : " + percent + " %", percent);
    tell(0);
    let failure = null;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      try {
        failure = null;
        answers.push(await send(input, files[index], tell));
        break;
      } catch (error) {
        failure = error;
        if (input.round !== round || error.final) break;
      }
    }
    if (input.round !== round) return; // another file was chosen meanwhile
    if (failure && failure.final) {
      say(input, failure.text, null);
      input.setCustomValidity(failure.text);
      return;
    }
    if (failure) {
      input.setCustomValidity("");
      say(input, input.dataset.failed || "Le fichier partira avec le formulaire.", null);
      return;
    }
  }
  input.uploading = null;
  input.dataset.name = input.name;
  answers.forEach((answer) => carry(input, answer));
  input.removeAttribute("name"); // its files have gone ahead
  input.setCustomValidity("");
  say(input, input.dataset.sent || "Fichier reçu, prêt à être ajouté.", null);
  input.dispatchEvent(new CustomEvent("upload:done", { bubbles: true }));
}

document.addEventListener("change", (event) => {
  const input = event.target;
  if (input.matches && input.matches("input[type=file][data-upload]") && input.form) {
    if (!input.id) input.id = "upload-" + Math.random().toString(36).slice(2);
    sendAll(input);
  }
});
