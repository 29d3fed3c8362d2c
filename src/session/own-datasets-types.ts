/** The person's own datasets, as the screen asks for them. */
import type { DatasetEdit } from '../data/edits';
import type { ParsedDataset } from '../data/types';
import type { ReadingSection } from '../recipe/sections';
import type { Reading } from './data-host';

/** A file of the person's own that is kept in this browser. */
export interface OwnDataset {
  source: string;
  name: string;
  bytes: number;
  addedAt: number;
  /** Null until it has been opened. */
  examples: number | null;
  /** The fields of the recipe's dataset with which it was last read. */
  reading: Record<string, unknown>;
  /** It differs from the file that was added. */
  edited: boolean;
}

export interface AddedDataset {
  source: string;
  dataset: ParsedDataset;
}

export interface OwnDatasetsApi {
  /** Parses a dropped file, and stores it if it can be used, never in place of another. It is then the open dataset. */
  addDataset(file: File, section: ReadingSection, how?: Reading): Promise<AddedDataset>;
  ownDatasets(): Promise<OwnDataset[]>;
  /** Edits the stored copy of the open dataset. */
  editDataset(source: string, edit: DatasetEdit): Promise<ParsedDataset>;
  /** The stored copy as it was before the last edit of this visit, and after it again. */
  undoEdit(source: string): Promise<ParsedDataset>;
  redoEdit(source: string): Promise<ParsedDataset>;
  /** The file as the person added it. */
  resetDataset(source: string): Promise<ParsedDataset>;
}
