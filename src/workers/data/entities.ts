/** HTML's entities that are common in texts from web pages. */
const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/** Each entity is replaced once: “&amp;lt;” was written for “&lt;”. */
export function withoutEntities(text: string): string {
  return text.replace(/&(?:(amp|lt|gt|quot|apos|nbsp)|#(\d{1,6})|#x([\da-f]{1,5}));/gi, (found, name, decimal, hex) => {
    if (name !== undefined) return named[(name as string).toLowerCase()]!;
    const code = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal);
    // Control characters and halves of a character are no text.
    if (code < 32 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return found;
    return String.fromCodePoint(code);
  });
}
