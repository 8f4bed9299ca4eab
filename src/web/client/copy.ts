const SHOWN_MS = 2000;

/** Copies `data-copy` and says so for a moment with `data-copied`. */
export function startCopy(button: HTMLButtonElement): void {
  const words = button.querySelector(".button-text") ?? button;
  const before = words.textContent;
  let timer: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(button.dataset["copy"] ?? "").then(
      () => {
        words.textContent = button.dataset["copied"] ?? before;
        clearTimeout(timer);
        timer = setTimeout(() => (words.textContent = before), SHOWN_MS);
      },
      // Refused by the browser: the text stands beside the button and can be marked by hand.
      () => {},
    );
  });
}
