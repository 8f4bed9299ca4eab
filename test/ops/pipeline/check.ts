/** Rules of our own for the workflows, and their scripts as files, for shellcheck. Called by `run` with a folder. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

const [folder = ""] = process.argv.slice(2);
const WORKFLOWS = ".github/workflows";

const step = z.object({
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).default({}),
});
const permissions = z.record(z.string(), z.enum(["read", "write", "none"]));
const workflow = z.object({
  permissions,
  concurrency: z.object({ group: z.string(), "cancel-in-progress": z.union([z.boolean(), z.string()]) }),
  jobs: z.record(z.string(), z.object({ permissions: permissions.optional(), "timeout-minutes": z.int(), steps: z.array(step) })), // prettier-ignore
});

/** The only jobs that may write, and what. */
const WRITERS: Readonly<Record<string, readonly string[]>> = {
  "ci.yml push": ["packages"],
  "release.yml release": ["contents", "packages"],
};

mkdirSync(folder, { recursive: true });
const everything: string[] = [];
for (const name of readdirSync(WORKFLOWS)) {
  const source = readFileSync(join(WORKFLOWS, name), "utf8");
  const parsed = workflow.parse(parse(source));
  everything.push(source);
  assert.deepEqual(parsed.permissions, { contents: "read" }, `${name}: by default a job may read the project only`);
  for (const [job, { permissions: own = {}, steps }] of Object.entries(parsed.jobs)) {
    const writes = Object.keys(own).filter((scope) => own[scope] === "write");
    assert.deepEqual(writes.toSorted(), WRITERS[`${name} ${job}`] ?? [], `${name}: ${job} may write too much`);
    for (const [index, { uses, run, with: inputs }] of steps.entries()) {
      if (uses !== undefined) {
        assert.match(uses, /@[0-9a-f]{40}$/u, `${name}: ${uses} is not pinned to a commit`);
        assert.match(source, new RegExp(`${uses} # v\\d+\\.\\d+\\.\\d+`, "u"), `${name}: which version is ${uses}?`);
      }
      if (uses?.startsWith("actions/checkout@") === true) assert.equal(inputs["persist-credentials"], false, name);
      if (run === undefined) continue;
      assert.doesNotMatch(run, /\$\{\{/u, `${name}: an expression in a script lets its value run as code; use env`);
      writeFileSync(join(folder, `${name}-${job}-${index}.sh`), `#!/bin/bash\nset -eo pipefail\n${run}\n`);
    }
  }
}
const all = everything.join("\n");
for (const part of [
  ".ci/run",
  "npm audit",
  "trivy:",
  "sbom.cdx.json",
  "push: true",
  "imagetools create",
  "release-notes.ts",
  "kubernetes/rollout",
  "compose/deploy",
  "rollout undo",
]) {
  // prettier-ignore
  assert.ok(all.includes(part), `no workflow has ${part}`);
}
report("ok rules: actions pinned to commits, least privilege, no expressions in scripts, no credentials left behind");

function report(line: string): void {
  process.stdout.write(`${line}\n`);
}
