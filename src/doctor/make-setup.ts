import { paymentProviders } from "../payment-providers.ts";
import { PROJECT_ROOT } from "../project-root.ts";
import { ask, type Asked } from "./ask.ts";
import type { Setup } from "./setup.ts";

/** Where the guide's compose file puts its tools for development. */
const PORTS = { adminer: 8080, swagger: 8081 };

/** The installation of a configuration. */
export function makeSetup(
  given: Pick<Setup, "config" | "clock" | "database" | "databaseProblem" | "backupFolder" | "backupHours">,
): Setup {
  const { config, clock } = given;
  let asked: Promise<Asked> | undefined;
  return {
    ...given,
    providers: paymentProviders(config, clock).providers,
    projectRoot: PROJECT_ROOT,
    ports: PORTS,
    // Of a page that everybody may see; it sets the cookie of visitors.
    site: () => (asked ??= ask(`${config.siteBaseUrl}/login`)),
  };
}
