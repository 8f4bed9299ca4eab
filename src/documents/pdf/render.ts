import type { NodeCompiler } from "@myriaddreamin/typst-ts-node-compiler";
import { documentFonts, FONT_FAMILIES } from "./fonts/index.ts";
import type { PaymentDocument } from "./payment-document.ts";
import { printable } from "./printable.ts";
import { qrImage } from "./qr-image.ts";
import { TEMPLATE } from "./template.ts";

/** For archives: fonts inside, colours defined, text that can be read back, and tags for people who hear the page. */
const PDF_STANDARD = "a-2a";

/** Documents for which the compiler remembers a part that it did not meet again. */
const REMEMBERED_DOCUMENTS = 2;

let loading: Promise<NodeCompiler> | null = null;

/**
 * The document as a PDF, A4. The same document gives the same bytes, whenever it is made. The compiler is loaded with
 * the first one (a tenth of a second) and kept. It works on this thread: some 15 ms for a page, 150 ms for 300 rows.
 */
export async function renderDocument(document: PaymentDocument): Promise<Uint8Array> {
  loading ??= loadCompiler();
  const compiler = await loading;
  try {
    return compiler.pdf(
      { mainFileContent: TEMPLATE, inputs: { document: JSON.stringify(printable(dataOf(document))) } },
      { pdfStandard: PDF_STANDARD },
    );
  } finally {
    compiler.evictCache(REMEMBERED_DOCUMENTS);
  }
}

async function loadCompiler(): Promise<NodeCompiler> {
  try {
    const [{ NodeCompiler: Compiler }, fontBlobs] = await Promise.all([
      import("@myriaddreamin/typst-ts-node-compiler"),
      documentFonts(),
    ]);
    return Compiler.create({ fontArgs: [{ fontBlobs }] });
  } catch (error) {
    loading = null;
    throw error;
  }
}

/** What the template reads. */
function dataOf(document: PaymentDocument): unknown {
  const { payment } = document;
  return {
    ...document,
    fonts: FONT_FAMILIES,
    ...(payment !== undefined && {
      payment: { ...payment, ...(payment.qr !== undefined && { qr: { ...payment.qr, svg: qrImage(payment.qr) } }) },
    }),
  };
}
