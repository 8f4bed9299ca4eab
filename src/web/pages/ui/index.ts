/** Everything pages are made of. */
export * from "./button.tsx";
export * from "./comparison-columns.tsx";
export * from "./form.tsx";
export * from "./icon.tsx";
export * from "./job-state.tsx";
export * from "./navigation.tsx";
export * from "./panel.tsx";
export * from "./stacked-columns.tsx";
export * from "./status.tsx";
export * from "./table.tsx";
export * from "./why-panel.tsx";
export type { AccountUser, Theme } from "./menu.tsx";
