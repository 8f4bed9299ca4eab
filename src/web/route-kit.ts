/**
 * Everything a route module needs, in one import.
 *
 * @example
 * export const receiptRoutes: RouteModule = (app, ctx) => {
 *   app.get(
 *     "/me/receipts/:id",
 *     { config: { access: "user" }, schema: { params: z.object({ id: z.coerce.bigint() }) } },
 *     async (request, reply) => {
 *       const user = requireUser(request);
 *       const receipt = await findReceiptOf(ctx.db, user.username, request.params.id);
 *       if (receipt === undefined) throw new UserError("there is no such receipt", { status: 404 });
 *       return renderPage(reply, <ReceiptPage frame={userFrame(request, "receipts")} receipt={receipt} />);
 *     },
 *   );
 * };
 */
export type { Access, App, AssetManifest, RouteModule, WebContext } from "./plugins/context.ts";
export type { Metrics } from "./plugins/metrics.ts";
export { receiveRawBodies } from "./plugins/raw-body.ts";
export { renderPage } from "./plugins/render.ts";
export { refererPath, safePath } from "./plugins/same-site.ts";
export {
  adminFrame,
  currentUser,
  langOfRequest,
  pageFrame,
  requireAdmin,
  requireUser,
  themeOfRequest,
  userFrame,
} from "./plugins/visitor.ts";
