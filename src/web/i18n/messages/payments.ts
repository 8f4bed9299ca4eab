/** Paying a receipt, and how it went. */
import { defineMessages } from "../define.ts";

export const payments = defineMessages({
  en: {
    "payments.backToReceipt": "Back to the receipt",
    "payments.canceled.hint":
      "The payment was cancelled and nothing was charged. The receipt is still open; you can pay it at any time.",
    "payments.canceled.title": "Payment cancelled",
    "payments.confirm.about":
      "You pay receipt {number}: {count, plural, one {# job} other {# jobs}} that ended up to {day}.",
    "payments.confirm.next":
      "The next page is the payment provider's ({provider}). The receipt is settled once the provider confirms the payment.",
    "payments.confirm.once":
      "A receipt can be paid only once: opening this page again, or in another tab, leads to the same payment.",
    "payments.confirm.title": "Pay receipt {number}?",
    "payments.failed.hint":
      "The bank did not take the payment and nothing was charged. The receipt is still open; you can safely try again.",
    "payments.failed.title": "The payment did not go through",
    "payments.open.hint": "No payment of this receipt was started yet.",
    "payments.open.title": "Not paid yet",
    "payments.paid.hint": "{amount} for receipt {number} arrived on {time}.",
    "payments.paid.title": "Thank you, it is paid",
    "payments.pay": "Pay {amount}",
    "payments.provider.dummy": "simulation",
    "payments.retry": "Try again",
    "payments.simulate.about":
      "This page stands in for a payment provider's while the product is being developed. No money moves. Choose what the provider should report:",
    "payments.simulate.cancel": "Cancel",
    "payments.simulate.fail": "Let it fail",
    "payments.simulate.payment": "Payment",
    "payments.simulate.succeed": "Pay {amount}",
    "payments.simulate.title": "Simulated payment",
    "payments.void.hint": "Receipt {number} was made void. There is nothing to pay on it.",
    "payments.void.title": "This receipt is void",
    "payments.waiting.hint":
      "The provider has not confirmed the payment yet. This page changes by itself; you can also close it, nothing is lost.",
    "payments.waiting.refresh": "Look again",
    "payments.waiting.resume": "Continue the payment",
    "payments.waiting.title": "Waiting for the bank",
  },
  th: {
    "payments.backToReceipt": "กลับไปที่ใบเสร็จ",
    "payments.canceled.hint": "ยกเลิกการชำระแล้ว ไม่มีการตัดเงิน ใบเสร็จยังเปิดอยู่ ชำระได้ทุกเมื่อ",
    "payments.canceled.title": "ยกเลิกการชำระเงินแล้ว",
    "payments.confirm.about": "คุณกำลังชำระใบเสร็จ {number} จำนวน {count, number} งานที่จบถึง {day}",
    "payments.confirm.next": "หน้าถัดไปเป็นของผู้ให้บริการชำระเงิน ({provider}) ใบเสร็จจะเป็นชำระแล้วเมื่อผู้ให้บริการยืนยันการชำระ",
    "payments.confirm.once": "ใบเสร็จหนึ่งใบชำระได้ครั้งเดียว แม้เปิดหน้านี้ซ้ำหรือเปิดในแท็บอื่น ก็จะไปที่การชำระเดียวกัน",
    "payments.confirm.title": "ชำระใบเสร็จ {number} ใช่ไหม",
    "payments.failed.hint": "ธนาคารไม่รับการชำระและไม่มีการตัดเงิน ใบเสร็จยังเปิดอยู่ ลองใหม่ได้อย่างปลอดภัย",
    "payments.failed.title": "ชำระเงินไม่สำเร็จ",
    "payments.open.hint": "ยังไม่ได้เริ่มชำระใบเสร็จนี้",
    "payments.open.title": "ยังไม่ได้ชำระ",
    "payments.paid.hint": "ได้รับ {amount} ของใบเสร็จ {number} เมื่อ {time}",
    "payments.paid.title": "ขอบคุณ ชำระเรียบร้อยแล้ว",
    "payments.pay": "ชำระ {amount}",
    "payments.provider.dummy": "ระบบจำลอง",
    "payments.retry": "ลองอีกครั้ง",
    "payments.simulate.about":
      "หน้านี้ใช้แทนหน้าของผู้ให้บริการชำระเงินระหว่างการพัฒนาระบบ ไม่มีเงินเคลื่อนไหวจริง เลือกผลที่ต้องการให้ผู้ให้บริการแจ้ง:",
    "payments.simulate.cancel": "ยกเลิก",
    "payments.simulate.fail": "ให้ไม่สำเร็จ",
    "payments.simulate.payment": "การชำระเงิน",
    "payments.simulate.succeed": "ชำระ {amount}",
    "payments.simulate.title": "จำลองการชำระเงิน",
    "payments.void.hint": "ใบเสร็จ {number} ถูกยกเลิกแล้ว จึงไม่มียอดต้องชำระ",
    "payments.void.title": "ใบเสร็จนี้ถูกยกเลิก",
    "payments.waiting.hint": "ผู้ให้บริการยังไม่ยืนยันการชำระ หน้านี้จะเปลี่ยนเองเมื่อมีผล ปิดหน้านี้ก็ได้ ข้อมูลไม่สูญหาย",
    "payments.waiting.refresh": "ตรวจอีกครั้ง",
    "payments.waiting.resume": "ชำระเงินต่อ",
    "payments.waiting.title": "รอการยืนยันจากธนาคาร",
  },
});
