/** Bytes in base64. `String.fromCharCode` takes only so many arguments at once. */
const PIECE = 0x6000;

export function base64(bytes: Uint8Array): string {
  let text = '';
  // A multiple of three, so that the pieces can be joined.
  for (let at = 0; at < bytes.length; at += PIECE) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + PIECE)));
  }
  return text;
}
