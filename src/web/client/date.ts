/**
 * Puts the browser's calendar behind the button of a date field. What is sent is the text field, which
 * says `YYYY-MM-DD` in every language; the browser's own field only lends its calendar.
 */
export function startDate(field: HTMLElement): void {
  const text = field.querySelector<HTMLInputElement>("input");
  const button = field.querySelector<HTMLButtonElement>("button");
  if (text === null || button === null) return;
  const native = document.createElement("input");
  native.type = "date";
  native.className = "date-native";
  native.tabIndex = -1;
  native.setAttribute("aria-hidden", "true");
  native.min = text.dataset["min"] ?? "";
  native.max = text.dataset["max"] ?? "";
  field.append(native);

  button.addEventListener("click", () => {
    // Anything that is no day leaves it empty, and the calendar opens at today.
    native.value = text.value;
    native.showPicker();
  });
  native.addEventListener("change", () => {
    if (native.value === "") return;
    text.value = native.value;
    text.dispatchEvent(new Event("change", { bubbles: true }));
    text.focus();
  });
}
