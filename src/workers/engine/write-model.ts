/** The open model in one file, in any layout, written to a scratch file piece by piece. */
import type { ExportProgress, ModelLayout, WrittenModel } from '../../exports/export';
import { openScratch } from '../../storage/scratch';
import { mergeModel } from './merge';
import type { MergeModel } from './merged-tensors';
import { writeGguf } from './write-gguf';

export async function writeModel(
  open: MergeModel,
  layout: ModelLayout,
  { folder, name }: { folder: string; name: string },
  onProgress: (progress: ExportProgress) => void = () => {},
  signal?: AbortSignal,
): Promise<WrittenModel> {
  const file = await openScratch(folder, name);
  try {
    const put = (piece: ArrayBuffer) => file.write(piece);
    const { task, outputApart } =
      layout.format === 'gguf'
        ? await writeGguf(open, layout, put, onProgress, signal)
        : await mergeModel(open, layout.dtype, put, onProgress, signal);
    return { blob: await file.finish(), task, outputApart };
  } catch (cause) {
    await file.discard();
    throw cause;
  }
}
