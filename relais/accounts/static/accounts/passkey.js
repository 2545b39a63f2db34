/* <form data-passkey="sign-in | confirm | add">: its submit button asks the browser for a passkey, then sends the
   answer in the field `credential`. Options come from the form's address (sign-in) or from the JSON element that
   data-options names. Hidden where the browser has no passkeys. */

const SORRY = {
  add: "La clé n’a pas été ajoutée : la demande a été annulée, ou cet appareil est déjà enregistré. Réessayez.",
  other: "La clé n’a pas répondu, ou la demande a été annulée. Réessayez, ou connectez-vous autrement.",
};

function toBytes(text) {
  const padded = text.replace(/-/g, "+").replace(/_/g, "/") + "===".slice((text.length + 3) % 4);
  return Uint8Array.from(atob(padded), (char) => char.charCodeAt(0));
}

function toText(buffer) {
  const chars = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(chars).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

function withBytes(list) {
  return (list || []).map((one) => Object.assign({}, one, { id: toBytes(one.id) }));
}

function described(credential, response) {
  return {
    type: credential.type,
    id: credential.id,
    rawId: toText(credential.rawId),
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

async function ask(options) {
  const wanted = Object.assign({}, options.publicKey, {
    challenge: toBytes(options.publicKey.challenge),
    allowCredentials: withBytes(options.publicKey.allowCredentials),
  });
  const credential = await navigator.credentials.get({ publicKey: wanted });
  const given = credential.response;
  return described(credential, {
    clientDataJSON: toText(given.clientDataJSON),
    authenticatorData: toText(given.authenticatorData),
    signature: toText(given.signature),
    userHandle: given.userHandle ? toText(given.userHandle) : null,
  });
}

async function create(options) {
  const wanted = Object.assign({}, options.publicKey, {
    challenge: toBytes(options.publicKey.challenge),
    user: Object.assign({}, options.publicKey.user, { id: toBytes(options.publicKey.user.id) }),
    excludeCredentials: withBytes(options.publicKey.excludeCredentials),
    // Kept by the device where it can, so that it opens a session alone.
    authenticatorSelection: Object.assign({}, options.publicKey.authenticatorSelection, {
      residentKey: "preferred",
      requireResidentKey: false,
      userVerification: "required",
    }),
  });
  const credential = await navigator.credentials.create({ publicKey: wanted });
  const given = credential.response;
  return described(credential, {
    clientDataJSON: toText(given.clientDataJSON),
    attestationObject: toText(given.attestationObject),
    transports: given.getTransports ? given.getTransports() : [],
  });
}

async function optionsOf(form) {
  if (form.dataset.options) {
    return JSON.parse(document.getElementById(form.dataset.options).textContent);
  }
  const answer = await fetch(form.action, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!answer.ok) {
    throw new Error(`passkey options: ${answer.status}`);
  }
  return (await answer.json()).request_options;
}

function bind(form) {
  const error = form.querySelector("[data-passkey-error]");
  let asking = false;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (asking) {
      return;
    }
    asking = true;
    error.hidden = true;
    try {
      const options = await optionsOf(form);
      const credential = await (form.dataset.passkey === "add" ? create(options) : ask(options));
      form.elements.credential.value = JSON.stringify(credential);
      form.submit();
    } catch (refusal) {
      error.textContent = SORRY[form.dataset.passkey] || SORRY.other;
      error.hidden = false;
      asking = false;
    }
  });
}

if (window.PublicKeyCredential && navigator.credentials) {
  Array.from(document.querySelectorAll("form[data-passkey]")).forEach(bind);
}
