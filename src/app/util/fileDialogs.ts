/** The browser's file dialogs, without an input on the page. */
import { chunk } from '../../base/chunks';
import { useCompare } from '../../stores/compare';
import { useData } from '../../stores/data';
import { toErrorData } from '../../stores/errors';
import { useRecipe } from '../../stores/recipe';
import { useScreen } from '../../stores/screen';
import { shell } from '../text/shell';
import { filesOfInput } from './files';
import { navigate } from './route';

const opening = chunk(() => import('../../stores/drop'));

export const datasetEndings = [
  ...['.jsonl', '.ndjson', '.json', '.csv', '.tsv', '.txt', '.md', '.conll', '.srt', '.vtt'],
  ...['.xlsx', '.parquet', '.zip', '.gz', '.zst'],
];

export function pick(
  options: { accept?: string; folder?: boolean; multiple?: boolean },
  take: (list: FileList) => unknown,
): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = options.accept ?? '';
  input.multiple = options.multiple ?? false;
  input.webkitdirectory = options.folder ?? false;
  input.onchange = async () => {
    try {
      if (input.files && input.files.length > 0) await take(input.files);
    } catch (cause) {
      // Nobody waits for this: what opens the files may not be here yet, and not to be had.
      useScreen.getState().showError(toErrorData(cause, shell.drop.unreadable));
    }
  };
  input.click();
}

export function pickDataset(): void {
  pick({ accept: datasetEndings.join(',') }, async (list) => {
    navigate('data', { focus: false });
    await (await opening()).openDatasetFile(list[0]!);
  });
}

/** Base text is stored with the datasets but not trained on as one. */
export function pickBaseText(): void {
  pick({ accept: datasetEndings.join(',') }, async (list) => {
    const source = await useData.getState().importFile(list[0]!);
    if (source !== null) useRecipe.getState().set({ 'dataset.base_text': source });
  });
}

export function pickModelFolder(): void {
  pick({ folder: true }, async (list) => {
    navigate('model', { focus: false });
    await (await opening()).openModelFolder(filesOfInput(list));
  });
}

export function pickGguf(): void {
  pick({ accept: '.gguf' }, async (list) => {
    navigate('model', { focus: false });
    await (await opening()).openModelFolder(filesOfInput(list));
  });
}

/** Tabtune's own, or the config of another trainer. */
export function pickRecipe(): void {
  pick({ accept: '.json,.yml,.yaml' }, async (list) => {
    await (await opening()).openRecipeFile(list[0]!);
  });
}

export function pickAdapterFolder(): void {
  pick({ folder: true }, (list) => useCompare.getState().importAdapter(filesOfInput(list)));
}

/** A zip, or a GGUF file. */
export function pickAdapterFile(): void {
  pick({ accept: '.zip,.gguf' }, async (list) => {
    await (await opening()).receiveFiles(filesOfInput(list));
  });
}
