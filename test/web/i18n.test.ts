import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { IntlMessageFormat } from "intl-messageformat";
import { describe, expect, it } from "vitest";
import { mergeAreas } from "../../src/web/i18n/catalogue.ts";
import { defineMessages } from "../../src/web/i18n/define.ts";
import { langOf, parseLang, translator } from "../../src/web/i18n/index.ts";

const WEB = resolve(import.meta.dirname, "../../src/web");
const en = mergeAreas("en");
const th = mergeAreas("th");

/** Names and kinds of the values a message takes, found by walking its parsed form. */
function valuesOf(text: string): string[] {
  const found = new Set<string>();
  JSON.stringify(new IntlMessageFormat(text, "en", undefined, { ignoreTag: true }).getAst(), (_key, node: unknown) => {
    if (
      node !== null &&
      typeof node === "object" &&
      "type" in node &&
      "value" in node &&
      node.type !== 0 &&
      typeof node.value === "string"
    ) {
      found.add(node.value);
    }
    return node;
  });
  return [...found].toSorted();
}

/** All of src/web but the catalogues: where keys are used. */
function sources(): string {
  return readdirSync(WEB, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path) && !path.startsWith(join("i18n", "messages")))
    .map((path) => readFileSync(join(WEB, path), "utf8"))
    .join("\n");
}

describe("the catalogues", () => {
  it("have the same keys in both languages", () => {
    expect([...th.keys()].toSorted()).toEqual([...en.keys()].toSorted());
  });

  it("take the same values in both languages, and parse", () => {
    for (const [key, text] of en)
      expect({ key, values: valuesOf(th.get(key) ?? "") }).toEqual({ key, values: valuesOf(text) });
  });

  it("leave nothing empty or untranslated by accident", () => {
    for (const [key, text] of th) {
      expect(text.trim(), key).toBe(text);
      expect(text.length, key).toBeGreaterThan(0);
    }
  });

  it("hold only what the pages use", () => {
    const used = sources();
    expect([...en.keys()].filter((key) => !used.includes(`"${key}"`))).toEqual([]);
  });

  it("hold everything the pages ask for", () => {
    const asked = [...sources().matchAll(/\bt\(\s*"([^"]+)"/g)].map(([, key]) => key ?? "");
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter((key) => !en.has(key))).toEqual([]);
  });

  it("refuse a key that two areas define", () => {
    const area = defineMessages({ en: { "a.b": "one" }, th: { "a.b": "หนึ่ง" } });
    expect(() => mergeAreas("en", [area, area])).toThrow('"a.b" is defined twice');
  });
});

describe("the translator", () => {
  it("fills in values and groups numbers", () => {
    expect(translator("en")("pager.showing", { shown: 50, total: 12_345 })).toBe("Showing 50 of 12,345, newest first");
    expect(translator("th")("pager.showing", { shown: 50, total: 12_345 })).toBe(
      "แสดง 50 จาก 12,345 รายการ เรียงจากล่าสุด",
    );
    expect(translator("en")).toBe(translator("en"));
  });
});

describe("the visitor's language", () => {
  it("is the one chosen before, else the browser's first that we have, else English", () => {
    expect(langOf({ cookie: "th", acceptLanguage: "en" })).toBe("th");
    expect(langOf({ cookie: "fr", acceptLanguage: "de, th-TH;q=0.8, en;q=0.7" })).toBe("th");
    expect(langOf({ acceptLanguage: "th;q=0.1, en-GB;q=0.9" })).toBe("en");
    expect(langOf({ acceptLanguage: "th;q=0, *" })).toBe("en");
    expect(langOf({})).toBe("en");
    expect(parseLang("TH")).toBeNull();
  });
});
