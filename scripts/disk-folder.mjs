// A model folder on disk, or one GGUF file, as src/hub/types.ts describes it. For commands in Node.
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import path from 'node:path';

/** Reads nothing but what is asked for: weights stay on disk. */
export function diskFolder(place, source) {
  const single = statSync(place).isFile();
  const folder = single ? path.dirname(place) : place;
  const names = single ? [path.basename(place)] : readdirSync(place);
  const sizes = new Map(
    names.flatMap((name) => {
      const stats = statSync(path.join(folder, name), { throwIfNoEntry: false });
      return stats?.isFile() && !name.startsWith('.') ? [[name, stats.size]] : [];
    }),
  );
  return {
    source,
    files: [...sizes.keys()],
    has: (name) => sizes.has(name),
    size: (name) => sizes.get(name),
    text: async (name) => readFileSync(path.join(folder, name), 'utf8'),
    async bytes(name, start = 0, end = sizes.get(name)) {
      const bytes = new Uint8Array(Math.max(0, Math.min(end, sizes.get(name)) - start));
      const file = openSync(path.join(folder, name), 'r');
      try {
        for (let at = 0; at < bytes.length; ) {
          const read = readSync(file, bytes, at, bytes.length - at, start + at);
          if (read === 0) throw new Error(`${name} ended at byte ${start + at}.`);
          at += read;
        }
      } finally {
        closeSync(file);
      }
      return bytes.buffer;
    },
  };
}
