/** The browser's part, loaded as a deferred module. Each behaviour has a file; here they meet the page. */
import { attach } from "./attach.ts";
import { startAutoSubmit } from "./auto-submit.ts";
import { startChart } from "./chart-tooltip.ts";
import { startCopy } from "./copy.ts";
import { startDate } from "./date.ts";
import { startLiveForm } from "./live-form.ts";
import { startMenu } from "./menu.ts";
import { startPoll } from "./poll.ts";
import { startPrint } from "./print.ts";
import { guardSubmit } from "./submit-once.ts";
import { startThemeSwitch } from "./theme.ts";

attach("[data-chart]", HTMLElement, startChart);
attach("[data-theme-switch]", HTMLElement, startThemeSwitch);
attach("[data-date]", HTMLElement, startDate);
attach("[data-menu]", HTMLDetailsElement, startMenu);
attach("[data-copy]", HTMLButtonElement, startCopy);
attach("form[data-auto-submit]", HTMLFormElement, startAutoSubmit);
attach("form[method=post]", HTMLFormElement, guardSubmit);
attach("[data-poll-url]", HTMLElement, startPoll);
attach("form[data-live-form]", HTMLFormElement, startLiveForm);
attach("[data-print]", HTMLButtonElement, startPrint);
