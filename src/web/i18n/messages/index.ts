import { admin } from "./admin.ts";
import { adminAudit } from "./admin-audit.ts";
import { adminBilling } from "./admin-billing.ts";
import { adminMoney } from "./admin-money.ts";
import { adminPayments } from "./admin-payments.ts";
import { adminSources } from "./admin-sources.ts";
import { adminReconcile } from "./admin-reconcile.ts";
import { adminTiers } from "./admin-tiers.ts";
import { adminUsage } from "./admin-usage.ts";
import { api } from "./api.ts";
import { auth } from "./auth.ts";
import { common } from "./common.ts";
import { corrections } from "./corrections.ts";
import { documents } from "./documents.ts";
import { errors } from "./errors.ts";
import { group } from "./group.ts";
import { jobStates } from "./job-states.ts";
import { me } from "./me.ts";
import { meJobs } from "./me-jobs.ts";
import { payments } from "./payments.ts";
import { rates } from "./rates.ts";
import { playground } from "./playground.ts";
import { receipts } from "./receipts.ts";

/** One file per page area; adding one here is all it takes. */
export const areas = [
  adminUsage,
  admin,
  rates,
  adminTiers,
  adminSources,
  adminBilling,
  adminMoney,
  adminPayments,
  adminAudit,
  adminReconcile,
  api,
  auth,
  common,
  corrections,
  documents,
  errors,
  group,
  jobStates,
  me,
  meJobs,
  payments,
  playground,
  receipts,
];
