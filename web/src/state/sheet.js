// Cells of a file that a spreadsheet opens.

/** What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection"), in full width too: Excel reads those alike. */
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** A cell that a spreadsheet would take for a formula is made a text; quotes are doubled. @param {string | number} value */
export function cell(value) {
  const text = String(value);
  const safe = typeof value === "string" && FORMULA.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
