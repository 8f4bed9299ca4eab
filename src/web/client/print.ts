/** Prints the page; absent where scripts are off, for the browser's own menu does the same. */
export function startPrint(button: HTMLButtonElement): void {
  button.addEventListener("click", () => print());
}
