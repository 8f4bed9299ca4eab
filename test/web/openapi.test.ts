import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { OPENAPI_FILE, openApiYaml } from "../../scripts/openapi.ts";

it("docs/api/openapi.yaml is what the routes' own schemas say (npm run openapi writes it)", async () => {
  expect(await openApiYaml()).toBe(readFileSync(OPENAPI_FILE, "utf8"));
});
