/** The metadata of a GGUF file under its architecture's prefix. */
import { CONVERT_AGAIN, OTHER_MODEL, refuse } from '../../base/bad-model';
import { type GgufKeys, shortest } from '../../families/gguf/family';
import { type GgufFile, isStrings } from '../../formats/gguf';

/** `prefix` is general.architecture, `where` the file's name. */
export function keysOf(file: Pick<GgufFile, 'metadata' | 'tensors'>, prefix: string, where: string): GgufKeys {
  const value = (name: string) => file.metadata.get(`${prefix}.${name}`);
  const at = (name: string) => `${where}, ${prefix}.${name}`;
  const number = (name: string): number | null => {
    let found = value(name);
    if (found === undefined) return null;
    if (typeof found === 'object' && !isStrings(found)) {
      const [first] = found;
      if (!Array.from<unknown>(found).every((other) => other === first)) {
        refuse(at(name), 'The layers of this model differ in size, which cannot be computed.', OTHER_MODEL);
      }
      found = first;
    }
    if (typeof found !== 'number' || !Number.isFinite(found)) {
      refuse(at(name), `The file gives no number for ${name}.`, CONVERT_AGAIN);
    }
    return shortest(found);
  };
  return {
    where,
    at,
    text(name) {
      const found = value(name);
      return typeof found === 'string' ? found : null;
    },
    flag(name, fallback) {
      const found = value(name);
      return typeof found === 'boolean' ? found : fallback;
    },
    number,
    list(name) {
      const found = value(name);
      return typeof found === 'object' && !isStrings(found) ? Array.from<unknown>(found) : null;
    },
    need: (name) => number(name) ?? refuse(at(name), `The file does not give ${name}.`, CONVERT_AGAIN),
    has: (tensor) => file.tensors.has(tensor),
  };
}
