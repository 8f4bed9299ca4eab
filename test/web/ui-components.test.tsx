import { renderToString } from "preact-render-to-string";
import { describe, expect, it } from "vitest";
import { formatter } from "../../src/web/format.ts";
import { translator } from "../../src/web/i18n/index.ts";
import { adminNav } from "../../src/web/pages/layout.tsx";
import * as ui from "../../src/web/pages/ui/index.ts";
import { ACTIVE_STATES, TERMINAL_STATES } from "../../src/slurm/job-record.ts";
import { october } from "./ui-gallery-data.ts";
import { GALLERY, renderGallery } from "./ui-gallery.tsx";

const t = translator("en");
const fmt = formatter({ lang: "en", timeZone: "Asia/Bangkok", currency: "THB" });
const assets = { script: "/assets/a.js", style: "/assets/a.css", icon: "/assets/i.svg", fonts: [] };

describe.each(GALLERY)("the page %s", (page) => {
  const html = renderGallery(page, { lang: "en", theme: "system", assets });

  it("holds nothing that the content security policy forbids", () => {
    expect(html).not.toMatch(/ style=|<style|javascript:| on[a-z]+="/);
    expect([...html.matchAll(/<script[^>]*>/g)].map(([tag]) => tag)).toEqual([
      '<script type="module" src="/assets/a.js">',
    ]);
  });

  it("uses each id once and has one main heading", () => {
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(ids).toEqual([...new Set(ids)]);
    expect(html.match(/<h1[ >]/g)).toHaveLength(1);
  });
});

describe("what people wrote", () => {
  it("is shown as text, whatever it looks like", () => {
    const evil = `"><script>alert(1)</script>`;
    const html = renderToString(<ui.Input id="q" name="q" label={evil} value={evil} hint={evil} error={evil} />);
    expect(html).not.toContain("<script>");
  });
});

describe("the chart", () => {
  const html = renderToString(<ui.StackedColumns t={t} fmt={fmt} id="c" title="Cost" days={october} />);

  it("says each day's exact values to those who hear it, and leads to the jobs", () => {
    expect(html).toContain('aria-label="4 Oct 2026: CPU ฿366.00, GPU ฿1,268.00, Memory ฿104.00, Total ฿1,738.00"');
    expect(html).toContain('href="/me?view=detail&amp;start=2026-10-04&amp;before=2026-10-04"');
  });

  it("stands columns on zero, stacked, in proportion", () => {
    const column = html.slice(html.indexOf("4 Oct 2026: CPU"));
    const [cpu, gpu, memory] = [
      ...column.matchAll(/class="piece fill-\w+"[^>]* y="([\d.]+)%" height="([\d.]+)%"/g),
    ].map(([, y, height]) => ({ y: Number(y), height: Number(height) }));
    expect((cpu?.y ?? 0) + (cpu?.height ?? 0)).toBeCloseTo(100, 2);
    expect((gpu?.y ?? 0) + (gpu?.height ?? 0)).toBeCloseTo(cpu?.y ?? -1, 2);
    expect((memory?.y ?? 0) + (memory?.height ?? 0)).toBeCloseTo(gpu?.y ?? -1, 2);
    // 1,268 of an axis up to 2,000.
    expect(gpu?.height).toBeCloseTo(63.4, 1);
  });

  it("sums its table exactly", () => {
    const total = october.reduce((sum, { cpu, gpu, memory }) => sum + cpu + gpu + memory, 0n);
    expect(html.slice(html.indexOf("<tfoot"))).toContain(fmt.money(total));
  });

  it("draws a window without any use, and one without any day", () => {
    expect(
      renderToString(
        <ui.StackedColumns
          t={t}
          fmt={fmt}
          id="c"
          title="Cost"
          days={[{ day: "2026-10-01", cpu: 0n, gpu: 0n, memory: 0n }]}
        />,
      ),
    ).not.toMatch(/NaN|Infinity/);
    expect(renderToString(<ui.StackedColumns t={t} fmt={fmt} id="c" title="Cost" days={[]} />)).not.toMatch(
      /NaN|Infinity/,
    );
  });
});

describe("job states", () => {
  it("all have words, and one that Slurm invents later shows its name", () => {
    for (const state of [...TERMINAL_STATES, ...ACTIVE_STATES]) expect(ui.jobStateText(state, t)).not.toBe(state);
    expect(ui.jobStateText("SOMETHING_NEW", t)).toBe("SOMETHING_NEW");
  });
});

describe("the console's navigation", () => {
  it("names only what is built", () => {
    expect(adminNav(t, "rates", new Set(["dashboard", "rates"])).map(({ href, current }) => [href, current])).toEqual([
      ["/admin", false],
      ["/admin?section=rates", true],
    ]);
  });
});

describe("bars", () => {
  it("are as long as their share of the largest, and nothing for nothing", () => {
    const html = renderToString(
      <ui.BarList
        items={[
          { label: "a", size: 200n, value: "" },
          { label: "b", size: 50n, value: "" },
          { label: "c", size: 0n, value: "" },
        ]}
      />,
    );
    expect([...html.matchAll(/fill-cpu" width="([^"]+)"/g)].map(([, width]) => width)).toEqual(["100%", "25%", "0%"]);
  });
});
