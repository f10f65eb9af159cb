// Under `kg serve --watch` only: asks whether the sources were built again, and then for the page anew.

const { address, state } = document.currentScript.dataset;

// Milliseconds between two questions.
const INTERVAL = 700;

/** Whether somebody is in the middle of writing something here that a new page would lose. */
function writing() {
  const { activeElement } = document;
  return activeElement?.matches("input, textarea") && activeElement.value !== activeElement.defaultValue;
}

async function ask() {
  if (!document.hidden && !writing()) {
    try {
      const answer = await (await fetch(address)).json();
      if (answer.state !== state) {
        location.reload();
        return;
      }
    } catch {
      // The server is starting again, or has ended: the page stays as it is.
    }
  }
  setTimeout(ask, INTERVAL);
}

setTimeout(ask, INTERVAL);
