import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";

export const kubernetesObject = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
export type KubernetesObject = z.infer<typeof kubernetesObject>;

interface Model {
  validate(): void;
}

const modelConstructor = z.custom<new (object: unknown) => Model>((value) => typeof value === "function");
const moduleExports = z.record(z.string(), z.unknown());

/**
 * By the published API description, twice: validators made from it know formats and patterns, and say nothing of a field
 * that does not exist; types made from it know no formats, and the compiler says when a name is misspelt.
 *
 * @param all the objects by the file that they come from.
 * @param work a folder for what the compiler reads.
 * @param tools where the packages with validators and types are installed.
 */
export async function checkSchemas(
  all: ReadonlyMap<string, readonly KubernetesObject[]>,
  work: string,
  tools: string,
): Promise<void> {
  const packages = join(tools, "node_modules");
  const lines: string[] = [];
  for (const [file, objects] of all) {
    for (const [index, object] of objects.entries()) {
      await validate(object, packages, file);
      const name = `${object.kind}_${file.replaceAll(/\W/gu, "_")}_${index}`;
      lines.push(`import type { I${object.kind} as I${name} } from "${modelOf(object)}";`);
      lines.push(`export const ${name}: I${name} = ${JSON.stringify(object, null, 2)};`);
    }
  }
  symlinkSync(packages, join(work, "node_modules"));
  writeFileSync(join(work, "package.json"), '{"type":"module"}');
  writeFileSync(join(work, "typed.ts"), `${lines.join("\n")}\n`);
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler"];
  const compiler = [resolve("node_modules/typescript/bin/tsc"), "--ignoreConfig", ...options, "typed.ts"];
  const { status, stdout, stderr } = spawnSync(process.execPath, compiler, { cwd: work, encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
}

async function validate(object: KubernetesObject, packages: string, file: string): Promise<void> {
  const path = join(packages, `${modelOf(object)}.js`);
  assert.ok(existsSync(path), `no schema for ${object.apiVersion} ${object.kind}`);
  const exported = moduleExports.parse(await import(pathToFileURL(path).href));
  const Model = modelConstructor.parse(exported[object.kind]);
  try {
    new Model(object).validate();
  } catch (error) {
    throw new Error(`${file}: ${object.kind} ${object.metadata.name}: ${String(error)}`, { cause: error });
  }
}

/** Where the packages keep the model of a kind. */
function modelOf({ apiVersion, kind }: KubernetesObject): string {
  const isOperator = apiVersion.startsWith("monitoring.coreos.com/");
  return `${isOperator ? "@kubernetes-models/prometheus-operator" : "kubernetes-models"}/${apiVersion}/${kind}`;
}
