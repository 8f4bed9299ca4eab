/**
 * `node scripts/release-notes.ts 0.2.0`: what CHANGELOG.md says of a version, for the release's page. Fails when it says
 * nothing, and when package.json has another version, so that nothing is released by mistake.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const UNRELEASED = "Unreleased";

/** The text below the heading of a version, up to the next. */
export function releaseNotes(changelog: string, version: string): string {
  const sections = sectionsOf(changelog);
  const text = sections.get(version);
  if (text === undefined) {
    const known = [...sections.keys()].join(", ");
    throw new Error(`CHANGELOG.md has no section "## ${version}", only: ${known}`);
  }
  if (text === "") throw new Error(`the section "## ${version}" of CHANGELOG.md is empty`);
  const left = sections.get(UNRELEASED);
  if (left !== undefined && left !== "" && [...sections.keys()].find((name) => name !== UNRELEASED) === version) {
    throw new Error(
      `"## ${UNRELEASED}" of CHANGELOG.md still has changes: move them into "## ${version}", or to a later one`,
    );
  }
  return text;
}

/** Texts by heading, in the file's order. A heading may carry a date: `## 0.2.0 (2026-12-01)`. */
function sectionsOf(changelog: string): Map<string, string> {
  const sections = new Map<string, string>();
  for (const part of changelog.split(/^## /mu).slice(1)) {
    const [heading = "", ...lines] = part.split("\n");
    const name = heading.replace(/\s+\(?\d{4}-\d{2}-\d{2}\)?\s*$/u, "").trim();
    if (sections.has(name)) throw new Error(`CHANGELOG.md has two sections "## ${name}"`);
    sections.set(name, lines.join("\n").trim());
  }
  return sections;
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..");
  const version = (process.argv[2] ?? "").replace(/^v/u, "");
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const current = z.object({ version: z.string() }).parse(manifest).version;
    if (current !== version) throw new Error(`package.json has version ${current}, not "${version}"`);
    process.stdout.write(`${releaseNotes(readFileSync(join(root, "CHANGELOG.md"), "utf8"), version)}\n`);
  } catch (error) {
    process.stderr.write(`release-notes: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
