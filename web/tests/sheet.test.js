// Cells of the attendance sheet: what a person typed is never a formula, whatever program opens the file (RFC 4180, OWASP).

import assert from "node:assert/strict";
import { test } from "node:test";
import { cell } from "../src/state/sheet.js";

test("what a spreadsheet would calculate is a text", () => {
  for (const typed of ["=1+1", "+84 277", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A1", '=HYPERLINK("http://x";"y")']) {
    assert.ok(cell(typed).startsWith(`"'`), JSON.stringify(typed));
  }
});

test("everything else stays as it was typed", () => {
  assert.equal(cell("Bà Nguyễn Thị B, ốm"), '"Bà Nguyễn Thị B, ốm"');
  assert.equal(cell('ông "Ba"'), '"ông ""Ba"""');
  assert.equal(cell("H'Linh Êban"), `"H'Linh Êban"`);
  assert.equal(cell(-42), '"-42"', "a figure of ours is a number, also below zero");
  assert.equal(cell("a=b"), '"a=b"');
});

test("a cell cannot end itself", () => {
  assert.equal(cell('","=1+1'), '""",""=1+1"');
  assert.equal(cell('a\r\n=1+1'), '"a\r\n=1+1"', "a line within quotes is within its cell");
});
