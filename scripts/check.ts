/** `npm run check`: what to run before a commit: everything but the browser tests. */
import { lint } from "./lint.ts";
import { run } from "./run.ts";

await lint();
await run("vitest", ["run", "--project", "unit"]);
