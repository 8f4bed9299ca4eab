/** Who may come in: users, their passwords and sessions. */
export { changeOwnPassword, createUser, findUser, listUsers, setPassword, type PasswordChange } from "./accounts.ts";
export { bootstrapAdmin, seedDemoUsers, type Bootstrap } from "./bootstrap.ts";
export { isAcceptedPassword } from "./password.ts";
export { endSession, findSession, purgeExpired, type Session } from "./sessions.ts";
export { signIn, type SignInAttempt, type SignInOutcome } from "./sign-in.ts";
export type { ThrottleRule } from "./throttle-store.ts";
export { roleSchema, type Role, type SignedInUser, type User } from "./user-store.ts";
export { isUsername } from "./username.ts";
