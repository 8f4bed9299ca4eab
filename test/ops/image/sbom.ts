import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";

const document = z.object({
  bomFormat: z.literal("CycloneDX"),
  specVersion: z.enum(["1.4", "1.5", "1.6"]),
  components: z.array(z.object({ group: z.string().optional(), name: z.string(), purl: z.string() })),
});

/** What the validator of the CycloneDX project says of it, by the schema of the version that it claims. */
export async function validateSbom(text: string, tools: string): Promise<{ problems: unknown; names: Set<string> }> {
  const sbom = document.parse(JSON.parse(text));
  const main = createRequire(join(tools, "package.json")).resolve("@cyclonedx/cyclonedx-library");
  const library: unknown = await import(pathToFileURL(main).href);
  const { JsonStrictValidator } = z
    .object({ Validation: z.object({ JsonStrictValidator: constructorOf }) })
    .parse(library).Validation;
  const problems = await new JsonStrictValidator(sbom.specVersion).validate(text);
  const names = sbom.components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`));
  return { problems: problems ?? [], names: new Set(names) };
}

interface Validator {
  validate(text: string): Promise<unknown>;
}

const constructorOf = z.custom<new (version: string) => Validator>((value) => typeof value === "function");
