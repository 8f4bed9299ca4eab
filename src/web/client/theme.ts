/** The chosen theme lives in a cookie, so the server's next page comes in it without a flash. */
const YEAR_SECONDS = 365 * 24 * 3600;

export function startThemeSwitch(group: HTMLElement): void {
  const buttons = [...group.querySelectorAll<HTMLButtonElement>("[data-theme-choice]")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      choose(button.dataset["themeChoice"] ?? "system");
      for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
    });
  }
}

function choose(theme: string): void {
  const root = document.documentElement;
  const secure = location.protocol === "https:" ? "; secure" : "";
  if (theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
  document.querySelector("meta[name=color-scheme]")?.setAttribute("content", theme === "system" ? "light dark" : theme);
  // "system" is remembered by remembering nothing.
  const age = theme === "system" ? 0 : YEAR_SECONDS;
  document.cookie = `theme=${theme}; path=/; max-age=${age}; samesite=lax${secure}`;
}
