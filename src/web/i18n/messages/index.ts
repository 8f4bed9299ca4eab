import { api } from "./api.ts";
import { auth } from "./auth.ts";
import { common } from "./common.ts";
import { errors } from "./errors.ts";
import { jobStates } from "./job-states.ts";

/** One file per page area; adding one here is all it takes. */
export const areas = [api, auth, common, errors, jobStates];
