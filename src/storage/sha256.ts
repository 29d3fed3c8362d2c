/** SHA-256 of bytes that come piece by piece: crypto.subtle wants them all at once. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

export class Sha256 {
  private readonly hash = sha256.create();

  update(bytes: Uint8Array): this {
    this.hash.update(bytes);
    return this;
  }

  /** In hexadecimal. Nothing can be added afterwards. */
  digest(): string {
    return bytesToHex(this.hash.digest());
  }
}
