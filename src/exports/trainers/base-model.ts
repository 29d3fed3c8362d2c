/** How Python opens the base: by its name and commit on the Hub, or as a folder that goes along. */
import type { ExportedFile, ExportSource } from '../export';

export interface BaseModel {
  /** ORG/NAME; null for the folder. */
  id: string | null;
  revision: string | null;
  /** The GGUF file of the repository or folder; null for safetensors. */
  gguf: string | null;
}

/** The folder that goes along. */
export const BASE_FOLDER = 'base';

/** `hf:ORG/NAME@COMMIT/FILE`, of which commit and file may be missing. */
const HUB = /^hf:([^@]+?)(?:@([^/]+))?(?:\/([^/@]+\.gguf))?$/;

export function baseModelOf({ folder, base }: ExportSource['model']): BaseModel {
  const [, id, revision, gguf] = HUB.exec(folder.source) ?? [];
  if (id)
    return {
      id,
      revision: folder.commit ?? (revision ? decodeURIComponent(revision) : base.revision),
      gguf: gguf ?? null,
    };
  return { id: null, revision: null, gguf: folder.files.find((name) => name.endsWith('.gguf')) ?? null };
}

/** Read and handed to the browser in pieces, so that no model is in memory whole. */
const PIECE = 16 * 2 ** 20;

/** The files of a base that nobody finds elsewhere; none for one of the Hub. */
export async function baseFiles(
  { folder }: ExportSource['model'],
  { id }: BaseModel,
  { signal, onBytes }: { signal?: AbortSignal; onBytes(bytes: number): void },
): Promise<ExportedFile[]> {
  if (id !== null) return [];
  const files: ExportedFile[] = [];
  for (const name of folder.files) {
    const size = folder.size(name);
    let blob = new Blob();
    for (let start = 0; size !== undefined && start < size; start += PIECE) {
      signal?.throwIfAborted();
      const piece = await folder.bytes(name, start, Math.min(size, start + PIECE));
      blob = new Blob([blob, piece]);
      onBytes(piece.byteLength);
    }
    if (size === undefined) blob = new Blob([await folder.bytes(name)]);
    files.push({ path: `${BASE_FOLDER}/${name}`, blob });
  }
  return files;
}
