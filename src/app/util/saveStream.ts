/** Writes large files straight to the disk if the browser allows it, instead of holding them in memory. */
import { common } from '../text/common';
import { downloadBlob } from './downloadBlob';

interface SavePicker {
  showSaveFilePicker?: (options: {
    suggestedName: string;
    types: { description: string; accept: Record<string, string[]> }[];
  }) => Promise<FileSystemFileHandle>;
}

export type SaveTarget = { kind: 'file'; handle: FileSystemFileHandle } | { kind: 'download'; name: string };

/** The kinds of files that are saved, by their endings. */
const KINDS: Record<string, { description: string; accept: Record<string, string[]> }> = {
  zip: { description: common.zipArchive, accept: { 'application/zip': ['.zip'] } },
  gguf: { description: common.ggufFile, accept: { 'application/octet-stream': ['.gguf'] } },
};

/**
 * Asks where to save a file; null when the dialog is cancelled. Must be called directly from the press, before the work:
 * browsers show a file dialog only then.
 */
export async function chooseFile(name: string): Promise<SaveTarget | null> {
  const picker = (window as SavePicker).showSaveFilePicker;
  if (!picker) return { kind: 'download', name };
  try {
    const kind = KINDS[name.slice(name.lastIndexOf('.') + 1)];
    const types = kind ? [kind] : [];
    return { kind: 'file', handle: await picker.call(window, { suggestedName: name, types }) };
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') return null;
    // Not allowed, e.g. in a frame of another site: fall back to an ordinary download.
    return { kind: 'download', name };
  }
}

/** Writes the stream to the target. When aborted, an existing file is left unchanged. */
export async function saveStream(
  target: SaveTarget,
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
): Promise<void> {
  if (target.kind === 'file') {
    await stream.pipeTo(await target.handle.createWritable(), { signal });
    return;
  }
  const type = target.name.endsWith('.zip') ? 'application/zip' : 'application/octet-stream';
  const blob = await new Response(stream, { headers: { 'Content-Type': type } }).blob();
  signal.throwIfAborted();
  downloadBlob(blob, target.name);
}
