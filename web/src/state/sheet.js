// Cells of a file that a spreadsheet opens.

/** A cell that a spreadsheet would take for a formula is made a text; quotes are doubled. @param {string | number} value */
export function cell(value) {
  const text = String(value);
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value === "string" ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
