/** How fast a prompt is read and an answer written, one text at a time. */
import type { DecodeRow } from '../../benchmark/result';
import { generateBatch } from '../generation/generate-batch';
import type { LanguageModel } from '../models/model';
import { spreadOf } from './measure';

export async function measureDecode(
  model: LanguageModel,
  names: { model: string; format: string },
  prompt: number,
  answer: number,
): Promise<DecodeRow> {
  const ids = Int32Array.from({ length: prompt }, (_, i) => (i * 37 + 5) % model.vocabSize);
  const options = {
    temperature: 1,
    topK: 50,
    topP: 0.95,
    stopTokenIds: [],
    seed: 1,
    draw: 0,
    maxNewTokens: answer + 1,
  };
  const write = async () => {
    const times = [performance.now()];
    const [written] = await generateBatch(model, {}, [ids], options, () => false, {
      onToken: () => void times.push(performance.now()),
      over: () => false,
    });
    if (written!.ids.length !== answer + 1) throw new Error('The benchmark’s answer has another length.');
    const [read, ...tokens] = times.slice(1).map((at, i) => at - times[i]!);
    return { read: read!, tokens };
  };
  // The first compiles.
  await write();
  const { read, tokens } = await write();
  return {
    ...names,
    prompt,
    prefill_tokens_per_second: (1000 * prompt) / read,
    decode_tokens_per_second: 1000 / spreadOf(tokens).median,
  };
}
