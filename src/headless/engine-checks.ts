/** What checks against other software ask of the engine itself. */
import type { Connection } from '../rpc/rpc';
import type { EngineApi } from '../workers/engine/api';
import { tell } from './host';
import type { GreedyPrompt, RunOptions, RunOutput } from './protocol';

export type EngineCalls = Connection<EngineApi>['api'];

/** Greedy continuations, past tokens that end a text. */
export async function answered(
  engine: EngineCalls,
  asked: GreedyPrompt[],
  adapterStrength: number,
): Promise<number[][]> {
  const answers: number[][] = [];
  for (const { prompt, tokens } of asked) {
    await tell({ type: 'progress', text: `answering prompt ${answers.length + 1} of ${asked.length}` });
    const settings = { maxNewTokens: tokens, temperature: 0, topP: 1, seed: 0, adapterStrength, stopTokenIds: [] };
    answers.push(Array.from(await engine.generate(Int32Array.from(prompt), settings, () => {})));
  }
  return answers;
}

/** The mean loss per token of a text that the trained model gives, in nats. */
async function trainedLoss(engine: EngineCalls, ids: number[]): Promise<number> {
  // The first token is not predicted.
  const losses = (await engine.tokenLosses('active', Int32Array.from(ids))).subarray(1);
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** Logits, continuations and losses of the model as it was trained. */
export async function askTrained(
  engine: EngineCalls,
  { logitsOf, greedyOf, lossOf }: Pick<RunOptions, 'logitsOf' | 'greedyOf' | 'lossOf'>,
): Promise<Pick<RunOutput, 'logits' | 'greedy' | 'losses'>> {
  const logits: RunOutput['logits'] = [];
  for (const input_ids of logitsOf) {
    const at = async (strength: number) => Array.from(await engine.logits(Int32Array.from(input_ids), strength));
    logits.push({ input_ids, base_logits: await at(0), logits: await at(1) });
  }
  const greedy = await answered(engine, greedyOf, 1);
  const losses: number[] = [];
  for (const ids of lossOf) losses.push(await trainedLoss(engine, ids));
  return { logits, greedy, losses };
}
