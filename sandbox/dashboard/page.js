// Shows the picture, and fetches it anew while somebody looks.
"use strict";

const MILLISECONDS = 3000;
const place = document.getElementById("picture");
const told = document.getElementById("told");

async function show() {
  try {
    const answer = await fetch(`picture.svg${location.search}`);
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    const drawn = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    place.replaceChildren(document.adoptNode(drawn));
    told.textContent = `as of ${new Date().toLocaleTimeString()}`;
  } catch (error) {
    told.textContent = `${error.message}; the picture is older`;
  }
}

async function keep() {
  if (!document.hidden) await show();
  setTimeout(keep, MILLISECONDS);
}

document.addEventListener("visibilitychange", () => document.hidden || show());
keep();
