/** A `<details>` that behaves like a menu: closes on Escape and on a click elsewhere. */
export function startMenu(menu: HTMLDetailsElement): void {
  document.addEventListener("click", ({ target }) => {
    if (menu.open && target instanceof Node && !menu.contains(target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
}
