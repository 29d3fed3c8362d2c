/**
 * The name under which a dropped file or folder is stored: one path segment that is valid everywhere. Names appear in
 * recipes (`file:NAME`), so they are changed as little as possible.
 */
export function storedName(name: string, fallback: string): string {
  const last = name.split(/[\\/]/).at(-1) ?? '';
  const clean = last
    .normalize('NFC')
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, '')
    .trim()
    .replace(/^\.+/, '');
  if (clean === '') return fallback;
  if (clean.length <= 120) return clean;
  // Keep the extension, which gives the file type.
  const ending = /\.[A-Za-z0-9]{1,8}$/.exec(clean)?.[0] ?? '';
  return clean.slice(0, 120 - ending.length) + ending;
}
