// What a person typed, as it is sent.

/** One form for every keyboard and system; tone placement stays as typed. @param {string} text */
export const tidy = (text) => text.normalize("NFC").trim();
