/** What a coordinator sees of the accounts they coordinate. */
import { defineMessages } from "../define.ts";

export const group = defineMessages({
  en: {
    "group.about": "{accounts, plural, one {# account} other {# accounts}}, as the cluster has them now",
    "group.byMember": "By person",
    "group.cost": "Cost of your group",
    "group.costAccount": "Cost of {account} and all accounts below it",
    "group.costMember": "Cost of {member} on accounts of your group",
    "group.emptyFirst": "No jobs on these accounts yet",
    "group.emptyFirstHint":
      "Jobs on accounts that you coordinate count here once they have ended and the cluster's accounting was read.",
    "group.emptyLast": "The last of these jobs ended on {day}.",
    "group.jobsOf": "{jobs, plural, one {# job} other {# jobs}} of {people, plural, one {one person} other {# people}}",
    "group.member": "Person",
    "group.shownAccounts": "The {shown, number} accounts with the highest cost of {count, number}; the file has all.",
    "group.shownPeople": "{shown, number} of {count, number} people, highest cost first",
    "group.sumsOnly": "You see sums, not single jobs.",
    "group.title": "Usage of your group",
    "group.totalAccounts": "Total of all {count, number} accounts",
    "group.totalPeople": "Total of all {count, number} people",
  },
  th: {
    "group.about": "{accounts, number} บัญชี ตามที่คลัสเตอร์กำหนดไว้ขณะนี้",
    "group.byMember": "ตามผู้ใช้",
    "group.cost": "ค่าใช้จ่ายของกลุ่ม",
    "group.costAccount": "ค่าใช้จ่ายของ {account} และทุกบัญชีที่อยู่ใต้",
    "group.costMember": "ค่าใช้จ่ายของ {member} ในบัญชีของกลุ่ม",
    "group.emptyFirst": "ยังไม่มีงานในบัญชีเหล่านี้",
    "group.emptyFirstHint": "งานในบัญชีที่คุณดูแลจะรวมไว้ที่นี่ เมื่องานจบและระบบอ่านบัญชีการใช้งานของคลัสเตอร์แล้ว",
    "group.emptyLast": "งานล่าสุดในกลุ่มนี้จบเมื่อ {day}",
    "group.jobsOf": "{jobs, number} งาน จากผู้ใช้ {people, number} คน",
    "group.member": "ผู้ใช้",
    "group.shownAccounts": "แสดง {shown, number} บัญชีที่มีค่าใช้จ่ายสูงสุดจาก {count, number} บัญชี ไฟล์ CSV มีครบทุกบัญชี",
    "group.shownPeople": "{shown, number} จาก {count, number} คน เรียงตามค่าใช้จ่ายจากมากไปน้อย",
    "group.sumsOnly": "แสดงเฉพาะยอดรวม ไม่แสดงงานรายตัว",
    "group.title": "การใช้งานของกลุ่ม",
    "group.totalAccounts": "รวมทั้ง {count, number} บัญชี",
    "group.totalPeople": "รวมทั้ง {count, number} คน",
  },
});
