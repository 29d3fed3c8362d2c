/** SHA-256 of bytes that are all in memory, in hexadecimal; storage/sha256.ts takes them piece by piece. */
export async function sha256(bytes: BufferSource): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export const sha256OfText = (text: string): Promise<string> => sha256(new TextEncoder().encode(text));
