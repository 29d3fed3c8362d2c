/** Several datasets as one file, which the data worker reads as one. */
import { type MixedFile, packMix } from '../data/mix';
import { mixOf, type ReadingSection, readingOf } from '../recipe/sections';
import type { DatasetSection } from '../recipe/types';
import type { DatasetFile } from './data-host';

/** What is needed to read a dataset; a recipe's section has it. */
export type SourceSection = ReadingSection & Pick<DatasetSection, 'source'> & Partial<DatasetSection>;

const asDetected = { format: 'auto', columns: null, encoding: 'auto', table: null, merge_labels: false } as const;
/** Each file of a mix is read as if it were alone; what compares rows, or names them, is about the whole. */
export const alone = { mix: {}, leave_out_rows: null, near_duplicates: 'keep' } as const;

/** `open` finds each of them; `onRead` is given the bytes of all before they are handed over. */
export async function mixedFile(
  section: SourceSection,
  open: (section: SourceSection) => Promise<DatasetFile>,
  onRead: (key: string, bytes: ArrayBuffer) => Promise<void>,
): Promise<DatasetFile> {
  const { replace_personal, drop_personal } = section;
  const others = { ...section, ...asDetected };
  const files = await Promise.all(
    mixOf(section).map(async ({ source }, i) => {
      const own = i === 0 ? section : { ...others, replace_personal, drop_personal };
      return { source, file: await open({ ...own, ...alone, source }) };
    }),
  );
  const reading = readingOf(section);
  const key = JSON.stringify([files.map(({ file }) => file.key), reading]);
  return {
    key,
    name: files.map(({ file }) => file.name).join(' + '),
    section: reading,
    read: async () => {
      const parts: MixedFile[] = [];
      for (const { source, file } of files) {
        parts.push({ source, name: file.name, bytes: new Uint8Array(await file.read()), section: file.section });
      }
      const packed = packMix(parts);
      await onRead(key, packed);
      return packed;
    },
  };
}
