/** The names in a zip archive, from its directory at the end. Reads no contents, so that the page can ask where it belongs. */

/** The directory is behind the contents; names beyond this are not needed to recognise an archive. */
const TAIL = 1 << 20;

/** Empty if the file is no archive, or an unusual one. */
export async function zipNames(file: Blob): Promise<string[]> {
  const start = Math.max(0, file.size - TAIL);
  const bytes = new Uint8Array(await file.slice(start).arrayBuffer());
  const view = new DataView(bytes.buffer);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) return [];
  let at = view.getUint32(end + 16, true) - start;
  const names: string[] = [];
  while (at >= 0 && at + 46 <= end && view.getUint32(at, true) === 0x02014b50) {
    const length = view.getUint16(at + 28, true);
    names.push(new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + length)));
    at += 46 + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return names;
}
