/** The models and datasets that come with Tabtune: two lists served with the page. */
import { create } from 'zustand';
import type { DatasetFormat } from '../recipe/types';

export interface ListedModel {
  name: string;
  title: string;
  description: string;
  licence: string;
  parameters: number;
  bytes: number;
}

export interface ListedDataset {
  name: string;
  title: string;
  description: string;
  file: string;
  format: DatasetFormat;
  examples: number;
  licence: string;
  suggestedPrompts: string[];
  /** Text like a base's training data is not offered as a dataset; dataset.base_text names it. */
  purpose?: 'base_text' | 'earlier';
}

interface BuiltinsState {
  models: ListedModel[];
  datasets: ListedDataset[];
  load: () => Promise<void>;
}

/** A list by itself, or as a field named after the folder. */
async function fetchList<T>(folder: string): Promise<T[]> {
  try {
    const response = await fetch(new URL(`${folder}/index.json`, document.baseURI));
    if (!response.ok) return [];
    const value = (await response.json()) as unknown;
    const list = Array.isArray(value) ? value : (value as Record<string, unknown>)[folder];
    return Array.isArray(list) ? (list as T[]) : [];
  } catch {
    // Without the lists the shelves are empty; a model or dataset that is already chosen still opens by name.
    return [];
  }
}

export const useBuiltins = create<BuiltinsState>()((set) => ({
  models: [],
  datasets: [],
  async load() {
    const [models, datasets] = await Promise.all([
      fetchList<ListedModel>('models'),
      fetchList<ListedDataset>('datasets'),
    ]);
    set({ models, datasets: datasets.filter(({ purpose }) => purpose === undefined) });
  },
}));
