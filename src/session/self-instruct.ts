/** Self-Instruct with the open model: asks it round after round, and stores what is kept at once (src/self-instruct). */
import { TabtuneError } from '../base/errors';
import {
  answerOf,
  classificationPrompt,
  endOf,
  endRound,
  instancePrompt,
  type ModelPrompt,
  nextRequests,
  promptSeeds,
  type RawAnswer,
  RougePool,
  requestPrompt,
  type SelfInstructDraft,
  SHOTS,
  SHOWN,
  saysYes,
  seedTasks,
  shotsOf,
  withClassification,
  withInstances,
  withInstructions,
} from '../self-instruct';
import { deleteFile, openFile, putFile } from '../storage/files';
import type { DataHost } from './data-host';
import type { EngineHost } from './engine-host';
import type { LoadedAdapters } from './loaded-adapters';
import type { ModelSession } from './models';
import type { WritingEnd, WritingNow } from './self-instruct-types';

import { StreamText } from './stream-text';

export { seedsIn } from './self-instruct-seeds';

export interface WritingNeeds {
  engine: EngineHost;
  data: DataHost;
  models: ModelSession;
  loaded: LoadedAdapters;
}

interface Watching {
  onDraft(draft: SelfInstructDraft): void;
  onNow(now: WritingNow): void;
  signal: AbortSignal;
}

const DRAFT = 'draft/self-instruct.json';

export async function readDraft(): Promise<SelfInstructDraft | null> {
  const stored = await openFile(DRAFT);
  if (!stored) return null;
  const draft = JSON.parse(new TextDecoder().decode(await stored.read())) as SelfInstructDraft;
  // One of a later version is left as it is until something is written in its place.
  return draft.version === 1 ? draft : null;
}

export async function storeDraft(draft: SelfInstructDraft): Promise<void> {
  await putFile(DRAFT, new TextEncoder().encode(JSON.stringify(draft)));
}

export const deleteDraft = (): Promise<void> => deleteFile(DRAFT);

/** As the paper asks for the examples of a task, and for whether it is one of classification. */
const GREEDY = { temperature: 0, top_p: 1 };
const CLASSIFICATION = { ...GREEDY, presence_penalty: 0, max_tokens: 3 };
const INSTANCES = { ...GREEDY, presence_penalty: 1.5, max_tokens: 350 };
/** What an answer needs of the context at least, as a share of it: a prompt shows less rather than leave no room. */
const ROOM = 1 / 3;

interface Sampling {
  temperature: number;
  top_p: number;
  presence_penalty: number;
  max_tokens: number;
}

/** A prompt that can show less. */
interface Request {
  make(shown: number): ModelPrompt;
  /** The most that it shows. */
  most: number;
}

