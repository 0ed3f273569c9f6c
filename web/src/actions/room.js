// What the buttons about screens do: one function, one frame.

/** @import { Layout, ParagraphRef, SiteId } from "../../generated/protocol.ts" */
/** @import { Ask } from "./floor.js" */

/** @param {Ask} ask @param {Layout} layout */
export const setLayout = (ask, layout) => ask({ type: "set_layout", layout });

/** Says what is wanted: two who press at once mean the same. @param {Ask} ask @param {boolean} on */
export const setBlank = (ask, on) => ask({ type: "set_blank", on });

/** @param {Ask} ask @param {Layout | null} layout */
export const previewLayout = (ask, layout) => ask({ type: "preview_layout", layout });

/** @param {Ask} ask @param {Layout} expect */
export const takePreview = (ask, expect) => ask({ type: "take_preview", expect });

/** @param {Ask} ask @param {string} text */
export const setNotice = (ask, text) => ask({ type: "set_notice", text });

/** @param {Ask} ask @param {ParagraphRef | null} at */
export const showParagraph = (ask, at) => ask({ type: "show_paragraph", at });

/** @param {Ask} ask @param {SiteId | null} site */
export const setSpotlight = (ask, site) => ask({ type: "set_spotlight", site });

/** @param {Ask} ask @param {number | null} seconds */
export const setCarousel = (ask, seconds) => ask({ type: "set_carousel", seconds });

/** @param {Ask} ask @param {number} page */
export const setPage = (ask, page) => ask({ type: "set_page", page });
