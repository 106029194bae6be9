// Shows the document and fills in what its security schemes ask for. A token is valid for an hour: reload for another.
"use strict";

const place = document.getElementById("page");

async function start() {
  const answer = await fetch("settings.json");
  if (!answer.ok) {
    place.textContent = await answer.text();
    return;
  }
  const settings = await answer.json();
  document.title = settings.document.info.title;
  const page = window.SwaggerUIBundle({
    domNode: place,
    spec: settings.document,
    deepLinking: true,
    displayRequestDuration: true,
    filter: true,
    // The badge of a validator on the internet.
    validatorUrl: null,
    onComplete() {
      for (const [scheme, value] of Object.entries(settings.credentials)) {
        page.preauthorizeApiKey(scheme, value);
      }
    },
  });
}

start();
