/**
 * Who is paid by a PromptPay QR, as the configuration names it. The shapes are those of the Thai QR Payment Standard
 * (Bank of Thailand): tag 29 for a PromptPay ID, tag 30 for a biller.
 */
export type PromptPayTarget =
  | {
      readonly kind: "person";
      /** A mobile number (`0812345678`), a national or tax id (13 digits) or an e-wallet (15 digits). */
      readonly id: string;
    }
  | {
      readonly kind: "biller";
      /** 15 digits: the tax id and a suffix of two digits that the bank gave. */
      readonly billerId: string;
    };

/** What `readPromptPayId` accepts, for messages that begin with the variable's name. */
export const PROMPTPAY_ID_TAKES =
  "takes a Thai mobile number (0812345678), a national or tax id of 13 digits with a right check digit, or an e-wallet id of 15 digits";

/** What `readBillerId` accepts, for messages that begin with the variable's name. */
export const PROMPTPAY_BILLER_ID_TAKES = "takes the 15 digits of a biller id: the tax id and the bank's suffix";

/** Reads PROMPTPAY_ID; blanks and hyphens do not matter. Undefined for anything else than `PROMPTPAY_ID_TAKES`. */
export function readPromptPayId(text: string): PromptPayTarget | undefined {
  const id = withoutPunctuation(text).replace(/^(?:\+|00)?66(?=[689]\d{8}$)/u, "0");
  return isMobile(id) || isTaxId(id) || /^\d{15}$/u.test(id) ? { kind: "person", id } : undefined;
}

/** Reads PROMPTPAY_BILLER_ID; blanks and hyphens do not matter. Undefined for anything but 15 digits. */
export function readBillerId(text: string): PromptPayTarget | undefined {
  const billerId = withoutPunctuation(text);
  return /^\d{15}$/u.test(billerId) ? { kind: "biller", billerId } : undefined;
}

export function isMobile(id: string): boolean {
  return /^0[689]\d{8}$/u.test(id);
}

/** The last of the 13 digits checks the others (modulo 11): one wrong digit would pay a stranger. */
function isTaxId(id: string): boolean {
  if (!/^\d{13}$/u.test(id)) return false;
  const sum = Array.from(id.slice(0, 12), Number).reduce((total, digit, at) => total + digit * (13 - at), 0);
  return (11 - (sum % 11)) % 10 === Number(id.slice(12));
}

function withoutPunctuation(text: string): string {
  return text.replace(/[\s-]/gu, "");
}
