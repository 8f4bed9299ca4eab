/** Invented exports in the manner of Thai and European banks. */

/** KBank: text above, Thai names, withdrawals and deposits apart, Buddhist years of two digits, oldest first. */
export const KBANK_LIKE = `,,รายการเดินบัญชีเงินฝากออมทรัพย์,,,,,,
,ชื่อบัญชี,มหาวิทยาลัยตัวอย่าง,,,,,,
,เลขที่บัญชีเงินฝาก,012-3-45678-9,,รอบระหว่างวันที่,01/11/2569 - 30/11/2569,,,
,ยอดยกไป,"13,250.75",,,,,,

วันที่,เวลา/ วันที่มีผล,รายการ,ถอนเงิน,ฝากเงิน,ยอดคงเหลือ (บาท),ช่องทาง,รายละเอียด
01-11-69,,ยอดยกมา,,,"10,000.00",,
17-11-69,09:15,รับโอนเงิน,,"1,234.50","11,234.50",K PLUS,จาก SCB X4321 นาย สมชาย ใจดี++ r2026 000123
17-11-69,10:02,รับโอนเงินผ่าน QR,,"2,500.25","13,734.75",EDC/K SHOP/MYQR,"Ref X9X R2026000124, จาก KTB"
18-11-69,00:05,หักบัญชี,484.00,,"13,250.75",หักบัญชีอัตโนมัติ,ค่าธรรมเนียม
`;

/** SCB: English names, codes, newest first, CRLF, an empty cell at the end. */
export const SCB_LIKE = [
  "Account Name : EXAMPLE UNIVERSITY",
  "Account Number : 111-222333-4",
  "",
  "Date,Time,Code,Channel,Cheque No.,Debit,Credit,Balance,Description,",
  "19/11/2026,14:31,X1,ENET,,,500.00,1100.00,กสิกรไทย (KBANK) /X685027 R2026/000125,",
  "18/11/2026,08:00,C2,BCMS,00012345,(400.00),,600.00,CHEQUE,",
  "17/11/2026,16:40,X1,ENET,,,500.00,1000.00,PromptPay x1234 MISS A,",
  "",
].join("\r\n");

/** Krungthai: tab-separated, two languages in a name, direction in a column of its own, dates with Buddhist years. */
export const KRUNGTHAI_LIKE = `เลขที่บัญชี: 981-0-12345-6\t\t\t\t\t\t\t
ลำดับ\tวันที่ทำรายการ / Transaction Date\tรายการ\tจำนวนเงิน (บาท)\tDR/CR\tยอดคงเหลือ\tเลขที่อ้างอิง\tสาขา
1\t17/11/2569 09:00:12\tเงินโอน (IORSDT)\t฿ 1,000.00\tCR\t2,000.00\tKTB0001\t0981
2\t17/11/2569 09:00:12\tเงินโอน (IORSDT)\t฿ 1,000.00\tCR\t3,000.00\tKTB0001\t0981
3\t18/11/2569 12:00:00\tค่าธรรมเนียม\t฿ 15.00\tDR\t2,985.00\tKTB0003\t0981
`;

/** A European bank: semicolons, decimal comma, signed amounts, a quoted field over two lines. */
export const EUROPEAN = `\uFEFF"Booking date";"Value date";"Payer";"Purpose";"Amount";"Currency";"Balance"
"2026-11-16";"2026-11-16";"Universität Zürich";"R-2026-000200; fees
October";"1.234,50";"EUR";"2.234,50"
"2026-11-17";"2026-11-17";"Own bank";"Fee";"-7,00";"EUR";"2.227,50"
`;
