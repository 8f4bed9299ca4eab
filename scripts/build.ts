/**
 * Makes `dist/`: the server bundle, the browser's script and style, the fonts and the manifest of their
 * hashed names. Run directly (`node scripts/build.ts`) or through `ensureBuilt` before a command.
 *
 * Everything is written aside and moved into place at the end, the stamp last, one build at a time: a
 * reader never sees half a file, and a build that was killed is simply made again.
 */
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { isFresh, sourceDigest, STAMP } from "./freshness.ts";
import { withLock } from "./lock.ts";

/** Old hashed files stay this long, so a page that was served before an upgrade still finds its style. */
const KEEP_OLD_MS = 24 * 3600 * 1000;

const PROJECT = resolve(import.meta.dirname, "..");

/** What pages need to know of the build; written to `dist/manifest.json`, names relative to `dist/public`. */
interface Manifest {
  readonly script: string;
  readonly style: string;
  readonly icon: string;
  /** Fonts that every page needs: the Latin letters, and the file that has the baht sign and Thai. */
  readonly fonts: readonly string[];
}

/** Builds if anything changed since the last build. Returns whether it had to. */
export async function ensureBuilt(root: string = PROJECT): Promise<boolean> {
  if (isFresh(root)) return false;
  mkdirSync(join(root, "dist"), { recursive: true });
  return withLock(join(root, "dist/.lock"), async () => {
    // While we waited, another process may have built what we wanted.
    const digest = sourceDigest(root);
    if (isFresh(root, digest)) return false;
    await build(root, digest);
    return true;
  });
}

async function build(root: string, digest: string): Promise<void> {
  const out = join(root, `dist/.build-${process.pid}`);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, "public"), { recursive: true });
  try {
    await buildBrowser(root, out);
    await buildServer(root, out);
    writeFileSync(join(out, basename(STAMP)), digest);
    moveInto(join(root, "dist"), out);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

async function buildServer(root: string, out: string): Promise<void> {
  const entry = join(root, "src/cli/main.ts");
  if (!existsSync(entry)) return;
  const { build: bundle } = await import("esbuild");
  await bundle({
    absWorkingDir: root,
    entryPoints: { cli: entry },
    outdir: out,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    packages: "external",
    // Of 1,700 icons a dozen are used: bundled and shaken, the rest is never loaded.
    alias: { "lucide-static": join(root, "node_modules/lucide-static/dist/esm/lucide-static.mjs") },
    // Commands are imported when called for, so each loads only what it needs.
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    sourcemap: true,
    jsx: "automatic",
    jsxImportSource: "preact",
    logLevel: "warning",
  });
}

/** Script, style, fonts and icon into `out/public`, and their names into `out/manifest.json`. */
export async function buildBrowser(root: string, out: string): Promise<Manifest> {
  const { build: bundle } = await import("esbuild");
  const web = join(root, "src/web");
  const { metafile } = await bundle({
    absWorkingDir: root,
    entryPoints: [
      { in: join(web, "client/main.ts"), out: "app" },
      { in: join(web, "assets/main.css"), out: "app" },
    ],
    outdir: join(out, "public"),
    entryNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    bundle: true,
    minify: true,
    platform: "browser",
    format: "esm",
    // The first of each that know `light-dark()`, on which both themes are built.
    target: ["chrome123", "firefox121", "safari17.5"],
    loader: { ".woff2": "file" },
    metafile: true,
    logLevel: "warning",
  });
  const built = Object.keys(metafile.outputs).map((path) => basename(path));
  const manifest: Manifest = {
    script: theOne(built, /^app-\w+\.js$/),
    style: theOne(built, /^app-\w+\.css$/),
    icon: copyHashed(join(web, "assets/icon.svg"), join(out, "public")),
    fonts: [theOne(built, /-sans-latin-wght-/), theOne(built, /-thai-400-/)],
  };
  writeFileSync(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

function theOne(names: readonly string[], pattern: RegExp): string {
  const found = names.filter((name) => pattern.test(name));
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`expected one file like ${pattern}, got ${found.length}`);
  return only;
}

function copyHashed(file: string, folder: string): string {
  const hash = createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 8).toUpperCase();
  const name = `${basename(file, extname(file))}-${hash}${extname(file)}`;
  copyFileSync(file, join(folder, name));
  return name;
}

/** Hashed files first, then the ones that name them, then the stamp. */
function moveInto(dist: string, out: string): void {
  const files = filesUnder(out);
  const rank = (file: string): number =>
    file === basename(STAMP) ? 3 : file === "manifest.json" ? 2 : file.startsWith("cli.js") ? 1 : 0;
  for (const file of files.toSorted((a, b) => rank(a) - rank(b))) {
    mkdirSync(dirname(join(dist, file)), { recursive: true });
    renameSync(join(out, file), join(dist, file));
  }
  removeOld(dist, new Set(files));
}

function removeOld(dist: string, current: ReadonlySet<string>): void {
  const before = Date.now() - KEEP_OLD_MS;
  for (const file of filesUnder(dist)) {
    const path = join(dist, file);
    if (!current.has(file) && statSync(path).mtimeMs < before) rmSync(path, { force: true });
  }
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

if (import.meta.main) {
  const startedAt = performance.now();
  const built = await ensureBuilt();
  if (built) process.stderr.write(`built dist/ in ${Math.round(performance.now() - startedAt)} ms\n`);
}
