/** The page that lists the API's operations. */
import { defineMessages } from "../define.ts";

export const api = defineMessages({
  en: {
    "api.about": "About",
    "api.download": "OpenAPI document",
    "api.none": "No operations are described yet",
    "api.parameter": "Parameter",
    "api.required": "Required.",
  },
  th: {
    "api.about": "คำอธิบาย",
    "api.download": "เอกสาร OpenAPI",
    "api.none": "ยังไม่มีคำอธิบายของ API",
    "api.parameter": "พารามิเตอร์",
    "api.required": "จำเป็น",
  },
});
