/** Embeds texts with the open model, pooled as its folder says. */
import { readPooling } from '../hub/pooling';
import type { DataHost } from './data-host';
import { answerLimit, type EngineHost } from './engine-host';
import type { ModelSession } from './models';

export interface EmbedNeeds {
  engine: EngineHost;
  data: DataHost;
  models: ModelSession;
}

export async function embed({ engine, data, models }: EmbedNeeds, texts: string[]): Promise<Float32Array[]> {
  const { tokenizer, folder, info } = models.require();
  const { mode, normalize, maxLength, lowercase } = await readPooling(folder);
  const limit = Math.min(maxLength ?? info.contextLength, info.contextLength);
  const ids = await data.encodeTexts(tokenizer, lowercase ? texts.map((text) => text.toLowerCase()) : texts, limit);
  return engine.use((api) => api.embed(ids, { mode, normalize, adapterStrength: 1 }), answerLimit);
}
