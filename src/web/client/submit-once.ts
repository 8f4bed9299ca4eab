/**
 * A form that changes something is sent once, however often its button is pressed. The server is safe
 * against doubles anyway; this spares people the doubt.
 */
export function guardSubmit(form: HTMLFormElement): void {
  form.addEventListener("submit", (event) => {
    if (form.dataset["sent"] !== undefined) {
      event.preventDefault();
      return;
    }
    if (event.defaultPrevented) return;
    form.dataset["sent"] = "";
    const button = event.submitter;
    // After the form's fields were collected: a disabled button's own name and value would be left out.
    if (button instanceof HTMLButtonElement) setTimeout(() => showBusy(form, button));
  });
}

function showBusy(form: HTMLFormElement, button: HTMLButtonElement): void {
  const words = button.querySelector(".button-text");
  const before = words?.textContent ?? "";
  button.disabled = true;
  if (words !== null && button.dataset["busy"] !== undefined) words.textContent = button.dataset["busy"];
  // Coming back with the browser's Back button may show the very same page again: it must work again.
  addEventListener(
    "pageshow",
    () => {
      delete form.dataset["sent"];
      button.disabled = false;
      if (words !== null) words.textContent = before;
    },
    { once: true },
  );
}
