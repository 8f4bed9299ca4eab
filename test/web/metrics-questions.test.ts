import { Registry } from "prom-client";
import { beforeEach, describe, expect, it } from "vitest";
import { ScrapeQuestions } from "../../src/web/plugins/metrics-questions.ts";

let troubles: string[];
let nowMs: number;
let questions: ScrapeQuestions;

beforeEach(() => {
  troubles = [];
  nowMs = 0;
  questions = new ScrapeQuestions({ patienceMs: 50, now: () => nowMs, onTrouble: (part) => troubles.push(part) });
});

describe("questions of a scrape", () => {
  it("that fail leave the series as they were, and the other questions alone", async () => {
    const broken = questions.about("broken", () => Promise.reject(new Error("no such table")));
    const whole = questions.about("whole", () => Promise.resolve(7));
    const seen: unknown[] = [];
    await Promise.all([broken((answer) => seen.push(answer)), whole((answer) => seen.push(answer))]);
    expect(seen).toEqual([7]);
  });

  it("say which part is stale, in the very scrape in which it fails, and that it is well again", async () => {
    const registry = new Registry();
    questions.addTo([registry]);
    let isBroken = true;
    const ask = questions.about("books", () => (isBroken ? Promise.reject(new Error("away")) : Promise.resolve(1)));
    const scrape = async () => (await Promise.all([registry.metrics(), ask(() => undefined)]))[0];
    expect(await scrape()).toContain('hpc_metrics_stale{part="books"} 1');
    isBroken = false;
    expect(await scrape()).toContain('hpc_metrics_stale{part="books"} 0');
  });

  it("tell of a trouble once, not at every scrape", async () => {
    const broken = questions.about("broken", () => Promise.reject(new Error("no such table")));
    await broken(() => undefined);
    await broken(() => undefined);
    expect(troubles).toEqual(["broken"]);
  });

  it("go one after another, so that they take one connection", async () => {
    let open = 0;
    let most = 0;
    const ask = async (): Promise<void> => {
      most = Math.max(most, ++open);
      await new Promise(setImmediate);
      open--;
    };
    await Promise.all(["a", "b", "c"].map((part) => questions.about(part, ask)(() => undefined)));
    expect(most).toBe(1);
  });

  it("are asked once for all series that share them", async () => {
    let asked = 0;
    const count = questions.about("count", () => Promise.resolve(++asked));
    const seen: number[] = [];
    await Promise.all([count((answer) => seen.push(answer)), count((answer) => seen.push(answer))]);
    expect(seen).toEqual([1, 1]);
  });

  it("are not waited for longer than the patience lasts, nor asked again while they hang", async () => {
    let asked = 0;
    let release = (): void => undefined;
    const hanging = questions.about("hanging", () => {
      asked++;
      return new Promise<number>((resolve) => {
        release = () => resolve(1);
      });
    });
    const seen: number[] = [];
    await hanging((answer) => seen.push(answer));
    await hanging((answer) => seen.push(answer));
    expect({ asked, seen }).toEqual({ asked: 1, seen: [] });
    const third = hanging((answer) => seen.push(answer));
    release();
    await third;
    expect(seen).toEqual([1]);
  });

  it("that took long rest for a while, so that metrics do not keep a large database busy", async () => {
    let asked = 0;
    const slow = questions.about("slow", () => {
      nowMs += 300;
      return Promise.resolve(++asked);
    });
    const seen: number[] = [];
    await slow((answer) => seen.push(answer));
    nowMs += 5_999;
    await slow((answer) => seen.push(answer));
    expect(seen).toEqual([1]);
    nowMs += 1;
    await slow((answer) => seen.push(answer));
    expect(seen).toEqual([1, 2]);
  });
});
