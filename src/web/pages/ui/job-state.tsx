/** A job's state by Slurm's long name, as a word in a pill. */
import type { MessageKey, Translator } from "../../i18n/index.ts";
import { Pill, type Tone } from "./status.tsx";

const STATES = new Map<string, readonly [key: Extract<MessageKey, `state.${string}`>, tone: Tone]>([
  ["BOOT_FAIL", ["state.bootFail", "neutral"]],
  ["CANCELLED", ["state.cancelled", "neutral"]],
  ["COMPLETED", ["state.completed", "good"]],
  ["COMPLETING", ["state.completing", "waiting"]],
  ["CONFIGURING", ["state.configuring", "waiting"]],
  ["DEADLINE", ["state.deadline", "bad"]],
  ["EXPEDITING", ["state.pending", "waiting"]],
  ["FAILED", ["state.failed", "bad"]],
  ["LAUNCH_FAILED", ["state.launchFailed", "bad"]],
  ["NODE_FAIL", ["state.nodeFail", "neutral"]],
  ["OUT_OF_MEMORY", ["state.outOfMemory", "bad"]],
  ["PENDING", ["state.pending", "waiting"]],
  ["POWER_UP_NODE", ["state.powerUpNode", "waiting"]],
  ["PREEMPTED", ["state.preempted", "neutral"]],
  ["RECONFIG_FAIL", ["state.reconfigFail", "bad"]],
  ["REQUEUED", ["state.requeued", "neutral"]],
  ["REQUEUE_FED", ["state.requeued", "waiting"]],
  ["REQUEUE_HOLD", ["state.requeueHold", "waiting"]],
  ["RESIZING", ["state.resizing", "neutral"]],
  ["RESV_DEL_HOLD", ["state.reservationDeleted", "waiting"]],
  ["REVOKED", ["state.revoked", "neutral"]],
  ["RUNNING", ["state.running", "waiting"]],
  ["SIGNALING", ["state.signaling", "waiting"]],
  ["SPECIAL_EXIT", ["state.specialExit", "bad"]],
  ["STAGE_OUT", ["state.stageOut", "waiting"]],
  ["STOPPED", ["state.stopped", "waiting"]],
  ["SUSPENDED", ["state.suspended", "waiting"]],
  ["TIMEOUT", ["state.timeout", "bad"]],
  ["UPDATE_DB", ["state.updateDb", "waiting"]],
]);

/** The words for a state; a state that Slurm invents later shows as it is named. */
export function jobStateText(state: string, t: Translator): string {
  const known = STATES.get(state);
  if (known !== undefined) return t(known[0]);
  return state === "" ? t("state.unknown") : state;
}

export function JobStatePill({ state, t }: { readonly state: string; readonly t: Translator }) {
  return <Pill tone={STATES.get(state)?.[1] ?? "neutral"}>{jobStateText(state, t)}</Pill>;
}
