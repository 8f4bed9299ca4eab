/** `npm run check`: what to run before a commit: everything but the browser tests. */
import "./lint.ts";
import { run } from "./run.ts";

await run("vitest", ["run", "--project", "unit"]);
