/** What a run learns from and on, in hashes, so that a resumed run notices other files under the same names. */
import { sha256, sha256OfText } from '../base/digest';
import { TabtuneError } from '../base/errors';
import type { TokenizedDataset, TokenizedExample } from '../data/types';
import type { AdapterFiles } from '../formats/adapter-format';
import { mixOf } from '../recipe/sections';
import type { InputFingerprint, RunInputs, RunRecord } from '../storage/types';

/** Hashed at once; between pieces the page can do something else. */
const PIECE = 2 ** 20;

/** Adds bytes of any length, and hashes them piece by piece into one list. */
class Digest {
  private readonly piece = new Uint8Array(PIECE);
  private filled = 0;
  private bytes = 0;
  private readonly hashes: string[] = [];

  async add(part: Uint8Array): Promise<void> {
    this.bytes += part.length;
    for (let start = 0; start < part.length; ) {
      const taken = part.subarray(start, start + PIECE - this.filled);
      this.piece.set(taken, this.filled);
      this.filled += taken.length;
      start += taken.length;
      if (this.filled === PIECE) await this.flush();
    }
  }

  async end(): Promise<InputFingerprint> {
    await this.flush();
    return { sha256: await sha256OfText(this.hashes.join()), bytes: this.bytes };
  }

  private async flush(): Promise<void> {
    this.hashes.push(await sha256(this.piece.slice(0, this.filled)));
    this.filled = 0;
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => new Uint8Array(buffer, byteOffset, byteLength);

/** Every number of every example: its row, its tokens and its targets, whatever its kind. */
export async function examplesFingerprint({
  train,
  validation,
}: Pick<TokenizedDataset, 'train' | 'validation'>): Promise<InputFingerprint> {
  const digest = new Digest();
  const number = (value: number) => digest.add(viewOf(Float64Array.of(value)));
  const example = async (one: TokenizedExample) => {
    for (const [, value] of Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (typeof value === 'number') await number(value);
      else if (ArrayBuffer.isView(value)) {
        await number(value.byteLength);
        await digest.add(viewOf(value));
      } else await number(Number.NaN);
    }
  };
  for (const part of [train, validation]) {
    await number(part.length);
    for (const one of part) await example(one);
  }
  return digest.end();
}

export async function adapterFingerprint(files: AdapterFiles | null): Promise<InputFingerprint | null> {
  if (!files) return null;
  const digest = new Digest();
  for (const { path, bytes } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    await digest.add(new TextEncoder().encode(`${path}\n${bytes.length}\n`));
    await digest.add(bytes);
  }
  return digest.end();
}

const nameOf = (source: string) => source.replace(/^[a-z]+:/, '');

/** The inputs that are not those of the record. Records of older versions know only how many steps there were. */
export function changedInputs(record: RunRecord, now: RunInputs, totalSteps: number): (keyof RunInputs)[] {
  const before = record.inputs;
  if (!before) return record.totalSteps > 0 && record.totalSteps !== totalSteps ? ['dataset'] : [];
  const names = ['model', 'dataset', 'baseText', 'initAdapter'] as const;
  const changed = names.filter((name) => before[name]?.sha256 !== now[name]?.sha256);
  if (changed.length > 0) return changed;
  return before.examples.sha256 === now.examples.sha256 ? [] : ['examples'];
}

/** What the person is asked about, as one sentence per input. */
function describeChanges({ recipe, inputs }: RunRecord, now: RunInputs, changed: (keyof RunInputs)[]): string {
  const { model, dataset } = recipe;
  const size = (name: keyof RunInputs) => {
    const [before, after] = [inputs?.[name]?.bytes, now[name]?.bytes];
    return before === undefined || after === undefined || before === after ? '' : ` (${after} bytes, then ${before})`;
  };
  const data = nameOf(dataset.source) + (mixOf(dataset).length > 1 ? ', or a file that it is mixed with,' : '');
  const sentences: Record<keyof RunInputs, () => string> = {
    model: () => `${nameOf(model.source)} now holds another model${size('model')}.`,
    dataset: () =>
      inputs ? `${data} is another file now${size('dataset')}.` : `${data} now gives another number of steps.`,
    baseText: () => `The base text ${nameOf(dataset.base_text ?? '')} is another file now${size('baseText')}.`,
    initAdapter: () => 'The adapter that the run continues is another one now.',
    examples: () =>
      `${nameOf(dataset.source)} is the same file, but this version of Tabtune makes other examples of it.`,
  };
  return changed.map((name) => sentences[name]()).join(' ');
}

export function inputsChanged(record: RunRecord, now: RunInputs, changed: (keyof RunInputs)[]): TabtuneError {
  const where = { model: record.recipe.model.source, dataset: record.recipe.dataset.source };
  return new TabtuneError({
    code: 'inputs_changed',
    message: `“${record.name}” was trained on something else. ${describeChanges(record, now, changed)}`,
    where: changed[0] === 'model' ? where.model : where.dataset,
    action: 'Put back what it was trained on, or start a new run. Resuming anyway mixes the two in one adapter.',
    details: changed.map((name) => `${name}: ${record.inputs?.[name]?.sha256} → ${now[name]?.sha256}`).join('\n'),
  });
}
