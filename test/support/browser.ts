import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser } from "playwright-core";

const SYSTEM_CHROMIUM = "/usr/bin/chromium";
const FONT_SETTINGS = "hpcb-fonts.conf";

/** A real browser: the system's Chromium where there is one, else the one from the packages. */
export function openBrowser(): Promise<Browser> {
  return existsSync(SYSTEM_CHROMIUM)
    ? chromium.launch({ executablePath: SYSTEM_CHROMIUM, args: sandbox() })
    : openPackedBrowser();
}

/**
 * The browser of the packages, with libraries and fonts of its own: it runs on a machine that has nothing. The package's
 * list of arguments is not used: it switches web security off, and tests of the content security policy would mean nothing.
 */
export function openPackedBrowser(): Promise<Browser> {
  const home = unpacked();
  const inherited = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const env = { ...inherited, LD_LIBRARY_PATH: join(home, "al2023/lib"), FONTCONFIG_FILE: join(home, FONT_SETTINGS) };
  return chromium.launch({ executablePath: join(home, "chromium"), args: sandbox(), env });
}

function sandbox(): string[] {
  return process.getuid?.() === 0 ? ["--no-sandbox"] : [];
}

/** Unpacks aside and moves it into place whole, so that test files may do so at once, and be killed. */
function unpacked(): string {
  const home = join(tmpdir(), "hpcb-chromium");
  if (existsSync(home)) return home;
  const aside = `${home}.${process.pid}`;
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside);
  // The package unpacks its libraries only where it takes itself to be; in a process of its own that harms nobody.
  execFileSync(
    process.execPath,
    ["--input-type=module", "--eval", 'import packed from "@sparticuz/chromium"; await packed.executablePath();'],
    {
      cwd: import.meta.dirname,
      env: { ...process.env, TMPDIR: aside, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x" },
    },
  );
  // Its own settings name a folder it thinks it is in; without a font the browser lays out nothing.
  writeFileSync(
    join(aside, FONT_SETTINGS),
    `<?xml version="1.0"?><fontconfig><dir>${join(home, "fonts")}</dir><cachedir>${join(home, "font-cache")}</cachedir></fontconfig>`,
  );
  try {
    renameSync(aside, home);
  } catch {
    rmSync(aside, { recursive: true, force: true });
  }
  return home;
}
