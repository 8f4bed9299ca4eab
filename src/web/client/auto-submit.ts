/** A filter takes effect when a choice is made; text fields wait for Enter. */
export function startAutoSubmit(form: HTMLFormElement): void {
  form.addEventListener("change", ({ target }) => {
    if (target instanceof HTMLSelectElement) form.requestSubmit();
  });
}
