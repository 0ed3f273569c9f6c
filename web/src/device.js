// The key by which a server knows this browser again. It cannot be read out, not even by this page: only used.

/** @import { DeviceProof } from "../generated/protocol.ts" */

const STORE = "device";
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };

/** @type {Promise<CryptoKeyPair> | null} */
let pair = null;

/**
 * Proves to the server that this browser holds its key. Null where there is none: a page on plain http has no WebCrypto, and its
 * device waits at the door at every start.
 * @param {string} challenge @param {string} token @returns {Promise<DeviceProof | null>}
 */
export async function prove(challenge, token) {
  if (!globalThis.crypto?.subtle) return null;
  pair ??= keptPair();
  const { publicKey, privateKey } = await pair;
  const words = new TextEncoder().encode(`diemcau device\n${challenge}\n${token}`);
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, words);
  return { key: base64url(await crypto.subtle.exportKey("raw", publicKey)), signature: base64url(signature) };
}

/** The key of this browser, made at the first start. Where nothing may be kept it lasts as long as the page. */
async function keptPair() {
  const made = () => /** @type {Promise<CryptoKeyPair>} */ (crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]));
  try {
    const base = await opened();
    const kept = await done(base.transaction(STORE).objectStore(STORE).get("key"));
    if (kept) return kept;
    const fresh = await made();
    try {
      await done(base.transaction(STORE, "readwrite").objectStore(STORE).add(fresh, "key"));
      return fresh;
    } catch {
      // Another page of this browser was faster, and its key is the browser's; or this one stores no keys.
      return (await done(base.transaction(STORE).objectStore(STORE).get("key"))) ?? fresh;
    }
  } catch (error) {
    console.warn("this browser keeps no key: its next start is a stranger's", error);
    return made();
  }
}

/** @returns {Promise<IDBDatabase>} */
function opened() {
  const request = indexedDB.open("diemcau", 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return done(request);
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** @param {ArrayBuffer} bytes */
const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
