/** Files too large to be held in memory go straight to a place on the disk, where the browser lets a page write there. */
import { downloadBlob } from './download';

interface SavePicker {
  showSaveFilePicker?: (options: {
    suggestedName: string;
    types: { description: string; accept: Record<string, string[]> }[];
  }) => Promise<FileSystemFileHandle>;
}

export type SaveTarget = { kind: 'file'; handle: FileSystemFileHandle } | { kind: 'download'; name: string };

/**
 * Asks where to save a zip; null when the person closes the question. It has to be asked in the moment of the press,
 * before the work: a browser shows its file dialog only then.
 */
export async function chooseZip(name: string): Promise<SaveTarget | null> {
  const picker = (window as SavePicker).showSaveFilePicker;
  if (!picker) return { kind: 'download', name };
  try {
    const types = [{ description: 'Zip archive', accept: { 'application/zip': ['.zip'] } }];
    return { kind: 'file', handle: await picker.call(window, { suggestedName: name, types }) };
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') return null;
    // Not allowed in a frame of another site, say: the browser's own downloads still are.
    return { kind: 'download', name };
  }
}

/** Writes the stream to where it was to go. Aborted, it leaves what was there before. */
export async function saveStream(
  target: SaveTarget,
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
): Promise<void> {
  if (target.kind === 'file') {
    await stream.pipeTo(await target.handle.createWritable(), { signal });
    return;
  }
  const blob = await new Response(stream, { headers: { 'Content-Type': 'application/zip' } }).blob();
  signal.throwIfAborted();
  downloadBlob(blob, target.name);
}
