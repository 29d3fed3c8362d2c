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

/** The name of the dropped folder or GGUF file. Files that were chosen individually have no folder name. */
export function modelName(files: { path: string }[]): string {
  const config = files.find(({ path }) => /(^|\/)config\.json$/.test(path)) ?? files[0];
  const gguf = files.length === 1 && /([^/]+)\.gguf$/i.exec(files[0]!.path)?.[1];
  if (gguf) return storedName(gguf, 'my-model');
  return storedName(config?.path.split('/').at(-2) ?? '', 'my-model');
}
