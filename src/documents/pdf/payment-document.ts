/**
 * What is on a receipt or a credit note, in words: translated, formatted and in the order in which it is shown. The
 * document adds nothing of its own, so it can never say something else than the page does.
 *
 * Any text is taken as it is. A line break in it is a line break on the page.
 */
export interface PaymentDocument {
  readonly lang: "en" | "th";
  /** Name of the site that issued it: at the head, and author of the file. */
  readonly site: string;
  /** `R-2026-000123`: at the foot of every page. */
  readonly number: string;
  /** `Receipt R-2026-000123`; also the title of the file. */
  readonly title: string;
  readonly subtitle?: string | undefined;
  readonly state: { readonly word: string; readonly look: StateLook };
  /** Calendar day as `2026-11-01`: date of the file, whenever it is made. */
  readonly issuedOn: string;
  /** Billed to, accounts, price tier: in two columns. */
  readonly facts: readonly DocumentFact[];
  readonly tables: readonly DocumentTable[];
  readonly sums: readonly DocumentSum[];
  readonly payment?: DocumentPayment | undefined;
  readonly notes: readonly string[];
  /** Who issued it, tax number: beside the page number of every page. */
  readonly footer: string;
}

export type StateLook = "waiting" | "good" | "bad" | "plain";

export interface DocumentFact {
  readonly label: string;
  readonly value: string;
  readonly note?: string | undefined;
}

export interface DocumentTable {
  readonly title?: string | undefined;
  readonly columns: readonly DocumentColumn[];
  /** As many texts a row as there are columns. */
  readonly rows: readonly (readonly string[])[];
}

export interface DocumentColumn {
  readonly header: string;
  /** Numbers and amounts stand at the end of their column and are never broken. */
  readonly align: "start" | "end";
}

export interface DocumentSum {
  readonly label: string;
  readonly value: string;
  readonly look: "plain" | "strong" | "total";
}

export interface DocumentPayment {
  readonly title: string;
  readonly lines: readonly string[];
  /** What the payer must quote. */
  readonly reference?: { readonly label: string; readonly value: string } | undefined;
  readonly qr?: DocumentQr | undefined;
}

/** A QR code as the path of its dark modules, as in SVG, in a square of `size` by `size` that starts at 0, 0. */
export interface DocumentQr {
  /** Modules across, without the white border: that is added here. */
  readonly size: number;
  readonly d: string;
  /** For people who cannot see it: `PromptPay QR code, ฿13,357.10`. */
  readonly description: string;
}
