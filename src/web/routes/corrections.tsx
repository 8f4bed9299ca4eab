import { z } from "zod";
import { correctionsOfJob, findCorrection, owedFor, recordVersions, settlementsOf } from "../../billing/corrections.ts";
import type { Queries } from "../../db/database.ts";
import { CorrectionPage } from "../pages/receipts/correction.tsx";
import { MessageError } from "../plugins/message-error.ts";
import { renderPage, requireUser, userFrame, type App } from "../route-kit.ts";
import { readerOf } from "./support/reader.ts";
import { parseReceiptId } from "./support/receipt-access.ts";

/** Both versions of a record that changed after it was billed, for whoever got the receipt, and for admins. */
export function correctionRoute(app: App, db: Queries): void {
  app.get(
    "/me/corrections/:id",
    { config: { access: "user" }, schema: { params: z.object({ id: z.string() }) } },
    async (request, reply) => {
      const user = requireUser(request);
      const id = parseReceiptId(request.params.id);
      const correction = id === undefined ? undefined : await findCorrection(db, id);
      // Somebody else's is as unknown as one that never was.
      if (correction === undefined || (correction.userName !== user.username && user.role !== "admin"))
        throw new MessageError("error.text.notFound", { status: 404 });
      const { userName } = correction;
      const [versions, settlements, owedMinor, corrections] = await Promise.all([
        recordVersions(db, correction.id),
        settlementsOf(db, correction, userName),
        owedFor(db, correction, userName),
        correctionsOfJob(db, correction, { userName }),
      ]);
      return renderPage(
        reply,
        <CorrectionPage
          frame={userFrame(request, "receipts")}
          fmt={readerOf(request, correction.currency).fmt}
          correction={correction}
          versions={versions}
          settlements={settlements}
          owedMinor={owedMinor}
          corrections={corrections}
        />,
      );
    },
  );
}
