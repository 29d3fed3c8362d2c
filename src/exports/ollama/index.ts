/** A folder from which Ollama makes a model. */
import { leavesModel, methodOf } from '../../methods';
import type { Export } from '../export';

/** `wholeModel` is the export of the merged model as a GGUF file, for bases that are none themselves. */
export const ollamaWith = (wholeModel: Export): Export<'ollama'> => ({
  id: 'ollama',
  group: 'model',
  holdsSystemPrompt: () => true,
  label: () => 'Ollama folder',
  forWhom: 'Ollama',
  contents: ({ method }) =>
    leavesModel(methodOf(method))
      ? '**A Modelfile** and the model as a GGUF file in one zip, for `ollama create NAME -f Modelfile`.'
      : '**A Modelfile** and the merged model as a GGUF file in one zip, or the adapter alone if the base is a GGUF file, for `ollama create NAME -f Modelfile`.',
  refusal: (exported) => wholeModel.refusal(exported),
  fileName: (name) => `${name}-ollama.zip`,
  writer: async () => (await import('./write')).ollamaWriter(() => wholeModel.writer()),
});