export async function write(
  { engine, data, models, loaded }: WritingNeeds,
  given: SelfInstructDraft,
  { onDraft, onNow, signal }: Watching,
): Promise<WritingEnd> {
  const { tokenizer, tokens, info } = models.require();
  if (info.kind !== 'decoder') {
    throw new TabtuneError({
      code: 'bad_model',
      message: `${info.title} writes no text.`,
      where: 'model.source',
      action: 'Choose a model that generates text.',
    });
  }
  let draft = given;
  assertSeeds(draft);
  const pool = new RougePool([...draft.seeds, ...draft.tasks].map(({ instruction }) => instruction));
  const adapter = loaded.list().find(({ active }) => active);
  const model = adapter ? `${info.title} with ${adapter.name}` : info.title;

  let storing = Promise.resolve();
  function become(next: SelfInstructDraft): void {
    draft = next;
    onDraft(draft);
    // The next one is stored after it; the last one is waited for.
    storing = storing.then(() => storeDraft(next));
    storing.catch(() => {});
  }

  /** The longest prompt that leaves room for an answer. */
  async function fitted({ make, most }: Request, tokens: number): Promise<{ prompt: ModelPrompt; ids: Int32Array }> {
    const room = Math.min(tokens, Math.floor(info.contextLength * ROOM));
    for (let shown = most; shown >= 0; shown--) {
      const prompt = make(shown);
      const ids = await data.encodeBegun(tokenizer, prompt.ask, prompt.begun);
      if (ids.length + room <= info.contextLength) return { prompt, ids };
    }
    throw new TabtuneError({
      code: 'bad_data',
      message: `A task is too long for the ${info.contextLength} tokens that ${info.title} can read.`,
      where: 'seed tasks',
      action: 'Shorten the longest tasks, or choose a model with a longer context.',
    });
  }

  /**
   * Several at the same time; `take` gets each as soon as it has ended. An answer ends at a stop text as well as at a stop token.
   * False if it was cancelled.
   */
  async function ask(
    stage: WritingNow['stage'],
    requests: readonly Request[],
    sampling: Sampling,
    take: (index: number, answer: RawAnswer) => void,
  ): Promise<boolean> {
    if (requests.length === 0) return !signal.aborted;
    let done = 0;
    const now = (text: string) => onNow({ stage, done, total: requests.length, text });
    now('');
    const asked: Awaited<ReturnType<typeof fitted>>[] = [];
    for (const request of requests) asked.push(await fitted(request, sampling.max_tokens));
    if (signal.aborted) return false;
    const { temperature, top_p, presence_penalty, max_tokens } = sampling;
    const options = {
      ...{ temperature, topP: top_p, topK: 0, presencePenalty: presence_penalty, maxNewTokens: max_tokens },
      // An answer's random numbers are a function of the seed, of the round, and of its place in it.
      ...{ seed: draft.settings.seed, draw: draft.rounds, stopTokenIds: tokens.stopTokenIds, adapterStrength: 1 },
    };
    const taken = new Map<number, Promise<void>>();
    /** One that has ended is taken at once, while others are still being written. */
    function takeOnce(i: number, ids: Int32Array, finished: boolean): void {
      if (taken.has(i)) return;
      const decoded = data.decode(tokenizer, ids).then((text) => {
        take(i, answerOf({ text, cut: !finished }, asked[i]!.prompt));
        done++;
        now(text);
      });
      // Waited for below.
      decoded.catch(() => {});
      taken.set(i, decoded);
    }
    const written = await engine.use((api) => {
      const ids: number[][] = asked.map(() => []);
      const streams = asked.map(
        ({ prompt: { stops } }, i) =>
          new StreamText(
            (soFar) => data.decode(tokenizer, soFar),
            (text) => {
              now(text);
              if (taken.has(i) || !stops.some((stop) => text.includes(stop))) return;
              takeOnce(i, Int32Array.from(ids[i]!), false);
              void api.endAnswer(i).catch(() => {});
            },
          ),
      );
      const onToken = (i: number, id: number) => {
        if (tokens.stopTokenIds.includes(id)) takeOnce(i, Int32Array.from(ids[i]!), true);
        else {
          ids[i]!.push(id);
          streams[i]!.push(id);
        }
      };
      return api.answerTogether(
        asked.map((one) => one.ids),
        options,
        onToken,
        signal,
      );
    });
    if (!signal.aborted) {
      for (const [i, { ids, finished }] of written.entries()) {
        takeOnce(i, finished ? ids.subarray(0, -1) : ids, finished);
      }
    }
    await Promise.all(taken.values());
    await storing;
    return !signal.aborted;
  }

  const { settings } = draft;
  const unfinished = () =>
    draft.tasks
      .flatMap(({ instances }, index) => (instances === null ? [index] : []))
      .slice(0, settings.request_batch_size);

  for (;;) {
    for (let some = unfinished(); some.length > 0; some = unfinished()) {
      const unknown = some.filter((index) => draft.tasks[index]!.classification === null);
      const both = shotsOf(seedTasks, 'both');
      const asked = unknown.map((index): Request => {
        const { instruction } = draft.tasks[index]!;
        const make = (shown: number) => classificationPrompt(instruction, both.slice(0, shown));
        return { make, most: both.length };
      });
      const classified = await ask('classification', asked, CLASSIFICATION, (i, { text }) =>
        become(withClassification(draft, unknown[i]!, saysYes(text))),
      );
      if (!classified) return 'cancelled';
      const wanted = some.map((index): Request => {
        const { instruction, classification } = draft.tasks[index]!;
        const shots = shotsOf(seedTasks, classification === true);
        const most = settings.max_instances_to_generate;
        return {
          make: (shown) => instancePrompt(instruction, classification === true, shots.slice(0, shown), most),
          most: SHOTS,
        };
      });
      const finished = await ask('instances', wanted, INSTANCES, (i, answer) =>
        become(withInstances(draft, some[i]!, answer)),
      );
      if (!finished) return 'cancelled';
    }
    const end = endOf(draft);
    if (end !== null) return end;
    const before = draft.tasks.length;
    const answers: RawAnswer[] = [];
    const requests = nextRequests(draft).map(
      (one): Request => ({
        make: (shown) => requestPrompt(one, settings, shown),
        most: Math.min(SHOWN, one.shown.length),
      }),
    );
    // A round counts as a whole: one that is interrupted is asked again, with the same answers.
    const keep = (i: number, answer: RawAnswer) => {
      answers[i] = answer;
    };
    if (!(await ask('instructions', requests, settings, keep))) return 'cancelled';
    let next = draft;
    for (const answer of answers) next = withInstructions(next, pool, answer, model);
    become(endRound(next, before));
    await storing;
  }
}

function assertSeeds(draft: SelfInstructDraft): void {
  const bad = (message: string, action: string) =>
    new TabtuneError({ code: 'bad_data', message, where: 'seed tasks', action });
  if (draft.seeds.length === 0)
    throw bad('There are no seed tasks.', 'Add some, or take the ones that come with Tabtune.');
  if (promptSeeds(draft).length === 0) {
    throw bad('None of the seed tasks is marked as classification.', 'Mark some, or ask for tasks of every kind.');
  }
  const empty = draft.seeds.findIndex(({ instruction }) => instruction.trim() === '');
  if (empty >= 0) throw bad(`Seed task ${empty + 1} has no instruction.`, 'Write one, or remove it.');
}
