/** Installed versions, as deploy/systemd/install.sh lays them out: `releases/<version>` and the link `current`. */
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ROOT } from "../proxy/processes.ts";

const packageSchema = z.looseObject({ version: z.string() });
const manifestSchema = z.looseObject({ style: z.string() });

/** Copies the built application under another version, and with a style of another name, as a real one would have. */
export function installVersion(home: string, version: string): void {
  const folder = join(home, "releases", version);
  mkdirSync(folder, { recursive: true });
  for (const part of ["bin", "dist", "migrations"]) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const description = packageSchema.parse(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ ...description, version }));

  const path = join(folder, "dist/manifest.json");
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  const style = `app-${version.replaceAll(".", "")}.css`;
  const assets = join(folder, "dist/public");
  renameSync(join(assets, manifest.style), join(assets, style));
  // Left from builds before: one that both versions have would hide that they differ.
  for (const name of readdirSync(assets)) {
    if (name.endsWith(".css") && name !== style) rmSync(join(assets, name));
  }
  writeFileSync(path, JSON.stringify({ ...manifest, style }));
}

export function chooseVersion(home: string, version: string): void {
  rmSync(join(home, "current"), { force: true });
  symlinkSync(`releases/${version}`, join(home, "current"));
}
