/* A family shares a telephone: two tabs, two patients, one cookie. What a patient's page sends says whose page it was,
   so that the server refuses what would land in the other's space. */

const meta = document.querySelector('meta[name="relais-holder"]');

if (meta) {
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (form.method === "post" && !form.querySelector("[name=relais_holder]")) {
        const field = document.createElement("input");
        field.type = "hidden";
        field.name = "relais_holder";
        field.value = meta.content;
        form.appendChild(field);
      }
    },
    true,
  );
  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-Relais-Holder"] = meta.content;
  });
}
